//! What is counted of all calls, for whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Calls of all tokens since the process began. Nothing of a token is in it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls that went out, each attempt.
    pub calls: Counter,
    /// Of these, those that were refused, not answered or not understood.
    pub failures: Counter,
    /// How often Astra asked a token to be silent (429, or 503 with `Retry-After`).
    pub silences: Counter,
    /// Calls that were not sent because Astra had failed several times in a row: the circuit was open. While this grows,
    /// Astra is down for some token.
    pub held_back: Counter,
}
