//! The whole plan as data.
