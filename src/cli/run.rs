//! `astra-operator run`: wires the parts together, and ends them in order.

use std::{sync::Arc, time::Duration};

use astra_devops::http::HttpTransport;
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Config};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{Failure, RunArgs};
use crate::{
    controller::{Context, Scope, credentials::Credentials, events::Events},
    engine::timing::Timing,
    hardening,
    kinds::KINDS,
    organization::registry::Organizations,
    server, telemetry,
};

/// Readings of one list of an organization begin at least this far apart.
const PACE: Duration = Duration::from_millis(500);

/// How long the looks under way get when the process is told to end: longer than one call to Astra.
const GRACE: Duration = Duration::from_secs(25);

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    // Before the kubeconfig or any token is in memory.
    let not_granted = hardening::keep_memory_private();
    telemetry::start(args.log_format, &args.log)?;
    for refusal in not_granted {
        let reason = refusal.source.to_string();
        tracing::warn!(%reason, "{refusal}");
    }
    // kube and reqwest must use one TLS provider, and it must be chosen before either makes a client.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err("a TLS provider was installed already".into());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(args))
}

async fn serve(args: RunArgs) -> Result<(), Failure> {
    let transport =
        HttpTransport::new(&args.devops_url, concat!("astra-operator/", env!("CARGO_PKG_VERSION")))?;
    let (client, cluster) = kubernetes().await?;
    let (stop, stopped) = watch::channel(false);
    let context = context(&args, client, transport, stopped);
    let health = server::bind(args.health_address).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        %cluster,
        devops_url = %args.devops_url,
        scope = %scope(&context.scope),
        resync = %humantime::format_duration(args.resync),
        "started"
    );
    let controllers =
        futures::future::join_all(KINDS.iter().map(|entry| tokio::spawn((entry.run)(&context))));
    let mut controllers = std::pin::pin!(controllers);
    tokio::select! {
        // A controller never ends by itself; if one does, the process must not look alive.
        _ = &mut controllers => return Err("a controller ended unexpectedly".into()),
        result = server::serve(health) => return Err(format!("the health server ended: {result:?}").into()),
        result = told_to_stop() => result?,
    }
    tracing::info!("stopping: the steps under way are finished first");
    let _ = stop.send(true);
    if tokio::time::timeout(GRACE, controllers).await.is_err() {
        tracing::warn!("steps under way took too long; what they announced is taken up at the next start");
    }
    tracing::info!("stopped");
    Ok(())
}

/// A client of the Kubernetes API, and where that is; without retries of its own: they could hang for hours, and every caller here has a
/// deadline and a backoff.
async fn kubernetes() -> Result<(Client, String), Failure> {
    let mut config = Config::infer().await.map_err(|error| {
        format!("no Kubernetes cluster to talk to (neither a kubeconfig nor a service account): {error}")
    })?;
    config.default_retry = false;
    let cluster = config.cluster_url.to_string();
    Ok((Client::try_from(config)?, cluster))
}

fn context(args: &RunArgs, client: Client, transport: HttpTransport, stop: watch::Receiver<bool>) -> Context {
    let organizations = Arc::new(Organizations::new(Arc::new(transport), args.concurrency.into(), PACE));
    Context {
        credentials: Arc::new(Credentials::new(client.clone(), organizations.clone())),
        organizations,
        events: Events::new(client.clone(), std::env::var("HOSTNAME").ok()),
        client,
        scope: match args.namespaces.as_slice() {
            [] => Scope::Cluster,
            names => Scope::Namespaces(names.to_vec()),
        },
        concurrency: args.concurrency,
        timing: Timing { resync: args.resync, ..Timing::default() },
        clock: Timestamp::now,
        stop,
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
