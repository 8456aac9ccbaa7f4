//! Where the operator's process dies: at which of its effects on the outside, and at which moment of it.

use std::{
    collections::VecDeque,
    future::{Future, pending},
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
    /// The answer was read, and nothing was done after it.
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
    deaths: usize,
    plan: VecDeque<(usize, Moment)>,
    dead: bool,
}

impl Fuse {
    /// Dies at the effects in `plan`, each counted from the death before it.
    pub(crate) fn new(plan: impl IntoIterator<Item = (usize, Moment)>) -> Self {
        let state = State { plan: plan.into_iter().collect(), ..State::default() };
        Self { state: Mutex::new(state), burnt: Notify::new() }
    }

    /// Does it end the process at all?
    pub(crate) fn is_planned(&self) -> bool {
        self.with(|state| !state.plan.is_empty() || state.deaths > 0)
    }

    /// How many effects there were in all.
    pub(crate) fn effects(&self) -> usize {
        self.with(|state| state.total)
    }

    /// Waits until the process is dead.
    pub(crate) async fn burnt(&self) {
        self.burnt.notified().await;
    }

    /// A new process begins.
    pub(crate) fn renew(&self) {
        self.with(|state| {
            state.dead = false;
            state.count = 0;
        });
    }

    /// A dead process never gets past here.
    pub(crate) async fn alive(&self) {
        if self.with(|state| state.dead) {
            self.burnt.notify_one();
            pending::<()>().await;
        }
    }

    /// Carries out one effect, or dies at it.
    pub(crate) async fn effect<T>(&self, effect: impl Future<Output = T>) -> T {
        self.alive().await;
        let moment = self.with(|state| {
            state.count += 1;
            state.total += 1;
            let (at, moment) = *state.plan.front()?;
            (at == state.count).then(|| {
                state.plan.pop_front();
                state.dead = true;
                state.deaths += 1;
                moment
            })
        });
        if moment == Some(Moment::BeforeSending) {
            self.alive().await;
        }
        let answer = effect.await;
        if moment == Some(Moment::AnswerLost) {
            self.alive().await;
        }
        answer
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
