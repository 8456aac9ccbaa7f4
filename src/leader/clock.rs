//! A clock that only goes forward and counts a suspended machine's time, and the wall clock, which is only ever written
//! down.

use std::{ops::Add, time::Duration};

use jiff::Timestamp;

/// A point in time, as time since the machine was started.
///
/// Not [`std::time::Instant`]: on Linux that stands still while the machine is suspended, and a laptop or a virtual
/// machine that sleeps for an hour would wake up with a lease that looks fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The moment so long after the start of the machine.
    #[must_use]
    pub const fn since_boot(duration: Duration) -> Self {
        Self(duration)
    }

    /// How long after `earlier` it is; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds since the start of the machine: enough for 584 years.
    pub(super) fn as_nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// What an election needs to know of time.
pub trait Clock: Send + Sync {
    /// Now, for everything that is decided.
    fn now(&self) -> Moment;

    /// The time of day, for people who read the Lease. Nothing is decided by it.
    fn wall(&self) -> Timestamp;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        #[cfg(target_os = "linux")]
        let clock = rustix::time::ClockId::Boottime;
        // Elsewhere (macOS) the monotonic clock counts a suspended machine's time already.
        #[cfg(not(target_os = "linux"))]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        // Neither part is ever negative for this clock; were it, a time of zero would end leadership, not extend it.
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Moment(Duration::new(seconds, nanos))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clock_goes_forward_with_real_time() {
        let (real, clock) = (std::time::Instant::now(), SystemClock.now());
        std::thread::sleep(Duration::from_millis(20));
        let clock = SystemClock.now().since(clock);
        let real = real.elapsed();
        assert!(clock >= Duration::from_millis(20), "{clock:?}");
        assert!(clock <= real, "{clock:?} is within {real:?}, which was started before it and read after it");
    }
}
