//! The examples for CI, run step by step as they stand: with git, with the program, and with a stranger's tools (`gh`,
//! `curl`) put in place by scripts that note how they were called.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const BEFORE: &str = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: { name: orders, namespace: team }
spec:
  database: { name: orders }
  addresses: [{ address: 203.0.113.0/24 }]
";

/// A repository with a branch `main`, and tools on the path.
struct Checkout {
    folder: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let checkout = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(checkout.path("bin")).unwrap();
        fs::create_dir_all(checkout.path("work/manifests")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_astra-operator"), checkout.path("bin/astra-operator"))
            .unwrap();
        for tool in ["gh", "curl"] {
            let script =
                format!("#!/bin/sh\nprintf '%s\\n' {tool} \"$@\" >> {}\n", checkout.path("calls").display());
            fs::write(checkout.path(&format!("bin/{tool}")), script).unwrap();
            fs::set_permissions(checkout.path(&format!("bin/{tool}")), fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        checkout.write(BEFORE);
        for script in [
            "git init --quiet --initial-branch=main",
            "git add . && git -c user.name=t -c user.email=t@example.com commit --quiet -m one",
            "git update-ref refs/remotes/origin/main main",
        ] {
            assert!(checkout.shell(script, &[]).status.success(), "{script}");
        }
        checkout
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn write(&self, manifest: &str) {
        fs::write(self.path("work/manifests/orders.yaml"), manifest).unwrap();
    }

    /// As the runners of both do it: ends at the first command that fails.
    fn shell(&self, script: &str, env: &[(&str, String)]) -> Output {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]);
        command.current_dir(self.path("work")).env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env_remove("ASTRA_DB_APPLICATION_TOKEN").envs(env.iter().cloned());
        command.output().unwrap()
    }

    /// How the other tools were called.
    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }
}

fn example(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(name);
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Runs the steps of the workflow but the checkout and the installation. What the step said that failed, with its name
/// before it; or nothing.
fn github(checkout: &Checkout, accepted: bool) -> String {
    let workflow = example("github.yaml");
    let outputs = checkout.path("outputs");
    for step in workflow["jobs"]["plan"]["steps"].as_array().unwrap() {
        let (Some(script), Some(name)) = (step["run"].as_str(), step["name"].as_str()) else { continue };
        if name.starts_with("Install") {
            continue;
        }
        let written = fs::read_to_string(&outputs).unwrap_or_default();
        let code = written.trim().strip_prefix("code=").unwrap_or_default();
        let mut env = vec![("GITHUB_OUTPUT", outputs.display().to_string())];
        for (variable, expression) in step["env"].as_object().into_iter().flatten() {
            env.push((variable, evaluated(expression.as_str().unwrap(), code, accepted)));
        }
        let output = checkout.shell(script, &env);
        if !output.status.success() {
            let [said, failed] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
            return format!("{name}: {said}{failed}");
        }
    }
    String::new()
}

/// What GitHub would put in the place of an expression.
fn evaluated(expression: &str, code: &str, accepted: bool) -> String {
    match expression {
        "${{ github.base_ref }}" => "main".to_owned(),
        "${{ github.token }}" => "not-a-token".to_owned(),
        "${{ github.event.number }}" => "7".to_owned(),
        "${{ steps.plan.outputs.code }}" => code.to_owned(),
        text if text.contains("astra-danger-accepted") => accepted.to_string(),
        other => panic!("{other} is not known here"),
    }
}

#[test]
fn the_github_workflow_posts_the_plan_and_stops_what_is_dangerous() {
    const DANGEROUS: &str = "Judge: ::error::a dangerous step";
    let widened = BEFORE.replace("203.0.113.0/24", "203.0.112.0/23");
    let emptied = BEFORE.replace("addresses: [{ address: 203.0.113.0/24 }]", "publicAccess: Blocked");
    let moved = BEFORE.replace("name: orders }\n  addr", "name: ledger }\n  addr");
    let mistaken = BEFORE.replace("/24", "/33");
    let impossible = "Judge: ::error::the manifests cannot be carried out";
    for (name, manifest, accepted, failed, words) in [
        ("the same", BEFORE, false, "", "Nothing to do"),
        ("narrowed", &BEFORE.replace("/24", "/25"), false, "", "narrows access"),
        ("widened", &widened, false, DANGEROUS, "widens access"),
        ("widened and accepted", &widened, true, "", "widens access"),
        ("emptied", &emptied, false, DANGEROUS, "empties the list"),
        ("of another database", &moved, false, impossible, "will refuse this change"),
        ("wrong", &mistaken, false, "Lint: ::error file=manifests/orders.yaml,line=7", ""),
    ] {
        let checkout = Checkout::new();
        checkout.write(manifest);
        let ended = github(&checkout, accepted);
        assert!(ended.starts_with(failed) && ended.is_empty() == failed.is_empty(), "{name}: {ended}");
        let posted = fs::read_to_string(checkout.path("work/plan.md")).unwrap_or_default();
        assert!(posted.contains(words), "{name}: {posted}");
        if !words.is_empty() {
            assert!(checkout.calls().starts_with("gh\npr\ncomment\n7\n--body-file\nplan.md\n"), "{name}");
        }
    }
}

#[test]
fn the_gitlab_job_posts_the_plan_and_stops_what_is_dangerous() {
    let lines = example("gitlab.yaml")["astra-plan"]["script"].as_array().unwrap().clone();
    let script: Vec<String> = lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    for (name, manifest, passes) in [
        ("the same", BEFORE.to_owned(), true),
        ("narrowed", BEFORE.replace("/24", "/25"), true),
        ("widened", BEFORE.replace("203.0.113.0/24", "203.0.112.0/23"), false),
    ] {
        let checkout = Checkout::new();
        checkout.write(&manifest);
        let env = [
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "origin/main".to_owned()),
            ("CI_API_V4_URL", "https://gitlab.example.com/api/v4".to_owned()),
            ("CI_PROJECT_ID", "3".to_owned()),
            ("CI_MERGE_REQUEST_IID", "7".to_owned()),
            ("ASTRA_PLAN_NOTES_TOKEN", "not-a-token".to_owned()),
        ];
        let output = checkout.shell(&script.join("\n"), &env);
        assert_eq!(output.status.success(), passes, "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let calls = checkout.calls();
        assert!(calls.contains("--data-urlencode\nbody@plan.md\n"), "{name}: {calls}");
        assert!(calls.contains("/api/v4/projects/3/merge_requests/7/notes"), "{name}: {calls}");
    }
}
