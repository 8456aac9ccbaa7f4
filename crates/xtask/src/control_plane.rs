//! A real Kubernetes API server with its etcd and controllers, on loopback, thrown away afterwards.
//!
//! It has no kubelet: pods never run. All else behaves as in production.

mod build;
mod flags;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

pub(crate) use self::build::Binaries;
pub(crate) use self::flags::AUDITED;
use self::flags::{Layout, Ports};
use crate::kept::Kept;
use crate::kubectl::Kubectl;
use crate::process::{Service, Stop};
use crate::terminal::{self, Step};
use crate::wait;

/// How long the servers may take to be ready; they take a few seconds on two busy cores.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Where ports are looked for: below those that systems give to connections, so that none of these takes one by chance
/// before the server is there.
const PORTS: Range<u16> = 20_000..32_000;

/// How many ports may be taken before something else must be wrong.
const TRIES: usize = 1_000;

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

/// A user whose requests are written down.
#[derive(Debug, Clone)]
pub(crate) struct Audited {
    /// With this a program is that user.
    pub(crate) kubeconfig: PathBuf,
    /// One line of JSON a request.
    pub(crate) log: PathBuf,
}

/// Servers that run and answer. Dropping it stops them.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    kubectl: Kubectl,
    audit: Option<Audited>,
    /// In the order of their start.
    services: Vec<Service>,
}

impl ControlPlane {
    /// Starts it with its data in `directory`, and waits until it is ready.
    ///
    /// Free ports can be taken by others between finding and using them; then it starts again on other ones.
    pub(crate) fn start(binaries: &Binaries, directory: &Path, kept: bool) -> Result<Self> {
        Self::start_with(binaries, directory, kept, false)
    }

    /// The same, with a second administrator whose requests are written down.
    pub(crate) fn start_audited(binaries: &Binaries, directory: &Path) -> Result<Self> {
        Self::start_with(binaries, directory, false, true)
    }

    fn start_with(binaries: &Binaries, directory: &Path, kept: bool, audit: bool) -> Result<Self> {
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match Self::start_once(binaries, directory, kept, audit) {
                Err(error) if attempts > 0 && format!("{error:#}").contains("address already in use") => {}
                outcome => return outcome,
            }
        }
    }

    fn start_once(binaries: &Binaries, directory: &Path, kept: bool, audit: bool) -> Result<Self> {
        let (directory_of, ports, name) = (directory.to_path_buf(), Ports::free()?, random_token()?);
        let layout = Layout { directory: directory_of, ports, name, audit };
        // What an earlier attempt left would not fit: its certificates and its etcd are its own.
        for left in [layout.certificates(), layout.etcd_data()] {
            if left.exists() {
                fs::remove_dir_all(&left).with_context(|| format!("cannot remove {}", left.display()))?;
            }
        }
        let (token, audited) = (random_token()?, random_token()?);
        write(&layout.tokens(), &flags::token_file(&[("admin", &token), (flags::AUDITED, &audited)]))?;
        write(&layout.kubeconfig(), &layout.kubeconfig_text(&token)?)?;
        if audit {
            write(&layout.audited_kubeconfig(), &layout.kubeconfig_text(&audited)?)?;
            write(&layout.audit_policy(), &flags::audit_policy())?;
        }

        let kubectl = Kubectl::new(binaries.kubectl(), layout.kubeconfig());
        let audit =
            audit.then(|| Audited { kubeconfig: layout.audited_kubeconfig(), log: layout.audit_log() });
        let mut plane = Self { kubectl, audit, services: Vec::new() };
        plane.launch(binaries, "etcd", &layout.etcd(), directory, kept)?;
        plane.wait_etcd(&layout)?;
        plane.launch(binaries, "kube-apiserver", &layout.api_server(), directory, kept)?;
        plane.wait_ready()?;
        // Who brings assets without it (envtest's have none) goes without: then a deleted namespace stays Terminating.
        if binaries.program("kube-controller-manager").is_some() {
            plane.launch(binaries, "kube-controller-manager", &layout.controllers(), directory, kept)?;
            plane.wait_controllers()?;
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

    /// Waits until *this* etcd answers, which its name tells. Were its port another one's, the API server would work on
    /// the data of another cluster, and be well.
    fn wait_etcd(&self, layout: &Layout) -> Result<()> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            // It is on loopback, whatever the environment says about proxies.
            .proxy(None)
            .build();
        let agent = ureq::Agent::from(config);
        let members = || -> Option<Value> {
            agent.post(layout.etcd_members()).send_json(json!({})).ok()?.body_mut().read_json().ok()
        };
        wait::until("etcd to answer", READY_WITHIN, Duration::from_millis(20), || {
            let own = members().is_some_and(|members| is_first(&members, &layout.name));
            // After the question: what has ended meanwhile has not answered it.
            self.check()?;
            Ok(own.then_some(()))
        })
    }

    /// The controllers are at work when the first thing that they make is there. They serve before they work: one that
    /// could not have its port has ended by then.
    fn wait_controllers(&self) -> Result<()> {
        wait::until("the controllers to be at work", READY_WITHIN, Duration::from_millis(50), || {
            // Raw, so that kubectl does not remember which kinds there were before any was added.
            let account = "/api/v1/namespaces/default/serviceaccounts/default";
            let made = self.kubectl.try_output(&["get", "--raw", account])?;
            self.check()?;
            Ok(made.map(drop))
        })
    }

    /// Ready means that the API server *just started* says so: its certificate must be of the authority that it made
    /// in the fresh directory, and it must know the token made for this start. A port that answers proves nothing.
    fn wait_ready(&self) -> Result<()> {
        wait::until("the API server to be ready", READY_WITHIN, Duration::from_millis(50), || {
            let answer = self.kubectl.try_output(&["get", "--raw", "/readyz"])?;
            self.check()?;
            Ok(answer.filter(|answer| answer == "ok"))
        })?;
        // Made just after: nothing can be created in a namespace before.
        wait::until("the default namespace", READY_WITHIN, Duration::from_millis(50), || {
            self.check()?;
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

    /// The user whose requests are written down, if it was started with one.
    pub(crate) fn audited(&self) -> Result<&Audited> {
        self.audit.as_ref().context("this control plane was started without an audit")
    }

    /// The servers' processes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.services.iter().map(Service::id)
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

/// Is this the only member's name?
fn is_first(members: &Value, name: &str) -> bool {
    members["members"][0]["name"] == name && members["members"].as_array().is_some_and(|all| all.len() == 1)
}

/// Ports of loopback that are free now; all are held until all are found, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let (number, listener) = free_port()?;
        *port = number;
        held.push(listener);
    }
    Ok(ports)
}

fn free_port() -> Result<(u16, TcpListener)> {
    let count = u32::from(PORTS.end - PORTS.start);
    for _ in 0..TRIES {
        let random =
            getrandom::u32().map_err(|error| anyhow::anyhow!("no randomness for a port: {error}"))?;
        let port = PORTS.start + u16::try_from(random % count).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok((port, listener));
        }
    }
    bail!("no free port on loopback from {} to {}", PORTS.start, PORTS.end)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports: [u16; 5] = free_ports().unwrap();
        // A child of another test holds what this process had open when it was forked, until it is a program of its own.
        let bind = |port| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        let bound = |port| {
            wait::until("the port", Duration::from_secs(10), Duration::from_millis(1), || bind(port)).unwrap()
        };
        let held: Vec<_> = ports.into_iter().map(bound).collect();
        assert_eq!(held.len(), 5, "{ports:?}");
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (random_token().unwrap(), random_token().unwrap());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }

    #[test]
    fn an_etcd_is_known_by_its_name() {
        let members = |names: &[&str]| json!({ "members": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() });
        assert!(is_first(&members(&["own"]), "own"));
        for other in [members(&["default"]), members(&["own", "other"]), members(&[]), json!({}), json!("ok")]
        {
            assert!(!is_first(&other, "own"), "{other}");
        }
    }

    /// Servers that are shell scripts.
    fn binaries(scripts: &[(&str, &str)]) -> (tempfile::TempDir, Binaries) {
        let directory = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            // A file that this process writes itself may still be open in a child of another test, and is too busy to run.
            let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod +x "$1""#;
            let path = directory.path().join(name);
            let arguments = [OsStr::new("-c"), write.as_ref(), "sh".as_ref(), path.as_ref(), script.as_ref()];
            assert!(Command::new("sh").args(arguments).status().unwrap().success());
        }
        let binaries = Binaries::given(directory.path().to_path_buf()).unwrap();
        (directory, binaries)
    }

    #[test]
    fn a_port_that_is_taken_is_tried_elsewhere_and_then_told() {
        let taken = r#"echo "$@" >> "${0%/*}/calls"; echo "bind: address already in use"; exit 1"#;
        let (directory, binaries) = binaries(&[("etcd", taken), ("kube-apiserver", "exit 7")]);
        let data = tempfile::tempdir().unwrap();
        let error = ControlPlane::start(&binaries, data.path(), false).unwrap_err().to_string();
        assert!(error.starts_with("etcd has ended (exit status: 1)"), "{error}");
        let calls = fs::read_to_string(directory.path().join("calls")).unwrap();
        let ports: std::collections::BTreeSet<_> =
            calls.split_whitespace().filter(|flag| flag.starts_with("--listen-client-urls=")).collect();
        assert_eq!((calls.lines().count(), ports.len()), (3, 3), "{calls}");
    }

    #[test]
    fn any_other_end_of_a_server_is_told_at_once() {
        let broken = r#"echo >> "${0%/*}/calls"; echo "no space left on device"; exit 1"#;
        let (directory, binaries) = binaries(&[("etcd", broken), ("kube-apiserver", "exit 7")]);
        let data = tempfile::tempdir().unwrap();
        let error = ControlPlane::start(&binaries, data.path(), false).unwrap_err().to_string();
        assert!(error.contains("no space left on device"), "{error}");
        assert_eq!(fs::read_to_string(directory.path().join("calls")).unwrap().lines().count(), 1);
    }
}
