//! How a look at an object ended, and what a failed call means for it.

use std::{sync::Arc, time::Duration};

use astra_devops::{Error, error::Class};

use super::{Event, KindCondition, Problem, Reason, ledger::NotAnnounced};
use crate::{organization::wanted::Wanted, status::Status};

/// How a look ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is as it shall be; in one line, what is there.
    Done(String),
    /// Calls were sent; the next look will tell whether Astra shows what they did.
    Sent,
    /// Something is awaited.
    Waiting(Problem),
    /// A person must change something.
    Blocked(Problem),
    /// A call failed; Astra may have said how long to wait.
    Failed(Problem, Option<Duration>),
    /// Deletion: the world was read again, and nothing that is owned is left.
    Clean(String),
    /// The object changed under the plan.
    Stale(String),
    /// Nothing was looked at: a reading that is new enough can be had after this long, and many others wait for it too.
    Later(Duration, Wanted),
}

impl Outcome {
    /// Which one, in a word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Sent => "sent",
            Self::Waiting(_) => "waiting",
            Self::Blocked(_) => "blocked",
            Self::Failed(..) => "failed",
            Self::Clean(_) => "clean",
            Self::Stale(_) => "stale",
            Self::Later(..) => "later",
        }
    }
}

/// What came of driving an object: the status as far as facts go, without the conditions of all kinds.
#[derive(Debug)]
pub struct Driven<D> {
    /// The facts.
    pub status: Status<D>,
    /// How it ended.
    pub outcome: Outcome,
    /// What a person should know of this look, whatever came of it.
    pub notice: Option<Event>,
    /// The kind's own conditions; `None` when Astra could not be looked at.
    pub conditions: Option<Vec<KindCondition>>,
}

/// Ends a look early, with the problem that was met.
pub(super) struct Stop(pub(super) Outcome);

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self(stopped(problem))
    }
}

impl From<Arc<Error>> for Stop {
    fn from(error: Arc<Error>) -> Self {
        // No reading of ours can be wrong in itself, so a refused one is Astra's trouble and not the spec's.
        let outcome = match failed(&error, "reading from Astra") {
            Outcome::Failed(problem, wait) if problem.reason == Reason::ChangeRefused => {
                Outcome::Failed(Problem { reason: Reason::AstraUnavailable, ..problem }, wait)
            }
            outcome => outcome,
        };
        Self(outcome)
    }
}

impl From<NotAnnounced> for Stop {
    fn from(error: NotAnnounced) -> Self {
        let message = error.to_string();
        Self(match error {
            NotAnnounced::Stale(_) => Outcome::Stale(message),
            NotAnnounced::Failed(_) => {
                Outcome::Failed(Problem::new(Reason::KubernetesUnavailable, message), None)
            }
        })
    }
}

/// A problem is waited for, or needs a person.
pub(super) fn stopped(problem: Problem) -> Outcome {
    if problem.reason.needs_a_person() { Outcome::Blocked(problem) } else { Outcome::Waiting(problem) }
}

/// What a failed call means for the object.
#[must_use]
pub fn failed(error: &Error, doing: &str) -> Outcome {
    let reason = match error.class() {
        Class::Unauthorized => Reason::TokenRefused,
        Class::Forbidden => Reason::PermissionDenied,
        Class::Invalid => Reason::ChangeRefused,
        Class::Throttled => Reason::RateLimited,
        Class::Conflict => Reason::DatabaseNotReady,
        // The lease is renewed at the Kubernetes API; while that does not work nothing may be written.
        Class::HeldBack => Reason::KubernetesUnavailable,
        Class::NotFound | Class::Transient => Reason::AstraUnavailable,
    };
    Outcome::Failed(Problem::new(reason, format!("{doing}: {}", chain(error))), error.retry_after())
}

/// An error and its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
