//! Whether a write to the outside may go out now.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Times,
    clock::{Clock, Moment},
};

/// Tells whether this process holds the lease, and for how long at least. Cheap to clone and to ask: one clock and one
/// number.
///
/// The number is a moment, not a yes: when the thread that renews is starved, stopped or dead, the fence closes by
/// itself.
#[derive(Clone)]
pub struct Fence {
    clock: Arc<dyn Clock>,
    times: Times,
    /// When the last successful renewal was sent, in nanoseconds since the start of the machine.
    sent: Arc<AtomicU64>,
}

/// Nothing was renewed yet.
const NEVER: u64 = 0;
/// Nothing will be renewed any more.
const REVOKED: u64 = u64::MAX;

/// This process must not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// It never held the lease, gave it back, or its time is over.
    #[error("this process does not hold the lease that lets it write")]
    NotHeld,
    /// It holds the lease, but the write could end after another process has taken over.
    #[error("this process has not renewed its lease for a while, and the write could outlast it")]
    TooShort,
}

impl Fence {
    /// A fence that is shut.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, times: Times) -> Self {
        Self { clock, times, sent: Arc::new(AtomicU64::new(NEVER)) }
    }

    /// May a write that ends within `needed` go out now?
    ///
    /// # Errors
    /// When it may not. The lease is good until one lease duration after its last successful renewal was **sent**, and
    /// new writes begin only before the renew deadline.
    pub fn check(&self, needed: Duration) -> Result<(), Shut> {
        let sent = self.sent.load(Ordering::Acquire);
        if sent == NEVER || sent == REVOKED {
            return Err(Shut::NotHeld);
        }
        let age = Duration::from_nanos(self.clock.now().as_nanos().saturating_sub(sent));
        if age >= self.times.deadline() {
            Err(Shut::NotHeld)
        } else if age + needed >= self.times.lease() {
            Err(Shut::TooShort)
        } else {
            Ok(())
        }
    }

    /// A renewal that was sent at `sent` succeeded. After [`Fence::revoke`] nothing opens it again.
    pub(super) fn extend(&self, sent: Moment) {
        let sent = sent.as_nanos().clamp(NEVER + 1, REVOKED - 1);
        // A larger number is a later renewal, and the largest is the end of all: the maximum of both is always right.
        self.sent.fetch_max(sent, Ordering::AcqRel);
    }

    /// Shuts it for good.
    pub(super) fn revoke(&self) {
        self.sent.store(REVOKED, Ordering::Release);
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fence").field("check", &self.check(Duration::ZERO)).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use jiff::Timestamp;

    use super::*;

    /// A clock that is set by hand.
    pub(in super::super) struct Hand(Mutex<Duration>);

    impl Hand {
        pub(in super::super) fn at(seconds: u64) -> Arc<Self> {
            Arc::new(Self(Mutex::new(Duration::from_secs(seconds))))
        }

        pub(in super::super) fn set(&self, millis: u64) {
            *self.0.lock().unwrap() = Duration::from_millis(millis);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Moment {
            Moment::since_boot(*self.0.lock().unwrap())
        }

        fn wall(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    #[test]
    fn it_is_open_while_the_write_ends_within_the_lease() {
        let clock = Hand::at(100);
        let fence = Fence::new(clock.clone(), Times::default());
        let check = |millis, needed| {
            clock.set(millis);
            fence.check(Duration::from_secs(needed))
        };
        assert_eq!(check(100_000, 0), Err(Shut::NotHeld), "before the first claim");
        fence.extend(clock.now());
        for (millis, needed, expected) in [
            (100_000, 10, Ok(())),
            (104_999, 10, Ok(())),
            (105_000, 10, Err(Shut::TooShort)),
            (109_999, 5, Ok(())),
            (109_999, 0, Ok(())),
            (110_000, 0, Err(Shut::NotHeld)),
            (200_000, 0, Err(Shut::NotHeld)),
        ] {
            assert_eq!(check(millis, needed), expected, "{millis} {needed}");
        }
    }

    #[test]
    fn once_revoked_nothing_opens_it_again() {
        let clock = Hand::at(100);
        let fence = Fence::new(clock.clone(), Times::default());
        fence.extend(clock.now());
        fence.clone().revoke();
        fence.extend(clock.now());
        assert_eq!(fence.check(Duration::ZERO), Err(Shut::NotHeld));
    }

    #[test]
    fn an_older_renewal_shortens_nothing() {
        let clock = Hand::at(108);
        let fence = Fence::new(clock.clone(), Times::default());
        fence.extend(clock.now());
        fence.extend(Moment::since_boot(Duration::from_secs(100)));
        clock.set(117_000);
        assert_eq!(fence.check(Duration::ZERO), Ok(()));
    }
}
