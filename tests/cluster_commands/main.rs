//! The commands that a person asks a cluster with: `explain` and `status`. What they make of what they read is tested
//! without a cluster; that they read it, and read only, is tested against a real API server, the simulator and the
//! operator as a program. Run by `cargo xtask test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::needless_pass_by_value, reason = "values of json! are made where they are handed over")]

mod advice;
mod command;
mod explain;
mod explained;
mod overview;
mod rights;
mod status;

/// What the live tests stand on.
#[path = "../live/harness/mod.rs"]
mod harness;
