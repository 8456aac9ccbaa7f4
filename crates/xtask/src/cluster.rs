//! The cluster that a command works on: a control plane of its own, or the user's by `--context`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::control_plane::{Binaries, ControlPlane};
use crate::kubectl::Kubectl;
use crate::process::Service;
use crate::terminal::Step;

/// A cluster that is ready.
#[derive(Debug)]
pub(crate) enum Cluster {
    /// Started here and stopped when dropped.
    Own(ControlPlane),
    /// The user's; it stays as it is.
    Users(Kubectl),
}

impl Cluster {
    /// Starts a control plane, or takes the user's cluster; the kubeconfig to use is written into `directory`.
    pub(crate) fn ready(context: Option<&str>, directory: &Path, kept: bool) -> Result<Self> {
        if let Some(name) = context {
            return take(name, directory).map(Self::Users);
        }
        let binaries = Binaries::find_or_build()?;
        let step = Step::start("Kubernetes control plane");
        let plane = ControlPlane::start(&binaries, directory, kept)?;
        step.done("etcd, API server and controllers are ready");
        Ok(Self::Own(plane))
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        match self {
            Self::Own(plane) => plane.kubectl(),
            Self::Users(kubectl) => kubectl,
        }
    }

    /// An error if it was started here and has ended.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Own(plane) => plane.check(),
            Self::Users(_) => Ok(()),
        }
    }

    pub(crate) fn into_services(self) -> Vec<Service> {
        match self {
            Self::Own(plane) => plane.into_services(),
            Self::Users(_) => Vec::new(),
        }
    }
}

/// A kubeconfig of this one context, so that all that is started uses the cluster that was named and no other, even
/// when the user switches context meanwhile.
fn take(context: &str, directory: &Path) -> Result<Kubectl> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let users = std::env::var_os("KUBECONFIG").map_or_else(default_kubeconfig, PathBuf::from);
    let program = Binaries::kubectl_without_building();
    let view = ["config", "view", "--raw", "--flatten", "--minify", "--context", context];
    let text = Kubectl::new(program.clone(), users).output(&view)?;
    let path = directory.join("kubeconfig");
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    let kubectl = Kubectl::new(program, path);
    kubectl
        .output(&["version"])
        .with_context(|| format!("the cluster of context {context} does not answer"))?;
    Ok(kubectl)
}

fn default_kubeconfig() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".kube/config")
}
