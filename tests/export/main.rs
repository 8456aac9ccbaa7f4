//! Exports change nothing: over random worlds, held against the rules of the definitions, and through the real program
//! against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written so when they are renewed")]

mod drawn;
mod laws;
mod pages;
mod program;
mod rules;
mod server;
