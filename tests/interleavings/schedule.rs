//! Who goes on next: drawn from the seed.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::future::LocalBoxFuture;

/// All that is drawn. Clones draw from one sequence.
#[derive(Clone)]
pub(crate) struct Dice(Arc<std::sync::Mutex<fastrand::Rng>>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(std::sync::Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// In `0..n`.
    pub(crate) fn up_to(&self, n: usize) -> usize {
        self.0.lock().unwrap().usize(0..n)
    }

    pub(crate) fn one_in(&self, n: usize) -> bool {
        self.up_to(n) == 0
    }

    /// Lets some time pass, or only the others, or nothing at all.
    pub(crate) async fn pause(&self, most: Duration) {
        match self.up_to(3) {
            0 => {}
            1 => tokio::task::yield_now().await,
            _ => self.sleep(most).await,
        }
    }

    /// Lets some time pass.
    pub(crate) async fn sleep(&self, most: Duration) {
        let micros = u64::try_from(most.as_micros()).unwrap();
        let micros = self.0.lock().unwrap().u64(1..=micros.max(1));
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// One of those that run, woken or not.
struct Woken {
    itself: AtomicBool,
    outer: Waker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.itself.store(true, Ordering::SeqCst);
        self.outer.wake_by_ref();
    }
}

/// Runs all of them to their ends. Of those that were woken, the dice choose who goes on; and between any two steps the
/// runtime may do what it has to.
pub(crate) async fn run<T>(tasks: Vec<LocalBoxFuture<'_, T>>, dice: &Dice) -> Vec<T> {
    let mut running: Vec<Option<LocalBoxFuture<'_, T>>> = tasks.into_iter().map(Some).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    let woken: Rc<RefCell<Vec<Arc<Woken>>>> = Rc::default();
    poll_fn(|outer| {
        let mut woken = woken.borrow_mut();
        if woken.is_empty() {
            woken
                .extend((0..running.len()).map(|_| {
                    Arc::new(Woken { itself: AtomicBool::new(true), outer: outer.waker().clone() })
                }));
        }
        let ready: Vec<usize> = (0..running.len())
            .filter(|n| running[*n].is_some() && woken[*n].itself.load(Ordering::SeqCst))
            .collect();
        if !ready.is_empty() {
            let n = ready[dice.up_to(ready.len())];
            woken[n].itself.store(false, Ordering::SeqCst);
            let waker = Waker::from(woken[n].clone());
            if let Some(task) = &mut running[n]
                && let Poll::Ready(value) = Pin::new(task).poll(&mut Context::from_waker(&waker))
            {
                done[n] = Some(value);
                running[n] = None;
            }
            // One step at a time: the readings are tasks of the runtime.
            outer.waker().wake_by_ref();
        }
        if running.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
