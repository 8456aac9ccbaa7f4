//! Eventual consistency: writes count at once, reads see the world as it was a while ago.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

use crate::{clock::earlier, state::State};

/// The world's past, as far back as reads lag behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    lag: Duration,
    past: VecDeque<(Timestamp, State)>,
}

impl History {
    /// Sets how far reads lag behind from now on. Zero: not at all, and nothing is kept.
    pub(crate) fn set_lag(&mut self, lag: Duration, state: &State) {
        self.lag = lag;
        if lag.is_zero() {
            self.past.clear();
        } else if self.past.is_empty() {
            // What was before is not known: it was always like this.
            self.past.push_back((Timestamp::MIN, state.clone()));
        }
    }

    /// How far reads lag behind.
    pub(crate) const fn lag(&self) -> Duration {
        self.lag
    }

    /// Forgets the past: the world was always like this.
    pub(crate) fn restart(&mut self, state: &State) {
        self.past.clear();
        self.set_lag(self.lag, state);
    }

    /// Writes down what the world is like from `at` on.
    pub(crate) fn record(&mut self, at: Timestamp, state: &State) {
        if self.lag.is_zero() || self.past.back().is_some_and(|(_, last)| last == state) {
            return;
        }
        self.past.push_back((at, state.clone()));
        let seen_from = earlier(at, self.lag);
        // Of what is older than any read can see, only the newest is kept.
        while self.past.get(1).is_some_and(|(next, _)| *next <= seen_from) {
            self.past.pop_front();
        }
    }

    /// What a read sees at `now`; `None` is the world as it is.
    pub(crate) fn seen(&self, now: Timestamp) -> Option<&State> {
        let seen_from = earlier(now, self.lag);
        self.past.iter().rev().find(|(at, _)| *at <= seen_from).map(|(_, state)| state)
    }
}
