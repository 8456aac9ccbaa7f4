//! The safety invariants: what trips each of them, and what comes near and must not.

mod access;
mod bench;
mod clients;
mod creates;
mod forms;
mod mass;
mod orders;
mod random;
mod removals;
