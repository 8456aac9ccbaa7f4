//! `astra-operator status`: the tree of all objects.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use k8s_openapi::jiff::Timestamp;
use kube::Client;

use super::{Failure, cluster::ClusterArgs};
use crate::overview::{self, Overview, read, text::text};

const HELP: &str = "\
Examples:
  astra-operator status                 the namespace of the context
  astra-operator status -n team-a
  astra-operator status -A --watch      all namespaces, drawn anew at each change, until Ctrl-C
  astra-operator status -A -o json

It reads the objects of the cluster and nothing else: no token is needed, and Astra is not asked.
The rights that are needed are list (and for --watch: watch) on the three kinds.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct StatusArgs {
    /// All namespaces
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Go on and show each change, until Ctrl-C
    #[arg(long, short = 'w')]
    watch: bool,
    /// The form of what is printed
    #[arg(long, short = 'o', value_name = "FORM", default_value = "human")]
    output: Form,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// The forms in which a command can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    Human,
    /// For programs
    Json,
}

pub(super) fn status(args: &StatusArgs) -> Result<(), Failure> {
    super::block_on(async {
        let cluster = args.cluster.connect().await?;
        let namespace = (!args.all_namespaces).then_some(cluster.namespace);
        if args.watch {
            return watch(args, cluster.client, namespace.as_deref()).await;
        }
        let seen = read::all(&cluster.client, namespace.as_deref()).await;
        if seen.is_blind() {
            return Err(seen.notes().join("; ").into());
        }
        let overview = Overview::new(&seen, namespace.as_deref());
        match args.output {
            Form::Human => anstream::stdout().write_all(text(&overview, Timestamp::now()).as_bytes())?,
            Form::Json => writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&overview)?)?,
        }
        Ok(())
    })?
}

async fn watch(args: &StatusArgs, client: Client, namespace: Option<&str>) -> Result<(), Failure> {
    let redraws = args.output == Form::Human && io::stdout().is_terminal();
    let mut last = None;
    let show = |seen: &read::Seen| {
        let overview = Overview::new(seen, namespace);
        // Most changes of objects change nothing here.
        if last.as_ref() == Some(&overview) {
            return Ok(());
        }
        print(args.output, redraws, last.is_none(), &overview)?;
        last = Some(overview);
        Ok(())
    };
    tokio::select! {
        result = overview::watch::watch(&client, namespace, show) => Ok(result?),
        result = tokio::signal::ctrl_c() => Ok(result?),
    }
}

fn print(form: Form, redraws: bool, first: bool, overview: &Overview) -> io::Result<()> {
    let now = Timestamp::now();
    let mut out = anstream::stdout();
    match form {
        // One line for each change.
        Form::Json => writeln!(out, "{}", serde_json::to_string(overview)?)?,
        Form::Human if redraws => {
            // From the upper left corner of an empty screen.
            write!(out, "\x1b[H\x1b[2J{}", text(overview, now))?;
        }
        Form::Human => {
            let gap = if first { "" } else { "\n" };
            write!(out, "{gap}--- {now:.0}\n{}", text(overview, now))?;
        }
    }
    out.flush()
}
