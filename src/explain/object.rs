//! What an object is, what people have asked of it, and its conditions in words. Pure.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::target::{did_you_mean, nearest};
use crate::{
    overview::standing::{self, AnyStatus},
    resource::{FINALIZER, GROUP, annotation},
};

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectFacts {
    /// The generation of its spec.
    pub generation: i64,
    /// The generation that its status is about; -1 or absent before the operator's first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Is that of its status the one that it has now?
    pub looked_at: bool,
    /// When it was made.
    pub created: String,
    /// Since when it is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleting_since: Option<String>,
    /// Whom its deletion waits for beside this operator.
    pub other_finalizers: Vec<String>,
    /// `Exclusive` or `Shared`; absent for a kind that has no choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<String>,
    /// `Delete` or `Retain`.
    pub deletion_policy: String,
    /// What people have asked of the operator by annotation, and what that does.
    pub annotations: Vec<Annotation>,
}

/// One annotation of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it does.
    pub meaning: String,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConditionFacts {
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// What type and status tell together.
    pub meaning: String,
    /// In a word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Since when it has this status.
    pub since: String,
}

impl ObjectFacts {
    /// What this object is.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        let status = standing::status(object);
        let generation = standing::generation(object).unwrap_or_default();
        let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
        let others = finalizers.filter_map(Value::as_str).filter(|name| *name != FINALIZER);
        let annotations = object["metadata"]["annotations"].as_object().into_iter().flatten();
        let own = annotations.filter(|(name, _)| name.starts_with(&format!("{GROUP}/")));
        Self {
            generation,
            observed_generation: status.observed_generation,
            looked_at: status.observed_generation == Some(generation),
            created: text("/metadata/creationTimestamp").unwrap_or_default(),
            deleting_since: text("/metadata/deletionTimestamp"),
            other_finalizers: others.map(ToOwned::to_owned).collect(),
            management: text("/spec/management"),
            deletion_policy: text("/spec/deletionPolicy").unwrap_or_default(),
            annotations: own
                .map(|(name, value)| {
                    let value = value.as_str().unwrap_or_default().to_owned();
                    Annotation { meaning: meaning(name, &value, object, &status), name: name.clone(), value }
                })
                .collect(),
        }
    }
}

/// What an annotation does.
fn meaning(name: &str, value: &str, object: &Value, status: &AnyStatus) -> String {
    match name {
        annotation::PAUSED if value == "true" => {
            "nothing is sent to Astra for it, and its deletion waits".to_owned()
        }
        annotation::PAUSED => "has no effect: only the value true pauses".to_owned(),
        annotation::RECONCILE if status.last_handled_reconcile_at.as_deref() == Some(value) => {
            "the look that was asked for was taken".to_owned()
        }
        annotation::RECONCILE => "the look that was asked for was not taken yet".to_owned(),
        annotation::ALLOW_MASS_REMOVAL if value.parse::<usize>().is_ok() => {
            format!("{value} entries may be removed in one go; take it away when that was done")
        }
        annotation::ALLOW_MASS_REMOVAL => "has no effect: the value must be the number of entries".to_owned(),
        annotation::FORCE_FINALIZE if value != "true" => {
            "has no effect: only the value true forces".to_owned()
        }
        annotation::FORCE_FINALIZE if object["metadata"]["deletionTimestamp"].is_string() => {
            "it goes even if Astra cannot be cleaned up".to_owned()
        }
        annotation::FORCE_FINALIZE => {
            "when it is deleted, it goes even if Astra cannot be cleaned up".to_owned()
        }
        _ => {
            let known = [
                annotation::PAUSED,
                annotation::RECONCILE,
                annotation::ALLOW_MASS_REMOVAL,
                annotation::FORCE_FINALIZE,
            ];
            format!(
                "has no effect: the operator knows no such annotation{}",
                did_you_mean(nearest(name, known.into_iter()))
            )
        }
    }
}

/// The conditions of a status, in words.
#[must_use]
pub fn conditions(status: &AnyStatus, own: &[(&str, &str)]) -> Vec<ConditionFacts> {
    let facts = status.conditions.iter().map(|condition| ConditionFacts {
        meaning: in_words(&condition.type_, &condition.status, own),
        type_: condition.type_.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since: condition.last_transition_time.0.to_string(),
    });
    facts.collect()
}

fn in_words(type_: &str, status: &str, own: &[(&str, &str)]) -> String {
    match (type_, status) {
        ("Ready", "True") => "Astra is as the spec says".to_owned(),
        ("Ready", _) => "Astra is not as the spec says, or that is not known".to_owned(),
        ("Stalled", "True") => "waiting will not help: a person has to change something".to_owned(),
        ("Reconciling", "True") => "it goes on by itself".to_owned(),
        ("Paused", "True") => "it is left alone".to_owned(),
        _ => {
            let told = own.iter().find(|(known, _)| *known == type_).map_or("", |(_, told)| *told);
            let yes = if status == "True" { "yes" } else { "no" };
            if told.is_empty() { yes.to_owned() } else { format!("{yes} ({})", told.trim_end_matches('.')) }
        }
    }
}
