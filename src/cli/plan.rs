//! `astra-operator plan`: what the operator would do, before it does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use astra_devops::Transport;
use clap::{Args, ValueEnum};

use super::{
    Failure,
    cluster::KubeArgs,
    revision,
    sources::SourceArgs,
    token::{self, AstraArgs},
};
use crate::{
    controller::{Scope, credentials::Credentials},
    manifest::{self, Manifests, Sources},
    organization::registry::Organizations,
    preview::{
        self, Subject,
        cluster::{plan_with_secrets, with_cluster},
        danger::Danger,
        markdown::markdown,
        observe::observe,
        report::Report,
        text::{Detail, text},
    },
    text::printable_json,
};

const HELP: &str = "\
Examples:
  ASTRA_DB_APPLICATION_TOKEN=AstraCS:... astra-operator plan -f manifests/
  astra-operator plan -k overlays/production --token-file token.txt --deny widen,empty,remove
  astra-operator plan -f manifests/ --from-cluster                     tokens and ownership from the cluster
  astra-operator plan -f manifests/ -o markdown > comment.md
  astra-operator plan -f manifests/ --diff-base ../main/manifests/     needs neither token nor cluster
  astra-operator plan -f manifests/ --base \"$(git merge-base origin/main HEAD)\"   the same, from git

Exit codes: 0 nothing to do, 1 an error or something that cannot be carried out, 2 changes, 3 a step that --deny refuses.
Only GET requests are sent. What an object owns is recorded in the cluster: without it, an object is planned as one that
is made now.";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    manifests: SourceArgs,
    #[command(flatten)]
    astra: AstraArgs,
    /// Plan with what the cluster knows: what each object owns, the other objects, and the tokens of the Secrets that they name
    #[arg(long, conflicts_with_all = ["token_file", "diff_base", "base"])]
    from_cluster: bool,
    /// With --from-cluster: the operator watches only this namespace, and so does the plan; may be given several times
    #[arg(long, value_name = "NAMESPACE", requires = "from_cluster", value_delimiter = ',', value_parser = super::namespace)]
    watched_namespace: Vec<String>,
    #[command(flatten)]
    kube: KubeArgs,
    /// Compare with the manifests of this file or directory instead of Astra: what changes if Astra is as they say
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = ["base", "token_file"])]
    diff_base: Option<PathBuf>,
    /// Compare with the same files as they are in this git revision
    #[arg(long, value_name = "REVISION", conflicts_with = "token_file")]
    base: Option<String>,
    /// Refuse steps of these classes: nothing else changes but the exit code
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    deny: Vec<Danger>,
    /// The form of the plan
    #[arg(long, short = 'o', value_name = "FORM", default_value = "human")]
    output: Form,
    /// Show each call, and the objects for which there is nothing to do
    #[arg(long, short = 'v')]
    verbose: bool,
}

/// The forms of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people at a terminal
    Human,
    /// For programs: docs/plan-format.md
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Carries it out.
pub(super) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let report = match (&args.diff_base, &args.base) {
        (Some(base), _) => {
            // Its last manifest may have gone.
            let head = Sources { may_be_empty: true, ..args.manifests.sources() };
            let base = Sources { files: vec![base.clone()], kustomize: Vec::new(), ..head.clone() };
            compare(&manifest::read(&base)?, &manifest::read(&head)?)?
        }
        (None, Some(revision)) => {
            let (base, head) = revision::both(&args.manifests.sources(), revision)?;
            compare(&base, &head)?
        }
        (None, None) if args.from_cluster => super::block_on(from_cluster(args))??,
        (None, None) => {
            let manifests = read(&args.manifests.sources())?;
            super::block_on(against_astra(args, &manifests))??
        }
    };
    let report = report.denying(&args.deny.iter().copied().collect());
    let code = conclude(&report);
    match show(args, &report) {
        // Whoever reads only the first lines still has to learn how it ended.
        Err(error) if super::is_broken_pipe(error.as_ref()) => Ok(code),
        shown => shown.map(|()| code),
    }
}

/// Manifests of which there is one at least, or a mistake.
fn read(sources: &Sources) -> Result<Manifests, Failure> {
    let manifests = manifest::read(sources)?;
    if manifests.objects.is_empty() && manifests.errors.is_empty() {
        return Err(nothing_read(&manifests).into());
    }
    Ok(manifests)
}

/// A check of nothing must not look like a check that was passed.
fn nothing_read(manifests: &Manifests) -> String {
    let others: usize = manifests.skipped.values().sum();
    format!(
        "there is nothing to plan: no object of this operator's kinds was read, and {others} of others; directories within directories are read with --recursive"
    )
}

fn show(args: &PlanArgs, report: &Report) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match args.output {
        Form::Human => write!(out, "{}", text(report, Detail { calls: args.verbose }))?,
        Form::Json => {
            for line in serde_json::to_string_pretty(report)?.lines() {
                writeln!(out, "{}", printable_json(line))?;
            }
        }
        Form::Markdown => write!(out, "{}", markdown(report))?,
    }
    out.flush()?;
    Ok(())
}

fn conclude(report: &Report) -> ExitCode {
    for (object, step) in report.denied() {
        let classes: Vec<&str> = step.denied.iter().map(|danger| danger.as_str()).collect();
        let line = format!(
            "refused by --deny {}: {} {}/{}: {}",
            classes.join(","),
            object.kind,
            object.namespace,
            object.name,
            step.summary
        );
        eprintln!("{}", crate::text::printable(&line));
    }
    ExitCode::from(if report.has_errors() {
        1
    } else if report.summary.denied > 0 {
        3
    } else if report.summary.calls > 0 {
        2
    } else {
        0
    })
}

/// Tells a person who waits what is being done; a script is told nothing.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprintln!("{what} ...");
    }
}

/// What would be done to Astra as it is now.
async fn against_astra(args: &PlanArgs, manifests: &Manifests) -> Result<Report, Failure> {
    let subjects = subjects(manifests);
    let client = args.astra.client()?;
    progress(&format!("reading Astra for {} objects", subjects.len()));
    let world = observe(&client, &preview::needs(&subjects)).await.map_err(|error| {
        let why = args.astra.explain(error);
        format!("there is no plan: {}", super::with_causes(why.as_ref()))
    })?;
    progress(&format!("planning, with {} databases known", world.databases.len()));
    let notes = unknown(&subjects).into_iter().chain(several_secrets(&subjects)).collect();
    Ok(report(&preview::plan(subjects, &world).await, manifests, notes))
}

/// What would be done to Astra as it is now, once the manifests are applied to the cluster.
async fn from_cluster(args: &PlanArgs) -> Result<Report, Failure> {
    let config = args.kube.config().await?;
    let manifests = read(&args.manifests.sources_in(&config.default_namespace))?;
    let client = kube::Client::try_from(config)?;
    let transport: Arc<dyn Transport> = Arc::new(args.astra.transport()?);
    let credentials = Credentials::new(
        client.clone(),
        Arc::new(Organizations::new(transport, token::AT_ONCE, Duration::ZERO)),
    );
    let scope = match args.watched_namespace.as_slice() {
        [] => Scope::Cluster,
        names => Scope::Namespaces(names.to_vec()),
    };
    progress("reading the cluster");
    let all = with_cluster(&client, &scope, subjects(&manifests)).await?;
    progress(&format!("reading Astra and planning, with {} objects known", all.len()));
    let mut plans = plan_with_secrets(all, &credentials).await;
    // The others take part; they are told of when something is done for them, too.
    plans.retain(|plan| plan.location.is_some() || !plan.steps.is_empty());
    for plan in plans.iter_mut().filter(|plan| plan.location.is_none()) {
        plan.notices.push("this object is in the cluster, and not in these manifests".to_owned());
    }
    Ok(report(&plans, &manifests, Vec::new()))
}

/// What would be done if Astra was as the base says.
fn compare(base: &Manifests, head: &Manifests) -> Result<Report, Failure> {
    if !head.errors.is_empty() {
        // What cannot be read is not gone: it must not be planned as deleted.
        let notes = vec!["nothing is planned while manifests have errors: an object that cannot be read would look deleted".to_owned()];
        return Ok(report(&[], head, notes));
    }
    if base.objects.is_empty() && head.objects.is_empty() {
        return Err(nothing_read(head).into());
    }
    let plans = super::block_on(preview::compare::compare(subjects(base), subjects(head)))?;
    let mut notes = vec![
        "compared with the base manifests, not with Astra: what others have changed there is not known"
            .to_owned(),
    ];
    // A base that is broken is no reason to refuse the change that mends it.
    notes.extend(
        base.errors.iter().map(|error| format!("not counted, for it is broken in the base: {error}")),
    );
    Ok(report(&plans, head, notes))
}

fn report(plans: &[preview::ObjectPlan], manifests: &Manifests, notes: Vec<String>) -> Report {
    let mut errors: Vec<String> = manifests.errors.iter().map(ToString::to_string).collect();
    errors.extend(declared_twice(manifests));
    Report::new(plans, errors, manifests.skipped.clone(), notes)
}

/// Of two manifests of one object the cluster keeps what comes last, and nobody knows which that is.
fn declared_twice(manifests: &Manifests) -> Vec<String> {
    let mut first: BTreeMap<(&str, &str, &str), &manifest::Manifest> = BTreeMap::new();
    let mut found = Vec::new();
    for manifest in &manifests.objects {
        let key = (manifest.kind, manifest.namespace.as_str(), manifest.name.as_str());
        if let Some(earlier) = first.insert(key, manifest) {
            let (kind, namespace, name) = key;
            let there = &earlier.location;
            found.push(format!(
                "{}: {kind} {namespace}/{name}: is declared at {there} already",
                manifest.location
            ));
        }
    }
    found
}

fn subjects(manifests: &Manifests) -> Vec<Subject> {
    let subject = |manifest: &manifest::Manifest| {
        Subject::of_manifest(manifest.kind, manifest.value.clone(), Some(manifest.location.to_string()))
    };
    manifests.objects.iter().map(subject).collect()
}

/// What only the cluster knows, as far as it matters for these.
fn unknown(subjects: &[Subject]) -> Vec<String> {
    let spec = |subject: &Subject, field: &str| subject.value["spec"][field].clone();
    let azure = |subject: &Subject| {
        let endpoints = spec(subject, "endpoints");
        let ids = endpoints.as_array().into_iter().flatten().filter_map(|endpoint| endpoint["id"].as_str());
        ids.filter(|id| id.starts_with('/')).count() > 0
    };
    let mut told = Vec::new();
    if subjects.iter().any(|subject| spec(subject, "management") == "Shared") {
        told.push("what an object owns is recorded in the cluster, and without --from-cluster each is planned as if it were made now: what a Shared object gives up is not seen to be removed".to_owned());
    }
    if subjects.iter().any(azure) {
        told.push("on Azure, Astra keeps ids of its own, and which is which is recorded in the cluster: without --from-cluster each Azure endpoint is planned as if it had to be connected".to_owned());
    }
    told
}

/// One token is at hand, and the objects may be of several organizations.
fn several_secrets(subjects: &[Subject]) -> Option<String> {
    let secret = |subject: &Subject| {
        let text =
            |field: &str| subject.value["spec"]["credentials"][field].as_str().unwrap_or_default().to_owned();
        let namespace = subject.value["metadata"]["namespace"].as_str().unwrap_or_default();
        format!("{namespace}/{} ({})", text("secretName"), text("key"))
    };
    let all: BTreeSet<String> = subjects.iter().map(secret).collect();
    (all.len() > 1).then(|| {
        let few: Vec<String> = all.iter().take(5).cloned().collect();
        format!(
            "the objects name {} Secrets ({}…), and all are planned with the one token",
            all.len(),
            few.join(", ")
        )
    })
}
