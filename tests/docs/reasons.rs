//! Every reason is in the troubleshooting table, and is shown as it says there.

use std::{collections::BTreeMap, fs};

use astra_operator::engine::Reason;

use crate::page::root;

/// All reasons; the test that uses them counts them against the source.
const REASONS: [Reason; 25] = [
    Reason::UpToDate,
    Reason::InvalidSpec,
    Reason::SecretNotFound,
    Reason::SecretKeyNotFound,
    Reason::TokenInvalid,
    Reason::TokenRefused,
    Reason::PermissionDenied,
    Reason::DatabaseNotFound,
    Reason::DatabaseAmbiguous,
    Reason::DatabaseTerminated,
    Reason::DatabaseParked,
    Reason::DatabaseNotReady,
    Reason::Conflict,
    Reason::WaitingForPeer,
    Reason::ChangeRefused,
    Reason::KubernetesUnavailable,
    Reason::AstraUnavailable,
    Reason::RateLimited,
    Reason::WaitingForAstra,
    Reason::EndpointRejected,
    Reason::EndpointPending,
    Reason::PeeringPending,
    Reason::PeeringFailed,
    Reason::Deleting,
];

#[test]
fn every_reason_is_in_the_troubleshooting_table_and_shown_as_it_says() {
    let source = fs::read_to_string(root().join("src/engine/reason.rs")).unwrap();
    let declared = source.lines().filter(|line| is_variant(line)).count();
    assert_eq!(
        REASONS.len(),
        declared,
        "a reason is missing in this test, or src/engine/reason.rs reads otherwise"
    );

    let page = fs::read_to_string(root().join("docs/guide/troubleshooting.md")).unwrap();
    let rows: BTreeMap<&str, &str> = (page.lines())
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(reason, rest)| (reason, rest.split(" | ").next().unwrap_or_default()))
        .collect();
    for reason in REASONS {
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
    assert_eq!(rows.len(), REASONS.len(), "a row is of no reason: {:?}", rows.keys());
}

/// A variant of the enum: a CamelCase word and a comma, one level in.
fn is_variant(line: &str) -> bool {
    let name = line.strip_prefix("    ").and_then(|line| line.strip_suffix(','));
    name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}
