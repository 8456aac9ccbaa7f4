//! What is made of the facts of an object, without a cluster.

use anstream::adapter::strip_str;
use astra_operator::{
    engine::{Problem, Reason},
    explain::{
        Explanation, Facts,
        events::{EventFacts, LAST, last},
        lease::{LeaseState, Operator},
        secret::{Credentials, SecretState},
        target::Target,
        text::text,
    },
};
use expect_test::expect;
use k8s_openapi::{
    api::{coordination::v1::Lease, events::v1::Event},
    jiff::Timestamp,
};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

fn object(status: Value, more: Value) -> Value {
    let mut metadata = json!({
        "namespace": "team-a", "name": "orders", "uid": "1", "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "metadata": metadata,
        "spec": { "database": { "name": "orders" }, "management": "Exclusive", "deletionPolicy": "Retain" },
        "status": status,
    })
}

fn status(reason: &str, ready: bool) -> Value {
    let condition = |type_: &str, status: bool| {
        json!({
            "type": type_, "status": if status { "True" } else { "False" }, "reason": reason, "message": "what is said",
            "observedGeneration": 2, "lastTransitionTime": "2026-01-01T23:59:00Z",
        })
    };
    let mut conditions = vec![condition("Ready", ready)];
    if !ready && Reason::parse(reason).is_some_and(Reason::needs_a_person) {
        conditions.push(condition("Stalled", true));
    }
    json!({ "observedGeneration": 2, "conditions": conditions })
}

fn operator(state: LeaseState) -> Operator {
    Operator { lease: "ops/astra".into(), state, holder: None, renewed: None, problem: None }
}

fn facts(object: Value) -> Facts {
    Facts {
        kind: "AstraAccessList",
        own_conditions: &[],
        short_name: "aal".into(),
        object,
        credentials: Credentials {
            secret_name: "astra-credentials".into(),
            key: "token".into(),
            state: SecretState::Unknown,
            message: "you may not get secrets".into(),
            problem: None,
        },
        world: None,
        astra_failed: None,
        plan: None,
        beside: Vec::new(),
        events: Vec::new(),
        operator: operator(LeaseState::Works),
        notes: Vec::new(),
    }
}

fn advised(facts: &Facts) -> String {
    let explanation = Explanation::new(facts, now());
    explanation.advice.iter().map(|advised| advised.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_reason_that_a_condition_can_give_is_answered() {
    for reason in Reason::ALL {
        let is_ready = *reason == Reason::UpToDate;
        let explanation =
            Explanation::new(&facts(object(status(&reason.to_string(), is_ready), json!({}))), now());
        assert_eq!(explanation.ready, is_ready);
        assert_eq!(explanation.advice.len(), 1, "{reason}");
        assert!(!explanation.advice[0].text.contains("knows no reason"), "{reason}");
    }
    let unknown = advised(&facts(object(status("FromTheFuture", false), json!({}))));
    assert!(unknown.contains("knows no reason FromTheFuture"), "{unknown}");
}

#[test]
fn what_was_found_just_now_goes_before_what_was_told_before() {
    let problem = |reason| Some(Problem::new(reason, "what is found"));
    let with = |reason: &str, ready, found: Option<Problem>| {
        let mut facts = facts(object(status(reason, ready), json!({})));
        facts.credentials.problem = found;
        advised(&facts)
    };
    // The operator has not noticed yet.
    let gone = with("UpToDate", true, problem(Reason::SecretNotFound));
    assert!(gone.starts_with("Found just now: what is found (SecretNotFound). Make the Secret"), "{gone}");
    // One thing was mended and the next appeared.
    let next = with("Conflict", false, problem(Reason::SecretNotFound));
    assert!(next.starts_with("Decide which object") && next.contains("\nFound just now: "), "{next}");
    // The same is not said twice.
    let same = with("SecretNotFound", false, problem(Reason::SecretNotFound));
    assert_eq!(same.lines().count(), 1, "{same}");
    // What passes by itself is no reason to alarm anybody.
    let passing = with("UpToDate", true, problem(Reason::AstraUnavailable));
    assert_eq!(passing, "Nothing: Astra is as the spec says.");
}

#[test]
fn an_operator_that_does_not_work_is_told() {
    let at = |state, status| {
        let mut facts = facts(object(status, json!({})));
        facts.operator = operator(state);
        advised(&facts)
    };
    for (state, fresh, ready) in [
        (LeaseState::Works, "Wait some seconds", false),
        (LeaseState::Unknown, "Wait some seconds", false),
        (LeaseState::Missing, "See that an operator runs", false),
        (LeaseState::Free, "See that an operator runs", true),
        (LeaseState::Silent, "See that an operator runs", true),
    ] {
        assert!(at(state, json!({ "observedGeneration": -1 })).starts_with(fresh), "{state:?}");
        let of_ready = at(state, status("UpToDate", true));
        assert_eq!(of_ready.contains("See that the operator runs"), ready, "{state:?}: {of_ready}");
    }
}

#[test]
fn a_lease_tells_who_works() {
    let of = |spec: Value| {
        let lease: Lease = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap();
        Operator::of("ops/astra".into(), &lease, now()).state
    };
    let held =
        |time: &str| of(json!({ "holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": time }));
    assert_eq!(held("2026-01-01T23:59:58.000000Z"), LeaseState::Works);
    assert_eq!(held("2026-01-01T23:59:00.000000Z"), LeaseState::Works, "clocks differ");
    assert_eq!(held("2026-01-01T23:58:59.000000Z"), LeaseState::Silent);
    assert_eq!(of(json!({ "holderIdentity": "", "leaseDurationSeconds": 1 })), LeaseState::Free);
    assert_eq!(of(json!({})), LeaseState::Free);
    assert_eq!(of(json!({ "holderIdentity": "a" })), LeaseState::Silent);
}

#[test]
fn the_last_events_are_told_newest_last() {
    let event = |minute: u32, series: Option<u32>| -> Event {
        let time = |minute: u32| format!("2026-01-01T00:{minute:02}:00.000000Z");
        let series = series.map(|minute| json!({ "count": 3, "lastObservedTime": time(minute) }));
        serde_json::from_value(json!({
            "metadata": { "name": format!("e{minute}") }, "eventTime": time(minute), "series": series,
            "reason": format!("R{minute}"), "note": "…", "type": "Normal",
        }))
        .unwrap()
    };
    let mut events: Vec<Event> = (1..=12).rev().map(|minute| event(minute, None)).collect();
    // The oldest has happened again.
    events.push(event(0, Some(30)));
    let told: Vec<(String, i32)> =
        last(events).into_iter().map(|EventFacts { reason, count, .. }| (reason, count)).collect();
    assert_eq!(told.len(), LAST);
    assert_eq!(told.first(), Some(&("R4".to_owned(), 1)));
    assert_eq!(told.last(), Some(&("R0".to_owned(), 3)));
}

#[test]
fn a_kind_is_taken_as_kubectl_takes_it() {
    let parse = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Target::parse(&words).map(|target| format!("{}/{}", target.entry.kind, target.name))
    };
    for kind in [
        "AstraVpcPeering",
        "astravpcpeering",
        "ASTRAVPCPEERINGS",
        "avp",
        "astravpcpeering.astra.datastax.com",
        "astravpcpeerings.v1beta1.astra.datastax.com",
    ] {
        assert_eq!(parse(&[&format!("{kind}/x")]).unwrap(), "AstraVpcPeering/x");
        assert_eq!(parse(&[kind, "x"]).unwrap(), "AstraVpcPeering/x");
    }
    for (words, expected) in [
        (&["x"][..], "is no KIND/NAME"),
        (&["aal/"], "is no KIND/NAME"),
        (&["/x"], "is no KIND/NAME"),
        (&["aal/x/y"], "is no KIND/NAME"),
        (&["aal", "x", "y"], "is no KIND/NAME"),
        (&["astraacceslist/x"], "did you mean \"astraaccesslist\"?"),
        (&["pods/x"], "only AstraPrivateEndpoint (ape), AstraAccessList (aal), AstraVpcPeering (avp)"),
        (&["aal.example.com/x"], "there is no kind"),
    ] {
        let error = parse(words).unwrap_err().to_string();
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}

#[test]
fn an_explanation_reads_well_and_nothing_of_others_colours_the_terminal() {
    let annotations = json!({
        "astra.datastax.com/pause": "true",
        "astra.datastax.com/reconcile-requested-at": "now\u{1b}[31m",
        "kubectl.kubernetes.io/last-applied-configuration": "not shown",
    });
    let more = json!({ "annotations": annotations, "finalizers": ["astra.datastax.com/cleanup", "example.com/other"] });
    let mut status = status("Conflict", false);
    status["owned"] = json!(["address/203.0.113.7/32"]);
    status["unmanagedAddresses"] = json!(["10.0.0.1"]);
    status["inFlight"] =
        json!({ "since": "2026-01-01T23:59:30Z", "generation": 2, "steps": ["add 203.0.113.7"] });
    let mut facts = facts(object(status, more));
    facts.events = vec![EventFacts {
        time: "2026-01-01T23:00:00Z".into(),
        type_: "Warning".into(),
        reason: "Conflict".into(),
        note: "two\nlines".into(),
        count: 2,
    }];
    facts.notes = vec!["you may not list events".into()];
    let shown = strip_str(&text(&Explanation::new(&facts, now()), now(), false)).to_string();
    expect![[r#"
        AstraAccessList team-a/orders  ✗ stalled  Conflict

        Object
          generation 2, which the operator has looked at
          made 24h ago; Exclusive, when it is deleted: Retain
          its deletion also waits for the finalizers of others: example.com/other
          astra.datastax.com/pause=true: has no effect: the operator knows no such annotation, did you mean "astra.datastax.com/paused"?
          astra.datastax.com/reconcile-requested-at=now\u{1b}[31m: the look that was asked for was not taken yet

        Secret
          you may not get secrets

        Conditions
          Ready    False  Astra is not as the spec says, or that is not known, for 60s
                          Conflict: what is said
          Stalled  True   waiting will not help: a person has to change something, for 60s

        Astra
          not asked: you may not get secrets

        Owns in Astra
          address/203.0.113.7/32
          announced 30s ago, not seen yet: add 203.0.113.7
          leaves alone what is there of others: 10.0.0.1

        Events
            60m ago  Conflict  two\nlines (2 times)

        Operator
          Lease ops/astra: held and renewed: the operator works

        Not shown
          you may not list events

        What to do now
          Decide which object shall have the say: the message names the other. Delete one of them, or make both management: Shared; if no other object is named, do as the message says.
            kubectl -n team-a edit aal orders
    "#]].assert_eq(&shown);
}
