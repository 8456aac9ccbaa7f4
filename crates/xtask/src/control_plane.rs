//! A real Kubernetes API server with its etcd and controllers, on loopback, thrown away afterwards.
//!
//! It has no kubelet: pods never run. All else behaves as in production.

mod build;
mod flags;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result};

pub(crate) use self::build::Binaries;
use self::flags::{Layout, Ports};
use crate::kept::Kept;
use crate::kubectl::Kubectl;
use crate::process::{Service, Stop};
use crate::terminal::{self, Step};
use crate::wait;

/// How long the servers may take to be ready; they take a few seconds on two busy cores.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Start a Kubernetes control plane for development, in the background, and print its KUBECONFIG.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask control-plane             start it (or find it running) and print its KUBECONFIG
  cargo xtask control-plane --stop      stop it and remove its data
  KUBEBUILDER_ASSETS=DIR cargo xtask control-plane
                                        use etcd and kube-apiserver of DIR; nothing is built")]
pub(crate) struct Args {
    /// Stop the one that runs.
    #[arg(long)]
    stop: bool,
}

/// `cargo xtask control-plane`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let kept = Kept::named("control-plane")?;
    if args.stop {
        terminal::line(if kept.stop()? { "stopped" } else { "none was running" });
        return Ok(ExitCode::SUCCESS);
    }
    if !kept.is_running() {
        let binaries = Binaries::find_or_build()?;
        kept.begin()?;
        let step = Step::start("control plane");
        let plane = ControlPlane::start(&binaries, kept.directory(), true)?;
        step.done("ready");
        kept.keep(plane.into_services())?;
    }
    let kubeconfig = kept.directory().join(flags::KUBECONFIG);
    println!("export KUBECONFIG={}", kubeconfig.display());
    println!("# stop it with: cargo xtask control-plane --stop");
    Ok(ExitCode::SUCCESS)
}

/// Servers that run and answer. Dropping it stops them.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    kubectl: Kubectl,
    /// In the order of their start.
    services: Vec<Service>,
}

impl ControlPlane {
    /// Starts it with its data in `directory`, and waits until it is ready.
    ///
    /// Free ports can be taken by others between finding and using them; then it starts again on other ones.
    pub(crate) fn start(binaries: &Binaries, directory: &Path, kept: bool) -> Result<Self> {
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match Self::start_once(binaries, directory, kept) {
                Err(error) if attempts > 0 && format!("{error:#}").contains("address already in use") => {}
                outcome => return outcome,
            }
        }
    }

    fn start_once(binaries: &Binaries, directory: &Path, kept: bool) -> Result<Self> {
        let layout = Layout { directory: directory.to_path_buf(), ports: Ports::free()? };
        // What an earlier attempt left would not fit: its certificates and its etcd are its own.
        for left in [layout.certificates(), layout.etcd_data()] {
            if left.exists() {
                fs::remove_dir_all(&left).with_context(|| format!("cannot remove {}", left.display()))?;
            }
        }
        let token = random_token()?;
        write(&layout.tokens(), &flags::token_file(&token))?;
        write(&layout.kubeconfig(), &layout.kubeconfig_text(&token)?)?;

        let kubectl = Kubectl::new(binaries.kubectl(), layout.kubeconfig());
        let mut plane = Self { kubectl, services: Vec::new() };
        plane.launch(binaries, "etcd", &layout.etcd(), directory, kept)?;
        plane.launch(binaries, "kube-apiserver", &layout.api_server(), directory, kept)?;
        plane.wait_ready()?;
        // Who brings assets without it (envtest's have none) goes without: then a deleted namespace stays Terminating.
        if binaries.program("kube-controller-manager").is_some() {
            plane.launch(binaries, "kube-controller-manager", &layout.controllers(), directory, kept)?;
        }
        Ok(plane)
    }

    fn launch(
        &mut self,
        binaries: &Binaries,
        name: &str,
        args: &[String],
        at: &Path,
        kept: bool,
    ) -> Result<()> {
        let program = binaries.program(name).with_context(|| format!("there is no {name}"))?;
        let mut command = Command::new(program);
        command.args(args);
        if binaries.ours && !kept {
            command.env(flags::FOLLOW_STDIN, "1");
        }
        self.services.push(Service::start(name, &mut command, at, Stop::Kill, kept)?);
        Ok(())
    }

    /// Ready means that the API server *just started* says so: its certificate must be of the authority that it made
    /// in the fresh directory, and it must know the token made for this start. A port that answers proves nothing.
    fn wait_ready(&self) -> Result<()> {
        wait::until("the API server to be ready", READY_WITHIN, Duration::from_millis(50), || {
            self.check()?;
            Ok(self.kubectl.try_output(&["get", "--raw", "/readyz"])?.filter(|answer| answer == "ok"))
        })?;
        // Made just after: nothing can be created in a namespace before.
        wait::until("the default namespace", READY_WITHIN, Duration::from_millis(50), || {
            self.kubectl.try_output(&["get", "--raw", "/api/v1/namespaces/default"])
        })
        .map(drop)
    }

    /// An error if one of the servers has ended.
    pub(crate) fn check(&self) -> Result<()> {
        self.services.iter().try_for_each(Service::check)
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    pub(crate) fn into_services(mut self) -> Vec<Service> {
        std::mem::take(&mut self.services)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // The last started first.
        while self.services.pop().is_some() {}
    }
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn random_token() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness for a token: {error}"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Ports of loopback that are free now; all are held until all are found, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
        *port = listener.local_addr().context("a port without a number")?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports: [u16; 5] = free_ports().unwrap();
        let held: Vec<_> = ports.iter().map(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))).collect();
        assert!(held.iter().all(Result::is_ok), "{ports:?}");
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (random_token().unwrap(), random_token().unwrap());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
