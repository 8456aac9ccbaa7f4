//! `cargo xtask demo`: the whole way once, on a real API server against the simulated DevOps API.

mod drift;
mod report;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::cargo::{self, Programs};
use crate::cluster::Cluster;
use crate::kept::Kept;
use crate::kubectl::Kubectl;
use crate::process::{Scratch, Service, Stop};
use crate::simulator::Simulator;
use crate::terminal::{self, Step};
use crate::workspace;

/// The namespace that the demo makes.
const NAMESPACE: &str = "astra-demo";
/// The kinds that it waits for.
const KINDS: &str = "astraprivateendpoints,astraaccesslists,astravpcpeerings";
/// How long everything may take to be Ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// See the operator at work: examples/ applied, made true in a simulated Astra, and kept true.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask demo                  on a control plane made for it (built with Go the first time)
  cargo xtask demo --keep           leave everything running, and print the KUBECONFIG to use
  cargo xtask demo --stop           stop what --keep left running
  cargo xtask demo --context kind   on a cluster you have: makes the CRDs and the namespace astra-demo in it, and
                                    takes them away again
  KUBEBUILDER_ASSETS=DIR cargo xtask demo
                                    use etcd and kube-apiserver of DIR; nothing is built with Go

Nothing is sent to the real Astra. The exit code is 0 only if everything became Ready and the change made behind the
operator's back was put right.")]
pub(crate) struct Args {
    /// Leave everything running afterwards.
    #[arg(long)]
    keep: bool,
    /// Stop what --keep left running.
    #[arg(long, conflicts_with_all = ["keep", "context"])]
    stop: bool,
    /// Use the cluster of this context of your kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// `cargo xtask demo`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let kept = Kept::named("demo")?;
    if args.stop {
        terminal::line(if kept.stop()? { "stopped" } else { "none was running" });
        return Ok(ExitCode::SUCCESS);
    }
    terminal::heading("Build");
    let programs = cargo::build("operator and simulator", &["--workspace", "--bins"])?;
    if args.keep {
        kept.begin()?;
        let demo = Demo::start(args, &programs, kept.directory())?;
        demo.show()?;
        demo.say_how_to_go_on(kept.directory());
        kept.keep(demo.into_services())?;
    } else {
        let scratch = Scratch::new()?;
        let demo = Demo::start(args, &programs, scratch.path())?;
        let shown = demo.show();
        let cleaned = demo.clean_up();
        shown.and(cleaned)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the demo as a test; what is wrong is printed.
pub(crate) fn passes() -> bool {
    let args = Args { keep: false, stop: false, context: None };
    match run(&args) {
        Ok(_) => true,
        Err(error) => {
            terminal::line(&format!("the demo failed: {error:#}"));
            false
        }
    }
}

/// All that runs. The fields are dropped, and so stopped, in this order.
struct Demo {
    start: Instant,
    operator: Service,
    simulator: Simulator,
    cluster: Cluster,
    token: String,
    /// The CRDs as the operator prints them.
    crds: String,
    /// Made by the demo, in a cluster that stays, and so its to remove.
    made_crds: bool,
}

impl Demo {
    fn start(args: &Args, programs: &Programs, directory: &Path) -> Result<Self> {
        let start = Instant::now();
        terminal::heading("Start");
        let cluster = Cluster::ready(args.context.as_deref(), directory, args.keep)?;
        let kubectl = cluster.kubectl();
        if kubectl.try_output(&["get", "namespace", NAMESPACE])?.is_some() {
            bail!("there is a namespace {NAMESPACE} already; the demo makes its own: delete that one first");
        }

        let step = Step::start("simulator of the DevOps API");
        let simulator = Simulator::start(programs.simulator()?, directory, args.keep)?;
        let token = simulator.token()?;
        step.done(simulator.url());

        let step = Step::start("custom resource definitions");
        let crds = print_crds(programs.operator()?)?;
        let made_crds = kubectl.try_output(&["get", "crd", "astraaccesslists.astra.datastax.com"])?.is_none();
        kubectl.output_with(&["apply", "--server-side", "-f", "-"], &crds)?;
        kubectl.output_with(&["wait", "--for=condition=Established", "--timeout=30s", "-f", "-"], &crds)?;
        step.done("established");

        let step = Step::start(format!("namespace {NAMESPACE} with the Secret astra-credentials"));
        kubectl.output(&["create", "namespace", NAMESPACE])?;
        // By standard input: a token has no place among the arguments of a process.
        let secret = ["create", "secret", "generic", "astra-credentials", "-n", NAMESPACE];
        let secret = [&secret[..], &["--from-file=token=/dev/stdin"]].concat();
        kubectl.output_with(&secret, &token)?;
        step.done("");

        let step = Step::start("operator");
        let operator = start_operator(programs.operator()?, kubectl, simulator.url(), directory, args.keep)?;
        step.done("started");
        Ok(Self { start, operator, simulator, cluster, token, crds, made_crds })
    }

    /// Everything that there is to see; an error unless all became Ready and the drift was put right.
    fn show(&self) -> Result<()> {
        let ready = self.apply();
        if let Err(error) = ready {
            report::not_ready(self.kubectl(), NAMESPACE, KINDS)?;
            terminal::heading("The end of the operator's log");
            terminal::block(&self.operator.log_tail(30));
            return Err(error);
        }
        report::table(self.kubectl(), NAMESPACE)?;
        report::describe(self.kubectl(), NAMESPACE)?;
        report::journal(&self.simulator.journal()?);
        if let Err(error) = drift::show(&self.simulator, &self.token) {
            terminal::heading("The end of the operator's log");
            terminal::block(&self.operator.log_tail(30));
            return Err(error);
        }
        self.check()?;
        terminal::heading("Everything became Ready, and the drift was put right.");
        terminal::line(&format!(
            "{} from the start, building not counted",
            terminal::duration(self.start.elapsed())
        ));
        Ok(())
    }

    fn apply(&self) -> Result<()> {
        terminal::heading("kubectl apply -f examples/");
        let examples = workspace::root().join("examples");
        let examples = examples.to_str().context("the workspace's path is no text")?;
        let start = Instant::now();
        let step = Step::start("applied");
        let applied = self.kubectl().output(&["apply", "-n", NAMESPACE, "-R", "-f", examples])?;
        let count = applied.lines().count();
        step.done(&format!("{count} objects"));
        let step = Step::start("all Ready");
        self.wait_ready()?;
        step.done(&format!("{} after the apply began", terminal::duration(start.elapsed())));
        Ok(())
    }

    /// `kubectl wait`, cut short when something that was started here has ended.
    fn wait_ready(&self) -> Result<()> {
        let timeout = format!("--timeout={}s", READY_WITHIN.as_secs());
        let args = ["wait", "--for=condition=Ready", KINDS, "--all", "-n", NAMESPACE, &timeout];
        self.kubectl().output_while(&args, || self.check()).map(drop)
    }

    /// An error with its last words if something that was started here has ended.
    fn check(&self) -> Result<()> {
        self.operator.check()?;
        self.simulator.service().check()?;
        self.cluster.check()
    }

    fn kubectl(&self) -> &Kubectl {
        self.cluster.kubectl()
    }

    /// In a cluster that stays, takes away what the demo made, while the operator is there to let it go.
    fn clean_up(&self) -> Result<()> {
        if let Cluster::Users(kubectl) = &self.cluster {
            let step = Step::start(format!("namespace {NAMESPACE} deleted"));
            kubectl.output(&["delete", "namespace", NAMESPACE, "--timeout=60s"])?;
            if self.made_crds {
                kubectl.output_with(&["delete", "--timeout=30s", "-f", "-"], &self.crds)?;
            }
            step.done("");
        }
        Ok(())
    }

    fn say_how_to_go_on(&self, directory: &Path) {
        terminal::heading("It goes on running");
        terminal::line(&format!("export KUBECONFIG={}", self.kubectl().kubeconfig().display()));
        terminal::line(&format!("kubectl: {}", self.kubectl().program().display()));
        terminal::line(&format!(
            "curl {}/_simulator/requests   # what was sent to Astra",
            self.simulator.url()
        ));
        terminal::line(&format!("logs: {}", directory.display()));
        if matches!(self.cluster, Cluster::Users(_)) {
            terminal::line(&format!("first remove the objects: kubectl delete namespace {NAMESPACE}"));
        }
        terminal::line("stop it with: cargo xtask demo --stop");
    }

    /// In the order of their start.
    fn into_services(self) -> Vec<Service> {
        let mut services = self.cluster.into_services();
        services.extend([self.simulator.into_service(), self.operator]);
        services
    }
}

fn print_crds(operator: &Path) -> Result<String> {
    let output = Command::new(operator).arg("crds").output().context("cannot run the operator")?;
    if !output.status.success() {
        bail!("`astra-operator crds` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("`astra-operator crds` printed no text")
}

fn start_operator(program: &Path, kubectl: &Kubectl, url: &str, at: &Path, kept: bool) -> Result<Service> {
    let mut command = Command::new(program);
    command.args(["run", "--namespace", NAMESPACE, "--devops-url", url, "--resync", "5s"]);
    // A free port: the usual one may be taken, by another demo for example.
    command.args(["--health-address", "127.0.0.1:0"]);
    // One is enough, and a Lease would stay behind in a cluster that is the user's.
    command.arg("--leader-elect=false");
    command.env("KUBECONFIG", kubectl.kubeconfig());
    Service::start("astra-operator", &mut command, at, Stop::Ask, kept)
}
