//! Leader election with a fence: of several replicas one works, and none writes to Astra once another may.
//!
//! ```text
//! Store ──read──► Candidacy ──claim──► Store            Tenure ──renewal──► Store        a thread of its own
//!                     │ won                                │ kept
//!                     └──────────────► Fence ◄─────────────┘                            one number, read by all
//!                                        │ check, immediately before each write
//!                              Client ─► Fenced ─► HttpTransport                        the main runtime
//! ```
//!
//! The argument, in five sentences. A leader counts from the moment **before** it sent its last successful renewal. A
//! candidate counts from the moment **after** it first saw the record that the renewal made. Both count the same
//! duration on a clock that only goes forward, and no time in the record is ever compared with a clock. So the leader's
//! time is over before any candidate's is, however long the calls took. Every write of the Lease carries the resource
//! version that was read, so of two candidates one is refused.
//!
//! | module | what |
//! |---|---|
//! | [`clock`] | a clock that only goes forward and counts a suspended machine's time |
//! | [`record`] | the Lease as the election sees it |
//! | [`candidacy`], [`tenure`] | the rules before and after winning; pure |
//! | [`fence`], [`fenced`] | whether a write may go out now; the transport that asks |
//! | [`store`] | where the Lease is kept |
//! | [`elector`], [`thread`] | the effects, and the thread they have to themselves |

pub mod candidacy;
pub mod clock;
pub mod elector;
pub mod fence;
pub mod fenced;
pub mod record;
pub mod store;
pub mod tenure;
pub mod thread;

use std::time::Duration;

/// The longest lease that can be asked for, so that no edit of a Lease by hand can keep the others waiting for longer.
pub const LONGEST: Duration = Duration::from_mins(5);

/// The times of an election. All replicas should have the same, but need not: a longer lease in the record is respected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    lease: Duration,
    deadline: Duration,
    retry: Duration,
}

impl Times {
    /// Times that fit together, for writes that take up to `write`.
    ///
    /// # Errors
    /// In words for whoever set them, when they would make an election that is unsafe or never ends.
    pub fn new(
        lease: Duration,
        deadline: Duration,
        retry: Duration,
        write: Duration,
    ) -> Result<Self, BadTimes> {
        let text = humantime::format_duration;
        let wrong = if lease.subsec_nanos() != 0 {
            "the lease duration must be whole seconds, because the Lease says it so".to_owned()
        } else if lease > LONGEST {
            format!("the lease duration must be at most {}", text(LONGEST))
        } else if lease <= deadline {
            "the lease duration must be longer than the renew deadline, or two replicas could lead at once"
                .to_owned()
        } else if deadline <= retry {
            "the renew deadline must be longer than the retry period, or one lost renewal would end leadership"
                .to_owned()
        } else if retry < Duration::from_millis(100) {
            "the retry period must be at least 100ms, to spare the API server".to_owned()
        } else if lease < write + 2 * retry {
            format!(
                "the lease duration must be at least {}: a write to Astra ({}) and two retry periods, or no write could be sure to end in time",
                text(write + 2 * retry),
                text(write)
            )
        } else {
            return Ok(Self { lease, deadline, retry });
        };
        Err(BadTimes(wrong))
    }

    /// How long a record must stand unchanged before somebody else may take over.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// How long after its last renewal a leader goes on, counted from before that was sent.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The time between two renewals, and between two tries of one.
    #[must_use]
    pub const fn retry(&self) -> Duration {
        self.retry
    }

    /// One call to the API server gets this long, so that there is time for another within the deadline.
    #[must_use]
    pub fn call(&self) -> Duration {
        self.deadline / 2
    }
}

impl Default for Times {
    /// 15 s, 10 s and 2 s, as most of Kubernetes has them.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// Times that do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadTimes(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_must_fit_together() {
        let times = |lease, deadline, retry| {
            let millis = Duration::from_millis;
            Times::new(millis(lease), millis(deadline), millis(retry), Duration::from_secs(10))
        };
        assert_eq!(times(15_000, 10_000, 2_000).unwrap(), Times::default());
        assert!(times(300_000, 299_999, 299_998).is_err(), "no room for a write");
        for (lease, deadline, retry, words) in [
            (15_500, 10_000, 2_000, "whole seconds"),
            (301_000, 10_000, 2_000, "at most 5m"),
            (15_000, 15_000, 2_000, "longer than the renew deadline"),
            (15_000, 2_000, 2_000, "longer than the retry period"),
            (15_000, 10_000, 99, "at least 100ms"),
            (13_000, 10_000, 2_000, "at least 14s"),
        ] {
            let error = times(lease, deadline, retry).unwrap_err().to_string();
            assert!(error.contains(words), "{lease} {deadline} {retry}: {error}");
        }
    }
}
