//! Servers that are restarted, restored and compacted; definitions and namespaces that go and come.

use std::time::Duration;

use expect_test::expect;
use kube::runtime::watcher::Config;
use serde_json::{Value, json};
use simulated_apiserver::{ApiServer, ChangeKind, Strike};

use crate::stage::{NAMESPACE, PLURAL, api, definition, seconds, server, striking, watch, widget};

fn hold(server: &ApiServer, name: &str, finalizers: &Value) {
    server.merge(PLURAL, NAMESPACE, name, json!({ "metadata": { "finalizers": finalizers } })).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_restart_breaks_watches_and_requests() {
    let server = server();
    server.create(widget("a", 0)).unwrap();
    let client = server.client("operator", NAMESPACE);
    let log = watch(&client, Config::default());
    seconds(1).await;
    server.set_weather(Some(striking(|seen| Strike {
        latency: if seen.is_watch { Duration::ZERO } else { Duration::from_secs(5) },
        ..Strike::default()
    })));
    let request = tokio::spawn(async move { api(&client).get("a").await.map(drop) });
    seconds(1).await;
    server.restart();
    assert!(matches!(request.await.unwrap(), Err(kube::Error::Service(_))));
    server.create(widget("b", 1)).unwrap();
    seconds(5).await;
    expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 ready
          2.0 error: watch stream failed: Error reading events stream: ServiceError: connection reset by peer
          3.0 apply b=1"#]]
    .assert_eq(&log.take().join("\n"));
}

/// As it was measured on a real server of version 1.36.3: the watcher is told nothing, until the revision that it knows
/// comes again.
#[tokio::test(start_paused = true)]
async fn a_restored_server_goes_back_and_leaves_watchers_deaf() {
    let server = server();
    server.create(widget("a", 0)).unwrap();
    let (snapshot, old) = (server.snapshot(), server.revision());
    for size in 1..=3 {
        server.merge(PLURAL, NAMESPACE, "a", json!({ "spec": { "size": size } })).unwrap();
    }
    let log = watch(&server.client("operator", NAMESPACE), Config::default().timeout(20));
    seconds(1).await;
    server.restore(&snapshot);
    assert_eq!(server.revision(), old);
    assert_eq!(server.get(PLURAL, NAMESPACE, "a").unwrap()["spec"]["size"], 0);
    server.create(widget("b", 10)).unwrap();
    server.create(widget("c", 11)).unwrap();
    seconds(100).await;
    server.create(widget("d", 12)).unwrap();
    seconds(1).await;
    server.create(widget("e", 13)).unwrap();
    seconds(100).await;
    expect![[r#"
        0.0 init
        0.0 had a=3
        0.0 ready
        1.0 error: watch stream failed: Error reading events stream: ServiceError: connection reset by peer
        102.0 apply e=13"#]]
    .assert_eq(&log.take().join("\n"));
    let first = server.get(PLURAL, NAMESPACE, "b").unwrap()["metadata"]["uid"].clone();
    server.restore(&snapshot);
    server.create(widget("b", 10)).unwrap();
    // Ids are never given twice, revisions are.
    assert_ne!(server.get(PLURAL, NAMESPACE, "b").unwrap()["metadata"]["uid"], first);
}

#[tokio::test(start_paused = true)]
async fn a_compacted_server_tells_so_in_the_stream() {
    let server = server();
    server.create(widget("a", 0)).unwrap();
    let log = watch(&server.client("operator", NAMESPACE), Config::default());
    seconds(1).await;
    // A write of another kind moves the revision; the watcher does not hear of it.
    server.create(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": NAMESPACE } })).unwrap();
    server.compact();
    server.restart();
    seconds(5).await;
    expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 ready
          1.0 error: watch stream failed: Error reading events stream: ServiceError: connection reset by peer
          2.0 error: error returned by apiserver during watch: too old resource version: 3 (4): Expired
          3.0 init
          3.0 had a=0
          3.0 ready"#]]
    .assert_eq(&log.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_definition_goes_with_its_last_object_and_comes_back() {
    let server = server();
    server.create(widget("free", 0)).unwrap();
    server.create(widget("held", 0)).unwrap();
    hold(&server, "held", &json!(["a.io/b"]));
    let client = server.client("operator", NAMESPACE);
    let log = watch(&client, Config::default());
    seconds(1).await;
    server.undefine(PLURAL);
    seconds(1).await;
    assert_eq!(server.create(widget("new", 0)).unwrap_err().code, 405);
    assert!(server.define(&definition()).unwrap_err().is_already_exists());
    hold(&server, "held", &json!(null));
    seconds(3).await;
    assert!(!server.is_defined(PLURAL));
    let Err(kube::Error::Api(status)) = api(&client).get("held").await else { panic!("it is there") };
    assert_eq!(status.code, 404);
    server.define(&definition()).unwrap();
    server.create(widget("new", 0)).unwrap();
    seconds(3).await;
    expect![[r#"
          0.0 init
          0.0 had free=0
          0.0 had held=0
          0.0 ready
          1.0 delete free=0
          1.0 apply held=0
          2.0 delete held=0
          2.0 error: failed to start watching object: ApiError: 404 page not found: Failed to parse error data (Status { status: Some(Failure), code: 404, message: "404 page not found", metadata: None, reason: "Failed to parse error data", details: None })
          3.0 error: failed to start watching object: ApiError: 404 page not found: Failed to parse error data (Status { status: Some(Failure), code: 404, message: "404 page not found", metadata: None, reason: "Failed to parse error data", details: None })
          4.0 error: failed to start watching object: ApiError: 404 page not found: Failed to parse error data (Status { status: Some(Failure), code: 404, message: "404 page not found", metadata: None, reason: "Failed to parse error data", details: None })
          5.0 error: failed to start watching object: ApiError: 404 page not found: Failed to parse error data (Status { status: Some(Failure), code: 404, message: "404 page not found", metadata: None, reason: "Failed to parse error data", details: None })
          6.0 apply new=0"#]].assert_eq(&log.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_its_last_object() {
    let server = server();
    server
        .create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } }))
        .unwrap();
    let object = |name: &str, finalizers: Value| {
        let mut object = widget(name, 0);
        object["metadata"]["namespace"] = json!("team");
        object["metadata"]["finalizers"] = finalizers;
        object
    };
    server.create(object("free", json!(null))).unwrap();
    server.create(object("held", json!(["a.io/b"]))).unwrap();
    server.delete("namespaces", "", "team").unwrap();
    let left = server.list(PLURAL);
    assert_eq!(left.len(), 1);
    assert!(!left[0]["metadata"]["deletionTimestamp"].is_null());
    assert!(server.create(object("new", json!(null))).unwrap_err().is_forbidden());
    server.merge(PLURAL, "team", "held", json!({ "metadata": { "finalizers": null } })).unwrap();
    assert!(server.get("namespaces", "", "team").is_none());
    assert!(server.create(object("new", json!(null))).unwrap_err().is_not_found());
}

#[test]
fn changes_tell_who_did_what() {
    let server = server();
    let start = server.revision();
    server.create(widget("a", 0)).unwrap();
    server.merge_status(PLURAL, NAMESPACE, "a", json!({ "status": { "seen": 1 } })).unwrap();
    server.merge_status(PLURAL, NAMESPACE, "a", json!({ "status": { "seen": 1 } })).unwrap();
    server.delete(PLURAL, NAMESPACE, "a").unwrap();
    let told: Vec<_> = server
        .changes(start)
        .iter()
        .map(|change| (change.revision - start, change.by.clone(), change.kind, change.subresource_status))
        .collect();
    let people = || "people".to_owned();
    assert_eq!(
        told,
        [
            (1, people(), ChangeKind::Added, false),
            (2, people(), ChangeKind::Modified, true),
            (3, people(), ChangeKind::Deleted, false),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_are_listed_and_watched_by_nobody_and_it_shows() {
    use k8s_openapi::api::core::v1::Secret;
    use kube::{Api, api::ListParams};

    let server = server();
    server.create(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": NAMESPACE }, "stringData": { "token": "abc" } })).unwrap();
    let secrets: Api<Secret> = Api::namespaced(server.client("operator", NAMESPACE), NAMESPACE);
    assert_eq!(secrets.get("s").await.unwrap().data.unwrap()["token"].0, b"abc");
    let Err(kube::Error::Api(status)) = secrets.list(&ListParams::default()).await else {
        panic!("it was allowed")
    };
    assert!(status.is_forbidden());
    assert_eq!(server.requests().last().unwrap().status, Some(403));
}
