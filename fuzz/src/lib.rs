//! What is fuzzed, as plain functions of bytes: everything that reads what others wrote, and everything that decides by
//! it. A function that panics has found a bug.
//!
//! They are fed twice. `cargo xtask fuzz` lets libFuzzer search for as long as one likes (it needs a nightly toolchain and
//! `cargo-fuzz`); `tests/fuzz` of the main package includes this very file and feeds the corpora and a fixed number of
//! mutations of them in each ordinary test run.

mod answers;
mod lines;
mod objects;
mod plans;
mod requests;
mod world;

/// A function that must come back from whatever it is given.
pub type Target = fn(&[u8]);

/// All targets, by the name of their program in `fuzz_targets/` and of their folder in `corpus/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("answer_access_lists", answers::access_lists),
    ("answer_databases", answers::databases),
    ("answer_organization", answers::organization),
    ("answer_peerings", answers::peerings),
    ("answer_private_links", answers::private_links),
    ("answer_words", answers::words),
    ("address", requests::address),
    ("call_url", requests::url),
    ("log_line", lines::log),
    ("object_access_list", objects::access_list),
    ("object_private_endpoint", objects::private_endpoint),
    ("object_vpc_peering", objects::vpc_peering),
    ("plan_access_list", plans::access_list),
    ("plan_private_endpoint", plans::private_endpoint),
    ("plan_vpc_peering", plans::vpc_peering),
    ("retry_after", requests::retry_after),
    ("status", objects::status),
];

/// Feeds one target.
///
/// # Panics
/// When there is no such target, and when a bug was found.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}
