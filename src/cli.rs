//! The command line.

mod cluster;
mod devops;
mod explain;
mod export;
mod lease;
mod lint;
mod plan;
mod revision;
mod run;
mod sources;
mod status;
mod token;

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::{hardening, kinds::KINDS, telemetry::LogFormat, text::printable};

/// Kubernetes operator for the network of DataStax Astra DB.
#[derive(Debug, Parser)]
#[command(
    name = "astra-operator",
    version,
    about = "Keeps Astra DB's private endpoints, IP access lists and VPC peerings as Kubernetes resources say",
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  astra-operator crds | kubectl apply --server-side -f -
  astra-operator run
  astra-operator plan -f manifests/
  astra-operator run --namespace team-a --namespace team-b --log-format json
  astra-operator lint -f manifests/
  astra-operator export --output-dir astra
  astra-operator status -A
  astra-operator explain aal/orders -n team-a
  astra-operator completions bash > /etc/bash_completion.d/astra-operator";

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the resources and keep Astra as they say
    Run(Box<RunArgs>),
    /// Show what the operator would do in Astra, before it does it
    Plan(Box<plan::PlanArgs>),
    /// Print what is in Astra as manifests, so that applying them changes nothing
    Export(Box<export::ExportArgs>),
    /// Print the custom resource definitions, for kubectl apply
    #[command(after_help = "Example:\n  astra-operator crds | kubectl apply --server-side -f -")]
    Crds,
    /// Check manifests without a cluster: what the API server would refuse, and what you would be sorry for
    Lint(lint::LintArgs),
    /// Show the databases and their objects as a tree, from the cluster alone
    Status(status::StatusArgs),
    /// Explain one object: what is there, what the operator would do next, and what to do now
    Explain(Box<explain::ExplainArgs>),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  astra-operator completions zsh > ~/.zfunc/_astra-operator")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

const RUN_HELP: &str = "\
Examples:
  astra-operator run
  astra-operator run --namespace team-a --namespace team-b
  astra-operator run --devops-url http://127.0.0.1:8080 --resync 10s
  astra-operator run --leader-elect=false

Without --kubeconfig that of the environment is used (KUBECONFIG, ~/.kube/config), or the service account in a cluster.
Tokens are read from the Secrets that the resources name, in the resource's own namespace.
HTTPS_PROXY and NO_PROXY are honoured for calls to Astra.";

#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
struct RunArgs {
    /// Watch only this namespace; may be given several times, or with commas. Without it, all namespaces are watched
    #[arg(
        long = "namespace",
        short = 'n',
        value_name = "NAMESPACE",
        env = "ASTRA_OPERATOR_NAMESPACES",
        value_delimiter = ',',
        value_parser = namespace
    )]
    namespaces: Vec<String>,
    #[command(flatten)]
    devops: devops::DevopsArgs,
    /// How often everything is compared with Astra when nothing happens
    #[arg(long, value_name = "DURATION", env = "ASTRA_OPERATOR_RESYNC", default_value = "60s", value_parser = at_least_a_second)]
    resync: Duration,
    /// How many objects of one kind and namespace are worked on at once
    #[arg(long, value_name = "N", env = "ASTRA_OPERATOR_CONCURRENCY", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// How many calls to Astra one token has under way at once
    #[arg(long, value_name = "N", env = "ASTRA_OPERATOR_CALLS_AT_ONCE", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=256))]
    calls_at_once: u16,
    /// How many calls to Astra one token makes in a second at the most
    #[arg(long, value_name = "N", env = "ASTRA_OPERATOR_CALLS_PER_SECOND", default_value = "400", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    calls_per_second: u32,
    /// Where /healthz and /readyz are served, and /metrics too if it has no address of its own
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "ASTRA_OPERATOR_HEALTH_ADDRESS",
        default_value = "0.0.0.0:8081"
    )]
    health_address: SocketAddr,
    /// Where /metrics is served [default: beside /healthz]
    #[arg(long, value_name = "ADDR:PORT", env = "ASTRA_OPERATOR_METRICS_ADDRESS")]
    metrics_address: Option<SocketAddr>,
    /// A file with a token: only who brings it as a bearer token is told the metrics. It is read at each scrape
    #[arg(long, value_name = "FILE", env = "ASTRA_OPERATOR_METRICS_TOKEN_FILE")]
    metrics_token_file: Option<PathBuf>,
    /// The form of log lines
    #[arg(long, value_name = "FORMAT", env = "ASTRA_OPERATOR_LOG_FORMAT", default_value = "human")]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or a filter such as `info,astra_devops=debug`
    #[arg(long, value_name = "FILTER", env = "ASTRA_OPERATOR_LOG", default_value = "info")]
    log: String,
    /// A file with a filter in place of --log's, followed while it is there: what is logged changes without a restart
    #[arg(long, value_name = "FILE", env = "ASTRA_OPERATOR_LOG_FILTER_FILE")]
    log_filter_file: Option<PathBuf>,
    #[command(flatten)]
    lease: lease::LeaseArgs,
    #[command(flatten)]
    kube: cluster::KubeArgs,
}

/// A name that no namespace can have would be watched in vain.
fn namespace(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = (1..=63).contains(&text.len())
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("nothing in Kubernetes can have this name: it is made of lower-case letters, digits and hyphens"
            .to_owned())
    }
}

fn at_least_a_second(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write for example 60s or 5m"))?;
    if duration < Duration::from_secs(1) { Err("must be at least 1s".to_owned()) } else { Ok(duration) }
}

/// Reads the command line. Where the program is installed as `kubectl-astra`, its help speaks of `kubectl astra`.
#[must_use]
pub fn parse() -> Cli {
    let program = std::env::args_os().next().map(PathBuf::from);
    let is_plugin =
        program.as_ref().and_then(|path| path.file_stem()).is_some_and(|name| name == "kubectl-astra");
    let command = Cli::command();
    let command = if is_plugin { command.bin_name("kubectl astra") } else { command };
    match Cli::from_arg_matches(&command.get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    }
}

/// Carries out a command line.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match cli.command {
        Command::Run(args) => run::run(*args).map(done),
        Command::Plan(args) => plan::run(&args),
        Command::Export(args) => export::run(*args).map(done),
        Command::Lint(args) => lint::lint(&args),
        Command::Crds => crds(&mut io::stdout().lock()).map(done),
        Command::Status(args) => status::status(&args).map(done),
        Command::Explain(args) => explain::explain(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "astra-operator", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            // Some of it may be the words of a server.
            eprintln!("error: {}", printable(&with_causes(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that asks others, with the memory kept private: there is a token in it.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    // What the system does not grant, a command of a minute can do without.
    let _ = hardening::keep_memory_private();
    // Whoever has installed one already has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future))
}

/// What stops a command.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn crds(out: &mut impl io::Write) -> Result<(), Failure> {
    for entry in KINDS {
        write!(out, "---\n{}", serde_saphyr::to_string(&(entry.crd)())?)?;
    }
    Ok(())
}

/// `astra-operator crds | head` ends the reader first; that is no failure.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error and its causes, each said once: some errors say their cause in their own text.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
