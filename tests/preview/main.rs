//! What a plan shows is what a run sends: the stage is compared with the simulator of Astra call by call, and the plans of
//! all golden scenarios with what the stock controllers send.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is a verdict; the settings know only of functions that are tests themselves"
)]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

#[cfg(unix)]
mod ci;
mod compared;
mod program;
mod run;
#[path = "../golden/scenario.rs"]
mod scenario;
mod stage;
mod tells;
