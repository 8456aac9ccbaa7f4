//! The state machine. It has no clock and sends nothing: time and request come in, a response goes out.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    areas, auth,
    clock::later,
    consistency::History,
    context::{Context, Reply},
    events::{Event, EventError},
    faults::{Fault, Faults, Strike},
    invariants::{Looked, Times, Violation, Watch},
    journal::Recorded,
    schedule::Schedule,
    state::State,
    wire::{Request, Response},
};

/// The journal's length: a simulator that runs for days forgets the older half when it is full.
const JOURNAL: usize = 100_000;

/// A simulated world and all that belongs to it.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) journal: Vec<Recorded>,
    /// Who looks at every request; nobody, when nobody asked.
    pub(crate) watch: Option<Box<Watch>>,
    seed: u64,
    schedule: Schedule,
    history: History,
    /// How far [`Event::AdvanceTime`] has moved this world's time before the clock's.
    ahead: Duration,
}

impl World {
    /// A world in this state. Names that the service makes up follow from the seed.
    #[must_use]
    pub fn new(state: State, seed: u64) -> Self {
        Self {
            state,
            faults: Faults::default(),
            journal: Vec::new(),
            watch: None,
            seed,
            schedule: Schedule::default(),
            history: History::default(),
            ahead: Duration::ZERO,
        }
    }

    /// Answers one request, as the API does. No fault strikes and nothing is recorded.
    pub fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        let now = self.arrive(now);
        let decoded = request.segments();
        let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let reply = self.route(now, request, &path);
        self.history.record(now, &self.state);
        reply.unwrap_or_else(|response| response)
    }

    fn route(&mut self, now: Timestamp, request: &Request, path: &[&str]) -> Reply {
        let route = areas::find(request, path)?;
        let organization = auth::check(&self.state, request, &route)?;
        // A read of the past works on a copy, which nothing is kept of.
        let reads = request.method == astra_devops::Method::Get;
        let mut past = if reads { self.history.seen(now).cloned() } else { None };
        let mut context = Context {
            state: past.as_mut().unwrap_or(&mut self.state),
            schedule: &mut self.schedule,
            now,
            seed: self.seed,
            organization: &organization,
            request,
            path,
        };
        (route.handle)(&mut context)
    }

    /// Answers one request, or lets a fault that was taken for it strike, and records it. `None` is no answer.
    pub(crate) fn perform(
        &mut self,
        times: Times,
        request: &Request,
        fault: Option<&Fault>,
    ) -> Option<Response> {
        let now = times.now;
        let strike = fault.map_or(Strike::Nothing, Fault::strike);
        let applied = strike == Strike::Nothing || fault.is_some_and(|fault| fault.after_applying);
        let decoded = if self.watch.is_some() { request.segments() } else { Vec::new() };
        let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let before = self.watch.is_some().then(|| {
            // What was due before the request is none of its doing.
            self.arrive(now);
            Watch::before(request.method, &path, &self.state)
        });
        let answer = applied.then(|| self.handle(now, request));
        let is_own = strike == Strike::Nothing;
        let answer = match strike {
            Strike::Nothing => answer,
            Strike::Answer(response) => Some(response),
            Strike::Reset => None,
        };
        let status = answer.as_ref().map(|response| response.status);
        if self.journal.len() >= JOURNAL {
            self.journal.drain(..JOURNAL / 2);
        }
        self.journal.push(Recorded::of(later(now, self.ahead), request, status, applied));
        if let (Some(watch), Some(before)) = (&mut self.watch, before) {
            watch.look(&Looked {
                request,
                path: &path,
                times: times.ahead(self.ahead),
                lag: self.history.lag(),
                answer: answer.as_ref(),
                is_own,
                before,
                state: &self.state,
            });
        }
        answer
    }

    /// Makes an event happen.
    pub fn apply(&mut self, now: Timestamp, event: &Event) -> Result<(), EventError> {
        if let Event::AdvanceTime(by) = event {
            self.ahead = self.ahead.saturating_add(*by);
        }
        let now = self.arrive(now);
        event.apply(now, &mut self.state)?;
        self.history.record(now, &self.state);
        Ok(())
    }

    /// The state as it truly is now, whatever reads see.
    pub fn state(&mut self, now: Timestamp) -> &State {
        self.arrive(now);
        &self.state
    }

    /// Puts another state in its place. What was on its way to happen does not.
    pub fn put_state(&mut self, state: State) {
        self.state = state;
        self.schedule = Schedule::default();
        self.history.restart(&self.state);
        if let Some(watch) = &mut self.watch {
            watch.restart();
        }
    }

    /// Has every request looked at from now on that comes through a [`Simulator`](crate::Simulator).
    pub fn watch(&mut self, watch: Watch) {
        self.watch = Some(Box::new(watch));
    }

    /// What was seen that must not be; nothing when nobody looks.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.watch.as_ref().map(|watch| watch.violations()).unwrap_or_default()
    }

    /// Lets reads lag so far behind writes.
    pub fn set_eventual_consistency(&mut self, lag: Duration) {
        self.history.set_lag(lag, &self.state);
    }

    /// Makes all changes that are due, each at its own time, and tells this world's time.
    fn arrive(&mut self, now: Timestamp) -> Timestamp {
        let now = later(now, self.ahead);
        while let Some((at, change)) = self.schedule.due(now) {
            change.apply(&mut self.state);
            self.history.record(at, &self.state);
        }
        now
    }
}
