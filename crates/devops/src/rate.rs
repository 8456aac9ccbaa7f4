//! How many calls may begin in a second. Each call books the next free moment, so that they go out evenly and in the order
//! in which they came.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A rate that is kept.
#[derive(Debug)]
pub struct Rate {
    /// Between two calls.
    gap: Duration,
    /// So far behind the calls may be, and still go at once.
    slack: Duration,
    /// When the next call would go if they went evenly.
    next: Mutex<Option<Instant>>,
}

impl Rate {
    /// So many calls in a second, at least one; after a rest, `burst` at once.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let gap = Duration::from_secs(1) / per_second.max(1);
        Self { gap, slack: gap.saturating_mul(burst.saturating_sub(1)), next: Mutex::new(None) }
    }

    /// Books a moment for a call, and tells how long it is until then.
    pub fn reserve(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(self.slack).unwrap_or(now);
        let at = next.map_or(earliest, |next| next.max(earliest));
        *next = Some(at + self.gap);
        at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_evenly() {
        let rate = Rate::new(10, 3);
        tokio::time::advance(Duration::from_secs(10)).await;
        let now = Instant::now();
        let waits: Vec<u128> = (0..6).map(|_| rate.reserve(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        tokio::time::advance(Duration::from_millis(350)).await;
        assert_eq!(rate.reserve(Instant::now()).as_millis(), 50);
        tokio::time::advance(Duration::from_hours(1)).await;
        let now = Instant::now();
        let waits: Vec<u128> = (0..4).map(|_| rate.reserve(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100], "a rest of an hour saves up no more than a burst");
    }
}
