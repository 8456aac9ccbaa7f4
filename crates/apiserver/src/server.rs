//! The server as tests have it.

use std::{
    collections::BTreeSet,
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Client, core::Status};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    journal::Recorded,
    patch::Sort,
    refusal,
    resource::Resource,
    service,
    state::{Author, State},
    store::{ChangeKind, Key, Store},
    watch::Shared,
    weather::Weather,
    write::{Change as How, Preconditions},
};

/// Who changes things directly, in [`Change::by`].
const PEOPLE: &str = "people";

/// An API server. Clones share it.
#[derive(Clone)]
pub struct ApiServer(Arc<Shared>);

impl Debug for ApiServer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiServer").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

/// One write that was made, in the order of revisions.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its revision.
    pub revision: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The user, or `people` if it was made directly.
    pub by: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The object as it is then; for a deletion, as it was last.
    pub object: Arc<Value>,
    /// Was it made through the status subresource?
    pub subresource_status: bool,
}

/// All that etcd has, at one moment.
#[derive(Clone)]
pub struct Snapshot {
    store: Store,
    served: Vec<(String, Arc<Resource>)>,
    closing: BTreeSet<String>,
}

impl Debug for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("revision", &self.store.revision).finish_non_exhaustive()
    }
}

impl ApiServer {
    /// A server with these kinds, besides Namespaces, Secrets, Events and Leases, and with the namespace `default`. Times
    /// in objects are `clock`'s; how long things take is tokio's.
    #[must_use]
    pub fn new(definitions: &[CustomResourceDefinition], clock: fn() -> Timestamp) -> Self {
        let server = Self(Arc::new(Shared { state: Mutex::new(State::new(clock)), bell: Notify::new() }));
        for definition in definitions {
            // A fresh server has none of them.
            let _ = server.define(definition);
        }
        let _ = server
            .create(json!({ "metadata": { "name": "default" }, "kind": "Namespace", "apiVersion": "v1" }));
        server
    }

    /// A client whose requests are this user's. Must be called in a tokio runtime.
    #[must_use]
    pub fn client(&self, user: &str, default_namespace: &str) -> Client {
        let (shared, user): (_, Arc<str>) = (self.0.clone(), user.into());
        let service = tower::service_fn(move |request| service::serve(shared.clone(), user.clone(), request));
        Client::new(service, default_namespace)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.0.lock());
        self.0.bell.notify_waiters();
        result
    }

    /// Makes an object, as a person does: no weather, the same rules.
    ///
    /// # Errors
    /// As the server answers.
    pub fn create(&self, object: Value) -> Result<Value, Box<Status>> {
        self.change(|state| {
            let resource = state.kind_of(&object)?;
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            let stored = state.create(&resource, &namespace, object, &people(), None)?;
            Ok((*stored.value).clone())
        })
    }

    /// Puts a whole object in the place of the one that is there.
    ///
    /// # Errors
    /// As the server answers.
    pub fn update(&self, object: Value) -> Result<Value, Box<Status>> {
        self.change(|state| {
            let resource = state.kind_of(&object)?;
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
            let key = Key::new(&resource.plural, text("namespace"), text("name"));
            let how = How { status: false, whole: true, managers: None };
            let stored = state.change(&resource, &key, object, how, &people())?;
            Ok((*stored.value).clone())
        })
    }

    /// Merges a patch into an object.
    ///
    /// # Errors
    /// As the server answers.
    #[expect(clippy::needless_pass_by_value, reason = "patches are written where they are used")]
    pub fn merge(
        &self,
        plural: &str,
        namespace: &str,
        name: &str,
        patch: Value,
    ) -> Result<Value, Box<Status>> {
        self.merge_into(plural, namespace, name, &patch, false)
    }

    /// Merges a patch into an object's status: `{ "status": … }`.
    ///
    /// # Errors
    /// As the server answers.
    #[expect(clippy::needless_pass_by_value, reason = "patches are written where they are used")]
    pub fn merge_status(
        &self,
        plural: &str,
        namespace: &str,
        name: &str,
        patch: Value,
    ) -> Result<Value, Box<Status>> {
        self.merge_into(plural, namespace, name, &patch, true)
    }

    fn merge_into(
        &self,
        plural: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
        status: bool,
    ) -> Result<Value, Box<Status>> {
        self.change(|state| {
            let resource = state.resource(plural).ok_or_else(refusal::no_such_resource)?;
            let key = Key::new(plural, namespace, name);
            let body = patch.to_string();
            let (stored, _) =
                state.patch(&resource, &key, (Sort::Merge, status), body.as_bytes(), &people())?;
            Ok((*stored.value).clone())
        })
    }

    /// Deletes an object: it goes when it has no finalizer. A namespace goes with all that is in it.
    ///
    /// # Errors
    /// As the server answers.
    pub fn delete(&self, plural: &str, namespace: &str, name: &str) -> Result<(), Box<Status>> {
        self.change(|state| {
            let resource = state.resource(plural).ok_or_else(refusal::no_such_resource)?;
            let key = Key::new(plural, namespace, name);
            state.delete(&resource, &key, &Preconditions::default(), &people()).map(drop)
        })
    }

    /// An object, if it is there.
    #[must_use]
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let state = self.0.lock();
        state.store.objects.get(&Key::new(plural, namespace, name)).map(|stored| (*stored.value).clone())
    }

    /// All objects of a kind, of all namespaces, by namespace and name.
    #[must_use]
    pub fn list(&self, plural: &str) -> Vec<Value> {
        self.0.lock().store.of(plural, None).map(|(_, stored)| (*stored.value).clone()).collect()
    }

    /// What was written after this revision. A restored server knows what its snapshot knew, and what came later.
    #[must_use]
    pub fn changes(&self, since_revision: u64) -> Vec<Change> {
        let state = self.0.lock();
        let entries = state.store.since(since_revision).iter();
        entries
            .map(|entry| Change {
                revision: entry.revision,
                at: entry.at,
                by: entry.by.to_string(),
                kind: entry.kind,
                object: entry.after.value.clone(),
                subresource_status: entry.status,
            })
            .collect()
    }

    /// The revision of the last write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.lock().store.revision
    }

    /// How often the server was restored. After it revisions tell nothing of what was before.
    #[must_use]
    pub fn restores(&self) -> u64 {
        self.0.lock().restores
    }

    /// What goes wrong from now on, for requests that are made from now on.
    pub fn set_weather(&self, weather: Option<Arc<dyn Weather>>) {
        self.0.lock().weather = weather;
    }

    /// Takes a right from a user: a verb such as `patch` on a plural, or on `PLURAL/status`. All have all others.
    pub fn forbid(&self, user: &str, verb: &str, plural: &str) {
        self.0.lock().forbidden.insert((user.to_owned(), verb.to_owned(), plural.to_owned()));
    }

    /// Gives it back.
    pub fn allow(&self, user: &str, verb: &str, plural: &str) {
        self.0.lock().forbidden.remove(&(user.to_owned(), verb.to_owned(), plural.to_owned()));
    }

    /// Are the rules (CEL) of definitions judged on writes from now on? They are not at first: it costs time.
    pub fn validate(&self, judges_rules: bool) {
        self.0.lock().judges_rules = judges_rules;
    }

    /// Deletes a definition: its objects are deleted, and the kind is gone with the last of them. Until then, none is
    /// made.
    pub fn undefine(&self, plural: &str) {
        self.change(|state| {
            if !state.served.get(plural).is_some_and(|resource| resource.custom) {
                return;
            }
            state.closing.insert(plural.to_owned());
            let keys: Vec<Key> = state.store.of(plural, None).map(|(key, _)| key.clone()).collect();
            state.delete_all(&keys, &people());
            state.settle(&people());
        });
    }

    /// Makes a definition.
    ///
    /// # Errors
    /// If there is one of this plural, be it one that is being deleted.
    pub fn define(&self, definition: &CustomResourceDefinition) -> Result<(), Box<Status>> {
        let name = definition.metadata.name.clone().unwrap_or_default();
        let Some(resource) = Resource::of(definition) else {
            return Err(refusal::bad_request(format!("{name} has no version that is stored")));
        };
        self.change(|state| {
            if state.served.contains_key(&resource.plural) {
                let message =
                    format!("customresourcedefinitions.apiextensions.k8s.io \"{name}\" already exists");
                return Err(refusal::failure(409, "AlreadyExists", message));
            }
            state.served.insert(resource.plural.clone(), Arc::new(resource));
            Ok(())
        })
    }

    /// Is the kind served? (One that is being deleted is, until its last object is gone.)
    #[must_use]
    pub fn is_defined(&self, plural: &str) -> bool {
        self.0.lock().served.contains_key(plural)
    }

    /// Breaks every connection, those of requests that are under way included.
    pub fn restart(&self) {
        self.change(|state| state.epoch += 1);
    }

    /// All that etcd has now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.0.lock();
        let served = state.served.iter().map(|(plural, resource)| (plural.clone(), resource.clone()));
        Snapshot { store: state.store.clone(), served: served.collect(), closing: state.closing.clone() }
    }

    /// Puts etcd back to an older state, with its revisions, and breaks every connection.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.change(|state| {
            state.store = snapshot.store.clone();
            state.served = snapshot.served.iter().cloned().collect();
            state.closing.clone_from(&snapshot.closing);
            state.epoch += 1;
            state.restores += 1;
        });
    }

    /// Forgets what happened up to now: a watch from an earlier revision is told so.
    pub fn compact(&self) {
        self.change(|state| state.store.compacted = state.store.revision);
    }

    /// Every request that came, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.lock().journal.all().to_vec()
    }

    /// Forgets the requests that came.
    pub fn clear_requests(&self) {
        self.0.lock().journal.clear();
    }
}

fn people() -> Author {
    Author { user: PEOPLE.into(), manager: PEOPLE.to_owned() }
}

impl State {
    /// The kind of an object that says what it is.
    fn kind_of(&self, object: &Value) -> Result<Arc<Resource>, Box<Status>> {
        let found = self.served.values().find(|resource| resource.is_of(object));
        found.cloned().ok_or_else(|| {
            refusal::bad_request(format!(
                "no kind {} is registered for version {}",
                object["kind"], object["apiVersion"]
            ))
        })
    }
}
