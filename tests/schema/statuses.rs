//! Whatever Astra answers, the status that is written is one that the schema takes.

use std::fmt::Debug;

use astra_operator::{
    engine::{
        Problem, Reason,
        outcome::{Driven, Outcome},
        timing::Timing,
        verdict::{Circumstances, verdict},
    },
    kinds::{
        KINDS,
        access_list::{AccessListDetails, PublicAccess},
        private_endpoint::{EndpointReport, PrivateEndpointDetails},
        vpc_peering::{NetworkReport, VpcPeeringDetails},
    },
    status::{
        InFlight, Status,
        limits::{self, Bounded, bounded},
    },
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use proptest::{collection::vec, option, prelude::*, strategy::ValueTree as _};
use serde::Serialize;

use crate::{checker::refusals, part};

/// A remote text: most are short, some are endless, and any character may be in it.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["a", "…", "\u{1b}[31m", "\n", "\u{10ffff}", "\"", ""]);
    let length = prop::sample::select(vec![0_usize, 1, 36, 1023, 1024, 1025, 1026, 5000]);
    (piece, length).prop_map(|(piece, length)| piece.repeat(length))
}

/// What is acted on is bounded by the spec, or by the form of its id.
fn known() -> impl Strategy<Value = String> {
    prop::sample::select(vec![0_usize, 1, 521]).prop_map(|length| "endpoint/x".repeat(length / 10 + 1))
}

fn texts(most: usize) -> impl Strategy<Value = Vec<String>> {
    let count = prop::sample::select(vec![0, 1, most - 1, most, most + 1, 2 * most + 3]);
    (vec(text(), 1..4), count).prop_map(|(some, count)| some.into_iter().cycle().take(count).collect())
}

/// A look that ended somehow, with these details.
fn driven<D: Debug>(details: impl Strategy<Value = D>) -> impl Strategy<Value = Driven<D>> {
    let facts = (option::of(text()), option::of(text()), option::of(text()), vec(known(), 0..4));
    let in_flight = option::of((texts(limits::STEPS), 0..=limits::LARGEST));
    (facts, in_flight, details, text(), 0..3_u8).prop_map(|(facts, in_flight, details, said, how)| {
        let (organization_id, database_name, last_handled_reconcile_at, owned) = facts;
        let in_flight = in_flight.map(|(steps, generation)| InFlight { since: now(), generation, steps });
        let status = Status {
            organization_id,
            database_name,
            last_handled_reconcile_at,
            owned,
            in_flight,
            details,
            observed_generation: None,
            applied_generation: Some(1),
            record_checksum: Some("0123456789abcdef".to_owned()),
            conditions: Vec::new(),
            database_id: Some("8fbcfe1d-56fa-4ed0-9aff-f57029feef1b".to_owned()),
            last_change_time: Some(now()),
        };
        let outcome = match how {
            0 => Outcome::Done(said),
            1 => Outcome::Blocked(Problem::new(Reason::ChangeRefused, said)),
            _ => Outcome::Failed(Problem::new(Reason::AstraUnavailable, said), None),
        };
        Driven { status, outcome, conditions: None, notice: None }
    })
}

fn now() -> Time {
    Time(Timestamp::from_second(1_800_000_000).unwrap())
}

/// The road of every status: it is judged, brought within its limits, and written.
fn is_taken<D>(kind: &str, details: impl Strategy<Value = D>)
where
    D: Bounded + Clone + Default + Debug + PartialEq + Serialize,
{
    let entry = KINDS.iter().find(|entry| (entry.crd)().spec.names.kind == kind).unwrap();
    let (_, schema) = part(entry, "status");
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let at = Circumstances {
        generation: 3,
        failures: 9,
        stale: 0,
        waits: 0,
        jitter: 0.5,
        now: now().0,
        timing: Timing::default(),
    };
    let mut unbounded = 0;
    let result = runner.run(&driven(details), |driven| {
        let status = verdict(driven, &Status::default(), at).status;
        let written = bounded(&status);
        let found = refusals(&schema, &serde_json::to_value(&written).unwrap());
        prop_assert!(found.is_empty(), "{found:?}");
        prop_assert_eq!(&bounded(&written), &written, "twice is not once");
        prop_assert_eq!(&written.owned, &status.owned, "what is owned must never be cut");
        Ok(())
    });
    result.unwrap();
    // The generator must reach beyond the limits, or the test above says nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..50 {
        let long = texts(limits::STEPS).new_tree(&mut runner).unwrap().current();
        unbounded += usize::from(
            long.len() > limits::STEPS || long.iter().any(|text| text.chars().count() > limits::TEXT),
        );
    }
    assert!(unbounded > 10, "only {unbounded} of 50 were beyond the limits");
}

#[test]
fn an_access_lists_status_is_taken() {
    let access = prop::sample::select(vec![PublicAccess::Listed, PublicAccess::Blocked, PublicAccess::Open]);
    let details = (option::of(access), option::of(0..1_000_000_i64), texts(limits::OTHERS));
    is_taken(
        "AstraAccessList",
        details.prop_map(|(public_access, address_count, unmanaged_addresses)| AccessListDetails {
            public_access,
            address_count,
            unmanaged_addresses,
        }),
    );
}

#[test]
fn a_private_endpoints_status_is_taken() {
    let report = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let report = report.prop_map(|(astra_id, link_id, status, created)| EndpointReport {
        id: "vpce-1".to_owned(),
        astra_id,
        link_id,
        status,
        created,
    });
    let one = || option::of(text());
    let scalars = (one(), one(), one(), one(), one());
    let lists =
        (texts(limits::DNS_NAMES), texts(limits::REPORTED), texts(limits::OTHERS), texts(limits::OTHERS));
    is_taken(
        "AstraPrivateEndpoint",
        (scalars, lists, vec(report, 0..5)).prop_map(|(scalars, lists, endpoints)| {
            let (provider, region, datacenter_id, service_name, service_attachment_uri) = scalars;
            let (dns_names, allowed_principals, unmanaged_principals, unmanaged_endpoints) = lists;
            PrivateEndpointDetails {
                provider,
                region,
                datacenter_id,
                service_name,
                service_attachment_uri,
                dns_names,
                allowed_principals,
                endpoints,
                unmanaged_principals,
                unmanaged_endpoints,
            }
        }),
    );
}

#[test]
fn a_vpc_peerings_status_is_taken() {
    let side = || (text(), text(), text());
    let side = move || {
        option::of(side().prop_map(|(account, network, cidr_block)| NetworkReport {
            account,
            network,
            cidr_block,
        }))
    };
    let details = (option::of(text()), option::of(text()), option::of(text()), side(), side());
    is_taken(
        "AstraVpcPeering",
        details.prop_map(|(provider, connection_id, peering_status, astra_network, peer_network)| {
            VpcPeeringDetails { provider, connection_id, peering_status, astra_network, peer_network }
        }),
    );
}
