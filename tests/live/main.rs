//! The operator as a program, on a real Kubernetes API server, against the simulator as a program.
//!
//! Every test has a namespace, a simulator and an operator of its own, so all can run at once. `cargo xtask test` starts
//! what they need and runs them; alone, they are ignored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]

mod harness;

mod access_list;
mod access_list_shared;
mod crashes;
mod credentials;
mod databases;
mod examples;
mod faults;
mod fields;
mod leader;
mod lifecycle;
mod logging;
mod memory;
mod metrics;
mod plan;
mod private_endpoint;
mod private_endpoint_clouds;
mod process;
mod rotation;
mod vpc_peering;
