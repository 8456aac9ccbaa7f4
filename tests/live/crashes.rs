//! The operator ends, in one way or another, and starts again: nothing is lost, nothing is made twice.

use std::time::Duration;

use astra_operator::resource::FINALIZER;
use astra_simulator::{Fault, Method};
use kube::ResourceExt;

use crate::harness::{
    Stage,
    stage::{AccessList, PrivateEndpoint, VpcPeering},
    trio::{MAKING, all_ready, apply_all, endpoint, list, sorted},
    wait::until,
};

/// One world: the operator is killed when so many changes have arrived at Astra, and started again.
async fn crash_at(calls: usize) {
    let mut stage = Stage::with_astra(&["--latency", "50ms"]).await;
    // What is not safe to repeat is only sent when a minute of looking has shown that it was not.
    stage.deadline = Duration::from_secs(90);
    stage.start(&[]);
    apply_all(&stage).await;
    until("the moment to crash", || (stage.astra.writes().len() >= calls).then_some(())).await;
    stage.take_operator().kill();
    stage.start(&[]);
    all_ready(&stage).await;
    let writes = stage.astra.writes();
    for path in ["/endpoints", "/peering/"] {
        let made = writes.iter().filter(|write| write.starts_with("POST ") && write.contains(path)).count();
        assert_eq!(made, 1, "POST {path} after a crash at {calls} changes: {writes:#?}");
    }
    // What may be sent twice may have been.
    let mut written = sorted(writes);
    written.dedup();
    assert_eq!(written, MAKING, "after a crash at {calls} changes");
    stage.assert_quiet().await;
    stage.delete_and_wait::<AccessList>("list").await;
    stage.delete_and_wait::<PrivateEndpoint>("endpoint").await;
    stage.delete_and_wait::<VpcPeering>("peering").await;
    assert_eq!(stage.astra.link("orders"), (vec![], vec![]), "what was made is owned, and goes");
    assert!(stage.astra.database("archive").peering.is_none());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_crash_at_any_call_makes_nothing_twice() {
    futures::future::join_all((0..=MAKING.len()).map(crash_at)).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_restart_with_nothing_changed_writes_nothing() {
    let mut stage = Stage::new().await;
    apply_all(&stage).await;
    all_ready(&stage).await;
    let versions = async |stage: &Stage| {
        [
            stage.get::<AccessList>("list").await.resource_version(),
            stage.get::<PrivateEndpoint>("endpoint").await.resource_version(),
            stage.get::<VpcPeering>("peering").await.resource_version(),
        ]
    };
    stage.assert_quiet().await;
    let before = versions(&stage).await;
    stage.take_operator().terminate().await;
    stage.astra.forget();
    stage.start(&[]);
    stage.assert_quiet().await;
    until("the peering to be looked at", || {
        (stage.astra.reads("/database/4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b08") >= 2).then_some(())
    })
    .await;
    assert_eq!(stage.astra.written(), "");
    assert_eq!(versions(&stage).await, before, "neither is anything written to Kubernetes");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_is_sent_is_written_down_before() {
    let stage = Stage::new().await;
    // The call never arrives, so what is on the object was there before it.
    stage.astra.fails(&Fault::reset().on(Method::Put, "/v2/databases/*"));
    stage.apply::<AccessList>("list", list()).await;
    until("the call", || (!stage.astra.writes().is_empty()).then_some(())).await;
    let object = stage.get::<AccessList>("list").await;
    assert!(object.finalizers().iter().any(|finalizer| finalizer == FINALIZER), "{:?}", object.metadata);
    let status = object.status.unwrap();
    assert_eq!(status.owned, ["address/203.0.113.7/32"]);
    assert_eq!(status.in_flight.unwrap().steps, ["replace the access list: +203.0.113.7 access restricted"]);
    assert_eq!(stage.astra.addresses("orders"), None);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn being_told_to_end_finishes_the_step_under_way() {
    let mut stage = Stage::new().await;
    let path = "/v2/organizations/clusters/*/endpoints";
    stage.astra.fails(&Fault::delay(Duration::from_secs(2)).on(Method::Post, path).times(1));
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    let allowed = || (!stage.astra.link("orders").0.is_empty()).then_some(());
    until("the principal, which comes before the endpoint", allowed).await;
    stage.take_operator().terminate().await;
    assert_eq!(stage.astra.link("orders").1, ["vpce-0f7aed6e7a18a1791"], "the step was finished");
    stage.start(&[]);
    stage.settled::<PrivateEndpoint>("endpoint").await;
    stage.assert_quiet().await;
    assert_eq!(stage.astra.writes().len(), 2, "{:?}", stage.astra.writes());
}
