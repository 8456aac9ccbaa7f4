//! The wall clock of a test: it follows tokio's, so that virtual time is the only time there is.

use std::cell::RefCell;

use astra_simulator::{Clock, TokioClock};
use jiff::Timestamp;

thread_local! {
    static CLOCK: RefCell<Option<TokioClock>> = const { RefCell::new(None) };
}

/// Starts this thread's clock, at the same time in every test, and returns it.
pub(crate) fn start() -> TokioClock {
    let clock = TokioClock::starting_at(Timestamp::from_second(1_800_000_000).unwrap());
    CLOCK.with_borrow_mut(|current| *current = Some(clock));
    clock
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    CLOCK.with_borrow(|clock| clock.as_ref().expect("the clock was started").now())
}
