//! What a measurement runs on: a control plane of its own with an audit, a simulator, and an operator that can be started
//! again.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::counts::{Astra, Audit, Kubernetes, Process};
use super::proxy::Proxy;
use super::world::{self, Kind};
use crate::cargo::Programs;
use crate::control_plane::{AUDITED, Audited, Binaries, ControlPlane, free_ports};
use crate::kubectl::Kubectl;
use crate::process::{Scratch, Service, Stop};
use crate::simulator::Simulator;
use crate::wait;

/// How long the operator may take to answer.
const UP_WITHIN: Duration = Duration::from_secs(30);
/// How long nothing may happen before a phase counts as over.
const STILL: Duration = Duration::from_secs(2);

/// How everything is run.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// How long each answer of Astra takes.
    pub(super) latency: Duration,
    /// The operator's period.
    pub(super) resync: Duration,
    /// More arguments of the operator.
    pub(super) arguments: Vec<String>,
}

/// All that runs. The fields are dropped, and so stopped, in this order.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    settings: &'a Settings,
    programs: &'a Programs,
    operator: Option<Service>,
    pub(super) proxy: Proxy,
    pub(super) simulator: Simulator,
    plane: ControlPlane,
    audited: Audited,
    audit: Audit,
    scratch: Scratch,
}

impl<'a> Stage<'a> {
    /// Starts everything but the operator: `count` databases that `kind` fits, and for each of `namespaces` a Secret with
    /// a token of its own.
    pub(super) fn start(
        settings: &'a Settings,
        programs: &'a Programs,
        kind: Kind,
        count: usize,
        namespaces: &[&str],
    ) -> Result<Self> {
        let scratch = Scratch::new()?;
        let directory = scratch.path();
        let plane = ControlPlane::start_audited(&Binaries::find_or_build()?, directory)?;
        let kubectl = plane.kubectl();
        let crds =
            Command::new(programs.operator()?).arg("crds").output().context("cannot run the operator")?;
        let crds = String::from_utf8(crds.stdout).context("`astra-operator crds` printed no text")?;
        kubectl.output_with(&["apply", "--server-side", "-f", "-"], &crds)?;
        kubectl.output_with(&["wait", "--for=condition=Established", "--timeout=30s", "-f", "-"], &crds)?;
        let tokens: Vec<String> = namespaces.iter().map(|_| world::token()).collect::<Result<_>>()?;
        for (namespace, token) in namespaces.iter().zip(&tokens) {
            make_namespace(kubectl, namespace, token)?;
        }
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let simulator = simulator(settings, programs, directory, &world::state(kind, count, &tokens))?;
        let proxy = Proxy::start(kubectl, directory)?;
        let audited = plane.audited()?.clone();
        let audit = Audit::new(audited.log.clone());
        Ok(Self { settings, programs, operator: None, proxy, simulator, plane, audited, audit, scratch })
    }

    /// Makes a namespace with a token that Astra does not know.
    pub(super) fn refused_token(&self, namespace: &str) -> Result<()> {
        make_namespace(self.plane.kubectl(), namespace, &world::token()?)
    }

    /// Starts the operator, and waits until it serves. When it was started.
    pub(super) fn start_operator(&mut self) -> Result<Instant> {
        let [port] = free_ports()?;
        let mut command = Command::new(self.programs.operator()?);
        let resync = format!("{}ms", self.settings.resync.as_millis());
        let health = format!("127.0.0.1:{port}");
        command.args(["run", "--devops-url", self.simulator.url(), "--resync", &resync]);
        command.args(["--health-address", &health, "--leader-elect=false"]).args(&self.settings.arguments);
        command.env("KUBECONFIG", &self.audited.kubeconfig);
        let start = Instant::now();
        let operator = Service::start("astra-operator", &mut command, self.scratch.path(), Stop::Ask, false)?;
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        wait::until("the operator to serve", UP_WITHIN, Duration::from_millis(2), || {
            operator.check()?;
            Ok(agent.get(format!("http://{health}/healthz")).call().ok())
        })?;
        self.operator = Some(operator);
        Ok(start)
    }

    /// Asks the operator to stop, and waits for it.
    pub(super) fn stop_operator(&mut self) {
        self.operator = None;
    }

    fn operator(&self) -> Result<&Service> {
        self.operator.as_ref().context("no operator is running")
    }

    /// What the operator has used.
    pub(super) fn process(&self) -> Result<Process> {
        Process::of(self.operator()?.id())
    }

    /// Processor time that the API server and etcd have used so far, in seconds.
    pub(super) fn plane_processor(&self) -> Result<f64> {
        self.plane.ids().map(|id| Ok(Process::of(id)?.processor)).sum()
    }

    /// The operator's log.
    pub(super) fn log(&self) -> Result<String> {
        self.operator()?.log()
    }

    /// An error with its last words if something has ended.
    pub(super) fn check(&self) -> Result<()> {
        self.operator.iter().try_for_each(Service::check)?;
        self.simulator.service().check()?;
        self.proxy.check()?;
        self.plane.check()
    }

    /// What was sent to Astra and to Kubernetes since the last time.
    pub(super) fn counts(&mut self) -> Result<(Astra, Kubernetes)> {
        let journal = self.simulator.journal()?;
        self.simulator.clear_journal()?;
        Ok((Astra::of(&journal), self.audit.since(AUDITED)?))
    }

    /// Waits until neither Astra nor Kubernetes are written to any more, and counts all of it.
    pub(super) fn counts_when_still(&mut self) -> Result<(Astra, Kubernetes)> {
        let (mut astra, mut kubernetes) = (Astra::default(), Kubernetes::default());
        let mut still = Instant::now();
        let mut patience = 60;
        while still.elapsed() < STILL {
            std::thread::sleep(Duration::from_millis(500));
            self.check()?;
            let (more, requests) = self.counts()?;
            if more.writes + requests.writes() > 0 {
                still = Instant::now();
                patience -= 1;
            }
            if patience == 0 {
                bail!("writes do not come to an end: {more:?}, {requests:?}");
            }
            astra.add(more);
            kubernetes.add(&requests);
        }
        Ok((astra, kubernetes))
    }

    /// An error if something was sent to Astra that no client may send.
    pub(super) fn no_violations(&self) -> Result<()> {
        match self.simulator.violations()? {
            Value::Array(violations) if !violations.is_empty() => {
                bail!("sent to Astra, and never may be: {}", Value::Array(violations))
            }
            _ => Ok(()),
        }
    }
}

/// A namespace with a Secret. The token goes by standard input: it has no place among the arguments of a process.
fn make_namespace(kubectl: &Kubectl, namespace: &str, token: &str) -> Result<()> {
    kubectl.output(&["create", "namespace", namespace])?;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": { "token": token },
        "metadata": { "name": world::SECRET, "namespace": namespace },
    });
    kubectl.output_with(&["create", "-f", "-"], &secret.to_string()).map(drop)
}

fn simulator(settings: &Settings, programs: &Programs, at: &Path, state: &Value) -> Result<Simulator> {
    let file = at.join("state.json");
    std::fs::write(&file, state.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
    let latency = format!("{}ms", settings.latency.as_millis());
    let file = file.to_str().context("the scratch directory's path is no text")?;
    Simulator::start_with(programs.simulator()?, at, false, &["--state", file, "--latency", &latency])
}
