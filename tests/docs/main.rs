//! The documentation keeps its word: links lead somewhere, manifests are valid, commands exist and are run, every reason and
//! condition is explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::needless_pass_by_value, reason = "values of json! are made where they are handed over")]

/// What the live tests stand on.
#[path = "../live/harness/mod.rs"]
mod harness;

mod clouds;
mod commands;
mod links;
mod manifests;
mod monitoring;
mod page;
mod reasons;
mod shell;
mod site;
mod walks;
