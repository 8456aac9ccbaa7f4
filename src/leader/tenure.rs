//! The rules for whoever holds the lease. Pure: what the API server said goes in, what to do comes out.

use std::time::Duration;

use jiff::Timestamp;

use super::{Times, clock::Moment, record::Record};

/// A replica that holds the lease.
#[derive(Clone, Debug)]
pub struct Tenure {
    times: Times,
    /// The Lease as it was read or written last.
    record: Record,
    /// When the last renewal that succeeded was sent.
    sent: Moment,
    identity: String,
}

/// Why the lease is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Somebody else is in the Lease now.
    #[error("it is held by {0} now")]
    Taken(String),
    /// Nobody is in it: somebody edited it, or deleted it and another replica made it anew.
    #[error("nobody is in it now: it was edited, or it was deleted")]
    Emptied,
    /// It is not there any more.
    #[error("it was deleted")]
    Deleted,
    /// It was never won.
    #[error("it was never held")]
    Never,
    /// No renewal succeeded in time, or its answer came too late.
    #[error("no renewal succeeded within {} s; the last try: {last}", .deadline.as_secs_f32())]
    Late {
        /// The renew deadline.
        deadline: Duration,
        /// What came of the last try.
        last: String,
    },
}

impl Tenure {
    /// Begins with the claim that was sent at `sent` and came back as `record`.
    #[must_use]
    pub const fn new(identity: String, times: Times, record: Record, sent: Moment) -> Self {
        Self { times, record, sent, identity }
    }

    /// When the next renewal is to be sent.
    #[must_use]
    pub fn due(&self) -> Moment {
        self.sent + self.times.retry()
    }

    /// How long it is still held at `now`, if nothing succeeds any more.
    #[must_use]
    pub fn left(&self, now: Moment) -> Duration {
        self.times.deadline().saturating_sub(now.since(self.sent))
    }

    /// What to write in order to renew it.
    #[must_use]
    pub fn renewal(&self, wall: Timestamp) -> Record {
        self.record.renewed_by(self.times, wall)
    }

    /// What to write in order to give it back.
    #[must_use]
    pub fn release(&self, wall: Timestamp) -> Record {
        self.record.released(wall)
    }

    /// A renewal that was sent at `sent` succeeded; at `now` its answer is here.
    ///
    /// # Errors
    /// When the time was over meanwhile: a process that slept through its deadline does not go on as if it had not.
    pub fn renewed(&mut self, record: Record, sent: Moment, now: Moment) -> Result<(), Lost> {
        if self.left(now).is_zero() {
            return Err(self.late("its answer came too late"));
        }
        self.record = record;
        self.sent = sent;
        Ok(())
    }

    /// The Lease was read again, because it was not as expected: by an earlier renewal whose answer was lost, or by an
    /// edit. As long as this replica is in it nobody else can have been, so it goes on, in the version that is there.
    ///
    /// # Errors
    /// When it is not in it any more.
    pub fn read(&mut self, record: Option<Record>) -> Result<(), Lost> {
        let record = record.ok_or(Lost::Deleted)?;
        match record.holder() {
            Some(holder) if holder == self.identity => {
                self.record = record;
                Ok(())
            }
            Some(holder) => Err(Lost::Taken(holder.to_owned())),
            None => Err(Lost::Emptied),
        }
    }

    /// The lease is lost by the time that passed.
    #[must_use]
    pub fn late(&self, last: &str) -> Lost {
        Lost::Late { deadline: self.times.deadline(), last: last.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::since_boot(Duration::from_secs(seconds))
    }

    fn held(by: &str) -> Record {
        Record::named("ns", "lease").claimed(by, Times::default(), Timestamp::UNIX_EPOCH)
    }

    fn tenure() -> Tenure {
        Tenure::new("me".to_owned(), Times::default(), held("me"), at(100))
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_sent() {
        let mut tenure = tenure();
        assert_eq!((tenure.due(), tenure.left(at(104))), (at(102), Duration::from_secs(6)));
        tenure.renewed(held("me"), at(102), at(109)).unwrap();
        assert_eq!((tenure.due(), tenure.left(at(109))), (at(104), Duration::from_secs(3)));
    }

    #[test]
    fn an_answer_after_the_deadline_ends_it() {
        let mut tenure = tenure();
        assert!(matches!(tenure.renewed(held("me"), at(109), at(110)), Err(Lost::Late { .. })));
        assert_eq!(tenure.left(at(110)), Duration::ZERO, "and extends nothing");
    }

    #[test]
    fn who_is_in_the_lease_decides() {
        assert_eq!(tenure().read(Some(held("me"))), Ok(()));
        assert_eq!(tenure().read(Some(held("x"))), Err(Lost::Taken("x".into())));
        assert_eq!(tenure().read(Some(held(""))), Err(Lost::Emptied));
        assert_eq!(tenure().read(None), Err(Lost::Deleted));
    }
}
