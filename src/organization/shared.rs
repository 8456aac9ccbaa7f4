//! A reading that many share: everyone gets one that is no older than they need, and nobody reads what another is
//! reading already.
//!
//! Readings keep a pace. While very many wait for the next one because very many write, each reading waits twice as long as
//! the one before, so that a roll-out of ten thousand objects takes a handful of them; as soon as nobody is at work any more,
//! or few wait, the pace is the first one again.

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

/// More askers than this between two readings are a crowd.
const CROWD: usize = 16;

/// The longest pause between two readings that a crowd waits for.
const LONGEST: Duration = Duration::from_secs(30);

/// So long a reading that failed tells everybody the same: what fails for one fails for all, and thousands of objects must
/// not each begin a reading to find that out.
const FAILED_FOR: Duration = Duration::from_secs(1);

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
    /// When the last one began and ended, and how it failed.
    failed: Option<(Instant, Instant, Arc<Error>)>,
    /// Kept after it failed, for the pace of the next one.
    last_began: Option<Instant>,
    running: Option<Reading<T>>,
    serial: u64,
    /// How many have asked since the last one began, and did not have it at once.
    asked: usize,
    /// How many wait for one that is not theirs to begin yet.
    waiting: usize,
    /// The least time between two readings while many write.
    interval: Duration,
}

impl<T> State<T> {
    fn new(pace: Duration) -> Self {
        Self {
            last: None,
            failed: None,
            last_began: None,
            running: None,
            serial: 0,
            asked: 0,
            waiting: 0,
            interval: pace,
        }
    }

    /// The last reading's result, if it tells something to who needs one from `not_before` on.
    fn known(&self, not_before: Instant, now: Instant) -> Option<Result<Arc<T>, Arc<Error>>> {
        if let Some((began, value)) = &self.last
            && *began >= not_before
        {
            return Some(Ok(value.clone()));
        }
        let (began, ended, error) = self.failed.as_ref()?;
        (*began >= not_before && now.duration_since(*ended) < FAILED_FOR).then(|| Err(error.clone()))
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// Nothing was read yet. `pace` is the least time between the beginnings of two readings.
    #[must_use]
    pub fn new(pace: Duration) -> Self {
        Self { pace, state: Mutex::new(State::new(pace)) }
    }

    /// How long until who needs a reading from `not_before` on can have one, or can have it begun. While others are
    /// `at_work`, a crowd waits longer than the pace.
    pub fn wait(&self, not_before: Instant, at_work: bool) -> Duration {
        let now = Instant::now();
        let state = self.lock();
        if state.known(not_before, now).is_some() {
            return Duration::ZERO;
        }
        let interval = if at_work { state.interval } else { self.pace };
        let due = match &state.running {
            Some(running) if running.began >= not_before => running.began,
            Some(running) => running.began + interval,
            None => state.last_began.map_or(now, |began| began + interval),
        };
        due.saturating_duration_since(now)
    }

    /// The last reading, however old it is.
    pub fn last(&self) -> Option<Arc<T>> {
        self.lock().last.as_ref().map(|(_, value)| value.clone())
    }

    /// Counts one that waits, as long as this lives.
    pub fn waiter(&self) -> Waiter<'_, T> {
        self.lock().waiting += 1;
        Waiter(self)
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// How far apart readings are now that a crowd waits for.
    pub fn interval(&self) -> Duration {
        self.lock().interval
    }

    /// A reading that began at or after `not_before`: the last one, the one under way, or a new one.
    ///
    /// # Errors
    /// What the reading failed with, for everybody who waited for it, and for a second for those who come later and would
    /// have been content with it.
    pub async fn no_older_than<F>(&self, not_before: Instant, read: F) -> Result<Arc<T>, Arc<Error>>
    where
        F: Fn() -> BoxFuture<'static, Result<T, Error>>,
    {
        loop {
            let reading = {
                let mut state = self.lock();
                if let Some(known) = state.known(not_before, Instant::now()) {
                    return known;
                }
                state.asked += 1;
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
            let now = Instant::now();
            match outcome {
                Some(Ok(value)) => {
                    state.last = Some((reading.began, value.clone()));
                    state.failed = None;
                }
                Some(Err(error)) => state.failed = Some((reading.began, now, error.clone())),
                None => {}
            }
        }
    }
}

impl<T> Shared<T> {
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
        let crowd = self.asked.max(self.waiting) > CROWD;
        self.interval = if crowd { (self.interval * 2).min(LONGEST.max(pace)) } else { pace };
        self.asked = 0;
        let reading = Reading { serial: self.serial, began, outcome: task.map(Result::ok).boxed().shared() };
        self.running = Some(reading.clone());
        reading
    }
}

/// One that waits for a reading.
pub struct Waiter<'a, T>(&'a Shared<T>);

impl<T> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
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
        let start = Instant::now();
        assert!(shared.no_older_than(start, fail).await.is_err());
        let seven = || async { Ok(7) }.boxed();
        tokio::time::advance(FAILED_FOR / 2).await;
        assert!(shared.no_older_than(start, seven).await.is_err(), "it would find the same");
        assert_eq!(*shared.no_older_than(Instant::now(), seven).await.unwrap(), 7, "it needs a newer one");
        let fail =
            || async { Err(Error::Silenced { call: "GET /".into(), wait: Duration::from_secs(1) }) }.boxed();
        tokio::time::advance(FAILED_FOR).await;
        let later = Instant::now();
        assert!(shared.no_older_than(later, fail).await.is_err());
        tokio::time::advance(FAILED_FOR).await;
        assert_eq!(*shared.no_older_than(later, seven).await.unwrap(), 7, "long enough ago");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_writes_waits_longer_and_longer_and_nobody_waits_when_it_is_over() {
        let pace = Duration::from_millis(500);
        let shared = Shared::new(pace);
        let (count, read) = counter();
        let mut began = Vec::new();
        let start = Instant::now();
        while start.elapsed() < Duration::from_mins(1) {
            let now = Instant::now();
            let _crowd: Vec<_> = (0..=CROWD).map(|_| shared.waiter()).collect();
            tokio::time::sleep(shared.wait(now, true)).await;
            began.push(start.elapsed().as_secs());
            shared.no_older_than(now, &read).await.unwrap();
        }
        assert_eq!(began, [0, 1, 3, 7, 15, 31, 61]);
        assert_eq!(count.load(Ordering::SeqCst) as usize, began.len());
        let now = Instant::now();
        assert!(shared.wait(now, true) > Duration::from_secs(29));
        assert!(shared.wait(now, false) <= pace, "all was written");
        tokio::time::sleep(LONGEST).await;
        // One alone: the next waits no longer than the pace.
        shared.no_older_than(Instant::now(), &read).await.unwrap();
        assert!(shared.wait(Instant::now(), true) <= 2 * pace);
    }
}
