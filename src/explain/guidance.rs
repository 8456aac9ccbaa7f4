//! What to do now: which advice fits what was found. Pure.

use k8s_openapi::jiff::Timestamp;

pub use super::advice::Advised;
use super::{
    Facts,
    advice::{About, advice},
    lease::LeaseState,
};
use crate::{
    engine::{Problem, Reason},
    overview::standing::{NOT_LOOKED_AT, Standing, State},
    preview::rehearse::End,
    resource::annotation,
};

/// A condition this old, in seconds, with a cause that is gone, was not looked at again: the operator looks about every
/// minute.
const OVERDUE: i64 = 180;

/// What to do now, the first thing first.
#[must_use]
pub fn guidance(facts: &Facts, standing: &Standing, now: Timestamp) -> Vec<Advised> {
    let text =
        |pointer: &str| facts.object.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default();
    let about = About {
        kind: &facts.short_name,
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        secret: &facts.credentials.secret_name,
        key: &facts.credentials.key,
        message: &standing.message,
    };
    let mut all = match (standing.state, standing.reason.as_str()) {
        (State::Paused, _) => vec![paused(standing, text("/metadata/deletionTimestamp"), &about)],
        (_, NOT_LOOKED_AT) => not_looked_at(facts, &about),
        _ => by_reason(facts, standing, &about, now),
    };
    if standing.state == State::Deleting && standing.stalled {
        all.push(
            Advised::new(
                "If Astra can never be cleaned up (the token is gone for good, or the namespace is being deleted, and nothing can be made in it any more), let the object go without: what it owns stays in Astra.",
            )
            .with(about.kubectl("patch", r#"--type=merge --patch '{"spec":{"deletionPolicy":"Retain"}}'"#)),
        );
    }
    all
}

fn paused(standing: &Standing, deleted: &str, about: &About<'_>) -> Advised {
    let deletion = if deleted.is_empty() { "" } else { ", and its deletion waits for that" };
    let ready = if standing.ready { " It was Ready when it was paused." } else { "" };
    Advised::new(format!(
        "Somebody paused it: nothing is sent to Astra for it until the annotation is taken away{deletion}. Find out why before you do; \"Next plan\" tells what would be sent then.{ready}"
    ))
    .with(about.kubectl("annotate", &format!("{}-", annotation::PAUSED)))
}

fn not_looked_at(facts: &Facts, about: &About<'_>) -> Vec<Advised> {
    let namespace = about.namespace;
    let first = match facts.operator.state {
        LeaseState::Works => Advised::new(format!(
            "Wait some seconds. If it stays like this although the operator works, it does not watch the namespace {namespace} (--namespace), or cannot: its log says that watching failed."
        )),
        LeaseState::Silent | LeaseState::Free | LeaseState::Missing => Advised::new(format!(
            "See that an operator runs and watches the namespace {namespace}: nobody has looked at this object, and the Lease {} is {}.",
            facts.operator.lease, facts.operator.state
        )),
        LeaseState::Unknown => Advised::new(format!(
            "Wait some seconds. If it stays like this, see that the operator runs and watches the namespace {namespace}."
        )),
    };
    let found = found(facts).filter(|problem| problem.reason.needs_a_person());
    let second = found.map(|problem| also(&problem, about));
    std::iter::once(first).chain(second).collect()
}

fn by_reason(facts: &Facts, standing: &Standing, about: &About<'_>, now: Timestamp) -> Vec<Advised> {
    let told = Reason::parse(&standing.reason);
    let found = found(facts);
    let silent = matches!(facts.operator.state, LeaseState::Silent | LeaseState::Free);
    let mut all = match (told, found) {
        (Some(told), Some(problem)) if problem.reason == told => {
            vec![advice(told, &About { message: &problem.message, ..*about })]
        }
        // The operator has not noticed yet, or is in another place than whoever asks.
        (told, Some(problem)) if problem.reason.needs_a_person() => {
            let first = told.filter(|_| !standing.ready).map(|told| advice(told, about));
            first.into_iter().chain([also(&problem, about)]).collect()
        }
        (Some(told), None) if told.needs_a_person() && facts.plan.is_some() => {
            vec![mended(told, standing, about, now)]
        }
        (Some(told), _) => vec![advice(told, about)],
        (None, _) => vec![Advised::new(format!(
            "Read the message of the condition: this program knows no reason {}; is it older than the operator?",
            standing.reason
        ))],
    };
    if silent {
        all.push(Advised::new(format!(
            "See that the operator runs: its Lease {} is {}. Until then nothing above moves.",
            facts.operator.lease, facts.operator.state
        )));
    }
    all
}

/// What stands in the way as it was found just now.
fn found(facts: &Facts) -> Option<Problem> {
    let of_plan = || match &facts.plan.as_ref()?.end {
        End::Blocked(problem) | End::Fails(problem) | End::Waits(problem) => Some(problem.clone()),
        End::Ready(_) | End::Gone(_) | End::Paused | End::Endless => None,
    };
    facts.credentials.problem.clone().or_else(|| facts.astra_failed.clone()).or_else(of_plan)
}

/// Something else was found than the operator told.
fn also(problem: &Problem, about: &About<'_>) -> Advised {
    let advised = advice(problem.reason, &About { message: &problem.message, ..*about });
    Advised {
        text: format!("Found just now: {} ({}). {}", problem.message, problem.reason, advised.text),
        ..advised
    }
}

/// What the operator told is not so any more.
fn mended(told: Reason, standing: &Standing, about: &About<'_>, now: Timestamp) -> Advised {
    let since = standing.since.as_ref().and_then(|since| since.parse::<Timestamp>().ok());
    let old = since.is_some_and(|since| now.as_second() - since.as_second() > OVERDUE);
    let more = if old { " If it stays, see that the operator runs." } else { "" };
    Advised::new(format!(
        "What the operator told ({told}) was not found just now: it seems to be mended. The operator looks again within about a minute; it can be asked to look at once.{more}"
    ))
    .with(about.look_now())
}
