//! The objects, and all that ever happened to them, as etcd keeps it: one number for every write.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    managers::Managers,
    refusal::{self, Refusal},
};

/// Where an object is. Sorted as etcd sorts its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) plural: Arc<str>,
    /// Empty for objects without one.
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Key {
    pub(crate) fn new(plural: &str, namespace: &str, name: &str) -> Self {
        Self { plural: plural.into(), namespace: namespace.into(), name: name.into() }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        // In etcd's keys a slash follows the namespace, and it is greater than a dash: `a-b/x` comes before `a/x`.
        let namespaces = || {
            let one = self.namespace.bytes().chain([b'/']);
            one.cmp(other.namespace.bytes().chain([b'/']))
        };
        self.plural.cmp(&other.plural).then_with(namespaces).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An object as it is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) value: Arc<Value>,
    pub(crate) revision: u64,
    pub(crate) managers: Managers,
    /// Is its status stored? A fresh object's is not: its default is put in whenever it is read, and the next write of
    /// whatever sort stores it, even one that changes nothing else.
    pub(crate) has_status: bool,
    bytes: OnceLock<Bytes>,
}

impl Stored {
    pub(crate) fn new(value: Value, revision: u64, managers: Managers, has_status: bool) -> Self {
        Self { value: Arc::new(value), revision, managers, has_status, bytes: OnceLock::new() }
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> &Bytes {
        self.bytes.get_or_init(|| serde_json::to_vec(&*self.value).unwrap_or_default().into())
    }

    pub(crate) fn meta(&self, field: &str) -> &Value {
        &self.value["metadata"][field]
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.meta(field).as_str().unwrap_or_default()
    }

    pub(crate) fn is_going(&self) -> bool {
        !self.meta("deletionTimestamp").is_null()
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was made.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One write.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) revision: u64,
    pub(crate) at: Timestamp,
    pub(crate) instant: Instant,
    pub(crate) by: Arc<str>,
    pub(crate) kind: ChangeKind,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Stored>>,
    /// What is there after it; for a deletion, what went, with the deletion's revision.
    pub(crate) after: Arc<Stored>,
    pub(crate) status: bool,
}

/// All objects, and their history.
#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) objects: BTreeMap<Key, Arc<Stored>>,
    pub(crate) log: Vec<Arc<Entry>>,
    pub(crate) revision: u64,
    /// Nothing is known any more of what happened up to here.
    pub(crate) compacted: u64,
}

impl Store {
    /// The objects of a kind, of one namespace or of all.
    pub(crate) fn of<'a>(
        &'a self,
        plural: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> {
        self.objects
            .range(Key::new(plural, namespace.unwrap_or_default(), "")..)
            .take_while(move |(key, _)| &*key.plural == plural)
            .take_while(move |(key, _)| namespace.is_none_or(|namespace| &*key.namespace == namespace))
    }

    /// The objects of a kind as they were at a revision.
    ///
    /// # Errors
    /// If that is forgotten.
    pub(crate) fn at(
        &self,
        revision: u64,
        plural: &str,
        namespace: Option<&str>,
    ) -> Result<BTreeMap<Key, Arc<Stored>>, Refusal> {
        if revision < self.compacted {
            let why = "The resourceVersion for the provided list is too old.";
            return Err(refusal::expired(why));
        }
        let mut objects: BTreeMap<Key, Arc<Stored>> =
            self.of(plural, namespace).map(|(key, stored)| (key.clone(), stored.clone())).collect();
        for entry in self.since(revision).iter().rev() {
            let is_of = &*entry.key.plural == plural
                && namespace.is_none_or(|namespace| &*entry.key.namespace == namespace);
            match &entry.before {
                _ if !is_of => {}
                Some(before) => drop(objects.insert(entry.key.clone(), before.clone())),
                None => drop(objects.remove(&entry.key)),
            }
        }
        Ok(objects)
    }

    /// What happened after a revision.
    pub(crate) fn since(&self, revision: u64) -> &[Arc<Entry>] {
        let start = self.log.partition_point(|entry| entry.revision <= revision);
        &self.log[start..]
    }
}
