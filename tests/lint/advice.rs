//! What is advised, for which manifests.

use std::{collections::BTreeSet, fmt::Write as _};

use astra_operator::lint::{lint_text, rules::RULES};
use expect_test::{Expect, expect};

/// An object on a line of its own: a list unless it has another kind's fields.
fn objects(specs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (metadata, spec) in specs {
        let kind = if spec.contains("Principals") {
            "AstraPrivateEndpoint"
        } else if spec.contains("gcp") {
            "AstraVpcPeering"
        } else {
            "AstraAccessList"
        };
        writeln!(text, "---\n{{apiVersion: astra.datastax.com/v1beta1, kind: {kind}, metadata: {{{metadata}}},\nspec: {{{spec}}}}}")
            .unwrap();
    }
    text
}

fn advice(text: &str) -> (String, Vec<&'static str>) {
    let report = lint_text("a.yaml", text, "default", &BTreeSet::new());
    let mut lines = String::new();
    for advice in &report.advice {
        let (at, rule) = (&advice.location, advice.rule);
        let object = advice.object.as_deref().unwrap_or("?");
        writeln!(
            lines,
            "{}:{} {}[{}] {object} {}: {}",
            at.line,
            at.column,
            rule.severity.as_str(),
            rule.id,
            advice.field,
            advice.message
        )
        .unwrap();
        if let Some((at, object)) = &advice.related {
            writeln!(lines, "    see {}:{} {object}", at.line, at.column).unwrap();
        }
    }
    if report.silenced > 0 {
        writeln!(lines, "{} silenced", report.silenced).unwrap();
    }
    (lines, report.advice.iter().map(|advice| advice.rule.id).collect())
}

fn check(specs: &[(&str, &str)], expected: &Expect) {
    expected.assert_eq(&advice(&objects(specs)).0);
}

/// Each list is of a database of its own where they shall not meet.
const EVERYTHING: &[(&str, &str)] = &[
    ("name: Bad", "database: {name: a}"),
    ("name: twice", "database: {name: b}, addresses: [{address: 203.0.113.1}]"),
    ("name: twice", "database: {name: b}, addresses: [{address: 203.0.113.1}]"),
    ("name: claims", "database: {name: b}, addresses: [{address: 203.0.113.2}]"),
    (
        "name: c1",
        "database: {name: c}, management: Shared, publicAccess: Listed, addresses: [{address: 203.0.113.0/24}]",
    ),
    (
        "name: c2",
        "database: {name: c}, management: Shared, addresses: [{address: 203.0.113.0/24, enabled: false}]",
    ),
    ("name: c3", "database: {name: c}, management: Shared, addresses: [{address: 203.0.113.9}]"),
    ("name: all", "database: {name: d}, addresses: [{address: 0.0.0.0/0}, {address: 203.0.113.0/25}]"),
    ("name: open", "database: {name: e}, publicAccess: Open"),
    (
        "name: switch",
        "database: {name: f}, management: Shared, addresses: [{address: 203.0.113.1}, {address: 10.1.2.3}]",
    ),
    ("name: e", "database: {name: e}, allowedPrincipals: ['arn:aws:iam::123456789012:root']"),
    (
        "name: alone",
        "database: {name: g}, allowedPrincipals: ['arn:aws:iam::123456789012:root'], region: us-east-1, endpoints: [{id: vpce-1}]",
    ),
    (
        "name: elsewhere",
        "database: {name: g}, allowedPrincipals: ['arn:aws:iam::123456789012:root'], region: eu-west-1, endpoints: [{id: vpce-1}]",
    ),
    ("name: locks", "database: {name: h}, deletionPolicy: Delete, addresses: [{address: 203.0.113.1}]"),
    (
        "name: by-id, namespace: b",
        "database: {id: 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b05}, addresses: [{address: 203.0.113.1}]",
    ),
    ("name: by-name, namespace: b", "database: {name: h}, addresses: [{address: 203.0.113.1}]"),
    ("name: blocked", "database: {name: i}, publicAccess: Blocked"),
    (
        "name: odd, annotations: {astra.datastax.com/pause: 'true', astra.datastax.com/paused: 'yes', astra.datastax.com/lint-ignore: 'AL1, AL001'}",
        "database: {name: j}, addresses: [{address: 203.0.113.1}]",
    ),
    (
        "name: moment, annotations: {astra.datastax.com/force-finalize: 'true', astra.datastax.com/allow-mass-removal: '6', astra.datastax.com/paused: 'true'}",
        "database: {name: k}, addresses: [{address: 203.0.113.1}]",
    ),
];

#[test]
fn every_rule_finds_what_it_is_for() {
    let (_, found) = advice(&objects(EVERYTHING));
    let found: BTreeSet<_> = found.into_iter().collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(found, all);
    check(
        EVERYTHING,
        &expect![[r#"
        2:82 error[AL001] AstraAccessList default/Bad metadata.name: "Bad" cannot be a name: small letters, digits, - and ., beginning and ending with a letter or digit, at most 253
        3:1 error[AL001] AstraAccessList default/Bad spec: addresses needs at least one address: an empty list would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked, to let in everybody say publicAccess: Open
        8:82 error[AL002] AstraAccessList default/twice metadata.name: is declared already
            see 5:82 AstraAccessList default/twice
        12:8 error[AL003] AstraAccessList default/claims spec.database: AstraAccessList default/twice is Exclusive for the same database too: one of the two will do nothing
            see 6:8 AstraAccessList default/twice
        18:71 error[AL004] AstraAccessList default/c2 spec.addresses[0].address: 203.0.113.0/24 is disabled here, and enabled in AstraAccessList default/c1
            see 15:93 AstraAccessList default/c1
        21:71 note[AL009] AstraAccessList default/c3 spec.addresses[0].address: 203.0.113.9 lies in 203.0.113.0/24 of AstraAccessList default/c1, which is enabled
            see 15:93 AstraAccessList default/c1
        24:51 warning[AL005] AstraAccessList default/all spec.addresses[0].address: 0.0.0.0/0 is the whole internet
        24:73 warning[AL008] AstraAccessList default/all spec.addresses[1].address: 203.0.113.0/25 lies in 0.0.0.0/0 of line 24, which is enabled: it lets in nobody more
        27:43 warning[AL006] AstraAccessList default/open spec.publicAccess: everybody gets in
        30:1 warning[AL007] AstraAccessList default/switch spec.publicAccess: nothing that was read switches the restriction of this database on
        30:95 warning[AL010] AstraAccessList default/switch spec.addresses[1].address: 10.1.2.3 is in 10.0.0.0/8 (RFC 1918), which is not routed on the internet: it lets nobody in
        33:8 warning[AL011] AstraPrivateEndpoint default/e spec.database: the endpoint adds a private way in, and the access list leaves the public one open
            see 27:43 AstraAccessList default/open
        36:8 note[AL012] AstraPrivateEndpoint default/alone spec.database: nothing that was read restricts the public side of this database
        39:120 warning[AL015] AstraPrivateEndpoint default/elsewhere spec.endpoints[0].id: vpce-1 is for eu-west-1 here, and for us-east-1 there
            see 36:120 AstraPrivateEndpoint default/alone
        42:45 warning[AL013] AstraAccessList default/locks spec.deletionPolicy: deleting this object locks out everybody who comes from the internet
        48:25 note[AL014] AstraAccessList b/by-name spec.database.name: AstraAccessList b/by-id names its database by the id: nothing is compared between the two
            see 45:23 AstraAccessList b/by-id
        51:43 note[AL016] AstraAccessList default/blocked spec.publicAccess: nothing that was read gives this database a private way in
        53:127 warning[AL017] AstraAccessList default/odd metadata.annotations[astra.datastax.com/pause]: the operator knows no such annotation; did you mean astra.datastax.com/paused?
        53:162 warning[AL017] AstraAccessList default/odd metadata.annotations[astra.datastax.com/paused]: "yes" means nothing here: only "true" does
        53:201 warning[AL017] AstraAccessList default/odd metadata.annotations[astra.datastax.com/lint-ignore]: AL1, AL001 is no rule that can be silenced; they are AL002 to AL019
        56:139 warning[AL018] AstraAccessList default/moment metadata.annotations[astra.datastax.com/force-finalize]: every later deletion may leave things behind in Astra
        56:186 warning[AL018] AstraAccessList default/moment metadata.annotations[astra.datastax.com/allow-mass-removal]: a removal of 6 entries is allowed for ever
        56:218 note[AL019] AstraAccessList default/moment metadata.annotations[astra.datastax.com/paused]: nothing is sent to Astra for this object
    "#]],
    );
}

#[test]
fn a_good_directory_has_nothing_to_complain_of() {
    check(
        &[
            ("name: a", "database: {name: a}, publicAccess: Blocked"),
            (
                "name: a",
                "database: {name: a}, allowedPrincipals: ['arn:aws:iam::123456789012:root'], region: us-east-1, endpoints: [{id: vpce-1}]",
            ),
            (
                "name: b",
                "database: {name: b}, allowedPrincipals: ['arn:aws:iam::123456789012:root'], region: us-east-1, endpoints: [{id: vpce-1}]",
            ),
            (
                "name: b",
                "database: {name: b}, addresses: [{address: 203.0.113.0/25}, {address: 203.0.113.128/25}]",
            ),
            (
                "name: c1",
                "database: {name: c}, management: Shared, publicAccess: Listed, deletionPolicy: Delete, addresses: [{address: 203.0.113.1}]",
            ),
            ("name: c2", "database: {name: c}, management: Shared, addresses: [{address: 203.0.113.2}]"),
            ("name: d", "database: {name: d}, gcp: {projectId: acme-network, network: shared}"),
            ("name: d", "database: {name: d}, addresses: [{address: 10.0.0.0/8}]"),
            // The same name and another token: perhaps another organization.
            ("name: a, namespace: other", "database: {name: a}, addresses: [{address: 203.0.113.1}]"),
            (
                "name: e, annotations: {astra.datastax.com/paused: 'false', other.com/paused: x}",
                "database: {name: e}, addresses: [{address: 203.0.113.1}]",
            ),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn networks_within_networks_are_found_wherever_they_stand() {
    check(
        &[(
            "name: a",
            "database: {name: a}, addresses: [{address: 203.0.113.7}, {address: 203.0.113.0/28, enabled: false}, {address: 203.0.113.0/24}, \
             {address: 198.51.100.0/24, enabled: false}, {address: 198.51.100.7}, {address: 203.0.114.0/24}, {address: 203.0.113.0/30}]",
        )],
        &expect![[r#"
            3:51 warning[AL008] AstraAccessList default/a spec.addresses[0].address: 203.0.113.7 lies in 203.0.113.0/24 of line 3, which is enabled: it lets in nobody more
            3:75 warning[AL008] AstraAccessList default/a spec.addresses[1].address: 203.0.113.0/28 is disabled, and 203.0.113.0/24 of line 3 lets it in all the same
            3:241 warning[AL008] AstraAccessList default/a spec.addresses[6].address: 203.0.113.0/30 lies in 203.0.113.0/24 of line 3, which is enabled: it lets in nobody more
        "#]],
    );
    check(
        &[(
            "name: a",
            "database: {name: a}, addresses: [{address: 0.0.0.0/1}, {address: 128.0.0.0/2}, {address: 192.0.0.0/2}]",
        )],
        &expect![[r#"
            3:29 warning[AL005] AstraAccessList default/a spec.addresses: the enabled networks are the whole internet together
        "#]],
    );
    check(
        &[(
            "name: a",
            "database: {name: a}, addresses: [{address: 0.0.0.0/1}, {address: 128.0.0.0/2}, {address: 192.0.0.0/2, enabled: false}]",
        )],
        &expect![[r#""#]],
    );
}

#[test]
fn objects_that_claim_the_same_are_told_of_once_each() {
    let exclusive = "database: {name: a}, management: Exclusive, addresses: [{address: 203.0.113.1}]";
    let shared = "database: {name: a}, management: Shared, addresses: [{address: 203.0.113.1}]";
    check(
        &[("name: a", shared), ("name: b", exclusive), ("name: c", exclusive)],
        &expect![[r#"
        3:41 error[AL003] AstraAccessList default/a spec.management: AstraAccessList default/b is Exclusive for the same database: it and this one cannot both be done
            see 6:8 AstraAccessList default/b
        9:8 error[AL003] AstraAccessList default/c spec.database: AstraAccessList default/b is Exclusive for the same database too: one of the two will do nothing
            see 6:8 AstraAccessList default/b
    "#]],
    );
    let endpoint = |rest: &str| {
        format!(
            "database: {{id: 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b05}}, allowedPrincipals: ['arn:aws:iam::123456789012:root'], {rest}"
        )
    };
    check(
        &[
            ("name: a", &endpoint("region: us-east-1, management: Exclusive")),
            ("name: b, namespace: elsewhere", &endpoint("region: US-EAST-1")),
            ("name: c", &endpoint("region: eu-west-1")),
        ],
        &expect![[r#"
            3:8 note[AL012] AstraPrivateEndpoint default/a spec.database: nothing that was read restricts the public side of this database
            6:1 error[AL003] AstraPrivateEndpoint elsewhere/b spec.management: AstraPrivateEndpoint default/a is Exclusive for the same database: it and this one cannot both be done
                see 3:8 AstraPrivateEndpoint default/a
        "#]],
    );
    let peering = "database: {name: p}, gcp: {projectId: acme-network, network: shared}";
    check(
        &[("name: a", peering), ("name: b", peering)],
        &expect![[r#"
        6:8 error[AL003] AstraVpcPeering default/b spec.database: AstraVpcPeering default/a is for the same database: one of the two will do nothing
            see 3:8 AstraVpcPeering default/a
    "#]],
    );
}

#[test]
fn advice_can_be_silenced_for_an_object_and_for_all() {
    let open = "database: {name: a}, publicAccess: Open";
    check(
        &[("name: a, annotations: {astra.datastax.com/lint-ignore: 'AL005, AL006'}", open)],
        &expect![[r#"
            1 silenced
        "#]],
    );
    let exclusive = "database: {name: a}, addresses: [{address: 203.0.113.1}]";
    // Either of two objects silences what is between them.
    for (first, second) in [("AL003", "AL005"), ("AL005", "AL003")] {
        let metadata =
            |name, id| format!("name: {name}, annotations: {{astra.datastax.com/lint-ignore: {id}}}");
        check(
            &[(&metadata("a", first), exclusive), (&metadata("b", second), exclusive)],
            &expect![[r#"
            1 silenced
        "#]],
        );
    }
    let text = objects(EVERYTHING);
    let ignored = RULES.iter().map(|rule| rule.id).collect();
    let report = lint_text("a.yaml", &text, "default", &ignored);
    assert!(report.advice.iter().all(|advice| advice.rule.id == "AL001"), "{:?}", report.advice);
    assert!(!report.advice.is_empty(), "what the API server would refuse is told in any case");
    assert!(report.silenced > 15);
}
