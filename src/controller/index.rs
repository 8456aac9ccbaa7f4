//! Which objects may be about a database, without walking all of them: each look asks for the other objects at its place,
//! and a thousand looks at a thousand objects must not be a million.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kube::{ResourceExt, core::DeserializeGuard, runtime::watcher};

use crate::engine::Kind;

/// Which database an object is about, as far as can be told without asking Astra.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// This one: its status says so, or its spec. In lower case.
    Id(String),
    /// One of this name, which nobody has looked up yet.
    Name(String),
}

impl Key {
    /// A database's id.
    #[must_use]
    pub fn id(id: &str) -> Self {
        Self::Id(id.to_ascii_lowercase())
    }

    /// What this object is filed under.
    #[must_use]
    pub fn of<K: Kind>(object: &K) -> Option<Self> {
        let reference = object.common().database;
        let recorded = object.status().and_then(|status| status.database_id.as_deref());
        let id = recorded.or(reference.id.as_deref()).map(Self::id);
        id.or_else(|| reference.name.clone().map(Self::Name))
    }
}

/// Namespace and name of an object.
pub type Name = Arc<(String, String)>;

/// The objects of one watch, by their database.
#[derive(Debug, Default)]
pub struct Index(Mutex<Files>);

#[derive(Debug, Default)]
struct Files {
    filed: Shelves,
    /// What a list that has not ended yet has brought. It replaces all else at its end, as in the watch's own store.
    coming: Option<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    by_key: HashMap<Key, BTreeSet<Name>>,
    keys: HashMap<Name, Key>,
}

impl Shelves {
    fn put(&mut self, name: Name, key: Option<Key>) {
        if self.keys.get(&name) == key.as_ref() {
            return;
        }
        self.remove(&name);
        if let Some(key) = key {
            self.by_key.entry(key.clone()).or_default().insert(name.clone());
            self.keys.insert(name, key);
        }
    }

    fn remove(&mut self, name: &Name) {
        let Some(key) = self.keys.remove(name) else { return };
        if let Some(names) = self.by_key.get_mut(&key) {
            names.remove(name);
            if names.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }
}

impl Index {
    /// The watch tells something. An object that cannot be read is about nothing.
    pub fn told<K: Kind>(&self, event: &watcher::Event<DeserializeGuard<K>>) {
        let mut files = self.lock();
        let known = |guard: &DeserializeGuard<K>| (name(guard), guard.0.as_ref().ok().and_then(Key::of));
        match event {
            watcher::Event::Init => files.coming = Some(Shelves::default()),
            watcher::Event::InitApply(object) => {
                let (name, key) = known(object);
                files.coming.get_or_insert_default().put(name, key);
            }
            watcher::Event::InitDone => files.filed = files.coming.take().unwrap_or_default(),
            watcher::Event::Apply(object) => {
                let (name, key) = known(object);
                files.filed.put(name, key);
            }
            watcher::Event::Delete(object) => files.filed.remove(&name(object)),
        }
    }

    /// The names of the objects under one of these keys, in order.
    #[must_use]
    pub fn under(&self, keys: &[Key]) -> BTreeSet<Name> {
        let files = self.lock();
        keys.iter().filter_map(|key| files.filed.by_key.get(key)).flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name<K: Kind>(object: &DeserializeGuard<K>) -> Name {
    Arc::new((object.namespace().unwrap_or_default(), object.name_any()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

    use super::*;
    use crate::kinds::AstraAccessList;

    type Object = DeserializeGuard<AstraAccessList>;

    const ID: &str = "4B8A1C52-0f1d-4e6a-9c3b-1d2e3f4a5b01";

    fn object(name: &str, database: &serde_json::Value, recorded: Option<&str>) -> Object {
        let status = recorded.map(|id| json!({ "databaseId": id }));
        serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "status": status,
            "metadata": { "name": name, "namespace": "team" },
            "spec": { "database": database, "publicAccess": "Open" },
        }))
        .unwrap()
    }

    fn under(index: &Index, keys: &[Key]) -> Vec<String> {
        index.under(keys).iter().map(|name| name.1.clone()).collect()
    }

    #[test]
    fn an_object_is_filed_under_what_is_known_of_its_database_and_moves_when_more_is() {
        let index = Index::default();
        let by_name = || json!({ "name": "orders" });
        let orders = [Key::Name("orders".to_owned())];
        index.told(&Apply(object("one", &by_name(), None)));
        index.told(&Apply(object("two", &json!({ "id": ID }), None)));
        assert_eq!(under(&index, &orders), ["one"]);
        assert_eq!(under(&index, &[Key::id(&ID.to_lowercase())]), ["two"]);
        index.told(&Apply(object("one", &by_name(), Some(&ID.to_lowercase()))));
        assert_eq!(under(&index, &orders), [""; 0]);
        assert_eq!(under(&index, &[Key::id(ID), orders[0].clone()]), ["one", "two"]);
        index.told(&Delete(object("one", &by_name(), None)));
        assert_eq!(under(&index, &[Key::id(ID)]), ["two"]);
    }

    #[test]
    fn a_list_replaces_all_when_it_has_ended() {
        let index = Index::default();
        let orders = [Key::Name("orders".to_owned())];
        let named = |name: &str| object(name, &json!({ "name": "orders" }), None);
        for event in [Init, InitApply(named("one")), InitApply(named("two")), InitDone] {
            index.told(&event);
        }
        for event in [Init, InitApply(named("two"))] {
            index.told(&event);
        }
        assert_eq!(under(&index, &orders), ["one", "two"], "until then the old one holds");
        index.told::<AstraAccessList>(&InitDone);
        assert_eq!(under(&index, &orders), ["two"]);
    }

    #[test]
    fn an_object_that_cannot_be_read_any_more_is_about_nothing() {
        let index = Index::default();
        let orders = [Key::Name("orders".to_owned())];
        index.told(&Apply(object("one", &json!({ "name": "orders" }), None)));
        let broken: Object = serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
            "metadata": { "name": "one", "namespace": "team" }, "spec": 7,
        }))
        .unwrap();
        assert!(broken.0.is_err());
        index.told(&Apply(broken));
        assert_eq!(under(&index, &orders), [""; 0]);
    }
}
