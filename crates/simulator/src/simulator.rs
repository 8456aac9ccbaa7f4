//! The simulator in process: a world, a clock, and the way of a request through both.

use std::{
    borrow::Borrow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use astra_devops::{Answer, Call, Token, Transport, error::Sent, transport::TransportError};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    clock::{Clock, TokioClock, later},
    events::{Event, EventError},
    faults::Fault,
    invariants::{Times, Violation, Watch},
    journal::Recorded,
    state::State,
    wire::{Request, Response},
    world::World,
};

/// The seed that is used when no other is given.
pub const SEED: u64 = 1;

/// A running simulator. Clones share one world.
///
/// It is a [`Transport`], so a client of the API can be answered without a socket. All waiting is on tokio's clock:
/// under a paused runtime the simulator lives in virtual time.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    latency: Mutex<Duration>,
    clock: Arc<dyn Clock>,
}

impl Simulator {
    /// A simulator whose clock starts now and follows tokio's.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self::with_clock(state, Arc::new(TokioClock::starting_at(Timestamp::now())))
    }

    /// A simulator with this clock.
    #[must_use]
    pub fn with_clock(state: State, clock: Arc<dyn Clock>) -> Self {
        Self::of(World::new(state, SEED), clock)
    }

    /// A simulator of this world.
    #[must_use]
    pub fn of(world: World, clock: Arc<dyn Clock>) -> Self {
        let latency = Mutex::new(Duration::ZERO);
        Self { shared: Arc::new(Shared { world: Mutex::new(world), latency, clock }) }
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.world().journal.clone()
    }

    /// What was asked so far that was no `GET`.
    #[must_use]
    pub fn writes(&self) -> Vec<Recorded> {
        self.world().journal.iter().filter(|recorded| recorded.is_write()).cloned().collect()
    }

    /// Forgets what was asked.
    pub fn clear_requests(&self) {
        self.world().journal.clear();
    }

    /// Has every request looked at from now on, by the [invariants](crate::invariants). Without it nothing is, and it
    /// costs nothing.
    pub fn watch(&self, watch: Watch) {
        self.world().watch(watch);
    }

    /// What was seen that must not be, in order.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.world().violations().to_vec()
    }

    /// Forgets what was seen that must not be.
    pub fn clear_violations(&self) {
        if let Some(watch) = &mut self.world().watch {
            watch.clear();
        }
    }

    /// The state as it truly is, whatever reads see.
    #[must_use]
    pub fn state(&self) -> State {
        let now = self.shared.clock.now();
        self.world().state(now).clone()
    }

    /// Puts another state in its place.
    pub fn put_state(&self, state: State) {
        self.world().put_state(state);
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.world().faults.add(fault);
    }

    /// The faults that are still to strike.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.world().faults.all().to_vec()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Makes an event happen.
    pub fn apply(&self, event: impl Borrow<Event>) -> Result<(), EventError> {
        let now = self.shared.clock.now();
        self.world().apply(now, event.borrow())
    }

    /// Lets reads lag so far behind writes from now on.
    pub fn set_eventual_consistency(&self, lag: Duration) {
        self.world().set_eventual_consistency(lag);
    }

    /// Makes every answer take so long: half of it before the request is looked at, half after.
    pub fn set_latency(&self, latency: Duration) {
        *self.shared.latency.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    /// Answers one request, faults and latency included. `None` is a connection that was dropped.
    pub async fn answer(&self, request: &Request) -> Option<Response> {
        let half = *self.shared.latency.lock().unwrap_or_else(PoisonError::into_inner) / 2;
        let fault = self.world().faults.take(request);
        let delay = fault.as_ref().and_then(|fault| fault.delay).unwrap_or_default();
        let after = fault.as_ref().is_some_and(|fault| fault.after_applying);
        let (way, back) =
            if after { (half, half.saturating_add(delay)) } else { (half.saturating_add(delay), half) };
        let began = self.shared.clock.now();
        pause(way).await;
        let now = self.shared.clock.now();
        let times = Times { began, now, answered: later(now, back) };
        let answer = self.world().perform(times, request, fault.as_ref());
        pause(back).await;
        answer
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // No code that holds the lock can panic; if it did, the world would still be one.
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Transport for Simulator {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            self.answer(&Request::of(token, call)).await.map(Answer::from).ok_or_else(|| TransportError {
                what: "the connection was dropped".into(),
                sent: Sent::Maybe,
                source: None,
            })
        })
    }
}

/// Waiting for no time needs no runtime.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
