//! The whole plan as data: what scripts read, and what the texts are made from. The form is versioned; see
//! `docs/plan-format.md`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::engine::Reason;

use super::{
    ObjectPlan,
    change::Change,
    danger::Danger,
    rehearse::{self, End},
};

/// The version of the form. It grows by a minor number when fields are added, by a major one when a reader could break.
pub const FORMAT: &str = "1.0";

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form: `1.0`.
    pub format_version: &'static str,
    /// In numbers.
    pub summary: Summary,
    /// Each object, by kind, namespace and name.
    pub objects: Vec<Object>,
    /// What is wrong with manifests, as text with file, line, column and field. With one of these the plan is not whole.
    pub errors: Vec<String>,
    /// How many objects of other kinds were skipped, by `apiVersion kind`.
    pub skipped: BTreeMap<String, usize>,
    /// What a reader should know of this plan as a whole.
    pub notes: Vec<String>,
}

/// A plan in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were planned.
    pub objects: usize,
    /// Objects for which something would be sent.
    pub changed: usize,
    /// Objects for which nothing would be sent, and which are as they shall be.
    pub unchanged: usize,
    /// Objects that end waiting for somebody else, with or without something sent before.
    pub waiting: usize,
    /// Objects that cannot be carried out as they are, with or without something sent before.
    pub blocked: usize,
    /// Mistakes in manifests. What has one is not among the objects.
    pub errors: usize,
    /// Calls that change something.
    pub calls: usize,
    /// Things that appear in Astra.
    pub to_add: usize,
    /// Things that become others.
    pub to_change: usize,
    /// Things that go.
    pub to_remove: usize,
    /// How many steps are dangerous, by class.
    pub dangers: BTreeMap<Danger, usize>,
    /// How many steps `--deny` refuses.
    pub denied: usize,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `FILE:LINE:COLUMN`, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Its database: `NAME (ID)`, or what the spec says if it is not known.
    pub database: String,
    /// What would be sent, in order.
    pub steps: Vec<Step>,
    /// How it ends.
    pub outcome: Outcome,
    /// What is there, is not this object's, and is left alone. At most 50 of a list.
    pub leaves_alone: Vec<String>,
    /// What a person should know beside that.
    pub notices: Vec<String>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// In the imperative.
    pub summary: String,
    /// Why.
    pub reason: String,
    /// From 1. What belongs to a later round is sent when Astra shows what the earlier ones did.
    pub round: usize,
    /// What it changes in Astra.
    pub changes: Vec<Change>,
    /// What a reviewer must not overlook.
    pub dangers: Vec<Danger>,
    /// Those of them that `--deny` refuses.
    pub denied: Vec<Danger>,
    /// The call.
    pub call: Call,
}

/// The call that a step is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query, as they stand in the request line.
    pub target: String,
    /// The body, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// How an object ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Which way.
    pub state: State,
    /// The reason that the condition `Ready` would give. An object that is gone or paused has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A sentence.
    pub message: String,
}

impl Outcome {
    /// `Conflict: ` and the sentence. Of what is ready the sentence is enough.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.reason.as_ref().filter(|_| self.state != State::Ready) {
            Some(reason) => format!("{reason}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// The ways an object can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// All is as it says.
    Ready,
    /// Somebody else's work is awaited.
    Waiting,
    /// Nothing is sent, or no more, until a person changes something.
    Blocked,
    /// The object is gone, and what it owned with it, as far as it says.
    Gone,
    /// It is paused.
    Paused,
}

impl Report {
    /// What is told of these plans.
    #[must_use]
    pub fn new(
        plans: &[ObjectPlan],
        errors: Vec<String>,
        skipped: BTreeMap<String, usize>,
        notes: Vec<String>,
    ) -> Self {
        let objects: Vec<Object> = plans.iter().map(object).collect();
        let summary = Summary { errors: errors.len(), ..summary(&objects) };
        Self { format_version: FORMAT, summary, objects, errors, skipped, notes }
    }

    /// The same, with the steps of these classes refused.
    #[must_use]
    pub fn denying(mut self, classes: &BTreeSet<Danger>) -> Self {
        for step in self.objects.iter_mut().flat_map(|object| &mut object.steps) {
            step.denied = step.dangers.iter().copied().filter(|danger| classes.contains(danger)).collect();
            self.summary.denied += usize::from(!step.denied.is_empty());
        }
        self
    }

    /// Is there anything that cannot be carried out, or could not be read?
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty() || self.summary.blocked > 0
    }

    /// The steps that are refused, each with its object.
    pub fn denied(&self) -> impl Iterator<Item = (&Object, &Step)> {
        let all = self.objects.iter().flat_map(|object| object.steps.iter().map(move |step| (object, step)));
        all.filter(|(_, step)| !step.denied.is_empty())
    }
}

impl Object {
    /// Is there nothing to be told of it but that it is as it shall be?
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.steps.is_empty() && self.outcome.state == State::Ready && self.notices.is_empty()
    }
}

fn summary(objects: &[Object]) -> Summary {
    use super::change::Action;
    let mut summary = Summary { objects: objects.len(), ..Summary::default() };
    for object in objects {
        let is_still = object.steps.is_empty();
        summary.changed += usize::from(!is_still);
        match object.outcome.state {
            State::Waiting => summary.waiting += 1,
            State::Blocked => summary.blocked += 1,
            State::Ready | State::Gone | State::Paused => summary.unchanged += usize::from(is_still),
        }
        for step in &object.steps {
            summary.calls += 1;
            for danger in &step.dangers {
                *summary.dangers.entry(*danger).or_default() += 1;
            }
            for change in &step.changes {
                match change.action {
                    Action::Add => summary.to_add += 1,
                    Action::Change => summary.to_change += 1,
                    Action::Remove => summary.to_remove += 1,
                }
            }
        }
    }
    summary
}

fn object(plan: &ObjectPlan) -> Object {
    Object {
        kind: plan.kind,
        namespace: plan.namespace.clone(),
        name: plan.name.clone(),
        location: plan.location.clone(),
        database: plan.database.clone(),
        steps: plan.steps.iter().map(step).collect(),
        outcome: outcome(&plan.end),
        leaves_alone: plan.left_alone.clone(),
        notices: plan.notices.clone(),
    }
}

fn step(step: &rehearse::Step) -> Step {
    Step {
        summary: step.what.clone(),
        reason: step.why.clone(),
        round: step.round + 1,
        changes: step.changes.clone(),
        dangers: step.dangers.clone(),
        denied: Vec::new(),
        call: Call {
            method: step.call.method.as_str(),
            target: step.call.target(),
            body: step.call.body.clone(),
        },
    }
}

fn outcome(end: &End) -> Outcome {
    let (state, reason, message) = match end {
        End::Ready(summary) => (State::Ready, Some(Reason::UpToDate.to_string()), summary.clone()),
        End::Waits(problem) => (State::Waiting, Some(problem.reason.to_string()), problem.message.clone()),
        End::Blocked(problem) | End::Fails(problem) => {
            (State::Blocked, Some(problem.reason.to_string()), problem.message.clone())
        }
        End::Gone(what) => (State::Gone, None, what.clone()),
        End::Paused => (State::Paused, None, "paused by its annotation: nothing is sent".to_owned()),
        End::Endless => (State::Blocked, None, "it does not come to rest; this is a bug".to_owned()),
    };
    Outcome { state, reason, message }
}
