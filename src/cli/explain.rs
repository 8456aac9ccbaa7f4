//! `astra-operator explain KIND/NAME`: the first thing to run when an object is not Ready.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use k8s_openapi::jiff::Timestamp;

use super::{Failure, cluster::ClusterArgs, devops::DevopsArgs, status::Form};
use crate::explain::{
    Explanation,
    gather::{Question, gather},
    target::Target,
    text::text,
};

const HELP: &str = "\
Examples:
  astra-operator explain aal/orders
  astra-operator explain AstraPrivateEndpoint/orders -n team-a
  astra-operator explain astravpcpeerings archive -n team-a -o json
  astra-operator explain aal/orders --devops-url http://127.0.0.1:8080
  astra-operator explain aal/orders --watched-namespace team-a,team-b

It asks Astra with the token of the Secret that the object names, and only reads there. The token is never shown.
Rights: get and list on the object's kind, get on its Secret and on the operator's Lease, list on events.events.k8s.io.
What may not be read is told, and the rest is shown. In the plan take part all objects on the same database that the
operator may see: those of all namespaces (list on the kind in all of them), or of the watched ones.

Exit codes: 0 the object is Ready, 2 it is not, 1 an error.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct ExplainArgs {
    /// The object: KIND/NAME or KIND NAME, with the kind as kubectl takes it (aal, astraaccesslists …), in any case
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    target: Vec<String>,
    #[command(flatten)]
    devops: DevopsArgs,
    /// Where the operator's Lease is
    #[arg(long, value_name = "NAMESPACE", env = "ASTRA_OPERATOR_LEASE_NAMESPACE", default_value = "astra-operator", value_parser = super::namespace)]
    lease_namespace: String,
    /// What the operator's Lease is called
    #[arg(long, value_name = "NAME", env = "ASTRA_OPERATOR_LEASE_NAME", default_value = "astra-operator", value_parser = super::namespace)]
    lease_name: String,
    /// A namespace that the operator watches, if it does not watch all: objects of others take no part in the plan; may
    /// be given several times, or with commas
    #[arg(
        long = "watched-namespace",
        value_name = "NAMESPACE",
        env = "ASTRA_OPERATOR_NAMESPACES",
        value_delimiter = ',',
        value_parser = super::namespace
    )]
    watched: Vec<String>,
    /// The calls of the next plan too, with method, path and body
    #[arg(long, short = 'v')]
    verbose: bool,
    /// The form of what is printed
    #[arg(long, short = 'o', value_name = "FORM", default_value = "human")]
    output: Form,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let target = Target::parse(&args.target)?;
    super::block_on(async {
        let transport = args.devops.transport()?;
        let cluster = args.cluster.connect().await?;
        let question = Question {
            client: cluster.client,
            target,
            namespace: cluster.namespace,
            transport: Arc::new(transport),
            watched: args.watched.clone(),
            lease: (args.lease_namespace.clone(), args.lease_name.clone()),
        };
        let facts = gather(&question).await?;
        let now = Timestamp::now();
        let explanation = Explanation::new(&facts, now);
        match args.output {
            Form::Human => {
                anstream::stdout().write_all(text(&explanation, now, args.verbose).as_bytes())?;
            }
            Form::Json => writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&explanation)?)?,
        }
        Ok(if explanation.ready { ExitCode::SUCCESS } else { ExitCode::from(2) })
    })?
}
