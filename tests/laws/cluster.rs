//! A small cluster in memory: objects of one kind, with resource versions, generations, finalizers and deletion times as
//! the API server keeps them. Objects go through JSON on every write, as they do there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use astra_operator::{
    controller::{index::Index, peers::Stores},
    engine::Kind,
    kinds::{Entry, KINDS},
    resource::FINALIZER,
    status::Status,
};
use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps,
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{
    ResourceExt,
    core::DeserializeGuard,
    runtime::{
        reflector::{self, store::Writer},
        watcher,
    },
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    checker, clock,
    lawful::{Lawful, governs},
};

/// The schemas of the statuses, by kind.
static STATUSES: LazyLock<BTreeMap<String, JSONSchemaProps>> = LazyLock::new(|| {
    let schema = |entry: &Entry| {
        let crd = (entry.crd)();
        let root = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
        (crd.spec.names.kind, root.properties.unwrap().remove("status").unwrap())
    };
    KINDS.iter().map(schema).collect()
});

/// The namespace of all objects.
pub(crate) const NAMESPACE: &str = "team";

/// The cluster. Clones share it.
pub(crate) struct Cluster<K: Kind>(Arc<Shared<K>>);

impl<K: Kind> Clone for Cluster<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<K: Kind> {
    inner: Mutex<Inner<K>>,
    changed: Notify,
}

struct Inner<K: Kind> {
    objects: BTreeMap<String, K>,
    changed: BTreeSet<String>,
    writer: Writer<DeserializeGuard<K>>,
    index: Arc<Index>,
    version: u64,
    created: usize,
    status_writes: usize,
    /// Everything that was ever written to a status, and every event.
    said: Vec<String>,
    /// Who may write to Astra, at each moment since all was quiet; `None` when nobody asks for it, which with a thousand
    /// objects is too much to find out.
    moments: Option<Vec<Vec<K>>>,
}

/// The write was made for an object that is not there any more, or not like this.
#[derive(Debug)]
pub(crate) struct Conflict(pub String);

impl<K: Lawful> Cluster<K> {
    /// A cluster without objects, and what its watches know of it.
    pub(crate) fn new() -> (Self, Stores<K>) {
        Self::watched(Some(vec![Vec::new()]))
    }

    /// The same for very many objects: who may write when is not kept.
    #[allow(dead_code, reason = "the tests that share this use it")]
    pub(crate) fn unwatched() -> (Self, Stores<K>) {
        Self::watched(None)
    }

    fn watched(moments: Option<Vec<Vec<K>>>) -> (Self, Stores<K>) {
        let (store, writer) = reflector::store();
        let index = Arc::<Index>::default();
        let mut inner = Inner {
            objects: BTreeMap::new(),
            changed: BTreeSet::new(),
            writer,
            index: index.clone(),
            version: 0,
            created: 0,
            status_writes: 0,
            said: Vec::new(),
            moments,
        };
        inner.writer.apply_watcher_event(&watcher::Event::Init);
        inner.writer.apply_watcher_event(&watcher::Event::InitDone);
        (
            Self(Arc::new(Shared { inner: Mutex::new(inner), changed: Notify::new() })),
            Stores::new(vec![(store, index)]),
        )
    }

    /// Makes an object.
    pub(crate) fn create(&self, mut object: K) {
        let name = object.name_any();
        let mut inner = self.lock();
        assert!(!inner.objects.contains_key(&name), "{name} is there already");
        inner.created += 1;
        let uid = format!("uid-{}", inner.created);
        let meta = object.meta_mut();
        meta.namespace = Some(NAMESPACE.into());
        meta.uid = Some(uid);
        meta.generation = Some(1);
        meta.creation_timestamp = Some(Time(clock::now()));
        // The default that the definition has.
        let mut value = serde_json::to_value(&object).unwrap();
        value["status"] = json!({ "observedGeneration": -1 });
        inner.store(&name, value);
        inner.user_changed(&name);
        drop(inner);
        self.0.changed.notify_one();
    }

    /// Changes an object's spec.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&K) -> K) {
        let mut inner = self.lock();
        let Some(object) = inner.objects.get(name) else { return };
        let mut value = serde_json::to_value(object).unwrap();
        let spec = serde_json::to_value(edit(object)).unwrap()["spec"].take();
        if value["spec"] == spec {
            return;
        }
        value["spec"] = spec;
        bump(&mut value);
        inner.store(name, value);
        inner.user_changed(name);
        drop(inner);
        self.0.changed.notify_one();
    }

    /// Changes an object behind the operator's back, its status and finalizers too: no watch tells of it as of a change.
    pub(crate) fn tamper(&self, name: &str, tamper: impl FnOnce(&mut Value)) {
        let mut inner = self.lock();
        let Some(object) = inner.objects.get(name) else { return };
        let mut value = serde_json::to_value(object).unwrap();
        tamper(&mut value);
        inner.store(name, value);
    }

    /// Deletes an object: it goes when it has no finalizer.
    pub(crate) fn delete(&self, name: &str) {
        let mut inner = self.lock();
        let Some(object) = inner.objects.get(name) else { return };
        if object.finalizers().is_empty() {
            inner.remove(name);
        } else if object.meta().deletion_timestamp.is_none() {
            let mut value = serde_json::to_value(object).unwrap();
            value["metadata"]["deletionTimestamp"] = json!(Time(clock::now()));
            bump(&mut value);
            inner.store(name, value);
        }
        inner.user_changed(name);
        drop(inner);
        self.0.changed.notify_one();
    }

    /// Sets or takes away the operator's finalizer. The last one gone, a deleted object goes.
    pub(crate) fn set_finalizer(
        &self,
        object: &K,
        version: Option<&str>,
        set: bool,
    ) -> Result<Option<K>, Conflict> {
        let mut inner = self.lock();
        let name = object.name_any();
        let mut value = inner.checked(object, version)?;
        value["metadata"]["finalizers"] = if set { json!([FINALIZER]) } else { json!([]) };
        if !set && !value["metadata"]["deletionTimestamp"].is_null() {
            inner.remove(&name);
            // Others may write from now on.
            inner.moment();
            return Ok(None);
        }
        Ok(Some(inner.store(&name, value)))
    }

    /// Writes a whole status, and returns the new resource version.
    pub(crate) fn write_status(
        &self,
        object: &K,
        version: Option<&str>,
        status: &Status<K::Details>,
    ) -> Result<Option<String>, Conflict> {
        let mut inner = self.lock();
        let mut value = inner.checked(object, version)?;
        inner.status_writes += 1;
        inner.said.push(serde_json::to_string(status).unwrap());
        value["status"] = serde_json::to_value(status).unwrap();
        let refusals = checker::refusals(&STATUSES[&*K::kind(&())], &value["status"]);
        assert!(refusals.is_empty(), "the API server would refuse this status: {refusals:?}");
        Ok(inner.store(&object.name_any(), value).resource_version())
    }

    /// Keeps what was said.
    pub(crate) fn say(&self, text: String) {
        self.lock().said.push(text);
    }

    /// All that was ever said.
    pub(crate) fn said(&self) -> Vec<String> {
        self.lock().said.clone()
    }

    /// How many objects were ever made.
    pub(crate) fn created(&self) -> usize {
        self.lock().created
    }

    /// How often a status was written.
    pub(crate) fn status_writes(&self) -> usize {
        self.lock().status_writes
    }

    /// One object.
    pub(crate) fn get(&self, name: &str) -> Option<K> {
        self.lock().objects.get(name).cloned()
    }

    /// All objects.
    pub(crate) fn objects(&self) -> Vec<K> {
        self.lock().objects.values().cloned().collect()
    }

    /// The objects that were changed since the last time.
    pub(crate) fn take_changed(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.lock().changed)
    }

    /// Waits for a change by a user.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Who may write to Astra, at each moment since all was quiet.
    pub(crate) fn moments(&self) -> Vec<Vec<K>> {
        self.lock().moments.clone().unwrap_or_default()
    }

    /// All is quiet: what was wanted before does not count any more.
    pub(crate) fn quiet(&self) {
        let mut inner = self.lock();
        inner.moments = inner.moments.take().map(|_| Vec::new());
        inner.moment();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Lawful> Inner<K> {
    fn store(&mut self, name: &str, mut value: Value) -> K {
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object: K = serde_json::from_value(value.clone()).unwrap();
        let guard = serde_json::from_value(value).unwrap();
        let event = watcher::Event::Apply(guard);
        self.writer.apply_watcher_event(&event);
        self.index.told(&event);
        self.objects.insert(name.to_owned(), object.clone());
        object
    }

    fn remove(&mut self, name: &str) {
        if let Some(object) = self.objects.remove(name) {
            let guard = serde_json::from_value(serde_json::to_value(object).unwrap()).unwrap();
            let event = watcher::Event::Delete(guard);
            self.writer.apply_watcher_event(&event);
            self.index.told(&event);
        }
    }

    fn checked(&self, object: &K, version: Option<&str>) -> Result<Value, Conflict> {
        let name = object.name_any();
        let stored = self.objects.get(&name).ok_or_else(|| Conflict(format!("{name} not found")))?;
        if stored.uid() != object.uid() || stored.resource_version().as_deref() != version {
            return Err(Conflict(format!("{name}: the object has been modified")));
        }
        Ok(serde_json::to_value(stored).unwrap())
    }

    fn user_changed(&mut self, name: &str) {
        self.changed.insert(name.to_owned());
        self.moment();
    }

    fn moment(&mut self) {
        let Some(moments) = &mut self.moments else { return };
        let all: Vec<K> = self.objects.values().cloned().collect();
        moments.push(
            all.iter()
                .filter(|object| object.meta().deletion_timestamp.is_none() && governs(*object, &all))
                .cloned()
                .collect(),
        );
    }
}

fn bump(value: &mut Value) {
    let generation = value["metadata"]["generation"].as_i64().unwrap_or_default();
    value["metadata"]["generation"] = json!(generation + 1);
}
