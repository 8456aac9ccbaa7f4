//! A copy of the workspace's sources with all bugs in it, each behind its switch.
//!
//! It is kept from run to run, and a file is only written when it differs: cargo goes by times, and would build
//! everything anew.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::bug::Bug;

/// The copy.
#[derive(Debug)]
pub(super) struct Tree {
    folder: PathBuf,
    /// Cargo's, and not the workspace's own: cargo tells packages by their place in the workspace, so it would take the
    /// one build for the other's, and the workspace's tests would run with bugs in them.
    target: PathBuf,
}

impl Tree {
    /// Brings the copy of the workspace at `root` up to date: the files that git knows, as they are now, and in them the
    /// bugs.
    pub(super) fn copy(root: &Path, bugs: &[&Bug]) -> Result<Self> {
        let (folder, target) = (root.join("target/teeth/tree"), root.join("target/teeth/build"));
        let files = known_to_git(root)?;
        for file in &files {
            match fs::read(root.join(file)) {
                Ok(bytes) => write_if_other(&folder.join(file), &planted(file, bytes, bugs)?)?,
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
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where cargo builds it.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }
}

/// The file with its bugs.
fn planted(file: &Path, bytes: Vec<u8>, bugs: &[&Bug]) -> Result<Vec<u8>> {
    let mut its = bugs.iter().filter(|bug| file == Path::new(bug.file)).peekable();
    if its.peek().is_none() {
        return Ok(bytes);
    }
    let source = String::from_utf8(bytes).with_context(|| format!("{} is not text", file.display()))?;
    its.try_fold(source, |source, bug| bug.plant(&source)).map(String::into_bytes)
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
    use crate::teeth::bug::Suite;

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
        let tree = Tree::copy(scratch.path(), &[]).unwrap();
        let time = |name: &str| fs::metadata(tree.folder().join(name)).unwrap().modified().unwrap();
        let before = time("src/a.rs");
        fs::remove_file(scratch.path().join("tests/b.rs")).unwrap();
        fs::write(scratch.path().join("tests/c.rs"), "c").unwrap();
        Tree::copy(scratch.path(), &[]).unwrap();
        let mut files = files_in(tree.folder(), Path::new("")).unwrap();
        files.sort();
        assert_eq!(files, [".gitignore", "src/a.rs", "tests/c.rs"].map(PathBuf::from));
        assert_eq!(time("src/a.rs"), before, "cargo would build it anew");
    }

    #[test]
    fn all_bugs_of_a_file_are_planted_in_the_copy_alone() {
        let scratch =
            repository(&[(".gitignore", "/target\n"), ("src/a.rs", "if x { y }"), ("src/b.rs", "if x")]);
        let bug = |name, find, put| Bug {
            name,
            danger: "nothing happens",
            file: "src/a.rs",
            find,
            put,
            suite: Suite::Unit,
        };
        let (one, other) = (bug("one", "if x", "if PLANTED"), bug("other", "{ y }", "{ z }"));
        let tree = Tree::copy(scratch.path(), &[&one, &other]).unwrap();
        let read = |name: &str| fs::read_to_string(tree.folder().join(name)).unwrap();
        assert!(
            read("src/a.rs").contains("one") && read("src/a.rs").ends_with("{ z }"),
            "{}",
            read("src/a.rs")
        );
        assert_eq!(read("src/b.rs"), "if x");
        assert_eq!(fs::read_to_string(scratch.path().join("src/a.rs")).unwrap(), "if x { y }");
        assert!(Tree::copy(scratch.path(), &[&one, &one]).is_err(), "two bugs at one place");
    }
}
