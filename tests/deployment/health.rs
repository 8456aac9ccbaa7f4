//! What Argo CD and Flux make of real objects in every state: by Argo CD's own scripts and interpreter, and by Flux's own
//! library. What is seen here is kept as the cases that Argo CD's repository asks for beside a script.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use astra_operator::{
    engine::Kind,
    resource::{GROUP, annotation},
};
use astra_simulator::Fault;
use expect_test::expect_file;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    harness::{
        Stage,
        cluster::path,
        stage::{AccessList, PrivateEndpoint, VpcPeering},
        trio,
        wait::condition,
    },
    helm::objects,
};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/argocd/resource_customizations");

/// Each state, and what Argo CD and Flux shall make of it.
const STATES: [(&str, &str, &str); 7] = [
    ("fresh", "Progressing", "InProgress"),
    ("waiting", "Progressing", "InProgress"),
    ("ready", "Healthy", "Current"),
    ("changed", "Progressing", "InProgress"),
    ("stalled", "Degraded", "Failed"),
    // Its status stays as it was, so that a pause holds up no `--wait`.
    ("paused", "Suspended", "Current"),
    ("deleting", "Progressing", "Terminating"),
];

fn health(arguments: &[&str], input: &Value) -> Value {
    let mut command = Command::new(path("ASTRA_TEST_DEPLOYMENT_TOOLS").join("health"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same object in every state, in their order.
async fn lives<K: Kind>(spec: Value) -> Vec<Value> {
    let name = "orders";
    let mut stage = Stage::empty().await;
    let mut states = Vec::new();
    stage.apply::<K>(name, spec.clone()).await;
    states.push(seen(&stage.get::<K>(name).await));

    stage.astra.fails(&Fault::status(503));
    stage.start(&[]);
    states.push(seen(&stage.reconciling::<K>(name, "AstraUnavailable").await));
    stage.astra.heals();
    states.push(seen(&stage.settled::<K>(name).await));

    stage.take_operator().terminate().await;
    let mut edited = spec.clone();
    edited["deletionPolicy"] = json!("Retain");
    states.push(seen(&stage.apply::<K>(name, edited).await));

    // What an object stands for is never changed under it, so it is another one that is declared wrongly.
    let mut wrong = spec.clone();
    wrong["database"] = json!({ "name": "not-there" });
    stage.start(&[]);
    stage.apply::<K>("wrong", wrong).await;
    let mut stalled = seen(&stage.stalled::<K>("wrong", "DatabaseNotFound").await);
    stalled["metadata"]["name"] = name.into();
    states.push(stalled);

    stage.apply::<K>(name, spec).await;
    stage.settled::<K>(name).await;
    stage.annotate::<K>(name, annotation::PAUSED, "true").await;
    let is_paused = |object: &K| condition(object, "Paused").is_some_and(|paused| paused.status == "True");
    states.push(seen(&stage.object::<K>(name, "to be Paused", is_paused).await));

    stage.delete::<K>(name).await;
    states.push(seen(&stage.get::<K>(name).await));
    stage.annotate::<K>(name, annotation::PAUSED, Value::Null).await;
    states
}

/// An object without what differs between two runs.
fn seen<K: Kind>(object: &K) -> Value {
    let namespace = object.namespace().unwrap();
    let mut value = serde_json::to_value(object).unwrap();
    let meta = value["metadata"].as_object_mut().unwrap();
    for gone in ["managedFields", "uid", "resourceVersion", "creationTimestamp", "selfLink"] {
        meta.remove(gone);
    }
    if meta.contains_key("deletionTimestamp") {
        meta.insert("deletionTimestamp".to_owned(), json!("2026-01-01T00:00:00Z"));
    }
    if let Some(status) = value["status"].as_object_mut() {
        // The record of what is owned: nobody's business but the operator's.
        status.retain(|name, _| ["observedGeneration", "conditions"].contains(&name.as_str()));
        let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten() {
            condition["lastTransitionTime"] = json!("2026-01-01T00:00:00Z");
        }
    }
    serde_json::from_str(&value.to_string().replace(&namespace, "team-a")).unwrap()
}

async fn judged<K: Kind>(spec: Value) {
    let states = lives::<K>(spec).await;
    let verdicts = health(&["judge", SCRIPTS], &json!(states));
    let directory = Path::new(SCRIPTS).join(GROUP).join(K::KIND);
    let mut tests = String::from("tests:\n");
    for ((name, argo, flux), (object, verdict)) in
        STATES.iter().zip(states.iter().zip(verdicts.as_array().unwrap()))
    {
        let text = serde_saphyr::to_string(object).unwrap();
        let at = |what: &str| format!("{what} of {} that is {name}: {verdict}\n{text}", K::KIND);
        assert_eq!(verdict["argo"]["status"], *argo, "{}", at("Argo CD"));
        assert_eq!(verdict["flux"]["status"], *flux, "{}", at("Flux"));
        let paused = *name == "paused" || *name == "deleting";
        for (action, disabled) in [("pause", paused), ("reconcile", paused), ("resume", !paused)] {
            assert_eq!(verdict["actions"][action]["disabled"], disabled, "{}", at(action));
        }
        // Argo CD asks no script about an object that is going.
        if *name != "deleting" {
            keep(directory.join(format!("testdata/{name}.yaml")), &text);
            let message = serde_json::to_string(&verdict["argo"]["message"]).unwrap();
            let _ = writeln!(
                tests,
                "- healthStatus:\n    status: {argo}\n    message: {message}\n  inputPath: testdata/{name}.yaml"
            );
        }
    }
    keep(directory.join("health_test.yaml"), &tests);
    acts(&directory, &states[2]);
}

/// The actions do what their names say, and nothing else.
fn acts(directory: &Path, ready: &Value) {
    let annotated = |name: &str, value: &str| {
        let mut object = ready.clone();
        object["metadata"]["annotations"] = json!({ name: value });
        object
    };
    let act = |action: &str, object: &Value| health(&["act", SCRIPTS, action], object);
    let paused = annotated(annotation::PAUSED, "true");
    assert_eq!(act("pause", ready), paused);
    let resumed = act("resume", &paused);
    assert_eq!(
        resumed["metadata"]["annotations"].as_object().map_or(0, serde_json::Map::len),
        0,
        "{resumed}"
    );
    let asked = act("reconcile", ready);
    let time = asked["metadata"]["annotations"][annotation::RECONCILE].as_str().unwrap();
    assert!(time.parse::<k8s_openapi::jiff::Timestamp>().is_ok(), "{time}");
    assert_eq!(asked["spec"], ready["spec"]);
    keep(directory.join("actions/testdata/ready.yaml"), &serde_saphyr::to_string(ready).unwrap());
    keep(directory.join("actions/testdata/paused.yaml"), &serde_saphyr::to_string(&paused).unwrap());
    keep(directory.join("actions/action_test.yaml"), ACTION_TEST);
}

const ACTION_TEST: &str = "discoveryTests:
- inputPath: testdata/ready.yaml
  result:
  - name: reconcile
    disabled: false
  - name: pause
    disabled: false
  - name: resume
    disabled: true
- inputPath: testdata/paused.yaml
  result:
  - name: reconcile
    disabled: true
  - name: pause
    disabled: true
  - name: resume
    disabled: false
actionTests:
- action: pause
  inputPath: testdata/ready.yaml
  expectedOutputPath: testdata/paused.yaml
- action: resume
  inputPath: testdata/paused.yaml
  expectedOutputPath: testdata/ready.yaml
";

fn keep(file: PathBuf, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    expect_file![file].assert_eq(text);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_access_list_is_judged_alike_by_both() {
    judged::<AccessList>(trio::list()).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_private_endpoint_is_judged_alike_by_both() {
    judged::<PrivateEndpoint>(trio::endpoint()).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_peering_is_judged_alike_by_both() {
    judged::<VpcPeering>(trio::peering()).await;
}

/// The component puts the same scripts into whatever ConfigMap Argo CD has already.
#[test]
#[ignore = "needs kubectl: run `cargo xtask test`"]
fn the_component_adds_the_scripts_to_argo_cds_configmap() {
    let directory = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    let own = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  url: https://argocd.example.com\n";
    write("argocd-cm.yaml", own);
    write("kustomization.yaml", "resources: [argocd-cm.yaml]\ncomponents: [../../deploy/argocd]\n");
    let output =
        Command::new(path("ASTRA_TEST_KUBECTL")).arg("kustomize").arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = objects(&String::from_utf8(output.stdout).unwrap());
    let data = built[0]["data"].as_object().unwrap();
    assert_eq!(data["url"], "https://argocd.example.com", "what was there stays");
    for kind in [AccessList::KIND, PrivateEndpoint::KIND, VpcPeering::KIND] {
        let script =
            fs::read_to_string(Path::new(SCRIPTS).join(GROUP).join(kind).join("health.lua")).unwrap();
        assert_eq!(data[&format!("resource.customizations.health.{GROUP}_{kind}")], script);
        let actions = data[&format!("resource.customizations.actions.{GROUP}_{kind}")].as_str().unwrap();
        let actions: Value = serde_saphyr::from_str(actions).unwrap();
        let names: Vec<_> =
            actions["definitions"].as_array().unwrap().iter().map(|action| &action["name"]).collect();
        assert_eq!(names, ["reconcile", "pause", "resume"]);
    }
}
