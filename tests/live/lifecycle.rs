//! What is the same for all kinds: the first moment, pause, a look on demand, a forced end, what kubectl shows.

use astra_operator::{engine::Kind, resource::annotation};
use astra_simulator::Event;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::{AccessList, PrivateEndpoint, VpcPeering},
    trio::{MAKING, all_ready, apply_all, endpoint, list, peering, sorted},
    wait::{condition, current, gone, is_ready, until},
};

fn generation<K: Kind>(object: &K) -> Option<i64> {
    object.status().and_then(|status| status.observed_generation)
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_fresh_object_is_not_taken_for_ready() {
    let stage = Stage::empty().await;
    apply_all(&stage).await;
    assert_eq!(generation(&stage.get::<AccessList>("list").await), Some(-1));
    assert_eq!(generation(&stage.get::<PrivateEndpoint>("endpoint").await), Some(-1));
    assert_eq!(generation(&stage.get::<VpcPeering>("peering").await), Some(-1));
}

async fn pauses<K: Kind>(stage: &Stage, spec: Value, changed: Option<Value>, drift: Event) {
    let before: K = {
        stage.apply::<K>("paused", spec).await;
        stage.settled("paused").await
    };
    stage.annotate::<K>("paused", annotation::PAUSED, "true").await;
    let is_paused = |object: &K| condition(object, "Paused").is_some_and(|paused| paused.status == "True");
    stage.object::<K>("paused", "to be Paused", is_paused).await;
    stage.astra.forget();
    // What happens in Astra and in the spec is left as it is.
    stage.astra.happens(&drift);
    if let Some(spec) = changed {
        stage.apply::<K>("paused", spec).await;
    }
    stage.assert_quiet().await;
    let object: K = stage.get("paused").await;
    assert_eq!(generation(&object), generation(&before), "a change that is not applied is not observed");
    assert_eq!(condition(&object, "Ready"), condition(&before, "Ready"), "Ready is left as it was");
    // So is a deletion.
    let object: K = stage.delete("paused").await;
    stage.assert_quiet().await;
    let waiting: K = stage.get("paused").await;
    assert!(waiting.meta().deletion_timestamp.is_some());
    assert_eq!(stage.astra.written(), "");
    // And all of it goes on when the pause ends.
    stage.annotate::<K>("paused", annotation::PAUSED, Value::Null).await;
    gone(&stage.api(), &object).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_paused_access_list_is_left_alone() {
    let stage = Stage::new().await;
    // Somebody else's looks tell that time has passed.
    stage.apply_ready::<VpcPeering>("other", peering()).await;
    let mut changed = list();
    changed["addresses"][0]["address"] = json!("203.0.113.8");
    let drift = Event::SetRestriction { database: id_of("orders"), enabled: false };
    pauses::<AccessList>(&stage, list(), Some(changed), drift).await;
    assert_eq!(stage.astra.writes().len(), 1, "the address is removed at last: {:?}", stage.astra.writes());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_paused_private_endpoint_is_left_alone() {
    let stage = Stage::new().await;
    stage.apply_ready::<VpcPeering>("other", peering()).await;
    let mut changed = endpoint();
    changed["endpoints"][0]["description"] = json!("changed");
    let drift =
        Event::RemoveEndpoint { database: id_of("orders"), endpoint: "vpce-0f7aed6e7a18a1791".into() };
    pauses::<PrivateEndpoint>(&stage, endpoint(), Some(changed), drift).await;
    assert_eq!(stage.astra.link("orders"), (vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_paused_peering_is_left_alone() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("other", list()).await;
    let drift = Event::SetPeeringStatus { database: id_of("archive"), status: "failed".into() };
    pauses::<VpcPeering>(&stage, peering(), None, drift).await;
    assert!(stage.astra.database("archive").peering.is_none());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn unpausing_goes_on_where_it_was() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    stage.annotate::<AccessList>("list", annotation::PAUSED, "true").await;
    let is_paused = |object: &AccessList| condition(object, "Paused").is_some();
    stage.object("list", "to be Paused", is_paused).await;
    let mut changed = list();
    changed["addresses"][0]["description"] = json!("while paused");
    stage.apply::<AccessList>("list", changed).await;
    stage.annotate::<AccessList>("list", annotation::PAUSED, Value::Null).await;
    let object = stage.ready::<AccessList>("list").await;
    assert!(condition(&object, "Paused").is_none(), "only there while it is true");
    assert_eq!(stage.astra.addresses("orders").unwrap(), ["203.0.113.7 while paused"]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_look_can_be_asked_for() {
    let stage = Stage::with_operator(&["--resync", "10m"]).await;
    stage.apply::<AccessList>("list", list()).await;
    stage.settled::<AccessList>("list").await;
    for value in ["2026-01-01T00:00:00Z", "once more"] {
        stage.astra.happens(&Event::RemoveAccessList { database: id_of("orders") });
        stage.astra.forget();
        let asked = std::time::Instant::now();
        stage.annotate::<AccessList>("list", annotation::RECONCILE, value).await;
        until("the list to be put right", || stage.astra.is_restricted("orders").then_some(())).await;
        let took = asked.elapsed();
        assert!(took.as_millis() < 2500, "a look that was asked for took {took:?}");
        let handled = |object: &AccessList| {
            let status = object.status.as_ref().unwrap();
            is_ready(object)
                && status.in_flight.is_none()
                && status.last_handled_reconcile_at.as_deref() == Some(value)
        };
        stage.object("list", "to tell that it was looked at", handled).await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_deletion_that_astra_refuses_can_be_forced() {
    let stage = Stage::new().await;
    stage.apply_ready::<VpcPeering>("peering", peering()).await;
    stage
        .astra
        .fails(&astra_simulator::Fault::status(500).on(astra_simulator::Method::Delete, "/v2/peering/*"));
    let object = stage.delete::<VpcPeering>("peering").await;
    let told = |object: &VpcPeering| condition(object, "Ready").is_some_and(|ready| ready.status == "False");
    stage.object("peering", "to tell that it cannot be deleted", told).await;
    stage.annotate::<VpcPeering>("peering", annotation::FORCE_FINALIZE, "true").await;
    gone(&stage.api(), &object).await;
    assert!(stage.astra.database("archive").peering.is_some());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn force_finalize_alone_deletes_nothing() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    stage.annotate::<AccessList>("list", annotation::FORCE_FINALIZE, "true").await;
    stage.assert_quiet().await;
    stage.ready::<AccessList>("list").await;
    // Where Astra can be cleaned up, it still is.
    stage.delete_and_wait::<AccessList>("list").await;
    assert_eq!(stage.astra.addresses("orders"), Some(vec![]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn resyncs_write_nothing_and_make_no_events() {
    let stage = Stage::new().await;
    apply_all(&stage).await;
    all_ready(&stage).await;
    let events = ["list", "endpoint", "peering"].map(|name| stage.events(name));
    let version = stage.get::<AccessList>("list").await.resource_version();
    stage.assert_quiet().await;
    stage.assert_quiet().await;
    assert_eq!(stage.get::<AccessList>("list").await.resource_version(), version);
    assert_eq!(["list", "endpoint", "peering"].map(|name| stage.events(name)), events);
    assert_eq!(sorted(stage.astra.writes()), MAKING);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn kubectl_shows_what_it_is_whether_it_is_ready_and_why_not() {
    let stage = Stage::new().await;
    apply_all(&stage).await;
    all_ready(&stage).await;
    let unknown = json!({ "database": { "name": "nowhere" }, "addresses": [{ "address": "203.0.113.7" }] });
    stage.apply::<AccessList>("unknown", unknown).await;
    stage.stalled::<AccessList>("unknown", "DatabaseNotFound").await;
    let table = stage.cluster.kubectl(&["-n", &stage.namespace, "get", "astra"]);
    let rows: Vec<String> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let shows = |row: &str| assert!(rows.iter().any(|found| found.starts_with(row)), "{row:?} in\n{table}");
    shows("NAME DATABASE REGION READY REASON MESSAGE AGE");
    shows(
        "astraprivateendpoint.astra.datastax.com/endpoint orders us-east-2 True UpToDate 1 principal allowed, 1 endpoint accepted",
    );
    shows("NAME DATABASE ACCESS READY REASON MESSAGE AGE");
    shows("astraaccesslist.astra.datastax.com/list orders Listed True UpToDate 1 address or network gets in");
    shows(r#"astraaccesslist.astra.datastax.com/unknown False DatabaseNotFound no database named "nowhere""#);
    shows("NAME DATABASE PROVIDER PEERING READY REASON MESSAGE AGE");
    shows(
        "astravpcpeering.astra.datastax.com/peering archive Google Cloud active True UpToDate peered with shared",
    );

    // By short name, and by what is selectable.
    for (short, name) in [("ape", "endpoint"), ("aal", "list"), ("avp", "peering")] {
        let found = stage.cluster.kubectl(&["-n", &stage.namespace, "get", short, name, "-o", "name"]);
        assert!(found.trim_end().ends_with(&format!("/{name}")), "{found}");
    }
    let by_database =
        ["-n", &stage.namespace, "get", "aal", "-o", "name", "--field-selector=spec.database.name=orders"];
    assert_eq!(stage.cluster.kubectl(&by_database), "astraaccesslist.astra.datastax.com/list\n");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn kubectl_wait_waits_for_the_spec_that_is_there() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    let mut changed = list();
    changed["addresses"][0]["address"] = json!("203.0.113.9");
    stage.apply::<AccessList>("list", changed).await;
    stage.cluster.kubectl(&[
        "-n",
        &stage.namespace,
        "wait",
        "--for=condition=Ready",
        "--timeout=20s",
        "aal/list",
    ]);
    assert_eq!(stage.astra.addresses("orders").unwrap(), ["203.0.113.9"]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_object_made_anew_under_the_same_name_starts_anew() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    stage.delete_and_wait::<AccessList>("list").await;
    let mut other = list();
    other["database"]["name"] = json!("sessions");
    let object: AccessList = stage.apply_ready("list", other).await;
    assert_eq!(current(&object).unwrap().database_id, Some(id_of("sessions")));
    assert_eq!(stage.astra.addresses("sessions").unwrap(), ["203.0.113.7"]);
}
