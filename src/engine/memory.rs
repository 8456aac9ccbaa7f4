//! What this process remembers of an object: above all what it sent and has not seen yet, because reads may lag behind
//! writes. Pure but for the instants handed in.
//!
//! A plan made from a view that is older than the object's own last write would undo or repeat that write. So until
//! every step sent is seen, or the window has passed, nothing new is sent for the object.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::{Identities, Kind, outcome::Outcome};
use crate::status::InFlight;

/// What this process remembers of an object between two looks. Nothing of it is needed after a crash.
#[derive(Debug)]
pub struct Memory<K: Kind> {
    /// Steps sent and not seen.
    pub unseen: Unseen<K>,
    /// When this object last wrote to Astra.
    pub last_write: Option<Instant>,
    /// The same by the wall clock, until it is in the status.
    pub changed: Option<Timestamp>,
    /// What an earlier process announced.
    pub announcement: Option<Announced>,
    /// Failures in a row.
    pub failures: u32,
    /// Looks in a row at an object that had changed meanwhile.
    pub stale: u32,
    /// Looks in a row that ended in waiting.
    pub waits: u32,
    /// How long until all objects at rest that share a list are looked at again; `None` where there is no list.
    pub rest: Option<Duration>,
    /// Was it looked at by this process, whatever came of it?
    pub looked: bool,
}

/// The announcement of an earlier process.
#[derive(Clone, Debug)]
pub struct Announced {
    /// As it stood in the status.
    pub in_flight: InFlight,
    /// When this process first saw it.
    pub since: Instant,
    /// What the object owned with it, of which not all may be there yet.
    pub owned: Identities,
}

impl Announced {
    /// First seen now.
    #[must_use]
    pub fn now(in_flight: InFlight) -> Self {
        Self { in_flight, since: Instant::now(), owned: Identities::new() }
    }
}

impl<K: Kind> Default for Memory<K> {
    fn default() -> Self {
        Self {
            unseen: Unseen::default(),
            last_write: None,
            changed: None,
            announcement: None,
            failures: 0,
            stale: 0,
            waits: 0,
            rest: None,
            looked: false,
        }
    }
}

impl<K: Kind> Memory<K> {
    /// Counts failures, waits and stale looks in a row. An object that changed under the plan ends neither of the others.
    pub fn count(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Later(..)) {
            return;
        }
        self.looked |= !matches!(outcome, Outcome::Stale(_));
        self.stale = if matches!(outcome, Outcome::Stale(_)) { self.stale.saturating_add(1) } else { 0 };
        (self.failures, self.waits) = match outcome {
            Outcome::Failed(..) => (self.failures.saturating_add(1), 0),
            Outcome::Waiting(_) => (0, self.waits.saturating_add(1)),
            Outcome::Stale(_) | Outcome::Later(..) => return,
            Outcome::Done(_) | Outcome::Sent | Outcome::Blocked(_) | Outcome::Clean(_) => (0, 0),
        };
    }
}

/// Steps of one object that were sent and not seen.
#[derive(Debug)]
pub struct Unseen<K: Kind> {
    steps: Vec<(K::Step, Instant)>,
}

impl<K: Kind> Default for Unseen<K> {
    fn default() -> Self {
        Self { steps: Vec::new() }
    }
}

impl<K: Kind> Unseen<K> {
    /// A step was sent, or may have been.
    pub fn sent(&mut self, step: K::Step, now: Instant) {
        self.steps.push((step, now));
    }

    /// Forgets what `observed` shows, and what was sent longer than `window` ago: after that, what Astra shows is what
    /// it has.
    pub fn look(&mut self, observed: &K::Observed, details: &K::Details, now: Instant, window: Duration) {
        self.steps.retain(|(step, sent)| {
            now.duration_since(*sent) < window && !K::visible(step, observed, details)
        });
        // Nearly always all of it is seen, and very many objects remember that.
        self.steps.shrink_to_fit();
    }

    /// What the steps that were sent and not seen would make the object own.
    #[must_use]
    pub fn claims(&self) -> Identities {
        self.steps.iter().flat_map(|(step, _)| K::claims(step)).collect()
    }

    /// The first step that was sent and not seen, and when.
    #[must_use]
    pub fn first(&self) -> Option<(&K::Step, Instant)> {
        self.steps.first().map(|(step, sent)| (step, *sent))
    }
}
