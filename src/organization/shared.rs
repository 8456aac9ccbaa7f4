//! A reading that many share: everyone gets one that is no older than they need, and nobody reads what another is
//! reading already.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use astra_devops::Error;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared as SharedFuture},
};
use tokio::time::{Instant, sleep_until};

type Outcome<T> = Option<Result<Arc<T>, Arc<Error>>>;

/// A reading under way.
struct Reading<T> {
    /// Tells it from one that began at the same instant.
    serial: u64,
    began: Instant,
    outcome: SharedFuture<BoxFuture<'static, Outcome<T>>>,
}

// Not derived: that would demand `T: Clone`.
impl<T> Clone for Reading<T> {
    fn clone(&self) -> Self {
        Self { serial: self.serial, began: self.began, outcome: self.outcome.clone() }
    }
}

/// The last reading of something, and the one under way.
pub struct Shared<T> {
    pace: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    last: Option<(Instant, Arc<T>)>,
    /// Kept after it failed, for the pace of the next one.
    last_began: Option<Instant>,
    running: Option<Reading<T>>,
    serial: u64,
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// Nothing was read yet. `pace` is the least time between the beginnings of two readings.
    #[must_use]
    pub fn new(pace: Duration) -> Self {
        Self { pace, state: Mutex::new(State { last: None, last_began: None, running: None, serial: 0 }) }
    }

    /// A reading that began at or after `not_before`: the last one, the one under way, or a new one.
    ///
    /// # Errors
    /// What the reading failed with, for everybody who waited for it. A failure is not kept for those who come later.
    pub async fn no_older_than<F>(&self, not_before: Instant, read: F) -> Result<Arc<T>, Arc<Error>>
    where
        F: Fn() -> BoxFuture<'static, Result<T, Error>>,
    {
        loop {
            let reading = {
                let mut state = self.lock();
                if let Some((began, value)) = &state.last
                    && *began >= not_before
                {
                    return Ok(value.clone());
                }
                match &state.running {
                    Some(running) => running.clone(),
                    None => state.start(self.pace, read()),
                }
            };
            let outcome = reading.outcome.clone().await;
            self.finish(&reading, outcome.as_ref());
            match outcome {
                // A reading that began too early tells nothing to this caller, not even by failing.
                Some(result) if reading.began >= not_before => return result,
                _ => {}
            }
        }
    }

    fn finish(&self, reading: &Reading<T>, outcome: Option<&Result<Arc<T>, Arc<Error>>>) {
        let mut state = self.lock();
        if state.running.as_ref().is_some_and(|running| running.serial == reading.serial) {
            state.running = None;
            state.last_began = Some(reading.began);
            if let Some(Ok(value)) = outcome {
                state.last = Some((reading.began, value.clone()));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> State<T> {
    /// Starts a reading as a task of its own, so that it goes on if the first one to ask for it goes away.
    fn start(&mut self, pace: Duration, read: BoxFuture<'static, Result<T, Error>>) -> Reading<T> {
        let now = Instant::now();
        let began = self.last_began.map_or(now, |last| now.max(last + pace));
        let task = tokio::spawn(async move {
            // Even a sleep until now takes as long as the timer's next tick.
            if began > now {
                sleep_until(began).await;
            }
            read.await.map(Arc::new).map_err(Arc::new)
        });
        self.serial += 1;
        let reading = Reading { serial: self.serial, began, outcome: task.map(Result::ok).boxed().shared() };
        self.running = Some(reading.clone());
        reading
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const READ: Duration = Duration::from_millis(100);

    /// Counts readings; each takes 100 ms.
    fn counter() -> (Arc<AtomicU32>, impl Fn() -> BoxFuture<'static, Result<u32, Error>>) {
        let count = Arc::new(AtomicU32::new(0));
        let read = {
            let count = count.clone();
            move || {
                let count = count.clone();
                async move {
                    let n = count.fetch_add(1, Ordering::SeqCst) + 1;
                    tokio::time::sleep(READ).await;
                    Ok(n)
                }
                .boxed()
            }
        };
        (count, read)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_together_share_one_reading() {
        let shared = Shared::new(Duration::ZERO);
        let (count, read) = counter();
        let start = Instant::now();
        let all = futures::future::join_all((0..100).map(|_| shared.no_older_than(start, &read))).await;
        assert!(all.into_iter().all(|result| *result.unwrap() == 1));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_under_way_is_too_old_for_who_wrote_after_it_began() {
        let shared = Shared::new(Duration::ZERO);
        let (_, read) = counter();
        let early = shared.no_older_than(Instant::now(), &read);
        let late = async {
            tokio::time::sleep(READ / 2).await;
            shared.no_older_than(Instant::now(), &read).await
        };
        let (early, late) = futures::join!(early, late);
        assert_eq!((*early.unwrap(), *late.unwrap()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn readings_keep_their_pace_and_serve_all_who_came_meanwhile() {
        let shared = Shared::new(Duration::from_secs(1));
        let (count, read) = counter();
        let start = Instant::now();
        let ask = |after: u64| {
            let (shared, read) = (&shared, &read);
            async move {
                tokio::time::sleep(Duration::from_millis(after)).await;
                shared.no_older_than(Instant::now(), read).await.map(|n| *n).unwrap()
            }
        };
        let found = futures::future::join_all([0, 150, 300, 900].map(ask)).await;
        assert_eq!(found, [1, 2, 2, 2]);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert_eq!(start.elapsed(), Duration::from_secs(1) + READ);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_goes_on_when_its_first_asker_is_gone() {
        let shared = Shared::new(Duration::ZERO);
        let (count, read) = counter();
        let start = Instant::now();
        let gone = tokio::time::timeout(READ / 2, shared.no_older_than(start, &read)).await;
        assert!(gone.is_err());
        assert_eq!(*shared.no_older_than(start, &read).await.unwrap(), 1);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_those_who_waited_and_then_forgotten() {
        let shared = Shared::<u32>::new(Duration::ZERO);
        let fail =
            || async { Err(Error::Silenced { call: "GET /".into(), wait: Duration::from_secs(1) }) }.boxed();
        assert!(shared.no_older_than(Instant::now(), fail).await.is_err());
        assert_eq!(*shared.no_older_than(Instant::now(), || async { Ok(7) }.boxed()).await.unwrap(), 7);
    }
}
