//! `plan --from-cluster`: what it shows before `kubectl apply` is what the operator sends after it.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::harness::{Stage, stage::AccessList};

fn shared(addresses: &[&str]) -> Value {
    let addresses: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
    json!({ "database": { "name": "orders" }, "management": "Shared", "publicAccess": "Listed", "addresses": addresses })
}

/// The plan of one manifest: exit code and data.
fn plan(stage: &Stage, spec: &Value) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    let manifest = json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": "AstraAccessList",
        "metadata": { "name": "team", "namespace": stage.namespace },
        "spec": spec,
    });
    fs::write(&file, manifest.to_string()).unwrap();
    let output = Command::new(std::env::var("ASTRA_TEST_OPERATOR").unwrap())
        .args(["plan", "--from-cluster", "-o", "json", "--devops-url", &stage.astra.url, "-f"])
        .arg(&file)
        .args(["--watched-namespace", &stage.namespace])
        .args(["--kubeconfig", &std::env::var("ASTRA_TEST_KUBECONFIG").unwrap()])
        .env("KUBECONFIG", "/nowhere")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{error}"));
    (output.status.code().unwrap(), report)
}

/// The calls of a plan, as the simulator's journal has them.
fn calls(report: &Value) -> Vec<String> {
    let objects = report["objects"].as_array().unwrap();
    let steps = objects.iter().flat_map(|object| object["steps"].as_array().unwrap());
    let call = |step: &Value| {
        let call = &step["call"];
        let body = if call["body"].is_null() { String::new() } else { format!(" {}", call["body"]) };
        format!("{} {}{body}", call["method"].as_str().unwrap(), call["target"].as_str().unwrap())
    };
    steps.map(call).collect()
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_plan_before_an_apply_is_what_is_sent_after_it() {
    let stage = Stage::new().await;
    for spec in [
        shared(&["203.0.113.0/24", "198.51.100.7"]),
        // Something is given up: only the cluster knows that it is owned.
        shared(&["203.0.113.0/24", "192.0.2.1"]),
    ] {
        stage.astra.forget();
        let (code, report) = plan(&stage, &spec);
        assert_eq!(code, 2, "{report:#}");
        assert_eq!(stage.astra.writes(), [""; 0], "a plan only reads");
        let planned: Vec<String> = calls(&report)
            .iter()
            .map(|call| call.replace(&crate::harness::astra::id_of("orders"), "{orders}"))
            .collect();
        let _: AccessList = stage.apply_ready("team", spec.clone()).await;
        assert_eq!(stage.astra.writes(), planned);
        let (code, report) = plan(&stage, &spec);
        assert_eq!(code, 0, "{report:#}");
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_missing_secret_is_told_for_its_object() {
    let stage = Stage::empty().await;
    let mut spec = shared(&["203.0.113.0/24"]);
    spec["credentials"] = json!({ "secretName": "nowhere" });
    let (code, report) = plan(&stage, &spec);
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(report["objects"][0]["outcome"]["reason"], "SecretNotFound", "{report:#}");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_the_api_server_refuses_is_refused_by_the_plan_in_the_same_words() {
    let stage = Stage::new().await;
    let _: AccessList = stage.apply_ready("team", shared(&["203.0.113.0/24"])).await;
    let mut moved = shared(&["203.0.113.0/24"]);
    moved["database"] = json!({ "name": "sessions" });
    stage.astra.forget();
    let (code, report) = plan(&stage, &moved);
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(calls(&report), [""; 0], "the object stays as it is");
    let said = report["objects"][0]["outcome"]["message"].as_str().unwrap().to_owned();
    let refused = stage.try_apply::<AccessList>("team", moved).await.unwrap_err().to_string();
    for words in
        ["spec.database", "cannot be changed: delete this object and make another for the other database"]
    {
        assert!(said.contains(words) && refused.contains(words), "{said}\n{refused}");
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_change_without_a_call_is_told() {
    let stage = Stage::new().await;
    let mut spec = shared(&["203.0.113.0/24"]);
    let _: AccessList = stage.apply_ready("team", spec.clone()).await;
    spec["deletionPolicy"] = json!("Delete");
    let (code, report) = plan(&stage, &spec);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["objects"][0]["notices"], json!(["spec.deletionPolicy changes: Retain → Delete"]));
}
