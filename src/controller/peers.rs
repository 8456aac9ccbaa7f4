//! The other objects of a kind at the same place, from what the watches know.

use std::sync::Arc;

use astra_devops::databases::Database;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{
    ResourceExt,
    core::DeserializeGuard,
    runtime::reflector::{ObjectRef, Store},
};

use super::{
    index::{Index, Key},
    reconcile::is_paused,
    wakes::Reference,
};
use crate::{
    engine::{Identities, Kind, Peer, Reason, verdict::find},
    resource::{CredentialsRef, Management},
};

/// The objects of one kind.
pub struct Stores<K: Kind>(Vec<Watched<K>>);

/// The objects of one watch, and where to find them.
struct Watched<K: Kind> {
    store: Store<DeserializeGuard<K>>,
    index: Arc<Index>,
}

impl<K: Kind> Stores<K> {
    /// One store for each watch, with its index, which whoever feeds the store has to feed too.
    #[must_use]
    pub fn new(watches: Vec<(Store<DeserializeGuard<K>>, Arc<Index>)>) -> Self {
        Self(watches.into_iter().map(|(store, index)| Watched { store, index }).collect())
    }

    /// The objects that are filed under one of these keys, but for this one.
    fn others(&self, object: &K, keys: &[Key]) -> Vec<Arc<DeserializeGuard<K>>> {
        let find = |watched: &Watched<K>| {
            let names = watched.index.under(keys).into_iter();
            let references = names.map(|name| ObjectRef::new(&name.1).within(&name.0));
            references.filter_map(|reference| watched.store.get(&reference)).collect::<Vec<_>>()
        };
        let all = self.0.iter().flat_map(find);
        let is_other = |guard: &Arc<DeserializeGuard<K>>| {
            guard.0.as_ref().is_ok_and(|other| other.uid() != object.uid())
        };
        all.filter(is_other).collect()
    }

    /// All objects, also those that cannot be read.
    pub(super) fn all(&self) -> impl Iterator<Item = Arc<DeserializeGuard<K>>> {
        self.0.iter().flat_map(|watched| watched.store.state())
    }

    /// The object as the watch knows it now; `None` when it is gone.
    pub(super) fn latest(&self, object: &DeserializeGuard<K>) -> Option<Arc<DeserializeGuard<K>>> {
        let reference = ObjectRef::from_obj(object);
        self.0.iter().find_map(|watched| watched.store.get(&reference))
    }

    /// The other objects at `place` of `database`, in a stable order.
    #[must_use]
    pub fn peers(&self, object: &K, database: &Database, place: &K::Place) -> Vec<Peer> {
        let keys = [Key::id(database.id.as_str()), Key::Name(database.info.name.clone())];
        let all = self.others(object, &keys);
        let others = all.iter().filter_map(|guard| guard.0.as_ref().ok());
        let mut peers: Vec<(Peer, &K)> =
            others.filter_map(|other| Some((peer(object, other, database, place)?, other))).collect();
        peers.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        let here: Vec<&K> = peers.iter().map(|(_, other)| *other).chain([object]).collect();
        let stuck: Vec<bool> = peers.iter().map(|(_, other)| is_stuck(object, other, &here)).collect();
        peers.into_iter().zip(stuck).map(|((peer, _), stuck)| Peer { stuck, ..peer }).collect()
    }

    /// The other objects that may be about the same database, as far as can be told without asking Astra, in a stable
    /// order.
    #[must_use]
    pub fn neighbours(&self, object: &K) -> Vec<Reference<K>> {
        let Some(key) = Key::of(object) else { return Vec::new() };
        let others = self.others(object, &[key]);
        let mut neighbours: Vec<Reference<K>> =
            others.iter().map(|guard| ObjectRef::from_obj(&**guard)).collect();
        neighbours.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        neighbours
    }
}

/// `other` as a peer of `object`, if it is one.
fn peer<K: Kind>(object: &K, other: &K, database: &Database, place: &K::Place) -> Option<Peer> {
    let status = other.status();
    let unseen = match relation(object, other, database) {
        Relation::Same => false,
        // Who can do nothing before a person changes something is not waited for.
        Relation::Perhaps if !is_paused(other) && stall(other).is_none() => true,
        Relation::Perhaps | Relation::Other => return None,
    };
    let desired = other.desired().ok();
    let details = status.map(|status| status.details.clone()).unwrap_or_default();
    let its_place = K::recorded_place(&database.id, &details)
        .or_else(|| K::place(desired.as_ref()?, database, &details).ok());
    if its_place.is_some_and(|its| !K::same_place(&its, place)) {
        return None;
    }
    let deleting = other.meta().deletion_timestamp.is_some();
    let disables = desired.as_ref().map(K::disables).unwrap_or_default();
    let owns: Identities = status.map(|status| status.owned.iter().cloned().collect()).unwrap_or_default();
    Some(Peer {
        name: name(other),
        older: age(other) < age(object),
        exclusive: other.common().management == Management::Exclusive,
        deleting,
        unseen,
        // Told when all at this place are known.
        stuck: false,
        announced: status.is_some_and(|status| status.in_flight.is_some()),
        disables,
        wants: desired.map_or_else(|| owns.clone(), |desired| K::wants(&desired)),
        owns,
        names: K::names(&details),
    })
}

/// Can `other` do nothing until a person changes something? `here` are all objects at its place.
///
/// Its status tells what it found when it last looked. What has changed since is not waited for by it, and must not be
/// taken from its clients by `object` a moment before it goes on.
fn is_stuck<K: Kind>(object: &K, other: &K, here: &[&K]) -> bool {
    is_paused(other)
        || stall(other).is_some_and(|stalled| match Reason::parse(&stalled.reason) {
            // The same token serves this object.
            Some(reason) if reason.is_about_credentials() => credentials_of(object) != credentials_of(other),
            Some(Reason::Conflict) => here.iter().any(|third| may_contradict(other, third)),
            _ => true,
        })
}

/// The condition in which it said, of its current generation, that it can do nothing until a person changes something; if
/// it did. Who has something on its way is at work.
fn stall<K: Kind>(other: &K) -> Option<&Condition> {
    let status = other.status().filter(|status| status.in_flight.is_none())?;
    let stalled = find(&status.conditions, "Stalled")?;
    // A parked database wakes up for all of its objects at once.
    let is_its_own = Reason::parse(&stalled.reason) != Some(Reason::DatabaseParked);
    (is_its_own && stalled.observed_generation == other.meta().generation).then_some(stalled)
}

/// Could these two objects at one place be in each other's way, by what their specs say now? An Exclusive one is until it
/// is gone.
fn may_contradict<K: Kind>(one: &K, other: &K) -> bool {
    let is_exclusive = |it: &K| it.common().management == Management::Exclusive;
    let wants = |it: &K| it.desired().map(|desired| K::wants(&desired)).unwrap_or_default();
    let share = || other.meta().deletion_timestamp.is_none() && !wants(one).is_disjoint(&wants(other));
    one.uid() != other.uid() && (!K::SHAREABLE || is_exclusive(one) || is_exclusive(other) || share())
}

fn credentials_of<K: Kind>(object: &K) -> (Option<String>, &CredentialsRef) {
    (object.namespace(), object.common().credentials)
}

enum Relation {
    Same,
    /// It names a database by the same name, and nobody has looked it up yet.
    Perhaps,
    Other,
}

fn relation<K: Kind>(object: &K, other: &K, database: &Database) -> Relation {
    let recorded = other.status().and_then(|status| status.database_id.as_deref());
    let reference = other.common().database;
    match (recorded.or(reference.id.as_deref()), &reference.name) {
        (Some(id), _) if id.eq_ignore_ascii_case(database.id.as_str()) => Relation::Same,
        (None, Some(name)) if *name == database.info.name => {
            // The same name under the same token is the same database, whether it was looked up yet or not.
            if credentials_of(object) == credentials_of(other) { Relation::Same } else { Relation::Perhaps }
        }
        _ => Relation::Other,
    }
}

/// Older objects come first; of two made in one second the one whose name comes first is taken for older.
fn age<K: Kind>(object: &K) -> (Option<Time>, String) {
    (object.creation_timestamp(), name(object))
}

fn name<K: Kind>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
