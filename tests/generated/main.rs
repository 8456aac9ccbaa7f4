//! The generated files are what the types say. `cargo xtask generate` writes them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod argo;
mod chart;

use std::{collections::BTreeSet, fs, path::Path};

use astra_operator::{kinds::KINDS, reference, rights};
use expect_test::expect_file;

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference");

/// What is in a directory shall be exactly these files: one that no kind makes any more is an error, too.
pub(crate) fn assert_files(directory: &str, expected: &[(String, String)]) {
    fs::create_dir_all(directory).unwrap();
    for (name, text) in expected {
        expect_file![Path::new(directory).join(name)].assert_eq(text);
    }
    let expected: BTreeSet<_> = expected.iter().map(|(name, _)| name.clone()).collect();
    let found: BTreeSet<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(found, expected, "in {directory}");
}

#[test]
fn crds_are_what_the_types_say() {
    let files: Vec<_> = KINDS
        .iter()
        .map(|entry| {
            let crd = (entry.crd)();
            let name = format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural);
            (name, serde_saphyr::to_string(&crd).unwrap())
        })
        .collect();
    assert_files(CRDS, &files);
}

#[test]
fn the_reference_is_what_the_types_say() {
    let pages = KINDS.iter().map(reference::page).chain([rights::page()]);
    assert_files(REFERENCE, &pages.collect::<Vec<_>>());
}

#[test]
fn the_form_of_a_plan_is_what_the_types_say() {
    let schema = schemars::schema_for!(astra_operator::preview::report::Report);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.schema.json")].assert_eq(&text);
}

#[test]
fn every_field_is_described() {
    for (name, text) in KINDS.iter().map(reference::page) {
        let rows = text.lines().filter(|line| line.starts_with("| `spec.") || line.starts_with("| `status."));
        let bare: Vec<_> = rows.filter(|row| row.ends_with("|  |")).collect();
        assert_eq!(bare, [""; 0], "in {name}");
    }
}
