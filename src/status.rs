//! What the statuses of all kinds have in common, and their limits.

pub mod limits;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use limits::Bounded;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The status of a kind: what all kinds report, and the kind's own `details`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Status<D> {
    /// The generation of the spec that this status is about; -1 before the operator's first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = limits::LARGEST))]
    pub observed_generation: Option<i64>,
    /// `Ready`, and where it applies `Reconciling`, `Stalled`, `Paused` and the kind's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = limits::CONDITIONS),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]),
        transform = limits::of_conditions
    )]
    pub conditions: Vec<Condition>,
    /// The Astra organization that the database is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub organization_id: Option<String>,
    /// The id of the database that `spec.database` was resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub database_id: Option<String>,
    /// The database's name in Astra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub database_name: Option<String>,
    /// What this object owns in Astra and may therefore remove, written before the call that makes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::OWNED), inner(length(max = limits::TEXT)))]
    pub owned: Vec<String>,
    /// What was being sent to Astra when this was written, and was not seen there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlight>,
    /// The generation of the spec that was last seen to be carried out in full. What is to be removed after that is no
    /// doing of the spec, and most of a list is not removed without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = limits::LARGEST))]
    pub applied_generation: Option<i64>,
    /// A checksum over this object's UID and what this status records. A record that does not fit it is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub record_checksum: Option<String>,
    /// When this object last changed something in Astra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::of_time)]
    pub last_change_time: Option<Time>,
    /// The last value of the annotation `astra.datastax.com/reconcile-requested-at` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub last_handled_reconcile_at: Option<String>,
    /// What is special to the kind.
    #[serde(flatten)]
    pub details: D,
}

/// An announcement of calls, made before the first of them: after a crash it tells what may have taken effect.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InFlight {
    /// When it was announced.
    #[schemars(transform = limits::of_time)]
    pub since: Time,
    /// The generation of the spec that the calls are for.
    #[schemars(range(min = 0, max = limits::LARGEST))]
    pub generation: i64,
    /// The calls, in words; of many only the first.
    #[schemars(length(max = limits::STEPS), inner(length(max = limits::TEXT)))]
    pub steps: Vec<String>,
}

impl<D: Bounded> Bounded for Status<D> {
    fn bound(&mut self) {
        let Self {
            conditions,
            organization_id,
            database_name,
            in_flight,
            last_handled_reconcile_at,
            details,
            ..
        } = self;
        conditions.truncate(limits::CONDITIONS);
        for condition in conditions {
            limits::cut(&mut condition.message, limits::TEXT);
        }
        limits::drop_if_longer(organization_id, limits::TEXT);
        for text in [database_name, last_handled_reconcile_at].into_iter().flatten() {
            limits::cut(text, limits::TEXT);
        }
        if let Some(in_flight) = in_flight {
            limits::cut_texts(&mut in_flight.steps, limits::STEPS);
        }
        details.bound();
    }
}
