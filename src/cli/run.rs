//! `astra-operator run`: wires the parts together, and ends them in order.

use std::{future::pending, process, sync::Arc, time::Duration};

use astra_devops::{
    Transport,
    http::{HttpTransport, WRITE},
};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Config, client::ClientBuilder};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::limit::ConcurrencyLimitLayer;

use super::{Failure, RunArgs};
use crate::{
    controller::{Context, Scope, credentials::Credentials, events::Events},
    engine::timing::Timing,
    hardening,
    kinds::KINDS,
    leader::{
        fenced::Fenced,
        tenure::Lost,
        thread::{Election, Settings},
    },
    metrics::{Measured, Metrics},
    organization::registry::Organizations,
    server, telemetry,
};

/// Readings of one list of an organization begin at least this far apart.
const PACE: Duration = Duration::from_millis(500);

/// How long the looks under way get when the process is told to end: longer than one call to Astra.
const GRACE: Duration = Duration::from_secs(25);

/// So many calls to the Kubernetes API are under way at once, watches not counted. More would be no faster, and each
/// connection has buffers, here and in the API server. The lease has a client of its own.
const KUBERNETES_CALLS_AT_ONCE: usize = 16;

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    // Before the kubeconfig or any token is in memory.
    let not_granted = hardening::keep_memory_private();
    let level = telemetry::start(args.log_format, &args.log)?;
    for refusal in not_granted {
        let reason = refusal.source.to_string();
        tracing::warn!(%reason, "{refusal}");
    }
    // kube and reqwest must use one TLS provider, and it must be chosen before either makes a client.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err("a TLS provider was installed already".into());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        if let Some(file) = args.log_filter_file.clone() {
            tokio::spawn(telemetry::follow(file, args.log.clone(), level));
        }
        serve(args).await
    })
}

async fn serve(args: RunArgs) -> Result<(), Failure> {
    let transport = args.devops.transport()?;
    let config = args.kube.config().await?;
    let settings = args.lease.settings(&config)?;
    let metrics = Arc::new(Metrics::default());
    let health = server::bind(args.health_address, "--health-address").await?;
    let own = match args.metrics_address {
        Some(address) => Some(server::bind(address, "--metrics-address").await?),
        None => None,
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        cluster = %config.cluster_url,
        devops_url = %args.devops.devops_url,
        scope = %scope(&args.scope()),
        resync = %humantime::format_duration(args.resync),
        "started"
    );
    let mut election = settings.map(|settings| elect(config.clone(), settings)).transpose()?;
    let client = ClientBuilder::try_from(config)?
        .with_layer(&ConcurrencyLimitLayer::new(KUBERNETES_CALLS_AT_ONCE))
        .build();
    let told = server::metrics(metrics.clone(), args.metrics_token_file.clone());
    let health_told = server::health(readiness(election.as_ref()));
    let servers = async {
        match own {
            None => server::serve(health, health_told.merge(told)).await,
            Some(own) => tokio::select! {
                result = server::serve(health, health_told) => result,
                result = server::serve(own, told) => result,
            },
        }
    };
    tokio::select! {
        result = work(&args, client, transport, election.as_mut(), &metrics) => result?,
        result = servers => return Err(format!("the server of health and metrics ended: {result:?}").into()),
    }
    // Only now: until here steps that were under way may have written.
    if let Some(election) = election {
        election.release().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits for the lease, works until told to stop, and finishes what is under way.
async fn work(
    args: &RunArgs,
    client: Client,
    transport: HttpTransport,
    mut election: Option<&mut Election>,
    metrics: &Arc<Metrics>,
) -> Result<(), Failure> {
    let transport = Measured::new(transport, metrics.clone());
    let mut told_to_stop = std::pin::pin!(told_to_stop());
    let guarded: Arc<dyn Transport> = match &mut election {
        None => Arc::new(transport),
        Some(election) => {
            let fenced = Fenced::new(transport, election.fence(), WRITE);
            tokio::select! {
                biased;
                result = &mut told_to_stop => return Ok(result?),
                result = election.won() => result?,
            }
            tracing::info!("holding the lease: the work begins");
            Arc::new(fenced)
        }
    };
    metrics.set_leading(true);
    let (stop, stopped) = watch::channel(false);
    let context = context(args, client, guarded, stopped, metrics.clone());
    let controllers =
        futures::future::join_all(KINDS.iter().map(|entry| tokio::spawn((entry.run)(&context))));
    let mut controllers = std::pin::pin!(controllers);
    tokio::select! {
        // A controller never ends by itself; if one does, the process must not look alive.
        _ = &mut controllers => return Err("a controller ended unexpectedly".into()),
        () = ended(election) => return Err("the election ended unexpectedly: nothing would renew the lease".into()),
        result = &mut told_to_stop => result?,
    }
    tracing::info!("stopping: the steps under way are finished first");
    let _ = stop.send(true);
    if tokio::time::timeout(GRACE, controllers).await.is_err() {
        tracing::warn!("steps under way took too long; what they announced is taken up at the next start");
    }
    Ok(())
}

fn elect(config: Config, settings: Settings) -> Result<Election, Failure> {
    let Settings { namespace, name, identity, .. } = &settings;
    let lease = format!("{namespace}/{name}");
    tracing::info!(%lease, %identity, "running for the lease");
    Election::start(config, settings, move |lost| end_at_once(&lease, lost))
        .map_err(|error| format!("the election cannot be started: {error}").into())
}

/// Nothing is finished and nothing is written: another replica may be at work already. The fence is shut before this.
fn end_at_once(lease: &str, lost: &Lost) {
    tracing::error!(%lease, "the lease is lost, and the process ends at once: {lost}");
    process::exit(1);
}

async fn ended(election: Option<&mut Election>) {
    match election {
        Some(election) => election.ended().await,
        None => pending().await,
    }
}

/// What `/readyz` says. A replica that waits is ready: it would only be started again, and wait again.
fn readiness(election: Option<&Election>) -> impl Fn() -> String + Clone + Send + Sync + 'static {
    let standing = election.map(Election::standing);
    move || {
        let standing = standing.as_ref().map(|standing| standing.borrow().to_string());
        standing.map_or_else(|| "ok".to_owned(), |standing| format!("ok: {standing}"))
    }
}

fn context(
    args: &RunArgs,
    client: Client,
    transport: Arc<dyn Transport>,
    stop: watch::Receiver<bool>,
    metrics: Arc<Metrics>,
) -> Context {
    let organizations = Organizations::new(transport, args.calls_at_once.into(), PACE);
    let organizations = Arc::new(organizations.calls_per_second(args.calls_per_second));
    let held_back = organizations.held_back().clone();
    metrics.count_held_back(move || held_back.count());
    Context {
        credentials: Arc::new(Credentials::new(client.clone(), organizations.clone())),
        organizations,
        events: Events::new(client.clone(), std::env::var("HOSTNAME").ok()),
        client,
        scope: args.scope(),
        concurrency: args.concurrency,
        timing: Timing { resync: args.resync, ..Timing::default() },
        clock: Timestamp::now,
        stop,
        metrics,
    }
}

impl RunArgs {
    fn scope(&self) -> Scope {
        match self.namespaces.as_slice() {
            [] => Scope::Cluster,
            names => Scope::Namespaces(names.to_vec()),
        }
    }
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => "all namespaces".to_owned(),
        Scope::Namespaces(names) => names.join(", "),
    }
}

async fn told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}
