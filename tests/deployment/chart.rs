//! The chart as it is rendered: by both versions of Helm, with every set of values.

use std::path::Path;

use astra_operator::{cli::Cli, kinds::KINDS};
use clap::CommandFactory;
use expect_test::expect_file;
use serde_json::Value;

use crate::harness::cluster::path;
use crate::helm::{CHART, Helm, files_of_values, objects, of_kind, texts};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deployment/golden");

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn both_versions_of_helm_render_what_is_written_down() {
    let (three, four) = (Helm::three(), Helm::four());
    for file in files_of_values() {
        let arguments = ["--values", file.to_str().unwrap()];
        let text = four.template(&arguments);
        assert_eq!(three.template(&arguments), text, "Helm 3 and 4 differ with {}", file.display());
        let name = file.file_stem().unwrap().to_string_lossy().replace("-values", ".yaml");
        expect_file![Path::new(GOLDEN).join(name)].assert_eq(&without_definitions(&text));
    }
}

/// The definitions are long, and compared elsewhere.
fn without_definitions(text: &str) -> String {
    let documents =
        text.split("---\n").filter(|document| !document.contains("kind: CustomResourceDefinition\n"));
    documents.collect::<Vec<_>>().join("---\n")
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn lint_finds_nothing() {
    for helm in [Helm::three(), Helm::four()] {
        for file in files_of_values() {
            let found = helm.lint(&["--values", file.to_str().unwrap()]);
            // Nothing is published yet, and so there is no address of a picture that anybody could trust.
            let found = found.lines().filter(|line| !line.contains("icon is recommended"));
            let found: Vec<_> = found.filter(|line| line.starts_with('[') || line.contains("rror")).collect();
            assert_eq!(found, [""; 0], "{helm:?} with {}", file.display());
        }
    }
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_program_takes_the_arguments_that_it_is_given() {
    for file in files_of_values() {
        let objects = objects(&Helm::four().template(&["--values", file.to_str().unwrap()]));
        let pod = &of_kind(&objects, "Deployment")["spec"]["template"]["spec"];
        let test = &of_kind(&objects, "Pod")["spec"];
        for container in [&pod["containers"][0], &test["containers"][0]] {
            let arguments = texts(&container["args"]);
            let given = ["astra-operator".to_owned()].into_iter().chain(arguments.clone());
            if let Err(error) = Cli::command().try_get_matches_from(given) {
                panic!("{} gives {arguments:?}: {error}", file.display());
            }
        }
    }
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_definitions_are_those_that_the_program_prints() {
    let rendered = objects(&Helm::four().template(&["--set", "image.repository=x"]));
    for entry in KINDS {
        let mut own = serde_json::to_value((entry.crd)()).unwrap();
        let name = own["metadata"]["name"].clone();
        let is_it = |object: &&Value| object["metadata"]["name"] == name;
        let mut charts = rendered.iter().find(is_it).unwrap_or_else(|| panic!("{name}")).clone();
        assert_eq!(charts["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
        for object in [&mut own, &mut charts] {
            object["metadata"] = Value::Null;
        }
        assert_eq!(charts, own, "{name}");
    }
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn namespaces_of_ones_own_need_nothing_of_the_cluster() {
    let file = Path::new(CHART).join("ci/namespaces-values.yaml");
    let objects = objects(&Helm::four().template(&["--values", file.to_str().unwrap()]));
    for object in &objects {
        let namespace = object["metadata"]["namespace"].as_str();
        assert!(
            namespace.is_some_and(|namespace| ["team-a", "team-b", "astra-operator"].contains(&namespace)),
            "{object}"
        );
    }
    let roles = objects.iter().filter(|object| object["kind"] == "Role").count();
    assert_eq!(roles, 3, "one in each namespace, and that of the Lease");
}

/// A value that means nothing, or another than it looks like, is refused with words that tell what to do.
#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn wrong_values_are_refused_by_name() {
    let table: [(&[&str], &[&str]); 14] = [
        (&[], &["image.repository is not set", "--set image.repository="]),
        (&["replicaCont=3"], &["replicaCont"]),
        (&["image.tags=x"], &["image", "tags"]),
        (&["replicaCount=two"], &["replicaCount"]),
        (&["devopsUrl=http://astra.example.com"], &["devopsUrl"]),
        (&["resync=60"], &["resync"]),
        (&["image.digest=sha256:abc"], &["image", "digest"]),
        (&["image.repository=registry.example.com/x:1"], &["image", "repository"]),
        (&["log.format=xml"], &["log", "format"]),
        (&["watchNamespaces={Team_A}"], &["watchNamespaces"]),
        (&["watchNamespaces={a,a}"], &["watchNamespaces"]),
        (&["proxy.https=http://user:password@proxy"], &["proxy", "https"]),
        (&["leaderElection.enabled=false"], &["leaderElection.enabled is false", "replicaCount=1"]),
        (&["trustBundle.configMap=a", "trustBundle.secret=b"], &["trustBundle.configMap", "one of them"]),
    ];
    for helm in [Helm::three(), Helm::four()] {
        for (values, words) in &table {
            let image = (!values.is_empty() && !values[0].starts_with("image.repository"))
                .then_some("image.repository=x");
            let values: Vec<&str> = image.into_iter().chain(values.iter().copied()).collect();
            let arguments: Vec<&str> = values.iter().flat_map(|value| ["--set", value]).collect();
            let refusal = helm.refusal(&arguments);
            for word in *words {
                assert!(refusal.contains(word), "{values:?}: {word:?} is not in\n{refusal}");
            }
        }
    }
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn a_cluster_that_is_too_old_is_refused() {
    let old = ["template", "x", CHART, "--set", "image.repository=x", "--kube-version", "1.30.9"];
    for helm in [Helm::three(), Helm::four()] {
        let output = helm.output(None, &old);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && words.contains(">=1.31.0-0"), "{words}");
    }
}

/// The notes name only commands that there are, with the names of this release.
#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_notes_tell_the_next_commands() {
    let file = Path::new(CHART).join("ci/namespaces-values.yaml");
    let arguments = ["install", "r", CHART, "--dry-run=client", "--namespace", "ops", "--values"];
    // Only Helm's question for the version goes to the cluster.
    let kubeconfig = path("ASTRA_TEST_KUBECONFIG");
    let text = Helm::three().run(Some(&kubeconfig), &[&arguments[..], &[file.to_str().unwrap()]].concat());
    let notes = text.split_once("NOTES:\n").unwrap_or_else(|| panic!("no notes in {text}")).1;
    for words in [
        "watches team-a, team-b.",
        "kubectl -n ops rollout status deployment/r-astra-operator",
        "kubectl -n team-a create secret generic astra-credentials --from-file=token=/dev/stdin",
        "astra-operator crds | kubectl apply --server-side -f -",
        "Before you uninstall",
    ] {
        assert!(notes.contains(words), "{words:?} is not in\n{notes}");
    }
}
