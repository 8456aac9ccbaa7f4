//! The Lease as the election sees it: who holds it, which version it is, and what is written into it.

use std::time::Duration;

use jiff::{Timestamp, Unit};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};

use super::{LONGEST, Times};

/// A Lease that was read, or one that is to be written. What others keep on it (labels, annotations) stays on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(Lease);

/// What tells two records apart. The time is a text to be compared, never a time to be reckoned with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    holder: Option<String>,
    renewed: Option<String>,
    /// Changes with every write, also with one that leaves the rest as it was.
    version: Option<String>,
    /// A Lease that was deleted and made anew is another one.
    uid: Option<String>,
}

impl From<Lease> for Record {
    fn from(lease: Lease) -> Self {
        Self(lease)
    }
}

impl From<Record> for Lease {
    fn from(record: Record) -> Self {
        record.0
    }
}

impl Record {
    /// A Lease to be made, which nobody holds.
    #[must_use]
    pub fn named(namespace: &str, name: &str) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        Self(Lease { metadata, spec: None })
    }

    /// Who holds it; nobody when nobody ever did, or when it was given back.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.spec()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// When the holder says that it wrote last, as a text.
    #[must_use]
    pub fn renewed(&self) -> Option<String> {
        self.spec()?.renew_time.as_ref().map(|time| time.0.to_string())
    }

    /// What tells it apart from any other state of the Lease.
    #[must_use]
    pub fn print(&self) -> Print {
        Print {
            holder: self.holder().map(ToOwned::to_owned),
            renewed: self.renewed(),
            version: self.0.metadata.resource_version.clone(),
            uid: self.0.metadata.uid.clone(),
        }
    }

    /// Did its holder give it back? That is told by both, an empty holder and a lease of one second.
    ///
    /// A holder that somebody took out by hand is not enough: the one who held it may still be writing.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.holder().is_none() && self.spec().is_some_and(|spec| spec.lease_duration_seconds == Some(1))
    }

    /// How long it must stand unchanged before somebody else may take it: as long as its holder was promised, within
    /// what any holder can have been promised, and never less than `least`.
    #[must_use]
    pub fn patience(&self, least: Duration) -> Duration {
        let promised = self.spec().and_then(|spec| spec.lease_duration_seconds);
        let promised = promised.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        promised.unwrap_or_default().min(LONGEST).max(least)
    }

    /// The same Lease, held by `identity` from now on. The version that was read stays in it, so that the API server
    /// refuses it when anybody was faster.
    #[must_use]
    pub fn claimed(&self, identity: &str, times: Times, wall: Timestamp) -> Self {
        let mut claim = self.renewed_by(times, wall);
        let spec = claim.0.spec.get_or_insert_default();
        let before = spec.lease_transitions.unwrap_or(0);
        // The first holder is no transition.
        let first = spec.holder_identity.is_none();
        spec.lease_transitions = Some(if first { before } else { before.saturating_add(1) });
        spec.holder_identity = Some(identity.to_owned());
        spec.acquire_time.clone_from(&spec.renew_time);
        claim
    }

    /// The same Lease, renewed by the one who holds it.
    #[must_use]
    pub fn renewed_by(&self, times: Times, wall: Timestamp) -> Self {
        let mut renewal = self.clone();
        let spec = renewal.0.spec.get_or_insert_default();
        spec.renew_time = Some(MicroTime(micros(wall)));
        spec.lease_duration_seconds = Some(i32::try_from(times.lease().as_secs()).unwrap_or(i32::MAX));
        renewal
    }

    /// The same Lease, given back.
    #[must_use]
    pub fn released(&self, wall: Timestamp) -> Self {
        let mut released = self.clone();
        let spec = released.0.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(micros(wall)));
        released
    }

    fn spec(&self) -> Option<&LeaseSpec> {
        self.0.spec.as_ref()
    }
}

/// The API server keeps microseconds: what is compared with what was written must be no finer.
fn micros(time: Timestamp) -> Timestamp {
    let rounding = jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    time.round(rounding).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(seconds: i32) -> Record {
        Record(Lease {
            metadata: ObjectMeta {
                resource_version: Some("7".into()),
                labels: Some([("team".to_owned(), "a".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some("x".into()),
                lease_duration_seconds: Some(seconds),
                lease_transitions: Some(3),
                ..LeaseSpec::default()
            }),
        })
    }

    #[test]
    fn a_claim_keeps_the_version_and_what_others_wrote() {
        let wall = "2026-01-02T03:04:05.123456789Z".parse().unwrap();
        let claim = held(15).claimed("me", Times::default(), wall);
        let lease = Lease::from(claim.clone());
        assert_eq!(lease.metadata, held(15).0.metadata);
        let spec = lease.spec.unwrap();
        assert_eq!((claim.holder(), spec.lease_transitions), (Some("me"), Some(4)));
        assert_eq!(claim.renewed().as_deref(), Some("2026-01-02T03:04:05.123456Z"));
        assert_eq!(spec.acquire_time, spec.renew_time);
        let first = Record::named("ns", "lease").claimed("me", Times::default(), wall);
        assert_eq!(first.0.spec.unwrap().lease_transitions, Some(0));
    }

    #[test]
    fn only_the_holder_can_give_it_back() {
        let wall = Timestamp::UNIX_EPOCH;
        assert!(held(15).released(wall).is_released());
        let mut by_hand = held(15);
        by_hand.0.spec.as_mut().unwrap().holder_identity = Some(String::new());
        assert!(!by_hand.is_released(), "the holder was taken out, and may not know it yet");
        assert!(!Record::named("ns", "lease").is_released(), "who deleted or emptied it is not known");
        assert!(!held(1).is_released());
    }

    #[test]
    fn nobody_waits_for_less_than_was_promised_nor_for_ever() {
        let least = Duration::from_secs(15);
        for (seconds, patience) in [(-1, 15), (0, 15), (1, 15), (20, 20), (i32::MAX, 300)] {
            assert_eq!(held(seconds).patience(least).as_secs(), patience, "{seconds}");
        }
    }
}
