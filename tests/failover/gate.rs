//! Stopping a process without its noticing, as SIGSTOP, a debugger or a hypervisor does.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Mutex,
    task::{Poll, Waker},
    time::Duration,
};

use tokio::time::Instant;

/// What goes through it stands still while it is shut; time goes on.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    shut: Option<Instant>,
    before: Duration,
    waker: Option<Waker>,
}

impl Gate {
    pub(crate) fn shut(&self) {
        self.0.lock().unwrap().shut.get_or_insert_with(Instant::now);
    }

    pub(crate) fn open(&self) {
        let mut state = self.0.lock().unwrap();
        if let Some(since) = state.shut.take() {
            state.before += since.elapsed();
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// How long it has been shut in all.
    pub(crate) fn time_shut(&self) -> Duration {
        let state = self.0.lock().unwrap();
        state.before + state.shut.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// Runs `process` while the gate is open.
    pub(crate) async fn through<T>(&self, process: impl Future<Output = T>) -> T {
        let mut process = pin!(process);
        poll_fn(|context| {
            {
                let mut state = self.0.lock().unwrap();
                state.waker = Some(context.waker().clone());
                if state.shut.is_some() {
                    return Poll::Pending;
                }
            }
            process.as_mut().poll(context)
        })
        .await
    }
}
