//! The way from a command to a cluster: which kubeconfig, which context, which namespace.

use std::path::PathBuf;

use clap::Args;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::Failure;

/// Which cluster.
#[derive(Debug, Args)]
pub(super) struct KubeArgs {
    /// The kubeconfig; without it KUBECONFIG, ~/.kube/config, or the service account inside a cluster
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use, in place of its current one
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
}

/// Which cluster, and where in it.
#[derive(Debug, Args)]
pub(super) struct ClusterArgs {
    #[command(flatten)]
    kube: KubeArgs,
    /// The namespace; without it that of the context
    #[arg(long, short = 'n', value_name = "NAMESPACE", value_parser = super::namespace, help_heading = "Cluster")]
    namespace: Option<String>,
}

/// A cluster that can be asked.
pub(super) struct Cluster {
    /// Every call with it needs a deadline: its own retries are off, and it would wait for ever.
    pub(super) client: Client,
    /// Where objects are looked for.
    pub(super) namespace: String,
}

impl ClusterArgs {
    /// Nothing is asked yet: that the kubeconfig can be used is all that is known after it.
    pub(super) async fn connect(&self) -> Result<Cluster, Failure> {
        let config = self.kube.config().await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        Ok(Cluster { client: Client::try_from(config)?, namespace })
    }
}

impl KubeArgs {
    /// How the cluster is reached; without the client's own retries: they could hang for hours, and every caller here has a
    /// deadline. Nothing is asked yet.
    pub(super) async fn config(&self) -> Result<Config, Failure> {
        let mut config = self.chosen().await?;
        config.default_retry = false;
        // The environment's proxy is the way to Astra. kube would take it for the API server too, whatever NO_PROXY says,
        // and then refuse to connect.
        if config.proxy_url.is_some() && config.proxy_url == environments_proxy() {
            config.proxy_url = None;
        }
        Ok(config)
    }

    async fn chosen(&self) -> Result<Config, Failure> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        match (&self.kubeconfig, &self.context) {
            (Some(file), _) => {
                let unusable =
                    |error| format!("the kubeconfig {} cannot be used: {error}", file.display());
                let kubeconfig = Kubeconfig::read_from(file).map_err(unusable)?;
                Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable)?)
            }
            (None, Some(context)) => Ok(Config::from_kubeconfig(&options)
                .await
                .map_err(|error| format!("the context {context:?} cannot be used: {error}"))?),
            (None, None) => Ok(Config::infer().await.map_err(|error| {
                format!("no Kubernetes cluster to talk to (neither a kubeconfig nor a service account); give --kubeconfig FILE: {error}")
            })?),
        }
    }
}

/// The proxy that kube takes from the environment where a kubeconfig names none.
fn environments_proxy() -> Option<http::Uri> {
    let set = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    set("HTTPS_PROXY").or_else(|| set("https_proxy"))?.parse().ok()
}
