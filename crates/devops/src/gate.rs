//! What all calls of one token share: how many are under way at once, until when Astra asked for silence, and whether it
//! answers at all.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::{health::Health, retry::LONGEST_SILENCE};

/// Bounds the calls of one token.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    silent_until: Mutex<Option<Instant>>,
    health: Health,
}

impl Gate {
    /// A gate that lets `concurrency` calls through at once.
    #[must_use]
    pub fn new(concurrency: usize) -> Self {
        let places = Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self { places, silent_until: Mutex::new(None), health: Health::default() }
    }

    /// Whether Astra answers at all.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// Waits for a place; it is given back when the permit is dropped.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there always is a permit; an error would only mean no bound.
        self.places.acquire().await.ok()
    }

    /// Astra asked for silence: no call of this token goes out before `pause` is over, or [`LONGEST_SILENCE`].
    pub fn silence(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_SILENCE);
        let mut silent = self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        *silent = Some(silent.map_or(until, |old| old.max(until)));
    }

    /// How much longer no call may go out; zero when one may.
    #[must_use]
    pub fn silence_left(&self) -> Duration {
        let silent = self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        silent.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}
