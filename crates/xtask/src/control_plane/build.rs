//! The control plane's binaries: found in `KUBEBUILDER_ASSETS`, found in the cache, or built into it.

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::go_module::{Files, Module, required};

/// What the one binary is called as.
const NAMES: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];
/// The one binary.
const BINARY: &str = "control-plane";
const MODULE: Module =
    Module { sources: "tests/control-plane", cache: "control-plane", programs: &[(BINARY, ".")] };

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
        let name = |files: &Files| Ok(format!("Kubernetes {}", required(files, KUBERNETES)?));
        let version = |files: &Files| {
            Ok(format!("-X k8s.io/component-base/version.gitVersion={}", required(files, KUBERNETES)?))
        };
        let directory = MODULE.find_or_build(name, version, link)?;
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

/// The module whose version is that of the control plane.
const KUBERNETES: &str = "k8s.io/kubernetes";

fn link(made: &Path) -> Result<()> {
    NAMES.iter().try_for_each(|name| symlink(BINARY, made.join(name))).context("cannot make a link")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{go_module::read_sources, workspace};

    #[test]
    fn the_sources_are_the_go_module_and_name_a_kubernetes() {
        let files = read_sources(&workspace::root().join(MODULE.sources)).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["go.mod", "go.sum", "main.go"]);
        assert!(required(&files, KUBERNETES).unwrap().starts_with("v1."));
    }

    #[test]
    fn assets_without_a_server_are_refused_by_name() {
        let empty = tempfile::tempdir().unwrap();
        let error = Binaries::given(empty.path().to_path_buf()).unwrap_err().to_string();
        assert!(error.ends_with("there is no etcd in it"), "{error}");
    }
}
