//! A replica's clocks: one that goes forward, at a rate of its own, and one that jumps.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use astra_operator::leader::clock::{Clock, Moment};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::gate::Gate;

/// The clocks of one machine.
pub(crate) struct MachineClock {
    start: Instant,
    /// Machines were not started at the same time.
    boot: Duration,
    rate: f64,
    jump: Mutex<SignedDuration>,
    /// As `CLOCK_MONOTONIC` does while a machine is suspended. Only a planted bug has it.
    stands_still_with: Option<Arc<Gate>>,
}

impl MachineClock {
    pub(crate) fn new(boot: Duration, rate: f64, stands_still_with: Option<Arc<Gate>>) -> Self {
        Self { start: Instant::now(), boot, rate, jump: Mutex::default(), stands_still_with }
    }

    /// Somebody sets the time of day.
    pub(crate) fn jump(&self, by: SignedDuration) {
        *self.jump.lock().unwrap() += by;
    }

    /// How fast it is.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Moment {
        let still = self.stands_still_with.as_ref().map(|gate| gate.time_shut()).unwrap_or_default();
        Moment::since_boot(self.boot + self.start.elapsed().saturating_sub(still).mul_f64(self.rate))
    }

    fn wall(&self) -> Timestamp {
        let base = Timestamp::from_second(1_800_000_000).unwrap();
        base + SignedDuration::try_from(self.start.elapsed()).unwrap() + *self.jump.lock().unwrap()
    }
}
