//! What a kind has to tell so that the laws can be tested on it. A new kind joins by saying this.

use std::collections::{BTreeMap, BTreeSet};

use astra_operator::{engine::Kind, resource::DeletionPolicy};
use astra_simulator::{Event, Recorded, state::Database};

use kube::ResourceExt;

use crate::case::{Case, Thing, Wish};

/// What is in Astra, or shall be: each thing's identity (as in `status.owned`), and what can be said of it.
pub(crate) type Things = BTreeMap<String, String>;

/// A kind under the laws. All of it is written anew here, from the issue and Astra's documents, and calls nothing of
/// the kind's own code: it is the other opinion.
pub(crate) trait Lawful: Kind {
    /// A database with the case's foreign things in it.
    fn database(case: &Case) -> Database;

    /// The object for a wish. The spec must be one that the API server takes.
    fn object(name: &str, wish: &Wish, case: &Case) -> Self;

    /// The object with a changed spec, as far as the API server lets it be changed.
    fn edited(&self, wish: &Wish, case: &Case) -> Self;

    /// Does it claim the whole place?
    fn is_exclusive(&self) -> bool;

    /// Does it remove what is there and not in its spec, whoever made it?
    fn takes_over(&self) -> bool {
        self.is_exclusive()
    }

    /// What is in Astra, in the place that the objects are about.
    fn things(database: &Database) -> Things;

    /// What the spec wants to be there.
    fn wants(&self) -> Things;

    /// What somebody does in Astra behind the operator's back.
    fn drift(database: &Database, case: &Case, what: u8, thing: Thing) -> Option<Event>;

    /// What else must be true of one write, beside what must be true of all.
    fn judge(_write: &Write<'_, Self>) -> Vec<String> {
        Vec::new()
    }

    /// The reason of `Ready`, when all is quiet, for an object that need not yield to an older one.
    fn reason(&self, elders: &[&Self], database: &Database) -> &'static str;

    /// The identity that a request makes, if it is one that must not be sent twice.
    fn creates(request: &Recorded) -> Option<String>;
}

/// One write to Astra, with what was wanted by those who may write, in all moments since all was quiet.
pub(crate) struct Write<'a, K> {
    pub(crate) before: &'a Database,
    pub(crate) after: &'a Database,
    /// The objects that may write, at each of these moments.
    pub(crate) moments: &'a [Vec<K>],
}

impl<K: Lawful> Write<'_, K> {
    /// Wanted at some moment.
    pub(crate) fn ever_wanted(&self, identity: &str) -> bool {
        self.moments.iter().flatten().any(|object| object.wants().contains_key(identity))
    }

    /// Wanted at all moments.
    pub(crate) fn always_wanted(&self) -> BTreeSet<String> {
        let mut all = self.moments.iter().map(|objects| {
            objects.iter().flat_map(|object| object.wants().into_keys()).collect::<BTreeSet<_>>()
        });
        let first = all.next().unwrap_or_default();
        all.fold(first, |kept, wanted| kept.intersection(&wanted).cloned().collect())
    }
}

/// What an object's status says that it owns.
pub(crate) fn owned<K: Lawful>(object: &K) -> Vec<String> {
    object.status().map(|status| status.owned.clone()).unwrap_or_default()
}

/// Is what it owns taken away with it?
pub(crate) fn deletes<K: Lawful>(object: &K) -> bool {
    object.common().deletion_policy == DeletionPolicy::Delete
}

/// May this object write, or does it have to yield? To an older one, where one of the two is Exclusive; and an Exclusive
/// one to any that has something there already.
pub(crate) fn governs<K: Lawful>(object: &K, all: &[K]) -> bool {
    let owns = |object: &K| object.status().is_some_and(|status| !status.owned.is_empty());
    let older = |other: &K| elders(object, all).iter().any(|elder| elder.name_any() == other.name_any());
    all.iter().filter(|other| other.name_any() != object.name_any()).all(|other| {
        match (object.is_exclusive(), other.is_exclusive()) {
            (true, true) => !older(other),
            (true, false) => !older(other) && !owns(other),
            (false, true) => !older(other) || owns(object),
            (false, false) => true,
        }
    })
}

/// The objects that are older, those of the same second by name.
pub(crate) fn elders<'a, K: Lawful>(object: &K, all: &'a [K]) -> Vec<&'a K> {
    let age = |object: &K| (object.creation_timestamp(), object.name_any());
    all.iter().filter(|other| age(other) < age(object)).collect()
}
