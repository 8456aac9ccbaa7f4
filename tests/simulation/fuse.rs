//! Where the operator's process dies: at which of its effects on the outside, and at which moment of it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;

/// A moment of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The call was not sent.
    BeforeSending,
    /// The call was carried out, and its answer never read.
    AnswerLost,
    /// The answer was read, and no other call sent after it.
    AfterAnswer,
}

/// All moments.
pub(crate) const MOMENTS: [Moment; 3] = [Moment::BeforeSending, Moment::AnswerLost, Moment::AfterAnswer];

/// Counts effects (calls that change Astra or the cluster) and ends the process at the planned ones.
#[derive(Default)]
pub(crate) struct Fuse {
    state: Mutex<State>,
    burnt: Notify,
}

#[derive(Default)]
struct State {
    /// How many effects there were since the last death.
    count: usize,
    total: usize,
    plan: VecDeque<(usize, Moment)>,
    dead: bool,
}

impl Fuse {
    /// Dies at the effects in `plan`, each counted from the death before it.
    pub(crate) fn new(plan: impl IntoIterator<Item = (usize, Moment)>) -> Self {
        let state = State { plan: plan.into_iter().collect(), ..State::default() };
        Self { state: Mutex::new(state), burnt: Notify::new() }
    }

    /// How many effects there were in all.
    pub(crate) fn effects(&self) -> usize {
        self.with(|state| state.total)
    }

    /// Waits until the process is dead.
    pub(crate) async fn burnt(&self) {
        self.burnt.notified().await;
    }

    /// Is the process dead?
    pub(crate) fn is_dead(&self) -> bool {
        self.with(|state| state.dead)
    }

    /// A new process begins.
    pub(crate) fn renew(&self) {
        self.with(|state| {
            state.dead = false;
            state.count = 0;
        });
    }

    /// No death is planned any more.
    pub(crate) fn defuse(&self) {
        self.with(|state| state.plan.clear());
    }

    /// Counts an effect that is about to begin. At which moment of it does the process die, if it does?
    pub(crate) fn count(&self) -> Option<Moment> {
        let moment = self.with(|state| {
            state.count += 1;
            state.total += 1;
            let (at, moment) = *state.plan.front()?;
            (at == state.count).then(|| {
                state.plan.pop_front();
                state.dead = true;
                moment
            })
        });
        if moment.is_some() {
            self.burnt.notify_one();
        }
        moment
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
