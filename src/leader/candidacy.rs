//! The rules for whoever wants the lease. Pure: what was read goes in, what to do comes out.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Times,
    clock::Moment,
    record::{Print, Record},
};

/// What to do about a Lease that was just read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is none: make one that nobody holds, and look again.
    Make,
    /// Claim it, with the version that was read.
    Claim,
    /// Leave it alone; if nothing changes, it may be claimed after this long.
    Wait(Duration),
}

/// A replica that wants the lease, and what it saw of it so far.
///
/// One rule: what was seen must stand unchanged for a whole lease, by this replica's own clock and counted from when
/// this replica first saw exactly it, unless it says that it was given back.
///
/// A Lease that is not there may have been deleted, and whoever held it may not know yet. That is not waited for as it
/// is: nothing would tell one absence from the next, between which somebody led. It is made, held by nobody, and that
/// one is waited for like any other.
#[derive(Debug)]
pub struct Candidacy {
    identity: String,
    times: Times,
    seen: Option<(Print, Moment)>,
    /// The time in the last claim. It tells a claim that was carried out and never answered from an edit by hand that
    /// puts in this replica's name.
    claimed: Option<String>,
}

impl Candidacy {
    /// A replica that has seen nothing yet.
    #[must_use]
    pub const fn new(identity: String, times: Times) -> Self {
        Self { identity, times, seen: None, claimed: None }
    }

    /// What to do, when `record` was there (or nothing was) and its reading was over at `now`.
    pub fn look(&mut self, record: Option<&Record>, now: Moment) -> Next {
        let Some(record) = record else { return Next::Make };
        if record.is_released() || self.is_own_claim(record) {
            return Next::Claim;
        }
        let print = record.print();
        let since = match &self.seen {
            Some((seen, since)) if *seen == print => *since,
            _ => {
                self.seen = Some((print, now));
                now
            }
        };
        match record.patience(self.times.lease()).saturating_sub(now.since(since)) {
            Duration::ZERO => Next::Claim,
            left => Next::Wait(left),
        }
    }

    /// What to write in order to claim it.
    pub fn claim(&mut self, record: &Record, wall: Timestamp) -> Record {
        let claim = record.claimed(&self.identity, self.times, wall);
        self.claimed = claim.renewed();
        claim
    }

    /// Nobody else can have written since: the API server took this claim, and only the answer was lost.
    fn is_own_claim(&self, record: &Record) -> bool {
        record.holder() == Some(&self.identity) && self.claimed.is_some() && record.renewed() == self.claimed
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::coordination::v1::{Lease, LeaseSpec},
        apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    };

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::since_boot(Duration::from_secs(seconds))
    }

    fn wait(seconds: u64) -> Next {
        Next::Wait(Duration::from_secs(seconds))
    }

    /// A record of `holder`, renewed at `renewed` by its own clock, in the version `version`.
    fn record(holder: &str, renewed: i64, version: u32) -> Record {
        Record::from(Lease {
            metadata: ObjectMeta { resource_version: Some(version.to_string()), ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(15),
                renew_time: Some(MicroTime(Timestamp::from_second(renewed).unwrap())),
                ..LeaseSpec::default()
            }),
        })
    }

    fn candidacy() -> Candidacy {
        Candidacy::new("me".to_owned(), Times::default())
    }

    #[test]
    fn a_record_must_stand_unchanged_for_a_lease_whatever_time_it_tells() {
        for renewed in [0, 1_700_000_000, 4_000_000_000] {
            let mut me = candidacy();
            assert_eq!(me.look(Some(&record("x", renewed, 1)), at(100)), wait(15));
            assert_eq!(me.look(Some(&record("x", renewed, 1)), at(114)), wait(1));
            assert_eq!(me.look(Some(&record("x", renewed, 1)), at(115)), Next::Claim);
            // Whatever of it changes, the time begins anew.
            for other in [record("y", renewed, 1), record("x", renewed + 1, 1), record("x", renewed, 2)] {
                let mut me = candidacy();
                assert_eq!(me.look(Some(&record("x", renewed, 1)), at(200)), wait(15));
                assert_eq!(me.look(Some(&other), at(214)), wait(15), "{other:?}");
            }
        }
    }

    #[test]
    fn a_lease_that_is_not_there_is_made_and_waited_for() {
        let mut me = candidacy();
        assert_eq!(me.look(None, at(0)), Next::Make);
        let made = |uid: &str| {
            let mut lease = Lease::from(Record::named("ns", "lease"));
            lease.metadata.uid = Some(uid.to_owned());
            Record::from(lease)
        };
        assert_eq!(me.look(Some(&made("a")), at(1)), wait(15));
        assert_eq!(me.look(Some(&made("b")), at(15)), wait(15), "deleted and made once more");
        assert_eq!(me.look(Some(&made("b")), at(30)), Next::Claim);
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_at_once() {
        let released = record("x", 0, 1).released(Timestamp::UNIX_EPOCH);
        assert_eq!(candidacy().look(Some(&released), at(0)), Next::Claim);
        assert_eq!(candidacy().look(Some(&record("", 0, 1)), at(0)), wait(15), "emptied by hand");
    }

    #[test]
    fn ones_own_name_is_believed_only_with_ones_own_claim() {
        let mut me = candidacy();
        assert_eq!(me.look(Some(&record("me", 5, 1)), at(0)), wait(15), "put in by hand");
        let claim = me.claim(&record("x", 0, 1), Timestamp::from_second(7).unwrap());
        assert_eq!(me.look(Some(&claim), at(1)), Next::Claim, "the answer was lost");
        assert_eq!(me.look(Some(&record("me", 5, 1)), at(2)), wait(13), "seen since the start");
        assert_eq!(me.look(Some(&record("y", 7, 1)), at(3)), wait(15));
    }
}
