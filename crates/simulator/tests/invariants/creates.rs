//! I8: one create at a time, recorded before.

use std::time::Duration;

use astra_simulator::{
    Event, Fault, Method, State,
    invariants::{
        Invariant::{I8, I9},
        Kind,
    },
    state::database_id,
};
use serde_json::{Value, json};

use crate::bench::{Bench, Change, link, link_of, object, shared, with_link, with_list};

const ROOT: &str = "arn:aws:iam::123456789012:root";

/// What happens before the endpoint is asked for a second time.
type Between = fn(&Bench);

fn world() -> Bench {
    Bench::alone(with_link(&[ROOT], &[]))
}

fn asks(bench: &Bench, fault: Fault) {
    bench.simulator.add_fault(fault.on(Method::Post, &link("endpoints")).times(1));
    bench.connect("vpce-1");
}

fn looks(bench: &Bench) {
    bench.get(&link("private-link"));
}

fn goes(bench: &Bench) {
    bench.event(&Event::RemoveEndpoint { database: database_id("01"), endpoint: "vpce-1".into() });
}

fn once(bench: &Bench) {
    bench.connect("vpce-1");
}

#[test]
fn an_endpoint_is_asked_for_again_only_when_a_reading_shows_that_it_is_not_there() {
    let rows: [(&str, Between, bool); 15] = [
        ("nothing", |_| {}, false),
        ("asked for", once, true),
        (
            "asked for, and there",
            |b| {
                once(b);
                looks(b);
            },
            true,
        ),
        (
            "asked for, and removed by a hand that nobody saw",
            |b| {
                once(b);
                goes(b);
            },
            true,
        ),
        (
            "asked for, removed by a hand, and looked for",
            |b| {
                once(b);
                goes(b);
                looks(b);
            },
            false,
        ),
        (
            "looked for in the list of all",
            |b| {
                once(b);
                goes(b);
                b.get("/v2/organizations/private-link");
            },
            false,
        ),
        (
            "looked for elsewhere",
            |b| {
                once(b);
                goes(b);
                b.get(&link_of("02", "private-link"));
            },
            true,
        ),
        (
            "the look fails",
            |b| {
                once(b);
                goes(b);
                b.simulator.add_fault(Fault::status(500).on(Method::Get, "/v2").times(1));
                looks(b);
            },
            true,
        ),
        ("refused", |b| asks(b, Fault::status(400).json(json!({ "errors": [] }))), false),
        ("throttled", |b| asks(b, Fault::status(429)), false),
        ("refused by a proxy's page", |b| asks(b, Fault::status(403).text("<html>no</html>")), true),
        ("the answer is lost", |b| asks(b, Fault::lost_answer()), true),
        ("lost on its way, which nobody knows", |b| asks(b, Fault::reset()), true),
        (
            "lost on its way, and looked for",
            |b| {
                asks(b, Fault::reset());
                looks(b);
            },
            false,
        ),
        (
            "removed by a request",
            |b| {
                once(b);
                b.disconnect("vpce-1");
            },
            false,
        ),
    ];
    for (what, between, trips) in rows {
        let bench = world();
        between(&bench);
        bench.simulator.clear_violations();
        once(&bench);
        let expected = if trips { vec![I8] } else { Vec::new() };
        assert_eq!(bench.tripped(), expected, "{what}");
    }
}

#[test]
fn a_reading_before_the_lag_has_passed_shows_nothing() {
    for (seconds, trips) in [(0, true), (7, true), (8, false)] {
        let bench = world();
        bench.simulator.set_eventual_consistency(Duration::from_secs(8));
        bench.wait(20);
        once(&bench);
        goes(&bench);
        bench.wait(seconds);
        looks(&bench);
        once(&bench);
        assert_eq!(bench.tripped().contains(&I8), trips, "after {seconds} s");
    }
}

#[test]
fn a_reading_by_another_organization_shows_nothing_of_this_one() {
    let mut bench = world();
    once(&bench);
    goes(&bench);
    let acme = std::mem::replace(&mut bench.token, astra_simulator::state::GLOBEX_TOKEN.into());
    bench.get("/v2/organizations/private-link");
    bench.token = acme;
    once(&bench);
    assert_eq!(bench.tripped(), [I8]);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_began_before_the_answer_was_in_shows_nothing() {
    let simulator = astra_simulator::Simulator::new(with_link(&[ROOT], &[]));
    simulator.watch(astra_simulator::Watch::alone());
    let post = || {
        astra_simulator::Request::new(Method::Post, &link("endpoints"))
            .token(astra_simulator::state::ACME_TOKEN)
            .json(&json!({ "endpointID": "vpce-1", "description": "" }))
    };
    let get = astra_simulator::Request::new(Method::Get, &link("private-link"))
        .token(astra_simulator::state::ACME_TOKEN);
    simulator.set_latency(Duration::from_secs(2));
    let slow = Duration::from_secs(1);
    let first = post();
    // Sent at 0, carried out at 1, answered at 2; the reading is sent at 1 and answered at 3.
    tokio::join!(simulator.answer(&first), async {
        tokio::time::sleep(slow).await;
        let gone = Event::RemoveEndpoint { database: database_id("01"), endpoint: "vpce-1".into() };
        tokio::task::yield_now().await;
        simulator.apply(&gone).unwrap();
        simulator.answer(&get).await;
    });
    simulator.answer(&post()).await;
    let tripped: Vec<_> = simulator.violations().iter().map(|violation| violation.invariant).collect();
    assert_eq!(tripped, [I8]);
}

#[test]
fn azure_makes_other_ids_and_so_any_later_reading_will_do() {
    const AZURE: &str = "/subscriptions/9cbbd094-fa31-490f-863d-897d01661681/resourceGroups/g/providers/M/privateEndpoints/dev";
    for (looks, expected) in [(true, vec![]), (false, vec![I8])] {
        let bench = Bench::alone(State::default());
        let body = json!({ "allowedPrincipals": ["9cbbd094-fa31-490f-863d-897d01661681"] });
        bench.ask(Method::Post, &link_of("03", "allowed-principals"), &body);
        let post = |id: &str| {
            bench.ask(
                Method::Post,
                &link_of("03", "endpoints"),
                &json!({ "endpointID": id, "description": "" }),
            );
        };
        post(AZURE);
        if looks {
            bench.get(&link_of("03", "private-link"));
        }
        post(&AZURE.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/"));
        assert_eq!(bench.tripped(), expected, "looks: {looks}");
    }
}

#[test]
fn a_peering_is_asked_for_once() {
    let path = format!("/v2/peering/provider/gcp/database/{}", database_id("08"));
    let network = json!({ "projectId": "acme-apps", "vpcNetworkName": "hub" });
    let post = |bench: &Bench| bench.ask(Method::Post, &path, &network);
    let bench = Bench::alone(State::default());
    post(&bench);
    bench.get(&path);
    bench.is_clean("once");
    post(&bench);
    assert_eq!(bench.tripped(), [I8], "there");
    bench.ask(Method::Delete, &path, &Value::Null);
    bench.wait(5);
    post(&bench);
    bench.is_clean("after it was deleted by a request");
    bench.event(&Event::RemovePeering { database: database_id("08") });
    bench.get(&path);
    post(&bench);
    bench.is_clean("after it was seen to be gone");
}

#[test]
fn what_is_made_was_recorded_and_is_wanted() {
    let unrecorded = |kind, wants: &[&str]| object(kind, "a", wants).with(|version| version.owned.clear());
    for (wants, recorded, expected) in [
        ("endpoint/vpce-1", true, None),
        ("endpoint/vpce-1", false, Some(I8)),
        ("endpoint/vpce-2", true, Some(I9)),
    ] {
        let kind = Kind::PrivateEndpoint;
        let object = if recorded { object(kind, "a", &[wants]) } else { unrecorded(kind, &[wants]) };
        let bench = Bench::declaring(with_link(&[ROOT], &[]), [object]);
        once(&bench);
        assert_eq!(bench.tripped(), Vec::from_iter(expected), "{wants}, recorded: {recorded}");
    }
    let bench = Bench::declaring(
        with_list(true, &["10.0.0.1"]),
        [unrecorded(Kind::AccessList, &["10.0.0.1", "10.0.0.2"])],
    );
    bench.add(&["10.0.0.1"]);
    bench.is_clean("it is there already: it may be adopted");
    bench.add(&["10.0.0.2"]);
    assert_eq!(bench.tripped(), [I8]);
    let bench = Bench::declaring(with_list(true, &[]), [shared("a", &["10.0.0.2/32"])]);
    bench.add(&["10.0.0.2"]);
    bench.add(&["10.0.0.2"]);
    bench.is_clean("an address may be sent twice");
}
