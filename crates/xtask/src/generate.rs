//! `cargo xtask generate`: writes the CRDs and the reference docs from the types, and what of the
//! chart follows from them, through the test that compares them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::terminal::Step;
use crate::{process, terminal, toolchain, workspace};

/// Where generated files are.
const DIRECTORIES: [&str; 3] = ["crds", "charts", "docs/reference"];

/// Write crds/, docs/reference/ and parts of charts/ from the types, and say which files changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  cargo xtask generate && git diff crds charts docs/reference")]
pub(crate) struct Args {}

/// `cargo xtask generate`.
pub(crate) fn run(_: &Args) -> Result<ExitCode> {
    let before = snapshot()?;
    let step = Step::start("writing crds/, docs/reference/ and charts/ from the types");
    let mut command = toolchain::cargo();
    command.args(["test", "--package", "astra-operator", "--test", "generated"]).env("UPDATE_EXPECT", "1");
    let mut words = Vec::new();
    let status = process::lines(&mut command, |line| words.push(line.to_owned()))?;
    if !status.success() {
        bail!("cannot generate ({status}):\n{}", words.join("\n"));
    }
    step.done("");
    let changes = changes(&before, &snapshot()?);
    if changes.is_empty() {
        terminal::line("all files were up to date");
    }
    for (path, what) in changes {
        terminal::line(&format!("{what:<8} {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn snapshot() -> Result<Files> {
    let mut files = Files::new();
    for directory in DIRECTORIES {
        read(Path::new(directory), &mut files)?;
    }
    Ok(files)
}

fn read(directory: &Path, files: &mut Files) -> Result<()> {
    let full = workspace::root().join(directory);
    if !full.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&full).with_context(|| format!("cannot list {}", full.display()))? {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read(&path, files)?;
        } else {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(path, bytes);
        }
    }
    Ok(())
}

/// What happened to each file, by path.
fn changes(before: &Files, after: &Files) -> BTreeMap<PathBuf, &'static str> {
    let removed =
        before.keys().filter(|path| !after.contains_key(*path)).map(|path| (path.clone(), "removed"));
    let written = after.iter().filter_map(|(path, bytes)| match before.get(path) {
        None => Some((path.clone(), "new")),
        Some(old) if old != bytes => Some((path.clone(), "changed")),
        Some(_) => None,
    });
    removed.chain(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_what_is_new_changed_and_removed() {
        let files = |parts: &[(&str, &str)]| -> Files {
            parts.iter().map(|&(path, text)| (path.into(), text.into())).collect()
        };
        let before = files(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = files(&[("b", "1"), ("c", "2"), ("d", "1")]);
        let expected = [("a", "removed"), ("c", "changed"), ("d", "new")];
        assert_eq!(changes(&before, &after), expected.map(|(path, what)| (path.into(), what)).into());
    }
}
