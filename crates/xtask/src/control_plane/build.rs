//! The control plane's binaries: found in `KUBEBUILDER_ASSETS`, found in the cache, or built into it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::Hasher as _;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::terminal::Step;
use crate::{process, toolchain, workspace};

/// What the one binary is called as.
const NAMES: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];
/// The one binary.
const BINARY: &str = "control-plane";
/// Raised when the way of building changes what comes out, so that what was built the old way is not found again.
const RECIPE: &str = "1";

/// A directory with etcd, kube-apiserver and perhaps kube-controller-manager, and the kubectl to use.
#[derive(Debug)]
pub(crate) struct Binaries {
    directory: PathBuf,
    /// Built here, and so able to end with whoever started it.
    pub(crate) ours: bool,
}

impl Binaries {
    /// Those of `KUBEBUILDER_ASSETS`, else those of this version of the sources, built if they are not there yet.
    pub(crate) fn find_or_build() -> Result<Self> {
        if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()) {
            return Self::given(PathBuf::from(assets));
        }
        let sources = workspace::root().join("tests/control-plane");
        let files = read_sources(&sources)?;
        let cache = workspace::cache()?.join("control-plane");
        let directory = cache.join(hash(&files));
        if !directory.join(BINARY).is_file() {
            build(&sources, &files, &cache, &directory)?;
        }
        Ok(Self { directory, ours: true })
    }

    pub(super) fn given(directory: PathBuf) -> Result<Self> {
        for name in ["etcd", "kube-apiserver"] {
            if !directory.join(name).is_file() {
                bail!("KUBEBUILDER_ASSETS is {}, and there is no {name} in it", directory.display());
            }
        }
        Ok(Self { directory, ours: false })
    }

    /// The kubectl of `KUBEBUILDER_ASSETS` or of PATH, for a cluster that needs nothing built.
    pub(crate) fn kubectl_without_building() -> PathBuf {
        let assets = env::var_os("KUBEBUILDER_ASSETS").map(|assets| PathBuf::from(assets).join("kubectl"));
        assets.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("kubectl"))
    }

    /// Where they are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of a program, if it is there.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.directory.join(name)).filter(|path| path.exists())
    }

    /// The kubectl beside the servers, else the one in PATH.
    pub(crate) fn kubectl(&self) -> PathBuf {
        self.program("kubectl").unwrap_or_else(|| PathBuf::from("kubectl"))
    }
}

/// The files that decide what is built, by name.
fn read_sources(directory: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if Path::new(&name).extension().is_some_and(|end| end == "go" || end == "mod" || end == "sum") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name, text);
        }
    }
    Ok(files)
}

/// A name for what these sources build; the same on every machine.
fn hash(files: &BTreeMap<String, String>) -> String {
    let mut hasher = fnv::FnvHasher::default();
    // A byte that is in no text ends each part, so that nothing can move from one part to the next unseen.
    for part in [RECIPE].into_iter().chain(files.iter().flat_map(|(name, text)| [name.as_str(), text])) {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    format!("{:016x}", hasher.finish())
}

/// Builds beside the final place and renames, so that a build that is killed leaves nothing that looks finished.
fn build(sources: &Path, files: &BTreeMap<String, String>, cache: &Path, directory: &Path) -> Result<()> {
    let go_mod = files.get("go.mod").context("tests/control-plane has no go.mod")?;
    let go = toolchain::go(toolchain::go_line(go_mod)?)?;
    fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let made =
        tempfile::Builder::new().prefix("build-").tempdir_in(cache).context("cannot make a directory")?;
    compile(&go, sources, kubernetes_version(go_mod)?, &made.path().join(BINARY))?;
    for name in NAMES {
        symlink(BINARY, made.path().join(name)).context("cannot make a link")?;
    }
    match fs::rename(made.path(), directory) {
        Ok(()) => drop(made.keep()),
        // Somebody else built the same at the same time, and was first.
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot make {}", directory.display())),
    }
    Ok(())
}

fn compile(go: &Path, sources: &Path, version: &str, output: &Path) -> Result<()> {
    let step = Step::start(format!("building Kubernetes {version} (once; some minutes)"));
    let total = count_packages(go, sources);
    let (mut built, mut words) = (0_usize, Vec::new());
    let mut command = Command::new(go);
    command
        .args(["build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags"])
        .arg(format!("-s -w -X k8s.io/component-base/version.gitVersion={version}"))
        .arg("-o")
        .arg(output)
        .arg(".")
        .current_dir(sources)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off");
    let status = process::lines(&mut command, |line| {
        // `-v` prints each package's path as it is compiled; all else has spaces: downloads and errors.
        if line.contains(' ') {
            words.push(line.to_owned());
        } else {
            built += 1;
        }
        step.note(total.map_or_else(|| format!("{built} packages"), |n| format!("{built} of {n} packages")));
    })?;
    if !status.success() {
        let last = words[words.len().saturating_sub(20)..].join("\n");
        bail!("go build of {} failed ({status}):\n{last}", sources.display());
    }
    step.done("");
    Ok(())
}

/// How many packages there are to compile on a fresh machine; `None` when go cannot tell, which its build will explain.
fn count_packages(go: &Path, sources: &Path) -> Option<usize> {
    let mut command = Command::new(go);
    command.args(["list", "-mod=readonly", "-deps", "."]).current_dir(sources).env("CGO_ENABLED", "0");
    let output = command.env("GOWORK", "off").output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// The version of Kubernetes that go.mod requires.
fn kubernetes_version(go_mod: &str) -> Result<&str> {
    go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .and_then(|rest| rest.split_whitespace().next())
        .context("go.mod does not require k8s.io/kubernetes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(parts: &[(&str, &str)]) -> BTreeMap<String, String> {
        parts.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn the_hash_is_stable_and_moves_with_every_name_and_text() {
        let base = hash(&files(&[("a.go", "x"), ("go.mod", "y")]));
        assert_eq!(base, hash(&files(&[("go.mod", "y"), ("a.go", "x")])));
        assert_eq!(base.len(), 16);
        for other in [
            &[("a.go", "x2"), ("go.mod", "y")][..],
            &[("b.go", "x"), ("go.mod", "y")],
            &[("a.go", "xgo.mod"), ("", "y")],
            &[("a.go", "x")],
        ] {
            assert_ne!(base, hash(&files(other)), "{other:?}");
        }
    }

    #[test]
    fn the_sources_are_the_go_module_and_name_a_kubernetes() {
        let files = read_sources(&workspace::root().join("tests/control-plane")).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["go.mod", "go.sum", "main.go"]);
        assert!(kubernetes_version(&files["go.mod"]).unwrap().starts_with("v1."));
    }

    #[test]
    fn assets_without_a_server_are_refused_by_name() {
        let empty = tempfile::tempdir().unwrap();
        let error = Binaries::given(empty.path().to_path_buf()).unwrap_err().to_string();
        assert!(error.ends_with("there is no etcd in it"), "{error}");
    }
}
