//! Whether and when to send a call again. Pure: the caller has the clock and the dice.

use std::time::Duration;

use crate::{Error, Repeat, error::Class};

/// How often one call is sent at the most before its failure is handed to the caller, who has a backoff of its own.
pub const ATTEMPTS: u32 = 3;

/// The longest pause that is waited out here; a longer one is the caller's business.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// The pause before the second attempt; it doubles for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long to wait before sending the call again, or `None` to give up.
///
/// `attempt` counts from 1. `jitter` is in 0..=1 and stretches the pause by up to half, so that many callers do not
/// come back at once.
#[must_use]
pub fn pause(error: &Error, repeat: Repeat, attempt: u32, jitter: f64) -> Option<Duration> {
    if attempt >= ATTEMPTS || !may_repeat(error, repeat) {
        return None;
    }
    let own = FIRST_PAUSE * 2_u32.pow(attempt - 1);
    let pause = own.mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0);
    // Astra's own wish is a lower bound: never a call before it is over.
    let pause = pause.max(error.retry_after().unwrap_or_default());
    (pause <= PATIENCE).then_some(pause)
}

/// A call that may have taken effect is repeated only when that is harmless; one that certainly did nothing always.
fn may_repeat(error: &Error, repeat: Repeat) -> bool {
    match error.class() {
        Class::Throttled => true,
        Class::Transient => repeat == Repeat::Safe || !error.may_have_taken_effect(),
        _ => false,
    }
}
