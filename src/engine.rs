//! The vocabulary of the engine: what a kind is, what a plan may look at, and what it may answer.
//!
//! Deciding is pure: [`Kind::plan`] sees a [`View`] and nothing else, no clock, no client, no dice. Doing is in one
//! place, [`drive`].

pub mod backoff;
pub mod conflict;
pub mod drive;
pub mod guard;
pub mod ledger;
pub mod memory;
pub mod outcome;
pub mod ownership;
pub mod reason;
pub mod record;
pub mod resolve;
pub mod timing;
pub mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use astra_devops::{Answer, Call, Error, databases::Database, id::DatabaseId};
use k8s_openapi::NamespaceResourceScope;
use kube::CustomResourceExt;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    organization::{Freshness, Organization, needs::Needs},
    resource::{CredentialsRef, DatabaseRef, DeletionPolicy, Management},
    status::{Status, limits::Bounded},
};

pub use reason::Reason;

/// Something in Astra that an object can own, as it is written in `status.owned`: `address/203.0.113.0/24`,
/// `principal/arn:…`, `endpoint/vpce-…`, `peering/azure/SUBSCRIPTION/NETWORK`.
pub type Identity = String;

/// A set of identities, in a stable order.
pub type Identities = BTreeSet<Identity>;

/// How many things there are, by the name of the list that they are in.
pub type Counts = BTreeMap<&'static str, usize>;

/// A kind of resource that stands for something in Astra.
///
/// Everything here but [`Kind::observe`] is pure. A kind is one folder in `kinds` and one line in its registry.
pub trait Kind:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + CustomResourceExt
    + Clone
    + fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The spec after parsing: what cannot be valid is not representable.
    type Desired: Clone + fmt::Debug + Send + Sync;
    /// Where in Astra the object's business is.
    type Place: Clone + fmt::Debug + PartialEq + Send + Sync;
    /// What Astra has there.
    type Observed: Clone + fmt::Debug + PartialEq + Send + Sync;
    /// A change to Astra, as data. `Display` says it in the imperative.
    type Step: Clone + fmt::Debug + fmt::Display + PartialEq + Send + Sync;
    /// The kind's own part of the status.
    type Details: Bounded
        + Clone
        + fmt::Debug
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync;

    /// The kind's name, as [`kube::Resource::kind`] tells it.
    const KIND: &'static str;

    /// The types of the kind's own conditions, beside those of all kinds, and what each tells.
    const CONDITIONS: &'static [(&'static str, &'static str)] = &[];

    /// Can several objects share a place?
    const SHAREABLE: bool = true;

    /// What the specs of all kinds have.
    fn common(&self) -> Common<'_>;

    /// The status, if the object has one that could be read.
    fn status(&self) -> Option<&Status<Self::Details>>;

    /// The same object with this status.
    #[must_use]
    fn with_status(&self, status: Status<Self::Details>) -> Self;

    /// Parses the spec.
    ///
    /// # Errors
    /// The field, what was found there and what is expected, for what the API server's schema could not know.
    fn desired(&self) -> Result<Self::Desired, Problem>;

    /// Finds the place in Astra, given the database.
    ///
    /// # Errors
    /// When the spec and the database do not fit together.
    fn place(
        desired: &Self::Desired,
        database: &Database,
        details: &Self::Details,
    ) -> Result<Self::Place, Problem>;

    /// The place that the status remembers: deletion must not depend on a spec that may have become invalid.
    fn recorded_place(database: &DatabaseId, details: &Self::Details) -> Option<Self::Place>;

    /// Are two objects at these places each other's business?
    fn same_place(one: &Self::Place, other: &Self::Place) -> bool {
        one == other
    }

    /// Looks at Astra. Reads only.
    fn observe(
        organization: &Organization,
        place: &Self::Place,
        freshness: Freshness,
    ) -> impl Future<Output = Result<Self::Observed, Arc<Error>>> + Send;

    /// Notes what [`Kind::observe`] reads for an object that names its database by these ids and names.
    fn needs(needs: &mut Needs, databases: &BTreeSet<String>);

    /// What the spec wants to be there.
    fn wants(desired: &Self::Desired) -> Identities;

    /// What of it shall be there without any effect: an entry that is switched off.
    fn disables(_desired: &Self::Desired) -> Identities {
        Identities::new()
    }

    /// Is this identity there?
    fn has(view: &View<'_, Self>, identity: &str) -> bool;

    /// What to do. Steps that add come before steps that remove, and removals only when the additions were seen.
    fn plan(view: &View<'_, Self>) -> Plan<Self::Step>;

    /// How many things are there that a plan could remove, by the list that they are in.
    fn there(view: &View<'_, Self>) -> Counts;

    /// How many of them a step removes, from which list.
    fn removes(view: &View<'_, Self>, step: &Self::Step) -> (&'static str, usize);

    /// The steps that take nothing away, for when removals have to wait for a person.
    fn additions(view: &View<'_, Self>) -> Vec<Planned<Self::Step>>;

    /// What a step would make this object own.
    fn claims(step: &Self::Step) -> Identities;

    /// The one call that a step is.
    fn call(place: &Self::Place, step: &Self::Step) -> Call;

    /// Has the kind steps that are not repeatable? Then an object is not let go while one may be on its way.
    const MAKES_ONCE: bool;

    /// Does the step leave the same world when it is sent twice?
    fn is_repeatable(step: &Self::Step) -> bool;

    /// Can the effect of this step be seen? Reads may lag behind writes.
    fn visible(step: &Self::Step, observed: &Self::Observed, details: &Self::Details) -> bool;

    /// Keeps what an answer tells that cannot be observed later.
    fn learn(_step: &Self::Step, _answer: &Answer, _details: &mut Self::Details) {}

    /// How Astra calls what the object owns, where it has names of its own: another object may share it.
    fn names(_details: &Self::Details) -> BTreeMap<Identity, String> {
        BTreeMap::new()
    }

    /// The event for a step that was carried out, in the past tense.
    fn event(step: &Self::Step) -> Event;

    /// The kind's part of the status, from what was seen.
    fn details(view: &View<'_, Self>) -> Self::Details;

    /// In one line, what is there when all is well.
    fn summary(view: &View<'_, Self>) -> String;

    /// Conditions of the kind's own, beside those of all kinds.
    #[must_use]
    fn conditions(_view: &View<'_, Self>) -> Vec<KindCondition> {
        Vec::new()
    }
}

/// What the specs of all kinds have.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// Which database.
    pub database: &'a DatabaseRef,
    /// Where the token is.
    pub credentials: &'a CredentialsRef,
    /// What happens in Astra on deletion.
    pub deletion_policy: DeletionPolicy,
    /// Who else may change the same thing.
    pub management: Management,
}

/// What shall be.
#[derive(Debug)]
pub enum Goal<'a, D> {
    /// What the spec says.
    Present(&'a D),
    /// Nothing that this object owns. Deletion is a goal, not another code path.
    Absent,
}

// Not derived: that would demand `D: Copy`.
impl<D> Clone for Goal<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Goal<'_, D> {}

/// Everything that a plan may look at.
#[derive(Debug)]
pub struct View<'a, K: Kind> {
    /// What shall be.
    pub goal: Goal<'a, K::Desired>,
    /// What the spec declares, also while the goal is absence; `None` when it cannot be parsed any more.
    pub declared: Option<&'a K::Desired>,
    /// Where.
    pub place: &'a K::Place,
    /// The database, as Astra lists it; without it in a deletion whose database cannot be listed any more.
    pub database: Option<&'a Database>,
    /// What is there.
    pub observed: &'a K::Observed,
    /// What this object owns, as its status says: the third leg of the comparison.
    pub owned: &'a Identities,
    /// What the kind's status said before.
    pub details: &'a K::Details,
    /// The other objects at the same place.
    pub peers: &'a [Peer],
}

impl<K: Kind> View<'_, K> {
    /// What the spec wants, nothing when the goal is absence.
    #[must_use]
    pub fn wanted(&self) -> Identities {
        match self.goal {
            Goal::Present(desired) => K::wants(desired),
            Goal::Absent => Identities::new(),
        }
    }

    /// May this be taken away? Only if it is owned, and no other living object has a claim on it.
    #[must_use]
    pub fn may_remove(&self, identity: &str) -> bool {
        self.owned.contains(identity) && !self.claimed_by_peer(identity)
    }

    /// The older object that wants this too and is about to make it, if there is one; also if it was not looked at yet, and
    /// may turn out to be about another place.
    #[must_use]
    pub fn elder_at_work(&self, identity: &str) -> Option<&Peer> {
        let wants = |peer: &Peer| peer.wants.contains(identity) && !peer.deleting;
        self.peers.iter().find(|peer| peer.older && !peer.stuck && wants(peer))
    }

    /// The object that makes this, or may have made it already, if there is one: an older one that wants it too, or any
    /// that has announced it and does not know yet what became of that. What is not safe to send twice is left to it.
    #[must_use]
    pub fn maker(&self, identity: &str) -> Option<&Peer> {
        let may_have = |peer: &&Peer| !peer.stuck && peer.announced && peer.owns.contains(identity);
        self.elder_at_work(identity).or_else(|| self.peers.iter().find(may_have))
    }

    /// Does another living object want it?
    #[must_use]
    pub fn claimed_by_peer(&self, identity: &str) -> bool {
        self.peers.iter().any(|peer| peer.claims(identity))
    }
}

/// Another object of the same kind at the same place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, all combinations of which occur")]
pub struct Peer {
    /// `namespace/name`.
    pub name: String,
    /// Was it made before this object? The older one goes on where two cannot live beside each other.
    pub older: bool,
    /// Does it claim the whole place?
    pub exclusive: bool,
    /// Is it being deleted? Then it wants nothing any more.
    pub deleting: bool,
    /// Has the operator not looked at it yet, so that nobody knows whether it is at the same place?
    pub unseen: bool,
    /// Can it do nothing now, because it is paused or waits for a person?
    pub stuck: bool,
    /// Has it announced something that it has not seen carried out?
    pub announced: bool,
    /// What its spec wants; if the spec cannot be read, what the object owns, which nobody has given up.
    pub wants: Identities,
    /// What of that it wants to have no effect.
    pub disables: Identities,
    /// What its status says it owns.
    pub owns: Identities,
    /// How Astra calls some of that, where it has names of its own.
    pub names: BTreeMap<Identity, String>,
}

impl Peer {
    /// Does it want this, and will go on doing so?
    ///
    /// To own it and not to want it is no claim: of two objects that both have owned a thing and want it no more, neither
    /// would ever remove it.
    #[must_use]
    pub fn claims(&self, identity: &str) -> bool {
        !self.deleting && !self.unseen && self.wants.contains(identity)
    }

    /// Has it taken this over, so that another object may give it up?
    #[must_use]
    pub fn has_taken_over(&self, identity: &str) -> bool {
        self.claims(identity) && self.owns.contains(identity)
    }
}

/// What a kind decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan<S> {
    /// All is as it shall be.
    Done,
    /// These steps, in this order.
    Act(Vec<Planned<S>>),
    /// Nothing to send; somebody else's work is awaited.
    Wait(Problem),
    /// Nothing can be sent until a person changes something.
    Blocked(Problem),
}

/// A step, and why it is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned<S> {
    /// The step.
    pub step: S,
    /// Why.
    pub why: String,
}

impl<S> Planned<S> {
    /// A step with its reason.
    pub fn new(step: S, why: impl Into<String>) -> Self {
        Self { step, why: why.into() }
    }
}

/// Why something is not as it shall be, for one-line output (`reason`) and for a reader (`message`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One word.
    pub reason: Reason,
    /// A sentence: what, where, what to do.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// A field of the spec that cannot be.
    pub fn invalid(field: &str, problem: impl fmt::Display) -> Self {
        Self::new(Reason::InvalidSpec, format!("{field}: {problem}"))
    }
}

/// An event on the object: something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// One word, in the past tense.
    pub reason: &'static str,
    /// What happened, with the values.
    pub note: String,
}

/// A condition of a kind's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCondition {
    /// Its type.
    pub type_: &'static str,
    /// Is it met?
    pub met: bool,
    /// One word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The maker of `x` among these peers, and whether `x` may be removed by an object that owns it.
    fn view_of(peers: &[Peer]) -> (Option<String>, bool) {
        let place = "8fbcfe1d".parse().unwrap();
        let owned = Identities::from(["x".to_owned()]);
        let view = View::<crate::kinds::AstraAccessList> {
            goal: Goal::Absent,
            declared: None,
            place: &place,
            database: None,
            observed: &crate::kinds::access_list::observed::Observed::new(None),
            owned: &owned,
            details: &crate::kinds::access_list::AccessListDetails::default(),
            peers,
        };
        (view.maker("x").map(|peer| peer.name.clone()), view.may_remove("x"))
    }

    #[test]
    fn a_thing_is_made_by_the_elder_or_by_who_has_announced_it() {
        let x = || Identities::from(["x".to_owned()]);
        let peer = || Peer { name: "team/other".to_owned(), ..Peer::default() };
        let elder = Peer { older: true, wants: x(), ..peer() };
        let announced = Peer { announced: true, owns: x(), ..peer() };
        for (peer, is_maker) in [
            (peer(), false),
            (elder.clone(), true),
            (Peer { older: false, ..elder.clone() }, false),
            (Peer { stuck: true, ..elder.clone() }, false),
            (Peer { deleting: true, ..elder.clone() }, false),
            (Peer { unseen: true, ..elder.clone() }, true),
            (Peer { wants: Identities::new(), ..elder.clone() }, false),
            (announced.clone(), true),
            (Peer { stuck: true, ..announced.clone() }, false),
            (Peer { announced: false, ..announced.clone() }, false),
            (Peer { owns: Identities::new(), ..announced.clone() }, false),
        ] {
            assert_eq!(view_of(std::slice::from_ref(&peer)).0.is_some(), is_maker, "{peer:?}");
        }
        assert_eq!(view_of(&[]), (None, true));
        assert!(!view_of(&[elder]).1, "another living object wants it");
        assert!(view_of(&[announced]).1, "it wants it no more");
    }

    #[test]
    fn who_wants_a_thing_has_a_claim_on_it_and_who_only_owns_it_has_none() {
        let x = || Identities::from(["address/10.0.0.1/32".to_owned()]);
        let wants = Peer { wants: x(), ..Peer::default() };
        let owns = Peer { owns: x(), ..Peer::default() };
        for (peer, claims, has_taken_over) in [
            (Peer::default(), false, false),
            (wants.clone(), true, false),
            (owns.clone(), false, false),
            (Peer { owns: x(), ..wants.clone() }, true, true),
            (Peer { deleting: true, owns: x(), ..wants.clone() }, false, false),
            (Peer { unseen: true, owns: x(), ..wants }, false, false),
        ] {
            let found = (peer.claims("address/10.0.0.1/32"), peer.has_taken_over("address/10.0.0.1/32"));
            assert_eq!(found, (claims, has_taken_over), "{peer:?}");
            assert!(!peer.claims("address/10.0.0.2/32"), "{peer:?}");
        }
    }
}
