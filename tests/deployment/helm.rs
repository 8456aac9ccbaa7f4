//! Helm, as a person calls it, and what it renders.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::cluster::path;

/// The chart.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/astra-operator");

/// The release and the namespace of everything that is rendered here.
pub(crate) const NAME: &str = "astra-operator";

/// What `helm template` takes the cluster for.
const KUBERNETES: &str = "1.36.0";

/// A Helm without anybody's settings.
#[derive(Debug)]
pub(crate) struct Helm {
    program: PathBuf,
    home: TempDir,
}

impl Helm {
    /// Helm 3.
    pub(crate) fn three() -> Self {
        Self::named("helm3")
    }

    /// Helm 4.
    pub(crate) fn four() -> Self {
        Self::named("helm4")
    }

    fn named(name: &str) -> Self {
        let program = path("ASTRA_TEST_DEPLOYMENT_TOOLS").join(name);
        Self { program, home: tempfile::tempdir().unwrap() }
    }

    /// What it answers.
    pub(crate) fn output(&self, kubeconfig: Option<&Path>, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        for home in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(home, self.home.path());
        }
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        // Without a cluster it must not find one by chance.
        command.env("KUBECONFIG", kubeconfig.unwrap_or(Path::new("/dev/null")));
        command.output().unwrap()
    }

    /// What it prints; a failure of it is one of the test.
    pub(crate) fn run(&self, kubeconfig: Option<&Path>, arguments: &[&str]) -> String {
        let output = self.output(kubeconfig, arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "helm {}: {words}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why it does not render the chart with these arguments.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        let template = ["template", NAME, CHART, "--kube-version", KUBERNETES];
        let output = self.output(None, &[&template, arguments].concat());
        assert!(!output.status.success(), "{arguments:?} was rendered");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The chart with these arguments. Empty lines are left out: the two versions of Helm differ in them.
    pub(crate) fn template(&self, arguments: &[&str]) -> String {
        let template = ["template", NAME, CHART, "--namespace", NAME, "--kube-version", KUBERNETES];
        let text = self.run(None, &[&template, arguments].concat());
        text.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| [line, "\n"]).collect()
    }

    /// What `helm lint` finds fault with; nothing is what is wanted.
    pub(crate) fn lint(&self, arguments: &[&str]) -> String {
        let lint = ["lint", "--strict", "--quiet", CHART, "--kube-version", KUBERNETES];
        let output = self.output(None, &[&lint, arguments].concat());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()
    }
}

/// The files of values that the chart is tried with.
pub(crate) fn files_of_values() -> Vec<PathBuf> {
    let files = std::fs::read_dir(Path::new(CHART).join("ci")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

/// The objects in a text of several documents.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = format!("\n{text}");
    let read = |document: &str| {
        serde_saphyr::from_str::<Value>(document).unwrap_or_else(|e| panic!("{e}\n{document}"))
    };
    documents.split("\n---").map(read).filter(|object| !object.is_null()).collect()
}

/// The first object of a kind.
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("there is no {kind}"))
}

/// A list of texts.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
