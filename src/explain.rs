//! One object with all that is around it: what is there, what the operator would do next, and what to do now.
//!
//! ```text
//! gather (get, list; GET from Astra) ─► Facts ─► Explanation (data) ─► text, JSON
//! ```
//!
//! Everything after [`gather`] is pure. The next plan is made by [`crate::preview`], and so by the engine that runs.

pub mod advice;
pub mod astra;
pub mod events;
pub mod gather;
pub mod guidance;
pub mod lease;
pub mod object;
pub mod secret;
pub mod target;
pub mod text;

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use self::{
    astra::Astra,
    events::EventFacts,
    guidance::Advised,
    lease::Operator,
    object::{ConditionFacts, ObjectFacts},
    secret::Credentials,
};
use crate::{
    engine::Problem,
    overview::standing::{self, Standing},
    preview::{
        ObjectPlan,
        report::{self, Report},
        stage::World,
    },
    status::InFlight,
};

/// The version of the form. It grows by a minor number when fields are added, by a major one when a reader could break.
pub const FORMAT: &str = "1.0";

/// What was found out about an object.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its kind, as it is registered.
    pub kind: &'static str,
    /// The kind's own conditions, and what each tells.
    pub own_conditions: &'static [(&'static str, &'static str)],
    /// The kind's short name, for commands that can be pasted.
    pub short_name: String,
    /// The object.
    pub object: Value,
    /// Its Secret.
    pub credentials: Credentials,
    /// What Astra has, where it was asked.
    pub world: Option<World>,
    /// Why Astra gave no answer, where it was asked.
    pub astra_failed: Option<Problem>,
    /// What would come of the object.
    pub plan: Option<ObjectPlan>,
    /// The other objects of the kind that took part in the plan: they are about the same database.
    pub beside: Vec<String>,
    /// Its events, oldest first.
    pub events: Vec<EventFacts>,
    /// The operator.
    pub operator: Operator,
    /// What could not be read, and which right that needs.
    pub notes: Vec<String>,
}

/// One object, explained.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The version of this form: `1.0`.
    pub format_version: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// What it is, and what people have asked of it.
    pub object: ObjectFacts,
    /// Its Secret: never the value.
    pub credentials: Credentials,
    /// Its conditions, in words.
    pub conditions: Vec<ConditionFacts>,
    /// What Astra has at its place.
    pub astra: Astra,
    /// What the operator would do next; absent where Astra could not be asked. For a paused object: what it would do
    /// if the pause ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<report::Object>,
    /// Other objects of its kind on the same database, which took part in the plan.
    pub beside: Vec<String>,
    /// What it owns in Astra.
    pub owns: Vec<String>,
    /// What is there, is not this object's, and is left alone, as its status tells it. At most 50 of a list.
    pub leaves_alone: Vec<String>,
    /// What was announced, and is not known to be carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlight>,
    /// Its last events, newest last.
    pub events: Vec<EventFacts>,
    /// Whoever works on it.
    pub operator: Operator,
    /// What could not be read, and which right that needs.
    pub notes: Vec<String>,
    /// What to do now.
    pub advice: Vec<Advised>,
    /// Is it Ready? The exit code says the same.
    #[serde(skip)]
    pub ready: bool,
}

impl Explanation {
    /// Makes sense of what was found.
    #[must_use]
    pub fn new(facts: &Facts, now: Timestamp) -> Self {
        let object = &facts.object;
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let status = standing::status(object);
        let standing = Standing::of(object);
        let plan = facts.plan.as_ref().and_then(|plan| {
            let report = Report::new(std::slice::from_ref(plan), Vec::new(), BTreeMap::new(), Vec::new());
            report.objects.into_iter().next()
        });
        let lists = ["unmanagedAddresses", "unmanagedPrincipals", "unmanagedEndpoints"];
        let left = lists.iter().filter_map(|list| status.details.get(*list)?.as_array());
        Self {
            format_version: FORMAT,
            kind: facts.kind,
            namespace: text("namespace"),
            name: text("name"),
            object: ObjectFacts::of(object),
            credentials: facts.credentials.clone(),
            conditions: object::conditions(&status, facts.own_conditions),
            astra: astra::found(facts),
            plan,
            beside: facts.beside.clone(),
            owns: status.owned.clone(),
            leaves_alone: left.flatten().filter_map(|one| Some(one.as_str()?.to_owned())).collect(),
            in_flight: status.in_flight,
            events: facts.events.clone(),
            operator: facts.operator.clone(),
            notes: facts.notes.clone(),
            advice: guidance::guidance(facts, &standing, now),
            ready: standing.ready,
            standing,
        }
    }
}
