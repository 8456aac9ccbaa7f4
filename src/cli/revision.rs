//! Manifests as they are in a revision of git.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use super::Failure;
use crate::manifest::{self, Manifests, Sources};

/// The same sources as they are in a revision of git: taken out of it into a directory of its own, which goes again.
pub(super) fn at_revision(sources: &Sources, revision: &str) -> Result<Manifests, Failure> {
    if sources.files.iter().any(|file| file.as_os_str() == "-") {
        return Err(
            "--base cannot be used with -f -: there is no earlier standard input; use --diff-base".into()
        );
    }
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?.trim());
    let folder = tempfile::tempdir()?;
    let archive = Command::new("git")
        .current_dir(&top)
        .args(["archive", "--format=tar", revision])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if !archive.status.success() {
        return Err(
            format!("git archive {revision}: {}", String::from_utf8_lossy(&archive.stderr).trim()).into()
        );
    }
    let mut tar = Command::new("tar")
        .args(["-x", "-C"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run tar: {error}"))?;
    if let Some(mut input) = tar.stdin.take() {
        input.write_all(&archive.stdout)?;
    }
    if !tar.wait()?.success() {
        return Err("tar could not unpack what git gave".into());
    }
    let moved = |path: &PathBuf| -> Result<PathBuf, Failure> {
        let absolute = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let inside = absolute
            .strip_prefix(fs::canonicalize(&top)?)
            .map_err(|_| format!("{} is not in the repository {}", path.display(), top.display()))?;
        Ok(folder.path().join(inside))
    };
    let there = |paths: &[PathBuf]| -> Result<Vec<PathBuf>, Failure> {
        let all = paths.iter().map(moved).collect::<Result<Vec<_>, _>>()?;
        // What is new was not there before.
        Ok(all.into_iter().filter(|path| path.exists()).collect())
    };
    let before =
        Sources { files: there(&sources.files)?, kustomize: there(&sources.kustomize)?, ..sources.clone() };
    if before.files.is_empty() && before.kustomize.is_empty() {
        return Ok(Manifests { objects: Vec::new(), skipped: BTreeMap::new(), errors: Vec::new() });
    }
    Ok(manifest::read(&before)?)
}

fn git(args: &[&str]) -> Result<String, Failure> {
    let output =
        Command::new("git").args(args).output().map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("git {}: {words}", args.join(" "))).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
