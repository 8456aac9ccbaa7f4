//! How long to wait before trying again. Pure: the dice are handed in.

use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause after a failure that comes from the object itself.
const LONGEST: Duration = Duration::from_mins(5);
/// The longest pause after a failure that has nothing to do with the object. It decides how soon all objects are back
/// after an outage; what it costs during one is bounded elsewhere, because the calls of a token share what they know of
/// Astra's health (`astra_devops::health`), and only one of them goes out at a time.
const LONGEST_PASSING: Duration = Duration::from_secs(30);
/// Doubling this often reaches the longest pause.
const DOUBLINGS: u32 = 9;

/// The pause after the `failures`th failure in a row (from 1): it doubles each time, up to five minutes. `jitter` in
/// 0..=1 takes away up to half of it, so that objects that failed together do not come back together.
#[must_use]
pub fn after_failure(failures: u32, jitter: f64) -> Duration {
    let pause = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS)).min(LONGEST);
    pause.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

/// As [`after_failure`], but up to half a minute: for trouble that passes and is not the object's own.
#[must_use]
pub fn after_passing_failure(failures: u32, jitter: f64) -> Duration {
    after_failure(failures, jitter).min(LONGEST_PASSING.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0))
}

/// `period`, 10 % shorter to 10 % longer.
#[must_use]
pub fn jittered(period: Duration, jitter: f64) -> Duration {
    period.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_five_minutes() {
        let whole: Vec<u64> =
            [1, 2, 3, 4, 9, 10, 11, u32::MAX].map(|n| after_failure(n, 0.0).as_secs()).to_vec();
        assert_eq!(whole, [1, 2, 4, 8, 256, 300, 300, 300]);
    }

    #[test]
    fn what_passes_is_looked_at_again_within_half_a_minute() {
        let whole: Vec<u64> =
            [1, 5, 6, 7, u32::MAX].map(|n| after_passing_failure(n, 0.0).as_secs()).to_vec();
        assert_eq!(whole, [1, 16, 30, 30, 30]);
        assert_eq!(
            after_passing_failure(99, 1.0),
            Duration::from_secs(15),
            "objects that failed together are spread"
        );
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        assert_eq!(after_failure(3, 1.0), Duration::from_secs(2));
        assert_eq!(jittered(Duration::from_mins(1), 0.0), Duration::from_secs(54));
        assert_eq!(jittered(Duration::from_mins(1), 1.0), Duration::from_secs(66));
    }
}
