//! Whether and when to send a call again. Pure: the caller has the clock and the dice.

use std::time::Duration;

use crate::{Error, Repeat, error::Class};

/// How often one call is sent at the most before its failure is handed to the caller, who has a backoff of its own.
pub const ATTEMPTS: u32 = 3;

/// The longest pause that is waited out here; a longer one is the caller's business.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// How long a token is silent after a 429 that does not say for how long.
pub const SILENCE: Duration = Duration::from_secs(1);

/// The longest silence that is kept, whatever `Retry-After` says.
///
/// Limits of APIs are counted in seconds and minutes. A proxy that says `86400`, or a date of next year, would otherwise
/// keep a token's databases unattended until the program is restarted, and a value near the largest would overflow
/// the clock. The price of the cap is one refused call an hour.
pub const LONGEST_SILENCE: Duration = Duration::from_hours(1);

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
    let own = FIRST_PAUSE * 2_u32.pow(attempt.saturating_sub(1));
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    let pause = own.mul_f64(1.0 + jitter / 2.0);
    // Astra's own wish is a lower bound: never a call before it is over.
    let pause = pause.max(error.retry_after().unwrap_or_default());
    (pause <= PATIENCE).then_some(pause)
}

/// How long the whole token has to be silent after this error, if at all: after every 429, and after a 503 that asks
/// for it.
#[must_use]
pub fn silence(error: &Error) -> Option<Duration> {
    let Error::Refused(refusal) = error else { return None };
    let wait = match refusal.status {
        429 => refusal.retry_after.unwrap_or(SILENCE),
        503 => refusal.retry_after?,
        _ => return None,
    };
    Some(wait.min(LONGEST_SILENCE))
}

/// A call that may have taken effect is repeated only when that is harmless; one that certainly did nothing always.
fn may_repeat(error: &Error, repeat: Repeat) -> bool {
    match error.class() {
        // Nothing was sent because patience was over already; more of it is for the caller to have.
        _ if matches!(error, Error::Silenced { .. } | Error::Down { .. }) => false,
        Class::Throttled => true,
        Class::Transient => repeat == Repeat::Safe || !error.may_have_taken_effect(),
        _ => false,
    }
}
