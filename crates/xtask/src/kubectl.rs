//! kubectl on one cluster.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A kubectl and the kubeconfig that it is given, never the user's own by chance.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { program, kubeconfig }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `kubectl ARGS`, to be run by the caller.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env("KUBECONFIG", &self.kubeconfig);
        // What it learns of this cluster's API stays with it: another one on the same port may differ.
        if let Some(directory) = self.kubeconfig.parent().filter(|directory| directory.is_dir()) {
            command.env("KUBECACHEDIR", directory.join("kubectl-cache"));
        }
        command
    }

    /// What it prints; `None` if it fails.
    pub(crate) fn try_output(&self, args: &[&str]) -> Result<Option<String>> {
        let output = self.spawn(args, None)?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// What it prints; its own words are the error if it fails.
    pub(crate) fn output(&self, args: &[&str]) -> Result<String> {
        self.output_of(args, None)
    }

    /// The same with `input` on standard input.
    pub(crate) fn output_with(&self, args: &[&str], input: &str) -> Result<String> {
        self.output_of(args, Some(input))
    }

    /// The same for a command that waits, given up as soon as `check` fails.
    pub(crate) fn output_while(&self, args: &[&str], check: impl Fn() -> Result<()>) -> Result<String> {
        let mut command = self.command(args);
        // A waiting kubectl prints a line for each object: far less than a pipe holds.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        while child.try_wait().context("cannot wait for kubectl")?.is_none() {
            if let Err(error) = check() {
                // It fails only if kubectl has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
            thread::sleep(Duration::from_millis(20));
        }
        text_of(args, &child.wait_with_output().context("cannot read from kubectl")?)
    }

    /// What it prints with `-o json`.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let text = self.output(&[args, &["-o", "json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("kubectl {} printed no JSON", args.join(" ")))
    }

    fn output_of(&self, args: &[&str], input: Option<&str>) -> Result<String> {
        text_of(args, &self.spawn(args, input)?)
    }

    fn spawn(&self, args: &[&str], input: Option<&str>) -> Result<Output> {
        let mut command = self.command(args);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| {
            format!(
                "cannot run {}; kubectl is needed in PATH or in KUBEBUILDER_ASSETS",
                self.program.display()
            )
        })?;
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            // When kubectl does not read to the end, its own words say why.
            let _ = pipe.write_all(text.as_bytes());
        }
        child.wait_with_output().context("cannot wait for kubectl")
    }
}

fn text_of(args: &[&str], output: &Output) -> Result<String> {
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("kubectl {} failed:\n{}", args.join(" "), words.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The condition of this type, with its status, reason and message; `None` if the object has none.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_condition_is_found_by_its_type() {
        let object = json!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
        assert_eq!(condition(&object, "Ready").unwrap()["status"], "True");
        assert_eq!(condition(&object, "Stalled"), None);
        assert_eq!(condition(&json!({}), "Ready"), None);
    }

    #[test]
    fn a_failure_speaks_in_the_tools_own_words() {
        let kubectl = Kubectl::new(PathBuf::from("ls"), PathBuf::from("/nonexistent"));
        let error = kubectl.output(&["/nonexistent"]).unwrap_err().to_string();
        assert!(
            error.starts_with("kubectl /nonexistent failed:\n") && error.contains("No such file"),
            "{error}"
        );
        assert_eq!(kubectl.try_output(&["/nonexistent"]).unwrap(), None);
        assert_eq!(kubectl.output_while(&["-d", "/"], || Ok(())).unwrap(), "/\n");
    }

    #[test]
    fn waiting_is_given_up_when_the_check_fails() {
        let kubectl = Kubectl::new(PathBuf::from("sleep"), PathBuf::from("/nonexistent"));
        let start = std::time::Instant::now();
        let error = kubectl.output_while(&["60"], || bail!("the operator died")).unwrap_err();
        assert_eq!(error.to_string(), "the operator died");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
