//! How many calls were held back, for whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Calls that were not sent because Astra had failed several times in a row, and another one was asking whether it is over.
/// While this grows, Astra is down for some token. Nothing of a token is in it.
#[derive(Debug, Default)]
pub struct HeldBack(AtomicU64);

impl HeldBack {
    /// One more.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many since the process began.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
