//! What the objects in the API server declare, told to the invariants that the simulator of Astra looks at on every
//! request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use astra_operator::{
    controller::reconcile::is_paused,
    engine::verdict,
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
};
use astra_simulator::invariants::{Declared, Kind, Manifests, Version};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use kube::ResourceExt;
use serde_json::Value;
use simulated_apiserver::{ApiServer, Change, ChangeKind};

use crate::{
    clock,
    lawful::{Lawful, deletes, governs, owned},
    weather::OPERATOR,
};

/// How long a request of an object that is gone may still be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(90);

/// Everything that is declared, as it changes.
pub(crate) struct Declarations {
    server: ApiServer,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    restores: u64,
    /// When etcd was last restored.
    restored: Option<Timestamp>,
    /// That moment, once a process has begun after it: then nobody remembers what was announced before.
    forgotten_before: Option<Timestamp>,
    revision: u64,
    /// What the Secret has and had, and since when it has another one.
    tokens: Vec<(String, Option<Timestamp>)>,
    endpoints: Objects<AstraPrivateEndpoint>,
    lists: Objects<AstraAccessList>,
    peerings: Objects<AstraVpcPeering>,
    /// The same while nothing changes.
    all: Option<Arc<[Declared]>>,
}

/// The objects of one kind, by UID; and when etcd was restored.
struct Objects<K>(BTreeMap<String, Object<K>>, Option<Timestamp>);

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self(BTreeMap::new(), None)
    }
}

struct Object<K> {
    now: K,
    datacenter: Option<String>,
    /// Since its owner last wrote a status.
    versions: Vec<Version>,
    gone: Option<Timestamp>,
}

impl Declarations {
    pub(crate) fn new(server: &ApiServer) -> Self {
        Self { server: server.clone(), known: Mutex::default() }
    }

    /// A process begins, which knows nothing but what is stored.
    pub(crate) fn process_begins(&self) {
        self.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forgotten_before = known.restored;
    }
}

impl Manifests for Declarations {
    fn now(&self) -> Arc<[Declared]> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (restores, revision) = (self.server.restores(), self.server.revision());
        if restores != known.restores {
            // etcd was restored, and its revisions may have passed the old ones since. A request of what was declared before
            // may be under way.
            let now = clock::now();
            known.restores = restores;
            known.restored = Some(now);
            known.endpoints.vanish(now);
            known.lists.vanish(now);
            known.peerings.vanish(now);
            known.revision = 0;
        }
        if revision > known.revision {
            for change in self.server.changes(known.revision) {
                known.take(&change);
            }
            known.revision = revision;
            known.all = None;
        }
        let now = clock::now();
        let known = &mut *known;
        let all = known.all.get_or_insert_with(|| {
            known.tokens.retain(|(_, replaced)| replaced.is_none_or(|at| now.duration_since(at) < UNDER_WAY));
            let mut all = Vec::new();
            for (token, _) in &known.tokens {
                all.extend(known.endpoints.declared(Kind::PrivateEndpoint, token, now));
                all.extend(known.lists.declared(Kind::AccessList, token, now));
                all.extend(known.peerings.declared(Kind::VpcPeering, token, now));
            }
            all.into()
        });
        all.clone()
    }

    fn forgotten_before(&self) -> Option<Timestamp> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).forgotten_before
    }
}

impl Known {
    fn take(&mut self, change: &Change) {
        match change.object["kind"].as_str() {
            Some("Secret") => {
                let token: Option<ByteString> =
                    serde_json::from_value(change.object["data"]["token"].clone()).ok();
                // One that is deleted was read a moment ago.
                let Some(token) = token.and_then(|token| String::from_utf8(token.0).ok()) else { return };
                self.tokens.retain(|(known, _)| *known != token);
                for (_, replaced) in &mut self.tokens {
                    replaced.get_or_insert(change.at);
                }
                self.tokens.push((token, None));
            }
            Some("AstraPrivateEndpoint") => self.endpoints.take(change),
            Some("AstraAccessList") => self.lists.take(change),
            Some("AstraVpcPeering") => self.peerings.take(change),
            _ => {}
        }
    }
}

impl<K: Lawful> Objects<K> {
    fn take(&mut self, change: &Change) {
        let Ok(now) = serde_json::from_value::<K>((*change.object).clone()) else { return };
        let uid = now.uid().unwrap_or_default();
        let datacenter = change.object["status"]["datacenterId"].as_str().map(str::to_owned);
        let object = self.0.entry(uid.clone()).or_insert_with(|| Object {
            now: now.clone(),
            datacenter: None,
            versions: Vec::new(),
            gone: None,
        });
        object.now = now;
        object.datacenter = datacenter;
        object.gone = (change.kind == ChangeKind::Deleted).then_some(change.at);
        let version = version(&object.now, &change.object);
        // After a restore the records are old, and what was announced may be on its way all the same.
        let restored = self.1.is_some_and(|at| clock::now().duration_since(at) < UNDER_WAY);
        if change.by == OPERATOR && change.subresource_status && !restored {
            object.versions.clear();
        }
        object.versions.push(version);
        let alive: Vec<K> =
            self.0.values().filter(|object| object.gone.is_none()).map(|object| object.now.clone()).collect();
        for (its, object) in &mut self.0 {
            let yields = object.now.meta().deletion_timestamp.is_none()
                && (!governs(&object.now, &alive) || says_that_it_yields(&object.now));
            let Some(last) = object.versions.last_mut() else { continue };
            if *its == uid {
                last.yields = yields;
            } else if last.yields != yields {
                // What it wants counts from now on, or no more.
                let version = Version { yields, ..last.clone() };
                object.versions.push(version);
            }
        }
    }

    /// All are gone; those that are there again will be told anew.
    fn vanish(&mut self, now: Timestamp) {
        self.1 = Some(now);
        for object in self.0.values_mut().filter(|object| object.gone.is_none()) {
            object.gone = Some(now);
            // A request that was announced may be under way. What it declared counts no more.
            let last =
                object.versions.last().map(|last| Version { deleting: true, deletes: false, ..last.clone() });
            object.versions.extend(last);
        }
    }

    fn declared(&mut self, kind: Kind, token: &str, now: Timestamp) -> Vec<Declared> {
        self.0.retain(|_, object| object.gone.is_none_or(|at| now.duration_since(at) < UNDER_WAY));
        let declared = |(uid, object): (&String, &Object<K>)| Declared {
            kind,
            name: object.now.name_any(),
            uid: uid.clone(),
            token: token.to_owned(),
            database: database(&object.now),
            datacenter: object.datacenter.clone(),
            versions: object.versions.clone(),
        };
        self.0.iter().map(declared).collect()
    }
}

/// Does its status tell people that nothing is sent for it, because it contradicts another one?
fn says_that_it_yields<K: Lawful>(object: &K) -> bool {
    object.status().is_some_and(|status| {
        let ready = verdict::find(&status.conditions, "Ready");
        status.in_flight.is_none() && ready.is_some_and(|ready| ready.reason == "Conflict")
    })
}

/// The database's id: all objects are about one.
fn database<K: Lawful>(object: &K) -> Option<String> {
    let recorded = object.status().and_then(|status| status.database_id.clone());
    recorded.or_else(|| object.common().database.id.clone())
}

fn version<K: Lawful>(object: &K, value: &Value) -> Version {
    let status = object.status();
    let shared = value["spec"]["management"] == "Shared";
    let restricted = match value["spec"]["publicAccess"].as_str() {
        Some("Open") => Some(false),
        None if shared => None,
        _ => Some(true),
    };
    Version {
        generation: object.meta().generation.unwrap_or_default(),
        observed_generation: status.and_then(|status| status.observed_generation),
        applied_generation: Some(status.and_then(|status| status.applied_generation).unwrap_or(-1)),
        announced: status.is_some_and(|status| status.in_flight.is_some()),
        paused: is_paused(object),
        deleting: object.meta().deletion_timestamp.is_some(),
        deletes: deletes(object),
        valid: object.desired().is_ok(),
        yields: false,
        exclusive: object.takes_over(),
        allows_mass_removal: false,
        wants: object.wants(),
        restricted: restricted.filter(|_| value["kind"] == "AstraAccessList"),
        owned: owned(object).into_iter().collect(),
    }
}
