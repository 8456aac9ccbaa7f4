//! The server's whole state, and what every write has in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    journal::Journal,
    managers::{Manager, Managers},
    resource::{NAMESPACES, Resource},
    store::{ChangeKind, Entry, Key, Store, Stored},
    weather::Weather,
};

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) user: Arc<str>,
    /// The name under which the fields are owned.
    pub(crate) manager: String,
}

impl Author {
    pub(crate) fn manager(&self, applies: bool, status: bool) -> Manager {
        Manager { name: self.manager.clone(), applies, status }
    }
}

/// The server.
pub(crate) struct State {
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) store: Store,
    /// The kinds, by plural.
    pub(crate) served: BTreeMap<String, Arc<Resource>>,
    /// Kinds whose definition is deleted, and that still have objects.
    pub(crate) closing: BTreeSet<String>,
    /// How many ids were given out. They are never given again, not even after an older state is restored.
    ids: u64,
    /// Grows whenever all connections break.
    pub(crate) epoch: u64,
    /// How often the server was put back to an older state.
    pub(crate) restores: u64,
    pub(crate) journal: Journal,
    pub(crate) weather: Option<Arc<dyn Weather>>,
    /// User, verb, and plural (with its subresource).
    pub(crate) forbidden: BTreeSet<(String, String, String)>,
    /// Are the rules (CEL) of the definitions judged?
    pub(crate) judges_rules: bool,
}

impl State {
    pub(crate) fn new(clock: fn() -> Timestamp) -> Self {
        let built_in = Resource::all_built_in();
        // As on a real server, where setting up takes some revisions. Number 1 is never given to an object.
        let store = Store { revision: 1, compacted: 1, ..Store::default() };
        Self {
            clock,
            store,
            served: built_in.into_iter().map(|kind| (kind.plural.clone(), Arc::new(kind))).collect(),
            closing: BTreeSet::new(),
            ids: 0,
            epoch: 0,
            restores: 0,
            journal: Journal::default(),
            weather: None,
            forbidden: BTreeSet::new(),
            judges_rules: false,
        }
    }

    /// The kind with this plural, if it is served.
    pub(crate) fn resource(&self, plural: &str) -> Option<Arc<Resource>> {
        self.served.get(plural).cloned()
    }

    /// The time as objects have it: whole seconds.
    pub(crate) fn now(&self) -> Value {
        let whole = Timestamp::from_second((self.clock)().as_second()).unwrap_or_default();
        json!(Time(whole))
    }

    /// An id that was never there before, in the shape of a UUID.
    pub(crate) fn new_uid(&mut self) -> String {
        self.ids += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.ids, self.ids)
    }

    /// What is added to a generated name, in the letters that the real server takes.
    pub(crate) fn suffix(&mut self) -> String {
        const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        self.ids += 1;
        let mut rest = self.ids;
        let mut letters = [b'b'; 5];
        for letter in letters.iter_mut().rev() {
            *letter = LETTERS[usize::try_from(rest % 27).unwrap_or_default()];
            rest /= 27;
        }
        String::from_utf8_lossy(&letters).into_owned()
    }

    /// Stores an object as it is now.
    pub(crate) fn store(
        &mut self,
        key: &Key,
        value: Value,
        managers: Managers,
        has_status: bool,
        by: (&Author, bool),
    ) -> Arc<Stored> {
        let before = self.store.objects.get(key).cloned();
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        let stored = self.log(key, value, (managers, has_status), by, (kind, before));
        self.store.objects.insert(key.clone(), stored.clone());
        stored
    }

    /// Takes an object away. What is told to watches is its last state, with the revision of its end.
    pub(crate) fn remove(&mut self, key: &Key, last: Value, by: (&Author, bool)) {
        let before = self.store.objects.remove(key);
        let managers = before.as_ref().map(|stored| stored.managers.clone()).unwrap_or_default();
        self.log(key, last, (managers, true), by, (ChangeKind::Deleted, before));
        self.settle(by.0);
    }

    fn log(
        &mut self,
        key: &Key,
        mut value: Value,
        (managers, has_status): (Managers, bool),
        (author, status): (&Author, bool),
        (kind, before): (ChangeKind, Option<Arc<Stored>>),
    ) -> Arc<Stored> {
        self.store.revision += 1;
        let revision = self.store.revision;
        value["metadata"]["resourceVersion"] = json!(revision.to_string());
        let after = Arc::new(Stored::new(value, revision, managers, has_status));
        self.store.log.push(Arc::new(Entry {
            revision,
            at: (self.clock)(),
            instant: Instant::now(),
            by: author.user.clone(),
            kind,
            key: key.clone(),
            before,
            after: after.clone(),
            status,
        }));
        after
    }

    /// Namespaces and definitions that are being deleted go with their last object.
    pub(crate) fn settle(&mut self, author: &Author) {
        let closed: Vec<String> = self
            .closing
            .iter()
            .filter(|plural| self.store.of(plural, None).next().is_none())
            .cloned()
            .collect();
        for plural in closed {
            self.closing.remove(&plural);
            self.served.remove(&plural);
        }
        let empty: Vec<(Key, Arc<Stored>)> = self
            .store
            .of(NAMESPACES, None)
            .filter(|(_, namespace)| namespace.is_going())
            .filter(|(key, _)| !self.store.objects.keys().any(|other| other.namespace == key.name))
            .map(|(key, namespace)| (key.clone(), namespace.clone()))
            .collect();
        for (key, namespace) in empty {
            self.remove(&key, (*namespace.value).clone(), (author, false));
        }
    }
}
