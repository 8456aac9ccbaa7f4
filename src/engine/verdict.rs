//! From how a look ended to what is said about it: conditions, the next look, the warning. Pure; once for all kinds.

use std::time::Duration;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use super::{
    KindCondition, Problem, Reason,
    backoff::{after_failure, jittered},
    outcome::{Driven, Outcome},
    timing::Timing,
};
use crate::status::Status;

/// A Ready object stays Ready through this many failures of Astra in a row: conditions must not flap.
const PATIENCE: u32 = 3;

/// The longest pause between two looks at something that is awaited.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What is said about a look.
#[derive(Debug, PartialEq)]
pub struct Verdict<D> {
    /// The status to be written, if it differs from the one that is there.
    pub status: Status<D>,
    /// When to look again.
    pub next: Duration,
    /// What a person should be told by an event: only what was not said before.
    pub warning: Option<Problem>,
    /// The object may go: its finalizer is to be taken away.
    pub clean: Option<String>,
}

/// What the verdict is about.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The generation that was looked at.
    pub generation: i64,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// Waits in a row, this one included.
    pub waits: u32,
    /// In 0..=1.
    pub jitter: f64,
    /// The time for transitions.
    pub now: Timestamp,
    /// Times.
    pub timing: Timing,
}

/// Judges a look. `before` is the status that the object has.
#[must_use]
pub fn verdict<D: Clone>(driven: Driven<D>, before: &Status<D>, at: Circumstances) -> Verdict<D> {
    let Driven { mut status, outcome, conditions } = driven;
    let next = next_look(&outcome, at);
    let said = match outcome {
        Outcome::Done(summary) => Said { ready: true, problem: Problem::new(Reason::UpToDate, summary) },
        // What was said stays as it was announced until the next look; what an answer told is kept.
        Outcome::Sent => return Verdict { status, next, warning: None, clean: None },
        Outcome::Clean(what) => {
            return Verdict { status, next, warning: None, clean: Some(what) };
        }
        Outcome::Waiting(problem) | Outcome::Blocked(problem) | Outcome::Failed(problem, _) => {
            if stays_ready(&problem, before, at) {
                status.conditions.clone_from(&before.conditions);
                status.observed_generation = before.observed_generation;
                return Verdict { status, next, warning: None, clean: None };
            }
            Said { ready: false, problem }
        }
        Outcome::Stale(stale) => {
            let problem = Problem::new(Reason::Progressing, stale.to_string());
            Said { ready: false, problem }
        }
    };
    let warning =
        (!said.ready && said.problem.reason.needs_a_person() && !already_said(&said.problem, before))
            .then(|| said.problem.clone());
    status.conditions = conditions_of(&said, conditions, before, at);
    status.observed_generation = Some(at.generation);
    Verdict { status, next, warning, clean: None }
}

struct Said {
    ready: bool,
    problem: Problem,
}

/// A passing trouble of Astra is not shown at once on an object that was Ready for this very generation.
fn stays_ready<D>(problem: &Problem, before: &Status<D>, at: Circumstances) -> bool {
    problem.reason.is_passing()
        && at.failures <= PATIENCE
        && before.observed_generation == Some(at.generation)
        && find(&before.conditions, "Ready").is_some_and(|ready| ready.status == "True")
}

fn already_said<D>(problem: &Problem, before: &Status<D>) -> bool {
    find(&before.conditions, "Ready").is_some_and(|ready| {
        ready.reason == problem.reason.to_string() && ready.message == shortened(&problem.message)
    })
}

/// `Ready` always; `Reconciling` or `Stalled` only while True, never both, as kstatus reads them; then the kind's own.
fn conditions_of<D>(
    said: &Said,
    own: Option<Vec<KindCondition>>,
    before: &Status<D>,
    at: Circumstances,
) -> Vec<Condition> {
    let reason = said.problem.reason.to_string();
    let message = shortened(&said.problem.message);
    let mut list = vec![("Ready".to_owned(), said.ready, reason.clone(), message.clone())];
    if !said.ready {
        let type_ = if said.problem.reason.needs_a_person() { "Stalled" } else { "Reconciling" };
        list.push((type_.to_owned(), true, reason, message));
    }
    if let Some(own) = own {
        list.extend(
            own.into_iter().map(|c| (c.type_.to_owned(), c.met, c.reason.to_owned(), shortened(&c.message))),
        );
        return list.into_iter().map(|c| condition(c, &before.conditions, at)).collect();
    }
    // Astra could not be looked at: the kind's own conditions stay as they were.
    let general = ["Ready", "Reconciling", "Stalled", PAUSED];
    let kept =
        before.conditions.iter().filter(|condition| !general.contains(&condition.type_.as_str())).cloned();
    let said: Vec<Condition> = list.into_iter().map(|c| condition(c, &before.conditions, at)).collect();
    said.into_iter().chain(kept).collect()
}

fn condition(
    (type_, met, reason, message): (String, bool, String, String),
    before: &[Condition],
    at: Circumstances,
) -> Condition {
    let status = if met { "True" } else { "False" };
    let unchanged = find(before, &type_).filter(|old| old.status == status);
    Condition {
        last_transition_time: unchanged.map_or(Time(at.now), |old| old.last_transition_time.clone()),
        status: status.to_owned(),
        observed_generation: Some(at.generation),
        type_,
        reason,
        message,
    }
}

/// The type of the condition of a paused object.
pub const PAUSED: &str = "Paused";

/// The status of an object that is paused: all as it was, and a condition that says so. The observed generation does
/// not move, so that a change made meanwhile reads as not applied.
#[must_use]
pub fn paused<D: Clone>(before: &Status<D>, generation: i64, now: Timestamp) -> Status<D> {
    let mut status = before.clone();
    let message =
        "nothing is sent to Astra for this object until its annotation astra.datastax.com/paused is removed";
    let since = find(&before.conditions, PAUSED).map_or(Time(now), |old| old.last_transition_time.clone());
    status.conditions.retain(|condition| condition.type_ != PAUSED);
    status.conditions.push(Condition {
        type_: PAUSED.to_owned(),
        status: "True".to_owned(),
        reason: "PausedByAnnotation".to_owned(),
        message: message.to_owned(),
        observed_generation: Some(generation),
        last_transition_time: since,
    });
    status
}

fn next_look(outcome: &Outcome, at: Circumstances) -> Duration {
    let resync = jittered(at.timing.resync, at.jitter);
    match outcome {
        Outcome::Done(_) => resync,
        Outcome::Sent => at.timing.pause,
        Outcome::Clean(_) => Duration::ZERO,
        Outcome::Waiting(_) => after_failure(at.waits, at.jitter).min(at.timing.resync).min(LONGEST_WAIT),
        // A missing Secret is found within a minute, whatever the resync.
        Outcome::Blocked(_) => resync.min(jittered(Duration::from_secs(55), at.jitter)),
        Outcome::Failed(problem, wish) => {
            let pause = after_failure(at.failures, at.jitter).max(wish.unwrap_or_default());
            if problem.reason.needs_a_person() {
                pause.max(resync.min(Duration::from_mins(1)))
            } else {
                pause
            }
        }
        Outcome::Stale(_) => after_failure(at.failures, at.jitter).min(Duration::from_secs(5)) / 4,
    }
}

/// The condition of this type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Messages are for people, and bounded: remote text must not grow a status without end.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 1000;
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
