//! The flags of leader election, and what they come to.

use std::time::Duration;

use astra_devops::http;
use clap::{ArgAction, Args};
use kube::Config;

use super::Failure;
use crate::leader::{Times, thread::Settings};

#[derive(Debug, Args)]
pub(super) struct LeaseArgs {
    /// Work only while holding a Lease, so that several replicas can run; =false for a single one
    #[arg(
        long = "leader-elect",
        value_name = "BOOL",
        env = "ASTRA_OPERATOR_LEADER_ELECT",
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set
    )]
    pub(super) enabled: bool,
    /// Namespace of the Lease; without it that of the pod, or of the kubeconfig's context
    #[arg(long = "lease-namespace", value_name = "NAMESPACE", env = "ASTRA_OPERATOR_LEASE_NAMESPACE", value_parser = super::namespace)]
    namespace: Option<String>,
    /// Name of the Lease. Replicas that share it take turns; those that watch other namespaces need another
    #[arg(
        long = "lease-name",
        value_name = "NAME",
        env = "ASTRA_OPERATOR_LEASE_NAME",
        default_value = "astra-operator",
        value_parser = super::namespace
    )]
    name: String,
    /// How long a Lease must stand unchanged before another replica takes it
    #[arg(long = "lease-duration", value_name = "DURATION", env = "ASTRA_OPERATOR_LEASE_DURATION", default_value = "15s", value_parser = duration)]
    lease: Duration,
    /// How long the leader goes on without a renewal that succeeds
    #[arg(long = "lease-renew-deadline", value_name = "DURATION", env = "ASTRA_OPERATOR_LEASE_RENEW_DEADLINE", default_value = "10s", value_parser = duration)]
    deadline: Duration,
    /// The time between two renewals
    #[arg(long = "lease-retry-period", value_name = "DURATION", env = "ASTRA_OPERATOR_LEASE_RETRY_PERIOD", default_value = "2s", value_parser = duration)]
    retry: Duration,
}

impl LeaseArgs {
    /// Which lease to run for on the cluster of `config`, if any.
    pub(super) fn settings(&self, config: &Config) -> Result<Option<Settings>, Failure> {
        if !self.enabled {
            return Ok(None);
        }
        let times = Times::new(self.lease, self.deadline, self.retry, http::WRITE)?;
        let pods = || std::env::var("POD_NAMESPACE").ok().filter(|namespace| !namespace.is_empty());
        let namespace = self.namespace.clone().or_else(pods);
        // Inside a cluster that is the service account's namespace.
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        Ok(Some(Settings { namespace, name: self.name.clone(), identity: identity(), times }))
    }
}

/// The pod's or the machine's name for people, and dice for the election: a container that is started again has the
/// name of the one that died, and must not take that one's lease for its own.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let host = host.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    format!("{host}_{:016x}", fastrand::u64(..))
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write for example 15s or 500ms"))
}
