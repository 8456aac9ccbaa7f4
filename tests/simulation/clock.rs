//! The two clocks of a world: the true one, of the API server and of Astra, and the one on the operator's machine, which
//! may be set wrong.

use std::cell::{Cell, RefCell};

use astra_simulator::{Clock, TokioClock};
use jiff::{SignedDuration, Timestamp};

thread_local! {
    static CLOCK: RefCell<Option<TokioClock>> = const { RefCell::new(None) };
    static WRONG_BY: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// Starts this thread's clocks, at the same time in every world.
pub(crate) fn start() -> TokioClock {
    let clock = TokioClock::starting_at(Timestamp::from_second(1_800_000_000).unwrap());
    CLOCK.with_borrow_mut(|current| *current = Some(clock));
    WRONG_BY.set(SignedDuration::ZERO);
    clock
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    CLOCK.with_borrow(|clock| clock.as_ref().expect("the clock was started").now())
}

/// What time the operator's machine takes it to be.
pub(crate) fn on_the_machine() -> Timestamp {
    now() + WRONG_BY.get()
}

/// Sets the machine's clock.
pub(crate) fn set_wrong_by(hours: i64) {
    WRONG_BY.set(SignedDuration::from_hours(hours));
}
