//! How an object stands: one word for it, from its metadata and its conditions. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    engine::verdict::{PAUSED, find},
    resource::annotation,
    status::Status,
};

/// The status of any kind, with the kind's own part as it is.
pub type AnyStatus = Status<Map<String, Value>>;

/// One word for an object. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Waiting will not help.
    Stalled,
    /// It goes on by itself.
    Waits,
    /// It is being deleted.
    Deleting,
    /// It is paused by its annotation.
    Paused,
    /// Astra is as it says.
    Ready,
}

/// How an object stands.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// In a word.
    pub state: State,
    /// Is it Ready, of the very spec that it has now?
    pub ready: bool,
    /// Does it need a person, also while it is deleted or paused?
    pub stalled: bool,
    /// The reason of its condition, `NotLookedAt`, or `PausedByAnnotation`.
    pub reason: String,
    /// What its condition says.
    pub message: String,
    /// Since when, in RFC 3339, as far as is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// The reason of an object whose spec the operator has not looked at.
pub const NOT_LOOKED_AT: &str = "NotLookedAt";

/// The reason of an object that is paused.
const PAUSED_BY_ANNOTATION: &str = "PausedByAnnotation";

impl Standing {
    /// How this object stands.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let meta = &object["metadata"];
        let status = status(object);
        let conditions = status.conditions.as_slice();
        let deleted = meta["deletionTimestamp"].as_str();
        let is_current =
            status.observed_generation.is_some() && status.observed_generation == generation(object);
        let told = find(conditions, "Ready");
        let stalled = is_current && is_true(find(conditions, "Stalled"));
        let ready = is_current && deleted.is_none() && is_true(told);
        let paused = is_paused(object);
        let (reason, message, since) = match told {
            _ if paused => pause(&status, is_current, deleted.is_some()),
            _ if !is_current => (NOT_LOOKED_AT.to_owned(), not_looked_at(object, &status), None),
            // It was Ready before it was to be deleted.
            Some(told) if deleted.is_some() && told.status == "True" => (
                "Deleting".to_owned(),
                "its deletion was asked for".to_owned(),
                deleted.map(ToOwned::to_owned),
            ),
            Some(told) => {
                (told.reason.clone(), told.message.clone(), Some(told.last_transition_time.0.to_string()))
            }
            None => (NOT_LOOKED_AT.to_owned(), "the operator has not said anything yet".to_owned(), None),
        };
        let state = if paused {
            State::Paused
        } else if deleted.is_some() {
            State::Deleting
        } else if stalled {
            State::Stalled
        } else if ready {
            State::Ready
        } else {
            State::Waits
        };
        Self { state, ready, stalled, reason, message, since }
    }

    /// Should a person look at it first?
    #[must_use]
    pub const fn urgency(&self) -> State {
        if self.stalled { State::Stalled } else { self.state }
    }
}

/// What a pause holds up.
fn pause(status: &AnyStatus, is_current: bool, deleting: bool) -> (String, String, Option<String>) {
    let since = find(&status.conditions, PAUSED).map(|paused| paused.last_transition_time.0.to_string());
    let held_up = match (deleting, is_current) {
        (true, _) => "; its deletion waits until the pause ends",
        (false, true) => "",
        (false, false) => "; its spec as it is now was not carried out before",
    };
    (PAUSED_BY_ANNOTATION.to_owned(), format!("nothing is sent to Astra for it{held_up}"), since)
}

fn not_looked_at(object: &Value, status: &AnyStatus) -> String {
    let generation = generation(object).unwrap_or_default();
    match status.observed_generation.filter(|observed| *observed >= 0) {
        Some(observed) => format!(
            "the operator has not taken up generation {generation} of the spec yet; what it says is about generation {observed}"
        ),
        None => "no operator has looked at it yet".to_owned(),
    }
}

/// The status of an object; nothing if it has none that can be read.
#[must_use]
pub fn status(object: &Value) -> AnyStatus {
    serde_json::from_value(object["status"].clone()).unwrap_or_default()
}

/// Does the object ask to be left alone?
#[must_use]
pub fn is_paused(object: &Value) -> bool {
    object["metadata"]["annotations"][annotation::PAUSED] == "true"
}

/// The generation of its spec.
#[must_use]
pub fn generation(object: &Value) -> Option<i64> {
    object["metadata"]["generation"].as_i64()
}

fn is_true(condition: Option<&Condition>) -> bool {
    condition.is_some_and(|condition| condition.status == "True")
}
