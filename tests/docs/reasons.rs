//! Every reason is in the troubleshooting table, and is shown as it says there.

use std::{collections::BTreeMap, fs};

use astra_operator::engine::Reason;

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
