//! What all calls of one token share: how many are under way at once, how many begin in a second, until when Astra asked
//! for silence, and whether it answers at all.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep},
};

use crate::{health::Health, held_back::HeldBack, rate::Rate, retry::LONGEST_SILENCE};

/// Bounds the calls of one token.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    rate: Option<Rate>,
    silent_until: Mutex<Option<Instant>>,
    health: Health,
    held_back: Arc<HeldBack>,
}

impl Gate {
    /// A gate that lets `concurrency` calls through at once.
    #[must_use]
    pub fn new(concurrency: usize) -> Self {
        let places = Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            places,
            rate: None,
            silent_until: Mutex::new(None),
            health: Health::default(),
            held_back: Arc::default(),
        }
    }

    /// The same gate, through which no more than so many calls go in a second. As many as it has places may go at once
    /// after a rest.
    #[must_use]
    pub fn with_rate(mut self, per_second: u32) -> Self {
        let burst = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        self.rate = Some(Rate::new(per_second, burst));
        self
    }

    /// The same gate, counting here what it holds back.
    #[must_use]
    pub fn counting(mut self, held_back: Arc<HeldBack>) -> Self {
        self.held_back = held_back;
        self
    }

    /// What it has held back.
    #[must_use]
    pub fn held_back(&self) -> &HeldBack {
        &self.held_back
    }

    /// Waits until the rate allows one more call.
    pub async fn pace(&self) {
        if let Some(rate) = &self.rate {
            let wait = rate.reserve(Instant::now());
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
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
