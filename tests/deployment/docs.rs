//! The commands in the guide are run, in their order, as a new user would: by a shell, in a directory with what a checkout
//! has, on a control plane of their own. It has no nodes, so that what waits for a pod is not among them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    harness::cluster::path,
    helm::{Helm, objects},
    page::{Page, root},
    plane::Plane,
};

/// The pages whose commands are run, and their sections that follow one another on one cluster.
const SECTIONS: [(&str, &[&[&str]]); 2] = [
    (
        "docs/guide/install.md",
        &[
            &["With Helm", "Uninstalling"],
            &["For some namespaces only"],
            &["With kustomize", "Changing what is logged"],
        ],
    ),
    ("README.md", &[&["Install"]]),
];

fn page(name: &str) -> Page {
    let path = root().join(name);
    Page::new(&path, fs::read_to_string(&path).unwrap())
}

/// The heading that a line is under.
fn section(page: &Page, line: usize) -> String {
    let above = page.text.lines().take(line).filter_map(|line| line.strip_prefix("## "));
    above.last().unwrap_or_default().to_owned()
}

/// What a user has: the checkout, a token in a file, and the programs in PATH.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = tempfile::tempdir().unwrap();
        for name in ["charts", "deploy", "examples"] {
            symlink(root().join(name), desk.path().join(name)).unwrap();
        }
        fs::write(desk.path().join("token.txt"), "not a token, and never used").unwrap();
        fs::write(desk.path().join("argocd-cm.yaml"), ARGOCD_CM).unwrap();
        fs::create_dir(desk.path().join("bin")).unwrap();
        let program = |name: &str, path: PathBuf| symlink(path, desk.path().join("bin").join(name)).unwrap();
        program("kubectl", path("ASTRA_TEST_KUBECTL"));
        program("helm", path("ASTRA_TEST_DEPLOYMENT_TOOLS").join("helm4"));
        program("astra-operator", path("ASTRA_TEST_OPERATOR"));
        Self(desk)
    }

    /// Runs lines of a shell that stops at the first that fails.
    fn run(&self, kubeconfig: &Path, script: &str) -> Result<(), String> {
        let bin = self.0.path().join("bin");
        let mut command = Command::new("sh");
        command.args(["-e", "-c", script]).current_dir(&self.0).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        command.env("HOME", self.0.path()).env("KUBECONFIG", kubeconfig);
        let output = command.output().unwrap();
        let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{}\n{words}", output.status)) }
    }
}

const ARGOCD_CM: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn the_commands_of_the_guide_do_what_they_say() {
    let mut ran = 0;
    for (name, groups) in SECTIONS {
        let page = page(name);
        for group in groups {
            let plane = Plane::start().await;
            let desk = Desk::new();
            for heading in *group {
                let blocks = page.blocks().into_iter().filter(|block| block.language == "sh");
                for block in blocks.filter(|block| section(&page, block.line) == *heading) {
                    if let Err(words) = desk.run(&plane.administrator(), &block.text) {
                        panic!("{name}, line {}:\n{}{words}", block.line, block.text);
                    }
                    ran += block.text.lines().count();
                }
            }
        }
    }
    println!("figures: {ran} commands of the guide were run");
    assert!(ran >= 15, "only {ran} commands were found");
}

/// A section that is new is run, too.
#[test]
fn no_section_of_installing_is_left_out() {
    let (name, groups) = SECTIONS[0];
    let page = page(name);
    for block in page.blocks().into_iter().filter(|block| block.language == "sh") {
        let heading = section(&page, block.line);
        assert!(
            groups.concat().contains(&heading.as_str()),
            "{name}, line {}: {heading} is not run",
            block.line
        );
    }
}

#[test]
#[ignore = "needs Helm: run `cargo xtask test`"]
fn the_files_in_the_guide_can_be_used() {
    let desk = Desk::new();
    let mut used = 0;
    for name in ["docs/guide/install.md", "docs/guide/gitops.md"] {
        let page = page(name);
        for block in page.blocks().into_iter().filter(|block| block.language == "yaml") {
            let at = format!("{name}, line {}", block.line);
            let value: Value = serde_saphyr::from_str(&block.text).unwrap();
            let file = desk.0.path().join("kustomization.yaml");
            fs::write(&file, &block.text).unwrap();
            let file = file.to_str().unwrap();
            let built = if value["kind"] == "Kustomization" {
                let kubectl = path("ASTRA_TEST_KUBECTL");
                let output = Command::new(kubectl).arg("kustomize").arg(desk.0.path()).output().unwrap();
                assert!(output.status.success(), "{at}: {}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).unwrap()
            } else {
                Helm::three().template(&["--values", file])
            };
            // Each is about an image, or about Argo CD.
            let is_used = |object: &Value| {
                let image = object.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
                image.is_some_and(|image| image.contains("/platform/astra-operator"))
                    || object["data"].as_object().is_some_and(|data| data.len() == 6)
            };
            assert!(objects(&built).iter().any(is_used), "{at}: {built}");
            used += 1;
        }
    }
    assert_eq!(used, 3);
}
