//! The tools this shells out to, and plain words where one is missing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// What to do about Go, for whoever cannot or will not install it.
const WITHOUT_GO: &str = "Get it at https://go.dev/dl. Without Go: set KUBEBUILDER_ASSETS to a directory that holds \
                          etcd, kube-apiserver and kubectl, or give the demo a cluster with --context NAME";

/// The cargo that runs this, in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo describes this package to its children; a nested cargo would take that for its own.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace::root());
    command
}

/// A Go that can build a module that asks for Go `needed` (the `go` line of its go.mod).
pub(crate) fn go(needed: &str) -> Result<PathBuf> {
    let Some((go, version)) = find_go() else {
        bail!(
            "Go {needed} or newer is needed to build what the live tests need, and there is no `go` in PATH. \
             {WITHOUT_GO}"
        );
    };
    if !is_at_least(&version, needed) {
        bail!(
            "Go {needed} or newer is needed to build what the live tests need; this is Go {version}. {WITHOUT_GO}"
        );
    }
    Ok(go)
}

/// Is there a Go of any version?
pub(crate) fn has_go() -> bool {
    find_go().is_some()
}

fn find_go() -> Option<(PathBuf, String)> {
    let places = [PathBuf::from("go"), PathBuf::from("/usr/local/go/bin/go")];
    places.into_iter().find_map(|go| version_of(&go).map(|version| (go, version)))
}

fn version_of(go: &Path) -> Option<String> {
    // At the root, where no go.mod can make it ask for another toolchain.
    let output = Command::new(go).arg("version").current_dir("/").output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

/// `1.26.8` of `go version go1.26.8 linux/amd64`.
fn parse_version(text: &str) -> Option<String> {
    text.split_whitespace().find_map(|word| word.strip_prefix("go1").map(|rest| format!("1{rest}")))
}

fn is_at_least(version: &str, needed: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let release = text.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
        release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) >= numbers(needed)
}

/// The Go that a module asks for.
pub(crate) fn go_line(go_mod: &str) -> Result<&str> {
    go_mod.lines().find_map(|line| line.strip_prefix("go ")).context("go.mod has no `go` line")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_read_and_compared() {
        assert_eq!(parse_version("go version go1.26.8 linux/amd64\n").as_deref(), Some("1.26.8"));
        assert_eq!(parse_version("go: command not found"), None);
        let table = [
            ("1.26.8", "1.26.0", true),
            ("1.26.0", "1.26.0", true),
            ("1.100.0", "1.26.0", true),
            ("1.27rc1", "1.26.0", true),
            ("1.25.9", "1.26.0", false),
            ("1.9", "1.26.0", false),
        ];
        for (version, needed, enough) in table {
            assert_eq!(is_at_least(version, needed), enough, "{version} for {needed}");
        }
    }

    #[test]
    fn the_control_planes_own_go_mod_says_which_go() {
        let text = std::fs::read_to_string(workspace::root().join("tests/control-plane/go.mod")).unwrap();
        assert!(is_at_least(go_line(&text).unwrap(), "1.26"));
    }
}
