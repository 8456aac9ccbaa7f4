//! How long to wait before trying again. Pure: the dice are handed in.

use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_mins(5);
/// Doubling this often reaches the longest pause.
const DOUBLINGS: u32 = 9;

/// The pause after the `failures`th failure in a row (from 1): it doubles each time, up to five minutes. `jitter` in
/// 0..=1 takes away up to half of it, so that objects that failed together do not come back together.
#[must_use]
pub fn after_failure(failures: u32, jitter: f64) -> Duration {
    let pause = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS)).min(LONGEST);
    pause.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
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
    fn jitter_takes_away_at_most_half() {
        assert_eq!(after_failure(3, 1.0), Duration::from_secs(2));
        assert_eq!(jittered(Duration::from_mins(1), 0.0), Duration::from_secs(54));
        assert_eq!(jittered(Duration::from_mins(1), 1.0), Duration::from_secs(66));
    }
}
