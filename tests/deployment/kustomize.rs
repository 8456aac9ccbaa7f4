//! `deploy/` is rendered from the chart, and is what the chart would install.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Command};

use expect_test::expect_file;
use serde_json::Value;

use crate::{
    harness::cluster::path,
    helm::{Helm, NAME, objects},
};

const IMAGE: [&str; 2] = ["--set", "image.repository=registry.example.com/astra-operator"];
const OWN: [&str; 2] = ["--set", "watchNamespaces={astra-operator}"];
const MONITORED: [&str; 2] = [
    "--set",
    "metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true",
];
const HEAD: &str = "# Rendered from charts/astra-operator; CONTRIBUTING.md tells how. Do not edit.\n";

fn at(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy")).join(name)
}

/// What the chart makes, but what only Helm has a use for.
fn chart(more: &[&str]) -> Vec<Value> {
    let objects = objects(&Helm::four().template(&[&IMAGE, more].concat()));
    let objects =
        objects.into_iter().filter(|object| object["metadata"]["annotations"]["helm.sh/hook"].is_null());
    objects.map(without_helm).collect()
}

fn without_helm(mut object: Value) -> Value {
    let pod = object.pointer_mut("/spec/template/metadata/labels").map(Value::take);
    if let Some(mut labels) = pod {
        forget(&mut labels);
        object["spec"]["template"]["metadata"]["labels"] = labels;
    }
    let meta = object["metadata"].as_object_mut().unwrap();
    forget(&mut meta["labels"]);
    if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("helm.sh/resource-policy");
    }
    meta.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    object
}

fn forget(labels: &mut Value) {
    let labels = labels.as_object_mut().unwrap();
    labels.remove("helm.sh/chart");
    labels.remove("app.kubernetes.io/managed-by");
}

fn text(objects: &[&Value]) -> String {
    let mut text = HEAD.to_owned();
    for object in objects {
        let _ = write!(text, "---\n{}", serde_saphyr::to_string(object).unwrap());
    }
    text
}

fn is_rights(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap();
    kind.starts_with("ClusterRole") || kind.starts_with("Role") && object["metadata"]["name"] == NAME
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_files_are_what_the_chart_renders() {
    let (whole, own) = (chart(&[]), chart(&OWN));
    let is_definition = |object: &&Value| object["kind"] == "CustomResourceDefinition";
    let definitions: Vec<_> = whole.iter().filter(is_definition).collect();
    assert_eq!(definitions.len(), 3);
    expect_file![at("definitions/definitions.yaml")].assert_eq(&text(&definitions));
    let operator: Vec<_> = whole.iter().filter(|o| !is_definition(o) && !is_rights(o)).collect();
    expect_file![at("base/operator.yaml")].assert_eq(&text(&operator));
    let rights =
        |objects: &[Value]| text(&objects.iter().filter(|object| is_rights(object)).collect::<Vec<_>>());
    expect_file![at("cluster-wide/rights.yaml")].assert_eq(&rights(&whole));
    expect_file![at("single-namespace/rights.yaml")].assert_eq(&rights(&own));
    let monitored = chart(&MONITORED);
    let monitoring: Vec<_> = monitored.iter().filter(|object| !whole.contains(object)).collect();
    expect_file![at("monitoring/monitoring.yaml")].assert_eq(&text(&monitoring));

    let namespace = fs::read_to_string(at("cluster-wide/namespace.yaml")).unwrap();
    let namespace: Value = serde_saphyr::from_str(&namespace).unwrap();
    let others = whole.iter().filter(|object| !is_definition(object));
    let all: Vec<_> = [&namespace].into_iter().chain(definitions).chain(others).collect();
    expect_file![at("install.yaml")].assert_eq(&text(&all));
}

/// Objects by kind, namespace and name.
fn named(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |object: &Value| {
        let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        format!("{} {}/{}", object["kind"].as_str().unwrap(), part("namespace"), part("name"))
    };
    objects.into_iter().map(|object| (name(&object), numbers(object))).collect()
}

/// Kustomize writes `0` for `0.0`.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, numbers(value))).collect(),
        other => other,
    }
}

fn built(overlay: &str) -> Vec<Value> {
    let output = Command::new(path("ASTRA_TEST_KUBECTL")).arg("kustomize").arg(at(overlay)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    objects(&String::from_utf8(output.stdout).unwrap())
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_overlays_install_what_the_chart_installs() {
    let mut whole = named(built("cluster-wide"));
    assert!(whole.remove("Namespace /astra-operator").is_some());
    assert_eq!(whole, named(chart(&[])));
    let plain = fs::read_to_string(at("install.yaml")).unwrap();
    let mut plain = named(objects(&plain));
    assert!(plain.remove("Namespace /astra-operator").is_some());
    assert_eq!(plain, whole);

    let mut monitored = named(built("cluster-wide-with-monitoring"));
    assert!(monitored.remove("Namespace /astra-operator").is_some());
    assert_eq!(monitored.len(), whole.len() + 3);
    assert_eq!(monitored, named(chart(&MONITORED)));

    let mut own = built("single-namespace");
    for object in own.iter_mut().filter(|object| object["kind"] == "Deployment") {
        // As the kubelet reads it.
        let container = &mut object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.namespace");
        container.as_object_mut().unwrap().remove("env");
        let text = container.to_string().replace("$(POD_NAMESPACE)", NAME);
        *container = serde_json::from_str(&text).unwrap();
    }
    let charts = chart(&[&OWN[..], &["--set", "crds.enabled=false"]].concat());
    assert_eq!(named(own), named(charts));
}

/// The values in the examples are values of the chart, and give what they say.
#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_values_of_the_examples_are_the_charts() {
    let read = |name: &str| objects(&fs::read_to_string(at("examples").join(name)).unwrap());
    let application = read("argocd-application.yaml").remove(0);
    let release = read("flux-helmrelease.yaml").remove(2);
    let directory = tempfile::tempdir().unwrap();
    for values in [&application["spec"]["source"]["helm"]["valuesObject"], &release["spec"]["values"]] {
        let file = directory.path().join("values.yaml");
        fs::write(&file, values.to_string()).unwrap();
        let objects = objects(&Helm::three().template(&["--values", file.to_str().unwrap()]));
        let images: Vec<_> = objects
            .iter()
            .filter_map(|object| object.pointer("/spec/template/spec/containers/0/image"))
            .collect();
        assert_eq!(images, [concat!("registry.example.com/astra-operator:", env!("CARGO_PKG_VERSION"))]);
    }
    for (path, place) in [("/spec/source/path", &application), ("/spec/chart/spec/chart", &release)] {
        assert_eq!(place.pointer(path).unwrap(), "charts/astra-operator");
    }
}
