//! I4, I6 and I7 on endpoints, principals and peerings; I7 on addresses.

use astra_simulator::{
    Fault, Method, State,
    invariants::{
        Declared,
        Invariant::{self, I4, I6, I7},
        Kind, Version,
    },
    state::database_id,
};
use serde_json::{Value, json};

use crate::bench::{Bench, Change, link, list, object, shared, version, with_link, with_list};

const ROOT: &str = "arn:aws:iam::123456789012:root";

fn endpoints(name: &str, wants: &[&str]) -> Declared {
    object(Kind::PrivateEndpoint, name, wants)
}

/// It owns these, and wants them no longer.
fn owner_of(things: &[&str]) -> Declared {
    endpoints("a", things).then(Version { generation: 2, owned: version(things).owned, ..version(&[]) })
}

fn world() -> State {
    with_link(&[ROOT], &["vpce-1", "vpce-2"])
}

#[test]
fn only_what_is_owned_and_not_wanted_throughout_goes() {
    let other_datacenter = Some(format!("{}-2", database_id("01")));
    for (what, objects, expected) in [
        ("owned", vec![owner_of(&["endpoint/vpce-1"])], None),
        ("foreign", vec![owner_of(&["endpoint/vpce-2"])], Some(I6)),
        ("claimed", vec![endpoints("a", &["endpoint/vpce-2"]).with(|v| v.exclusive = true)], None),
        ("wanted throughout", vec![endpoints("a", &["endpoint/vpce-1"])], Some(I4)),
        (
            "wanted by another",
            vec![owner_of(&["endpoint/vpce-1"]), endpoints("b", &["endpoint/vpce-1"])],
            Some(I4),
        ),
        (
            "owned in another datacenter",
            vec![
                endpoints("a", &["endpoint/vpce-2"]),
                Declared { datacenter: other_datacenter, ..owner_of(&["endpoint/vpce-1"]) },
            ],
            Some(I6),
        ),
        ("deleted", vec![endpoints("a", &["endpoint/vpce-1"]).with(|v| v.deleting = true)], None),
    ] {
        let bench = Bench::declaring(world(), objects);
        bench.get(&link("private-link"));
        bench.disconnect("vpce-1");
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "{what}");
    }
}

#[test]
fn a_principal_is_judged_as_an_endpoint_is() {
    let owned = format!("principal/{ROOT}");
    for (objects, expected) in
        [(vec![owner_of(&[&owned])], None), (vec![owner_of(&["principal/arn:aws:iam::1:root"])], Some(I6))]
    {
        let bench = Bench::declaring(world(), objects);
        bench.get(&link("private-link"));
        let body = json!({ "allowedPrincipal": ROOT });
        bench.ask(Method::Delete, &link("allowed-principals"), &body);
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected));
    }
}

#[test]
fn an_azure_endpoint_is_known_by_the_name_that_astra_made_of_it() {
    const DECLARED: &str = "endpoint//subscriptions/s/resourceGroups/g/providers/M/privateEndpoints/Dev";
    let kept = "dev.9cbbd094-fa31-490f-863d-897d01661681";
    for (declared, expected) in
        [(DECLARED, None), ("endpoint//subscriptions/s/privateEndpoints/de", Some(I6))]
    {
        let bench = Bench::declaring(with_link(&[ROOT], &[kept]), [owner_of(&[declared])]);
        bench.get(&link("private-link"));
        bench.disconnect(kept);
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "{declared}");
    }
}

#[test]
fn a_peering_goes_only_when_it_is_owned_and_was_shown() {
    const NETWORK: &str = "peering/aws/123456789012/vpc-0123456789abcdef0";
    let path = format!("/v2/peering/provider/aws/database/{}", database_id("07"));
    let network = json!({ "accountId": "123456789012", "vpcId": "vpc-0123456789abcdef0", "region": "us-west-2", "cidrBlock": "10.1.0.0/16" });
    for (what, owns, looks, expected) in [
        ("owned and shown", NETWORK, true, None),
        ("owned and not shown", NETWORK, false, Some(I6)),
        // An Exclusive kind: that claims the place, and not another's peering.
        ("foreign", "peering/aws/123456789012/vpc-0000000000000000f", true, Some(I6)),
    ] {
        let object = object(Kind::VpcPeering, "a", &[owns]).with(|version| version.exclusive = true);
        let deleted = Version { deleting: true, ..object.versions[0].clone() };
        let object = Declared { database: Some(database_id("07")), ..object }.then(deleted);
        let bench = Bench::declaring(State::default(), [object]);
        bench.ask(Method::Post, &path, &network);
        bench.simulator.clear_violations();
        if looks {
            bench.get(&path);
        }
        bench.ask(Method::Delete, &path, &Value::Null);
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "{what}");
    }
}

/// What happens between the reading that shows the endpoint and its removal.
type Between = fn(&Bench);

fn fails(bench: &Bench, path: &str, fault: Fault) {
    bench.simulator.add_fault(fault.times(1));
    bench.get(path);
}

#[test]
fn no_removal_rests_on_a_reading_that_failed_or_was_empty() {
    let rows: [(&str, Between, Option<Invariant>); 13] = [
        ("nothing", |_| {}, None),
        ("the parent is not found", |b| fails(b, &link("private-link"), Fault::status(404)), Some(I7)),
        ("the parent fails", |b| fails(b, &link("private-link"), Fault::status(500)), Some(I7)),
        ("no answer", |b| fails(b, &link("private-link"), Fault::reset()), Some(I7)),
        (
            "it is said to be empty",
            |b| {
                let empty = json!({ "allowedPrincipals": [], "endpoints": [], "datacenterID": "x", "serviceName": "" });
                fails(b, &link("private-link"), Fault::status(200).json(empty));
            },
            Some(I7),
        ),
        (
            "it is said not to be there",
            |b| {
                fails(b, &link("private-link"), Fault::status(404).json(json!("none")));
            },
            Some(I7),
        ),
        ("half an answer", |b| fails(b, &link("private-link"), Fault::status(200).text("{\"endp")), Some(I7)),
        (
            "all links are none",
            |b| {
                fails(
                    b,
                    "/v2/organizations/private-link",
                    Fault::status(200).json(json!({ "clusters": [] })),
                );
            },
            Some(I7),
        ),
        (
            "the database is not found",
            |b| {
                fails(b, &format!("/v2/databases/{}", database_id("01")), Fault::status(404));
            },
            Some(I7),
        ),
        (
            "and it is read again",
            |b| {
                fails(b, &link("private-link"), Fault::status(404));
                b.get(&link("private-link"));
            },
            None,
        ),
        (
            "another database's",
            |b| fails(b, &crate::bench::link_of("02", "private-link"), Fault::status(404)),
            None,
        ),
        ("one endpoint is not there", |b| fails(b, &link("endpoints/vpce-9"), Fault::status(404)), None),
        ("the access list fails", |b| fails(b, &list(), Fault::status(500)), None),
    ];
    for (what, between, expected) in rows {
        for (seconds, expected) in [(61, expected), (59, None)] {
            let bench = Bench::declaring(world(), [owner_of(&["endpoint/vpce-1"])]);
            bench.get(&link("private-link"));
            bench.wait(seconds);
            between(&bench);
            bench.is_clean(what);
            bench.disconnect("vpce-1");
            assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "{what}, after {seconds} s");
        }
    }
}

#[test]
fn the_same_for_addresses_and_a_put_rests_on_no_reading() {
    let two: &[&str] = &["10.0.0.1", "10.0.0.2"];
    let narrowed = || {
        let now = Version { generation: 2, owned: version(two).owned, ..version(&["10.0.0.2"]) };
        [shared("a", two).then(now).with(|version| version.exclusive = true)]
    };
    for (removes, expected) in [(true, Some(I7)), (false, None)] {
        let bench = Bench::declaring(with_list(true, two), narrowed());
        bench.get(&list());
        bench.wait(90);
        fails(&bench, "/v2/access-lists", Fault::status(502).text("<html>"));
        if removes {
            bench.remove("10.0.0.1");
        } else {
            bench.replace(true, &["10.0.0.2"]);
        }
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "removes: {removes}");
    }
}
