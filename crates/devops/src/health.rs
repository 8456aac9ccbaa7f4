//! Whether Astra answers a token's calls at all.
//!
//! While it does not, one call at a time asks, at growing pauses, and all others are told at once. Without this, an
//! outage that a thousand objects look into would be a thousand objects' calls, each repeated; and each object, backing
//! off alone, would come back minutes after the outage has ended.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::{Error, error::Class};

/// After this many failures in a row, of whatever calls, with no answer between them, Astra counts as down for the
/// token. More than the attempts of one call, so that one thing that always fails does not hold up the others: reading
/// goes well in between, and that ends the row.
pub const FAILURES: u32 = 5;

/// The pause before Astra is asked again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two calls that ask whether Astra is well again: short, because it is one call for the whole
/// token, and the recovery of all its objects waits for it.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long after a call began to ask others wait for its answer. Not longer: each of them has a place in a queue that
/// other tokens' objects wait in too.
const WORTH_WAITING: Duration = Duration::from_secs(1);

/// What is known of Astra's health, from the calls of one token.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
    /// Rings when the call that asks has come back.
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    outage: Option<Outage>,
}

#[derive(Debug)]
struct Outage {
    /// The failure that it was found by, in words. Not the last one: what is said to a thousand objects must not change
    /// with every call that asks, or each of them would have its status written anew.
    first: String,
    pause: Duration,
    ask_at: Instant,
    /// Since when a call is under way that asks.
    asking: Option<Instant>,
}

/// How it stands with an outage at some moment.
enum Standing {
    /// A call may ask.
    Free,
    /// One is asking, and it is worth waiting for it so long.
    Asking(Duration),
    /// No call may go out for so long.
    Closed(Duration),
}

impl Outage {
    fn standing(&self, now: Instant) -> Standing {
        match self.asking.map(|since| WORTH_WAITING.saturating_sub(now - since)) {
            None if self.ask_at <= now => Standing::Free,
            None => Standing::Closed(self.ask_at - now),
            // Nobody knows how long it will take; a connection that swallows everything takes the whole deadline.
            Some(Duration::ZERO) => Standing::Closed(FIRST_PAUSE),
            Some(left) => Standing::Asking(left),
        }
    }
}

/// What a call may do.
#[derive(Debug)]
pub enum Admission<'a> {
    /// It may go out, and tells how it went.
    Go(Pass<'a>),
    /// Another call began to ask a moment ago: its answer is worth waiting for, so long.
    Wait(Duration),
    /// Astra is down; it may be asked again after this long. With the failure that it began with, in words.
    Down(Duration, String),
}

/// The right to send one call. If it is dropped without a report, the next call may ask.
#[derive(Debug)]
pub struct Pass<'a> {
    health: &'a Health,
    asks: bool,
}

impl Health {
    /// May a call go out at `now`?
    pub fn admit(&self, now: Instant) -> Admission<'_> {
        let mut state = self.lock();
        let Some(outage) = &mut state.outage else {
            return Admission::Go(Pass { health: self, asks: false });
        };
        match outage.standing(now) {
            Standing::Free => {
                outage.asking = Some(now);
                Admission::Go(Pass { health: self, asks: true })
            }
            Standing::Asking(left) => Admission::Wait(left),
            Standing::Closed(wait) => Admission::Down(wait, outage.first.clone()),
        }
    }

    /// How long it would be told to wait that is refused at `now`, with the failure that it began with, in words; `None`
    /// when it is worth queueing for a place.
    #[must_use]
    pub fn refuses(&self, now: Instant) -> Option<(Duration, String)> {
        let state = self.lock();
        let outage = state.outage.as_ref()?;
        match outage.standing(now) {
            Standing::Closed(wait) => Some((wait, outage.first.clone())),
            Standing::Free | Standing::Asking(_) => None,
        }
    }

    /// Waits until the call that asks has come back.
    pub async fn answered(&self) {
        let answered = self.answered.notified();
        let asking = self.lock().outage.as_ref().is_some_and(|outage| outage.asking.is_some());
        if asking {
            answered.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Tells how the call went; `None` is a success.
    pub fn report(self, error: Option<&Error>, now: Instant) {
        let mut state = self.health.lock();
        match error {
            Some(error) if error.class() == Class::Transient => state.failed(error, self.asks, now),
            // Astra was not asked.
            Some(error) if error.class() == Class::HeldBack => {}
            // It answers; how long to be silent is the gate's business.
            Some(error) if error.class() == Class::Throttled => {}
            // Also a refusal in Astra's own words shows that it is well.
            _ => *state = State::default(),
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.asks {
            if let Some(outage) = &mut self.health.lock().outage {
                outage.asking = None;
            }
            self.health.answered.notify_waiters();
        }
    }
}

impl State {
    fn failed(&mut self, error: &Error, asked: bool, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES {
            return;
        }
        match &mut self.outage {
            // Calls that were under way when the outage was found tell nothing new.
            Some(_) if !asked => {}
            Some(outage) => {
                outage.pause = (outage.pause * 2).min(LONGEST_PAUSE);
                outage.ask_at = now + outage.pause;
            }
            None => {
                let ask_at = now + FIRST_PAUSE;
                self.outage =
                    Some(Outage { first: in_words(error), pause: FIRST_PAUSE, ask_at, asking: None });
            }
        }
    }
}

/// An error and its causes, in one line.
fn in_words(error: &Error) -> String {
    let first: &(dyn std::error::Error + 'static) = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
