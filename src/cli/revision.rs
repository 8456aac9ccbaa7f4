//! Manifests as they are in a revision of git.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::Failure;
use crate::manifest::{self, Manifests, Sources, Unreadable};

/// The same sources as they are in a revision of git, and as they are now. What is in only one of the two is new, or gone.
pub(super) fn both(sources: &Sources, revision: &str) -> Result<(Manifests, Manifests), Failure> {
    if sources.files.iter().any(|file| file.as_os_str() == "-") {
        return Err(
            "--base cannot be used with -f -: there is no earlier standard input; use --diff-base".into()
        );
    }
    let folder = tempfile::tempdir()?;
    let repository = Repository::here(folder.path())?;
    repository.take_out(revision, sources)?;
    let (was, is) = repository.split(&sources.files, revision)?;
    let (was_built, is_built) = repository.split(&sources.kustomize, revision)?;
    let before = Sources { files: was, kustomize: was_built, ..sources.clone() };
    let now = Sources { files: is, kustomize: is_built, ..sources.clone() };
    let mut before = read(before)?;
    // As git writes it: where we have put it meanwhile tells nobody anything.
    let tree = repository.tree();
    for error in &mut before.errors {
        if let Ok(inside) = Path::new(&*error.location.file).strip_prefix(&tree) {
            error.location.file = format!("{revision}:{}", inside.display()).into();
        }
    }
    Ok((before, read(now)?))
}

/// As [`manifest::read`], where there may be nothing any more.
fn read(sources: Sources) -> Result<Manifests, Unreadable> {
    if sources.files.is_empty() && sources.kustomize.is_empty() {
        return Ok(Manifests::default());
    }
    manifest::read(&Sources { may_be_empty: true, ..sources })
}

/// A repository, and a folder of its own into which an earlier state of it is put.
struct Repository<'a> {
    top: PathBuf,
    folder: &'a Path,
}

impl<'a> Repository<'a> {
    /// The one in which the command is run.
    fn here(folder: &'a Path) -> Result<Self, Failure> {
        let said = succeeded(Command::new("git").args(["rev-parse", "--show-toplevel"]))?;
        let top = String::from_utf8(said)?;
        Ok(Self { top: fs::canonicalize(top.trim_end_matches('\n'))?, folder })
    }

    /// Takes what is needed out of the revision: by an index of its own, so that nothing of the repository is touched.
    fn take_out(&self, revision: &str, sources: &Sources) -> Result<(), Failure> {
        // Without --end-of-options a revision that begins with a hyphen would be an option.
        let commit = format!("{revision}^{{commit}}");
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
        let found = self.git(&verify).output().map_err(|error| cannot_run(&error))?;
        if !found.status.success() {
            return Err(format!("--base {revision}: git knows no such revision; in CI, fetch it first (a shallow checkout has only the last one)").into());
        }
        let commit = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        succeeded(&mut self.git(&["read-tree", &commit]))?;
        let mut list = self.git(&["ls-files", "-z", "--"]);
        // A kustomization may name what lies beside it.
        if sources.kustomize.is_empty() {
            for file in &sources.files {
                list.arg(literal(&self.inside(file)?));
            }
        }
        let mut prefix = self.tree().into_os_string();
        prefix.push("/");
        let files = succeeded(&mut list)?;
        let mut checkout = self.git(&["checkout-index", "--force", "-z", "--stdin"]);
        checkout.arg("--prefix").arg(&prefix).stdin(Stdio::piped());
        let mut child = checkout
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_run(&error))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(&files)?;
        }
        judged(&checkout, child.wait_with_output()?).map(drop)
    }

    /// Where these paths are in the earlier state, and those that are there now. One that is in neither is a slip.
    fn split(&self, paths: &[PathBuf], revision: &str) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
        let (mut before, mut now) = (Vec::new(), Vec::new());
        for path in paths {
            let earlier = self.tree().join(self.inside(path)?);
            let (was, is) = (earlier.exists(), path.exists());
            if !was && !is {
                let path = path.display();
                return Err(format!(
                    "{path}: there is no such file or directory, neither here nor in {revision}"
                )
                .into());
            }
            before.extend(was.then_some(earlier));
            now.extend(is.then(|| path.clone()));
        }
        Ok((before, now))
    }

    /// Where the earlier state is put.
    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// A path from the top of the repository.
    fn inside(&self, path: &Path) -> Result<PathBuf, Failure> {
        let absolute = resolved(&std::path::absolute(path)?);
        let outside = || format!("{} is not in the repository {}", path.display(), self.top.display()).into();
        absolute.strip_prefix(&self.top).map(Path::to_owned).map_err(|_| outside())
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.top).env("GIT_INDEX_FILE", self.folder.join("index")).args(arguments);
        command
    }
}

/// Without links, as far as there is such a path; the rest as it is written.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

/// A path that git takes as it is, without patterns. All of the repository is an empty one.
fn literal(path: &Path) -> std::ffi::OsString {
    let mut spec = OsStr::new(":(top,literal)").to_owned();
    spec.push(path);
    spec
}

fn succeeded(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.output().map_err(|error| cannot_run(&error))?;
    judged(command, output)
}

fn judged(command: &Command, output: Output) -> Result<Vec<u8>, Failure> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let word = command.get_args().next().unwrap_or_default().to_string_lossy().into_owned();
    Err(format!("git {word}: {words}").into())
}

fn cannot_run(error: &io::Error) -> Failure {
    format!("cannot run git: {error}").into()
}
