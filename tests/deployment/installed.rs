//! Installed, upgraded and uninstalled by both versions of Helm on a real API server.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    harness::cluster::path,
    helm::{CHART, Helm, NAME, files_of_values, objects},
    plane::Plane,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/access-list-offices.yaml");
const LISTS: &str = "crd/astraaccesslists.astra.datastax.com";
const IMAGE: [&str; 2] = ["--set", "image.repository=registry.example.com/astra-operator"];

struct Kubectl<'a>(&'a Path);

impl Kubectl<'_> {
    fn output(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut command = Command::new(path("ASTRA_TEST_KUBECTL"));
        command.arg("--kubeconfig").arg(self.0).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let (success, text) = self.output(arguments, "");
        assert!(success, "kubectl {}: {text}", arguments.join(" "));
        text
    }

    /// A namespace that refuses whatever is not restricted.
    fn restricted_namespace(&self, name: &str) {
        self.run(&["create", "namespace", name]);
        let level = |mode: &str| format!("pod-security.kubernetes.io/{mode}=restricted");
        self.run(&["label", "namespace", name, &level("enforce"), &level("warn")]);
    }

    /// The names of the columns that `kubectl get` shows of access lists.
    fn columns(&self) -> String {
        self.run(&["get", LISTS, "-o", "jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}"])
    }

    /// All objects of the release that the chart makes, but the definitions.
    fn of_release(&self) -> String {
        let kinds = "deployments,serviceaccounts,poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings";
        let label = format!("app.kubernetes.io/instance={NAME}");
        self.run(&["get", kinds, "--all-namespaces", "-l", &label, "-o", "name", "--ignore-not-found"])
    }
}

/// The chart as it might have been: with another column in a definition.
fn older_chart() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    assert!(Command::new("cp").args(["-r", CHART]).arg(directory.path()).status().unwrap().success());
    let file =
        directory.path().join("astra-operator/templates/crds/astra.datastax.com_astraaccesslists.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let older = text.replace("name: Database\n", "name: Db\n");
    assert_ne!(older, text);
    fs::write(file, older).unwrap();
    directory
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn helm_installs_upgrades_and_uninstalls_and_what_was_declared_survives() {
    let plane = Plane::start().await;
    let kubeconfig = plane.administrator();
    let kubectl = Kubectl(&kubeconfig);
    kubectl.restricted_namespace(NAME);
    let older = older_chart();
    let older = older.path().join("astra-operator");
    for helm in [Helm::three(), Helm::four()] {
        let act = |verb: &str, chart: &str, more: &[&str]| {
            let arguments = [verb, NAME, chart, "--namespace", NAME];
            let output = helm.output(Some(&kubeconfig), &[&arguments[..], &IMAGE, more].concat());
            let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(output.status.success(), "helm {verb}: {words}");
            assert!(!words.contains("would violate"), "{words}");
            words
        };
        let words = act("install", older.to_str().unwrap(), &[]);
        assert!(words.contains("watches all namespaces"), "{words}");
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", LISTS]);
        assert!(kubectl.columns().starts_with("Db "), "{}", kubectl.columns());
        kubectl.run(&["apply", "-n", "default", "-f", EXAMPLE]);
        let made = kubectl.of_release();
        assert_eq!(made.lines().count(), 9, "{made}");

        act("upgrade", CHART, &["--set", "replicaCount=1"]);
        assert!(kubectl.columns().starts_with("Database "), "an upgrade upgrades the definitions");
        assert!(!kubectl.of_release().contains("poddisruptionbudget"), "one pod has no budget");

        helm.run(Some(&kubeconfig), &["uninstall", NAME, "--namespace", NAME]);
        assert_eq!(kubectl.of_release(), "", "nothing is left but the definitions");
        kubectl.run(&["get", "aal", "-n", "default", "orders"]);
    }
    kubectl.run(&["delete", "crd", "--all", "--timeout=120s"]);

    // Definitions of before that were applied by hand, and are taken over.
    for (helm, takes_over) in [
        (Helm::three(), &["--take-ownership"][..]),
        (Helm::four(), &["--take-ownership", "--force-conflicts"]),
    ] {
        let (success, words) = kubectl.output(&["apply", "--server-side", "-f", "-"], &older_definitions());
        assert!(success, "{words}");
        // Whoever wants them gone says so.
        let arguments = ["install", NAME, CHART, "--namespace", NAME, "--set", "crds.keep=false"];
        helm.run(Some(&kubeconfig), &[&arguments[..], &IMAGE, takes_over].concat());
        assert!(kubectl.columns().starts_with("Database "), "{}", kubectl.columns());
        helm.run(Some(&kubeconfig), &["uninstall", NAME, "--namespace", NAME]);
        kubectl.run(&["wait", "--for=delete", "--timeout=120s", LISTS]);
    }
}

/// What an older program would have printed.
fn older_definitions() -> String {
    let output = Command::new(path("ASTRA_TEST_OPERATOR")).arg("crds").output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace("name: Database\n", "name: Db\n")
}

/// A kind of the Prometheus operator, as far as it matters whether there is one: its fields are not checked.
fn definition_of_others(kind: &str, plural: &str) -> String {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.monitoring.coreos.com") },
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": { "kind": kind, "plural": plural },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn the_api_server_takes_what_is_rendered_and_pods_are_restricted() {
    let plane = Plane::start().await;
    let kubeconfig = plane.administrator();
    let kubectl = Kubectl(&kubeconfig);
    for namespace in [NAME, "platform", "team-a", "team-b"] {
        kubectl.restricted_namespace(namespace);
    }
    for (kind, plural) in [("PodMonitor", "podmonitors"), ("PrometheusRule", "prometheusrules")] {
        let (success, words) =
            kubectl.output(&["apply", "--server-side", "-f", "-"], &definition_of_others(kind, plural));
        assert!(success, "{words}");
        let definition = format!("crd/{plural}.monitoring.coreos.com");
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", &definition]);
    }
    let dry_run = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
    for file in files_of_values() {
        let text = Helm::four().template(&["--values", file.to_str().unwrap()]);
        let (success, words) = kubectl.output(&dry_run, &text);
        assert!(success && !words.contains("Warning"), "{}: {words}", file.display());
        assert_eq!(words.lines().count(), objects(&text).len(), "{words}");
    }
    // That a pod that is not restricted would be found.
    let open = Helm::four().template(&["--set", "image.repository=x,securityContext=null"]);
    let pod = objects(&open).into_iter().find(|object| object["kind"] == "Pod").unwrap_or(Value::Null);
    let (success, words) = kubectl.output(&dry_run, &pod.to_string());
    assert!(!success && words.contains("violates PodSecurity"), "{words}");
}
