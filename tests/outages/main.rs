//! The real program on a real control plane that fails: killed at any call, and under an API server that goes away,
//! freezes, forgets, or says no.
//!
//! The first half needs the cluster that `cargo xtask test` starts; the second breaks control planes of its own. Alone,
//! all are ignored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::items_after_statements, clippy::too_many_lines, reason = "scenarios are data, and long")]

#[path = "../live/harness/mod.rs"]
mod harness;

mod kubernetes;
mod plane;
mod ports;
mod proxy;
mod restored;
mod scenario;
mod sweep;
