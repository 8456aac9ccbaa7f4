//! Building with cargo, and finding what it built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::terminal::{self, Step};
use crate::{process, toolchain};

/// The programs that a build made, by name.
#[derive(Debug, Default)]
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Those of a directory, built before.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        let entries = directory.read_dir().with_context(|| format!("cannot list {}", directory.display()))?;
        let paths = entries.map_while(Result::ok).map(|entry| entry.path());
        let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
        Ok(Self(paths.filter_map(named).collect()))
    }

    /// The operator.
    pub(crate) fn operator(&self) -> Result<&Path> {
        self.named("astra-operator")
    }

    /// The simulator of the DevOps API.
    pub(crate) fn simulator(&self) -> Result<&Path> {
        self.named("astra-simulator")
    }

    fn named(&self, name: &str) -> Result<&Path> {
        self.0.get(name).map(PathBuf::as_path).with_context(|| format!("cargo built no program {name}"))
    }
}

/// `cargo build ARGS` as one step of progress; the compiler's words come when it fails.
pub(crate) fn build(label: &str, args: &[&str]) -> Result<Programs> {
    let step = Step::start(label);
    let mut command = toolchain::cargo();
    command.arg("build").args(args).arg("--message-format=json-render-diagnostics");
    command.args(["--color", if terminal::is_interactive() { "always" } else { "never" }]);
    let (mut programs, mut words, mut compiled) = (Programs::default(), Vec::new(), 0_usize);
    let status = process::lines(&mut command, |line| {
        let Some(artifact) = parse_artifact(line) else {
            words.extend((!line.starts_with('{')).then(|| line.to_owned()));
            return;
        };
        compiled += usize::from(!artifact.fresh);
        step.note(format!("{compiled} compiled, {}", artifact.name));
        programs.0.extend(artifact.program.map(|path| (artifact.name, path)));
    })?;
    if !status.success() {
        bail!("cargo build {} failed:\n{}", args.join(" "), words.join("\n"));
    }
    step.done(&if compiled == 0 { "nothing to do".to_owned() } else { format!("{compiled} compiled") });
    Ok(programs)
}

struct Artifact {
    name: String,
    fresh: bool,
    /// Where it is, if it is a program and no test.
    program: Option<PathBuf>,
}

fn parse_artifact(line: &str) -> Option<Artifact> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let is_test = message["profile"]["test"].as_bool().unwrap_or(false);
    let program = message["executable"].as_str().filter(|_| !is_test).map(PathBuf::from);
    Some(Artifact {
        name: message["target"]["name"].as_str()?.to_owned(),
        fresh: message["fresh"].as_bool().unwrap_or(false),
        program: program.filter(|_| message["target"]["kind"][0] == "bin"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_count_as_programs() {
        let line = |kind: &str, test: bool| {
            format!(r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"x"}},"#)
                + &format!(r#""profile":{{"test":{test}}},"executable":"/t/x","fresh":true}}"#)
        };
        let program = |line: String| parse_artifact(&line).and_then(|artifact| artifact.program);
        assert_eq!(program(line("bin", false)), Some(PathBuf::from("/t/x")));
        assert_eq!(program(line("bin", true)), None);
        assert_eq!(program(line("custom-build", false)), None);
        assert!(parse_artifact(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(parse_artifact("   Compiling x v0.1.0").is_none());
    }
}
