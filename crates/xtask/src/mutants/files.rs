//! Where mutants are planted: in what decides, and in what stands between a decision and a database.

/// Patterns, as cargo-mutants takes them.
pub(super) const FILES: &[&str] = &[
    // What is to be done, for each kind, and what is read for it.
    "src/kinds/*.rs",
    "src/kinds/*/*.rs",
    // What all kinds have in common: ownership, the record, the guard, verdicts, and the driver of it all.
    "src/engine.rs",
    "src/engine/*.rs",
    "src/engine/drive/*.rs",
    // Who else is at the same place.
    "src/controller/peers.rs",
    // Who may write.
    "src/leader/*.rs",
    // What goes over the wire, what may be sent again, and what an answer means.
    "crates/devops/src/*.rs",
];

/// The files in which no mutant may survive, not even one with an excuse: who breaks these removes what is not to be
/// removed, or writes while another one does.
pub(super) const SAFETY: &[&str] =
    &["src/engine/guard.rs", "src/engine/ownership.rs", "src/leader/fence.rs", "src/leader/fenced.rs"];

/// The crates that have such files: the file at the head of each, where its sources are, and its name in cargo.
pub(super) const CRATES: &[(&str, &str)] =
    &[("src/lib.rs", "src"), ("crates/devops/src/lib.rs", "crates/devops/src")];

/// The file that argues the mutants that survive and may.
pub(super) const ARGUED: &str = "docs/mutants.md";
