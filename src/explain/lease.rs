//! The operator itself, as far as its Lease tells of it.

use std::fmt;

use k8s_openapi::{api::coordination::v1::Lease, jiff::Timestamp};
use kube::{Api, Client};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{controller::within, overview::refused::Asked};

/// A Lease that its holder has not renewed for so many of its own durations is not renewed any more: the clocks of two
/// machines may differ.
const PATIENCE: i64 = 4;

/// What the Lease tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// `NAMESPACE/NAME` of the Lease that was looked at.
    pub lease: String,
    /// What it tells.
    pub state: LeaseState,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// When the holder renewed it last, by its own clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed: Option<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a Lease tells of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LeaseState {
    /// Somebody holds it and renews it.
    Works,
    /// Somebody holds it and has not renewed it for long.
    Silent,
    /// Nobody holds it.
    Free,
    /// There is none of that name.
    Missing,
    /// It could not be read.
    Unknown,
}

impl Operator {
    /// What this Lease tells.
    #[must_use]
    pub fn of(place: String, lease: &Lease, now: Timestamp) -> Self {
        let spec = lease.spec.as_ref();
        let holder = spec.and_then(|spec| spec.holder_identity.clone()).filter(|holder| !holder.is_empty());
        let renewed = spec.and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0);
        let duration = i64::from(spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or(15).max(1));
        let silence = renewed.map_or(i64::MAX, |renewed| now.as_second() - renewed.as_second());
        let state = match holder {
            None => LeaseState::Free,
            Some(_) if silence > PATIENCE * duration => LeaseState::Silent,
            Some(_) => LeaseState::Works,
        };
        Self { lease: place, state, holder, renewed: renewed.map(|time| time.to_string()), problem: None }
    }

    fn without(lease: String, state: LeaseState, problem: Option<String>) -> Self {
        Self { lease, state, holder: None, renewed: None, problem }
    }
}

/// Reads the Lease.
pub async fn read(client: &Client, (namespace, name): &(String, String), now: Timestamp) -> Operator {
    let place = format!("{namespace}/{name}");
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    match within(leases.get(name)).await {
        Ok(lease) => Operator::of(place, &lease, now),
        Err(error) if error.is_not_found() => Operator::without(place, LeaseState::Missing, None),
        Err(error) => {
            let resource = "leases.coordination.k8s.io";
            let asked = Asked { verb: "get", resource, name: Some(name), namespace: Some(namespace) };
            Operator::without(place, LeaseState::Unknown, Some(asked.refused(&error)))
        }
    }
}

impl fmt::Display for LeaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Works => "held and renewed: the operator works",
            Self::Silent => "not renewed for long: the operator that holds it seems to be gone, or cannot reach the API server",
            Self::Free => "held by nobody: no operator works that uses it",
            Self::Missing => "not there: no operator works that uses it, or its Lease is elsewhere (--lease-namespace, --lease-name)",
            Self::Unknown => "not to be read",
        })
    }
}
