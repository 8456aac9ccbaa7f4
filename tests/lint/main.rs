//! Manifests as kubectl reads them, checked as the API server checks them; and what `lint` advises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes its texts so")]

#[path = "../cel/access_list.rs"]
mod access_list;
mod advice;
mod command;
#[path = "../cel/common.rs"]
mod common;
mod laws;
#[path = "../fuzz/mutate.rs"]
mod mutate;
mod outputs;
mod page;
#[path = "../cel/private_endpoint.rs"]
mod private_endpoint;
mod refused;
mod server;
mod sources;
#[path = "../cel/table.rs"]
#[allow(dead_code, reason = "the tests of the rules use the rest")]
mod table;
#[path = "../cel/vpc_peering.rs"]
mod vpc_peering;

use std::fmt::Write as _;

use astra_operator::manifest::{Manifests, read_text};

/// All that is found in one text, a line each.
pub(crate) fn found(text: &str) -> String {
    let mut lines = String::new();
    let Manifests { objects, skipped, errors } = read_text("a.yaml", text, "default");
    for object in objects {
        writeln!(lines, "{}: {} {}/{}", object.location, object.kind, object.namespace, object.name).unwrap();
    }
    for (kind, count) in skipped {
        writeln!(lines, "skipped: {count} {kind}").unwrap();
    }
    for error in errors {
        writeln!(lines, "{error}").unwrap();
    }
    lines
}
