//! Wins the lease, keeps it, gives it back. All effects of the election are here, and none of its rules.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Times,
    candidacy::{Candidacy, Next},
    clock::Clock,
    fence::Fence,
    record::Record,
    store::{Store, StoreError},
    tenure::{Lost, Tenure},
};

/// How the election stands for this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The Lease could not be read yet.
    Looking,
    /// Somebody else holds the lease, or did until lately.
    Waiting {
        /// Who; nobody when the Lease is not there, or names nobody.
        holder: Option<String>,
    },
    /// This process holds it.
    Leading,
    /// It never will: what a person has to do.
    Hopeless(String),
}

/// Giving the lease back must not keep the process from ending.
const RELEASE: Duration = Duration::from_secs(3);

/// One replica's part in the election.
pub struct Elector<S> {
    store: S,
    clock: Arc<dyn Clock>,
    times: Times,
    identity: String,
    fence: Fence,
    standing: watch::Sender<Standing>,
    tenure: Option<Tenure>,
}

impl<S: Store> Elector<S> {
    /// A replica called `identity`, which no other may be called, not even its own successor. It opens `fence`.
    #[must_use]
    pub fn new(store: S, clock: Arc<dyn Clock>, times: Times, identity: String, fence: Fence) -> Self {
        let standing = watch::Sender::new(Standing::Looking);
        Self { store, clock, times, identity, fence, standing, tenure: None }
    }

    /// Tells how it stands.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Waits until this replica holds the lease. Then the fence is open.
    ///
    /// # Errors
    /// In words for a person, when waiting would not help: a right is missing.
    pub async fn campaign(&mut self) -> Result<(), String> {
        let mut candidacy = Candidacy::new(self.identity.clone(), self.times);
        let mut answered = false;
        loop {
            let record = match self.call(self.times.call(), self.store.read()).await {
                Ok(record) => record,
                // Rights that are taken away later may come back; those that were never there do not.
                Err(StoreError::Refused(words)) if !answered => return Err(self.hopeless(words)),
                Err(error) => {
                    tracing::warn!(%error, "the Lease cannot be read, and is tried again");
                    sleep(self.times.retry()).await;
                    continue;
                }
            };
            answered = true;
            let next = candidacy.look(record.as_ref(), self.clock.now());
            let tried = match (next, record) {
                (Next::Wait(left), record) => {
                    self.waiting(record.as_ref());
                    sleep(left.min(self.poll())).await;
                    continue;
                }
                (Next::Claim, Some(record)) => self.claim(&mut candidacy, &record).await,
                (Next::Make, _) | (Next::Claim, None) => self.make().await,
            };
            match tried {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Another try begins with another look.
                Err(StoreError::Conflict) => sleep(self.times.retry() / 8).await,
                Err(StoreError::Refused(words)) => return Err(self.hopeless(words)),
                Err(error) => {
                    tracing::warn!(%error, "the Lease cannot be written, and is tried again");
                    sleep(self.times.retry() / 2).await;
                }
            }
        }
    }

    /// Keeps the lease, which was won before, until it is lost; then the fence is shut. May be dropped at any moment.
    pub async fn keep(&mut self) -> Lost {
        let lost = loop {
            let Some(mut tenure) = self.tenure.clone() else { break Lost::Never };
            sleep(tenure.due().since(self.clock.now())).await;
            if let Err(lost) = self.renew(&mut tenure).await {
                break lost;
            }
            self.tenure = Some(tenure);
        };
        self.fence.revoke();
        self.tenure = None;
        lost
    }

    /// Gives the lease back, if it is held, so that another replica need not wait for its end. The fence is shut before.
    pub async fn release(&mut self) {
        self.fence.revoke();
        let Some(tenure) = self.tenure.take() else { return };
        match timeout(RELEASE, self.give_back(tenure)).await {
            Ok(Ok(())) => tracing::info!("the lease is given back"),
            Ok(Err(lost)) => tracing::warn!("the lease was not given back: {lost}"),
            Err(_) => tracing::warn!(
                "the API server did not take the lease back in time; another replica waits for its end"
            ),
        }
    }

    async fn give_back(&self, mut tenure: Tenure) -> Result<(), Lost> {
        while let Err(error) = self.store.replace(tenure.release(self.clock.wall())).await {
            tracing::debug!(%error, "giving the lease back is tried again");
            sleep(self.times.retry() / 8).await;
            // A renewal may have been under way when the end came.
            if let Ok(record) = self.store.read().await {
                tenure.read(record)?;
            }
        }
        Ok(())
    }

    /// Makes a Lease that nobody holds. That wins nothing.
    async fn make(&self) -> Result<bool, StoreError> {
        let blank = self.store.blank();
        self.call(self.times.call(), self.store.create(blank)).await.map(|_| false)
    }

    /// Writes a claim. Whether it won.
    async fn claim(&mut self, candidacy: &mut Candidacy, record: &Record) -> Result<bool, StoreError> {
        let claim = candidacy.claim(record, self.clock.wall());
        let sent = self.clock.now();
        let record = self.call(self.times.call(), self.store.replace(claim)).await?;
        let tenure = Tenure::new(self.identity.clone(), self.times, record, sent);
        // A process that slept meanwhile claims it again: its time would be over before it began.
        if tenure.left(self.clock.now()).is_zero() {
            return Ok(false);
        }
        self.tenure = Some(tenure);
        self.fence.extend(sent);
        self.standing.send_replace(Standing::Leading);
        Ok(true)
    }

    /// Renews once, however many tries that takes, or loses.
    async fn renew(&self, tenure: &mut Tenure) -> Result<(), Lost> {
        let mut last = "none was made: the process was stopped or starved".to_owned();
        loop {
            let left = tenure.left(self.clock.now());
            if left.is_zero() {
                return Err(tenure.late(&last));
            }
            let sent = self.clock.now();
            let write = self.store.replace(tenure.renewal(self.clock.wall()));
            match self.call(left.min(self.times.call()), write).await {
                Ok(record) => {
                    tenure.renewed(record, sent, self.clock.now())?;
                    self.fence.extend(sent);
                    return Ok(());
                }
                Err(StoreError::Conflict) => {
                    last = StoreError::Conflict.to_string();
                    self.read_again(tenure).await?;
                    self.pause(tenure, self.times.retry() / 8).await;
                }
                Err(error) => {
                    last = error.to_string();
                    tracing::warn!(%error, left = ?tenure.left(self.clock.now()), "renewing the lease failed, and is tried again");
                    self.pause(tenure, self.times.retry() / 2).await;
                }
            }
        }
    }

    /// Something else was written than this replica knows of: is it still in the Lease?
    async fn read_again(&self, tenure: &mut Tenure) -> Result<(), Lost> {
        let left = tenure.left(self.clock.now()).min(self.times.call());
        match self.call(left, self.store.read()).await {
            Ok(record) => tenure.read(record),
            Err(error) => {
                tracing::warn!(%error, "the Lease cannot be read again");
                Ok(())
            }
        }
    }

    /// Never sleeps past the end of the tenure.
    async fn pause(&self, tenure: &Tenure, pause: Duration) {
        sleep(tenure.left(self.clock.now()).min(pause)).await;
    }

    async fn call<T>(
        &self,
        within: Duration,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        timeout(within, call).await.unwrap_or_else(|_| {
            let within = within.as_secs_f32();
            Err(StoreError::Failed(format!("the Kubernetes API did not answer within {within:.1} s")))
        })
    }

    /// About every second at the default times, so that a lease that was given back is taken within two. Jittered, so
    /// that replicas do not ask in step.
    fn poll(&self) -> Duration {
        self.times.retry().mul_f64(0.4 + 0.2 * fastrand::f64())
    }

    fn waiting(&self, record: Option<&Record>) {
        let holder = record.and_then(Record::holder).map(ToOwned::to_owned);
        let standing = Standing::Waiting { holder };
        self.standing.send_if_modified(|before| {
            let changed = *before != standing;
            if changed {
                tracing::info!("{standing}");
                *before = standing;
            }
            changed
        });
    }

    fn hopeless(&self, words: String) -> String {
        self.standing.send_replace(Standing::Hopeless(words.clone()));
        words
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Looking => f.write_str("looking for the lease"),
            Self::Waiting { holder: Some(holder) } => write!(f, "waiting for the lease held by {holder}"),
            Self::Waiting { holder: None } => {
                f.write_str("waiting for the lease, which nobody holds but somebody may have held until now")
            }
            Self::Leading => f.write_str("holding the lease"),
            Self::Hopeless(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::{FutureExt, future::BoxFuture};
    use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};

    use super::*;
    use crate::leader::fence::tests::Hand;

    /// Tells of a Lease that somebody holds, so often; then the right to read it is taken away.
    struct Refusing {
        answers: AtomicUsize,
    }

    impl Store for Refusing {
        fn read(&self) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
            let left =
                self.answers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let spec = LeaseSpec { holder_identity: Some("other".to_owned()), ..LeaseSpec::default() };
            let held = Record::from(Lease { spec: Some(spec), ..Lease::default() });
            let answer = left.map(|_| Some(held)).map_err(|_| StoreError::Refused("no right".to_owned()));
            std::future::ready(answer).boxed()
        }

        fn create(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
            std::future::ready(Ok(record)).boxed()
        }

        fn replace(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
            std::future::ready(Ok(record)).boxed()
        }

        fn blank(&self) -> Record {
            Record::named("team", "lease")
        }
    }

    /// What comes of a campaign within an hour, when the Lease can be read so often.
    async fn campaign(answers: usize) -> (Option<Result<(), String>>, Standing) {
        let clock = Hand::at(100);
        let fence = Fence::new(clock.clone(), Times::default());
        let store = Refusing { answers: AtomicUsize::new(answers) };
        let mut elector = Elector::new(store, clock, Times::default(), "me".to_owned(), fence);
        let came_of_it = timeout(Duration::from_hours(1), elector.campaign()).await.ok();
        (came_of_it, elector.standing().borrow().clone())
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_that_was_never_there_is_hopeless_and_one_that_was_taken_away_may_come_back() {
        let words = || "no right".to_owned();
        assert_eq!(campaign(0).await, (Some(Err(words())), Standing::Hopeless(words())));
        let waiting = Standing::Waiting { holder: Some("other".to_owned()) };
        assert_eq!(campaign(1).await, (None, waiting));
    }

    #[test]
    fn a_standing_is_told_in_words() {
        for (standing, words) in [
            (Standing::Looking, "looking for the lease"),
            (Standing::Waiting { holder: Some("pod-1".to_owned()) }, "waiting for the lease held by pod-1"),
            (
                Standing::Waiting { holder: None },
                "waiting for the lease, which nobody holds but somebody may have held until now",
            ),
            (Standing::Leading, "holding the lease"),
            (Standing::Hopeless("no right".to_owned()), "no right"),
        ] {
            assert_eq!(standing.to_string(), words);
        }
    }
}
