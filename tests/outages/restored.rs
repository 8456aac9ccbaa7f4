//! etcd is restored from an older snapshot. The stock watcher then waits for versions that are long gone, without an
//! error: the operator has to notice by itself.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    harness::{stage::AccessList, trio},
    kubernetes::{assert_same, converged, list, plane},
};

/// The watch is compared with a list once a minute or so; then an event has 5 s, and the objects have to be looked at.
const NOTICED_WITHIN: Duration = Duration::from_secs(90);

/// So many versions are lost, so that the new ones do not catch up by themselves.
const LOST: usize = 300;

/// What the operator says when it has noticed.
const NOTICED: &str = "the watch did not tell of changes that a list shows";

#[tokio::test]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn a_restored_etcd_is_noticed_without_a_restart() {
    let (mut plane, mut stage) = plane().await;
    stage.deadline = NOTICED_WITHIN;
    let process = stage.operator().id();
    trio::apply_all(&stage).await;
    stage.apply::<AccessList>("list", list("203.0.113.1")).await;
    converged(&stage, "a new control plane", "203.0.113.1", Instant::now()).await;
    plane.stop_servers();
    plane.save();
    plane.start_servers().await;

    // All this is forgotten by Kubernetes, and not by Astra.
    stage.apply::<AccessList>("list", list("203.0.113.2")).await;
    converged(&stage, "etcd stopped and started", "203.0.113.2", Instant::now()).await;
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), &stage.namespace);
    for count in 0..LOST {
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "lost" }, "data": { "count": count.to_string() } });
        maps.patch("lost", &PatchParams::apply("outages"), &Patch::Apply(map)).await.unwrap();
    }
    plane.stop_servers();
    plane.restore();
    plane.start_servers().await;
    let over = Instant::now();
    let restored: AccessList = stage.get("list").await;
    assert_eq!(restored.spec.addresses[0].address, "203.0.113.1", "the older state is back");
    assert!(!stage.log().contains(NOTICED), "too early");

    // An order that a watch which waits for lost versions does not hear.
    stage.apply::<AccessList>("list", list("203.0.113.3")).await;
    let took = converged(&stage, "etcd restored from an older snapshot", "203.0.113.3", over).await;
    assert!(stage.log().contains(NOTICED), "it was not deaf: nothing is proved");
    assert!(took < NOTICED_WITHIN, "{took:?}");
    assert_same(process, &stage);
    assert_eq!(stage.astra.violations(), [] as [Value; 0]);
}
