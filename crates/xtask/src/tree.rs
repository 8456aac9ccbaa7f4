//! A copy of the workspace's sources with mistakes in it, each behind a switch: for `teeth` and `mutants`.
//!
//! It is kept from run to run, and a file is only written when it differs: cargo goes by times, and would build
//! everything anew.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The copy.
#[derive(Debug)]
pub(crate) struct Tree {
    folder: PathBuf,
    /// Cargo's, and not the workspace's own: cargo tells packages by their place in the workspace, so it would take the
    /// one build for the other's, and the workspace's tests would run with bugs in them.
    target: PathBuf,
}

impl Tree {
    /// Brings the copy of the workspace at `root` up to date: the files that git knows, as they are now, with what `plant`
    /// makes of each.
    pub(crate) fn copy(root: &Path, plant: impl Fn(&Path, Vec<u8>) -> Result<Vec<u8>>) -> Result<Self> {
        let (folder, target) = (root.join("target/planted/tree"), root.join("target/planted/build"));
        let files = known_to_git(root)?;
        for file in &files {
            match fs::read(root.join(file)) {
                Ok(bytes) => write_if_other(&folder.join(file), &plant(file, bytes)?)?,
                // Deleted, and not yet for git.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => bail!("cannot read {}: {error}", file.display()),
            }
        }
        // Cargo finds tests by their place: one that is gone would still be run.
        let gone = |file: &PathBuf| !files.contains(file) || !root.join(file).exists();
        for file in files_in(&folder, Path::new(""))?.into_iter().filter(gone) {
            fs::remove_file(folder.join(&file))
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(Self { folder, target })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where cargo builds it.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }
}

fn known_to_git(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.stderr(Stdio::inherit()).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files failed: the sources are copied by what git knows of them");
    }
    let text = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    Ok(text.split_terminator('\0').map(PathBuf::from).collect())
}

/// All files below `folder`, by their path from there.
fn files_in(folder: &Path, below: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder.join(below)).with_context(|| format!("cannot list {}", below.display()))?
    {
        let entry = entry.context("cannot list the copy")?;
        let path = below.join(entry.file_name());
        if entry.file_type().context("cannot list the copy")?.is_dir() {
            files.extend(files_in(folder, &path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn write_if_other(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scratch;

    fn repository(files: &[(&str, &str)]) -> Scratch {
        let scratch = Scratch::new().unwrap();
        for (name, text) in files {
            write_if_other(&scratch.path().join(name), text.as_bytes()).unwrap();
        }
        let git = |args: &[&str]| {
            assert!(Command::new("git").args(args).current_dir(scratch.path()).status().unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        scratch
    }

    #[test]
    fn a_copy_follows_the_sources_and_leaves_alone_what_is_the_same() {
        let scratch = repository(&[(".gitignore", "/target\n"), ("src/a.rs", "a"), ("tests/b.rs", "b")]);
        let tree = Tree::copy(scratch.path(), |_, bytes| Ok(bytes)).unwrap();
        let time = |name: &str| fs::metadata(tree.folder().join(name)).unwrap().modified().unwrap();
        let before = time("src/a.rs");
        fs::remove_file(scratch.path().join("tests/b.rs")).unwrap();
        fs::write(scratch.path().join("tests/c.rs"), "c").unwrap();
        Tree::copy(scratch.path(), |_, bytes| Ok(bytes)).unwrap();
        let mut files = files_in(tree.folder(), Path::new("")).unwrap();
        files.sort();
        assert_eq!(files, [".gitignore", "src/a.rs", "tests/c.rs"].map(PathBuf::from));
        assert_eq!(time("src/a.rs"), before, "cargo would build it anew");
    }

    #[test]
    fn what_is_planted_is_in_the_copy_alone() {
        let scratch = repository(&[(".gitignore", "/target\n"), ("src/a.rs", "a"), ("src/b.rs", "b")]);
        let plant =
            |file: &Path, bytes| Ok(if file == Path::new("src/a.rs") { b"planted".to_vec() } else { bytes });
        let tree = Tree::copy(scratch.path(), plant).unwrap();
        let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read(tree.folder(), "src/a.rs"), "planted");
        assert_eq!(read(tree.folder(), "src/b.rs"), "b");
        assert_eq!(read(scratch.path(), "src/a.rs"), "a");
        assert!(Tree::copy(scratch.path(), |_, _| bail!("no place for it")).is_err());
    }
}
