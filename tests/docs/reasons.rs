//! Every reason is in the troubleshooting table, and is shown as it says there; every condition is on its page.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use astra_operator::{engine::Reason, kinds::KINDS};
use regex::Regex;

use crate::page::root;

#[test]
fn every_reason_is_in_the_troubleshooting_table_and_shown_as_it_says() {
    let page = fs::read_to_string(root().join("docs/guide/troubleshooting.md")).unwrap();
    let rows: BTreeMap<&str, &str> = (page.lines())
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(reason, rest)| (reason, rest.split(" | ").next().unwrap_or_default()))
        .collect();
    for reason in Reason::ALL {
        let expected = match reason {
            Reason::UpToDate => "Ready",
            reason if reason.needs_a_person() => "Stalled",
            _ => "Reconciling",
        };
        let word = reason.to_string();
        assert_eq!(
            rows.get(word.as_str()),
            Some(&expected),
            "the row of {word} in docs/guide/troubleshooting.md"
        );
    }
    assert_eq!(rows.len(), Reason::ALL.len(), "a row is of no reason: {:?}", rows.keys());
}

#[test]
fn every_condition_is_on_its_page_with_its_reasons() {
    let page = fs::read_to_string(root().join("docs/guide/conditions.md")).unwrap();
    let rows: BTreeMap<&str, &str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    let own: BTreeSet<&str> =
        KINDS.iter().flat_map(|entry| entry.conditions).map(|(name, _)| *name).collect();
    let all: BTreeSet<&str> =
        own.iter().copied().chain(["Ready", "Reconciling", "Stalled", "Paused"]).collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), all);

    // The kind's own reasons are texts in its source: `(true, "Available", …)`.
    let source = fs::read_to_string(root().join("src/kinds/private_endpoint/report.rs")).unwrap();
    let given = Regex::new(r#"\((?:true|false), "([A-Za-z]+)""#).unwrap();
    let given: BTreeSet<&str> =
        given.captures_iter(&source).map(|found| found.get(1).unwrap().as_str()).collect();
    let told = Regex::new("\\(`([A-Za-z]+)`\\)").unwrap();
    let told: BTreeSet<&str> = (own.iter())
        .flat_map(|name| told.captures_iter(rows[name]))
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert_eq!(told, given);
}
