//! The operator's process: the queue and the turns of the controller, with the engine, the peers and the memories that
//! really run. Only the API server is another one.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use astra_operator::{
    controller::{memories::Memories, object::has_finalizer, peers::Stores, reconcile::is_paused},
    engine::{
        Event, Kind,
        drive::{Drive, deletion_needs_astra},
        ledger::{Ledger, NotAnnounced, Order},
        memory::Memory,
        outcome::{Driven, Outcome},
        timing::Timing,
        verdict::{self, Circumstances, Verdict},
    },
    organization::Organization,
    status::{Status, limits},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use kube::ResourceExt;
use tokio::time::{Instant, sleep_until};

use crate::{
    clock,
    cluster::{Cluster, Conflict},
    fuse::Fuse,
    lawful::Lawful,
};

/// How many objects are looked at at once, as is the default of the program.
const CONCURRENCY: usize = 16;

/// One life of the operator.
pub(crate) struct Process<'a, K: Lawful> {
    cluster: Cluster<K>,
    stores: &'a Stores<K>,
    organization: Arc<Organization>,
    fuse: Arc<Fuse>,
    memories: Memories<K>,
    next: RefCell<BTreeMap<String, Instant>>,
}

impl<'a, K: Lawful> Process<'a, K> {
    /// A process that has just started: it remembers nothing.
    pub(crate) fn new(
        cluster: Cluster<K>,
        stores: &'a Stores<K>,
        organization: Arc<Organization>,
        fuse: Arc<Fuse>,
    ) -> Self {
        let now = Instant::now();
        let next = cluster.objects().iter().map(|object| (object.name_any(), now)).collect();
        Self { cluster, stores, organization, fuse, memories: Memories::default(), next: RefCell::new(next) }
    }

    /// Works until `end`; turns that began before are finished.
    pub(crate) async fn run(&self, end: Instant) {
        let mut running = FuturesUnordered::new();
        let mut busy = BTreeSet::new();
        loop {
            let now = Instant::now();
            let due: Vec<String> = {
                let mut next = self.next.borrow_mut();
                next.extend(self.cluster.take_changed().into_iter().map(|name| (name, now)));
                let mut due: Vec<_> = (next.iter())
                    .filter(|(name, at)| **at <= now && now < end && !busy.contains(*name))
                    .map(|(name, at)| (*at, name.clone()))
                    .collect();
                // Who has waited longest comes first.
                due.sort();
                due.truncate(CONCURRENCY.saturating_sub(busy.len()));
                let due: Vec<String> = due.into_iter().map(|(_, name)| name).collect();
                next.retain(|name, _| !due.contains(name));
                due
            };
            for name in due {
                busy.insert(name.clone());
                running.push(async move { (self.turn(&name).await, name) });
            }
            if now >= end && running.is_empty() {
                return;
            }
            let waiting =
                self.next.borrow().iter().filter(|(name, _)| !busy.contains(*name)).map(|(_, at)| *at).min();
            let wake = match waiting {
                _ if now >= end => now + Duration::from_hours(1),
                // Only the end of a turn makes a place for another.
                _ if busy.len() >= CONCURRENCY => end,
                waiting => waiting.unwrap_or(end).min(end),
            };
            tokio::select! {
                biased;
                Some((after, name)) = running.next(), if !running.is_empty() => {
                    busy.remove(&name);
                    let mut next = self.next.borrow_mut();
                    // A change that came meanwhile is looked at earlier.
                    if let Some(after) = after {
                        next.entry(name).or_insert(Instant::now() + after);
                    }
                }
                () = self.cluster.changed() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn turn(&self, name: &str) -> Option<Duration> {
        let object = self.cluster.get(name)?;
        let uid = object.uid()?;
        let mut memory = self.memories.take(&uid);
        let result = self.take(object, &mut memory).await;
        let next = match result {
            Ok(next) => next?,
            Err(Conflict(_)) => Duration::from_millis(250),
        };
        self.memories.put(&uid, memory);
        Some(next)
    }

    /// As `controller::reconcile` does it.
    async fn take(&self, object: K, memory: &mut Memory<K>) -> Result<Option<Duration>, Conflict> {
        let deleting = object.meta().deletion_timestamp.is_some();
        let before = object.status().cloned().unwrap_or_default();
        if deleting && !has_finalizer(&object) {
            return Ok(None);
        }
        if is_paused(&object) {
            let generation = object.meta().generation.unwrap_or_default();
            let status = verdict::paused(&before, generation, clock::now());
            self.ledger(&object).write(&status).await?;
            return Ok(None);
        }
        let object = if deleting || has_finalizer(&object) {
            object
        } else {
            let version = object.resource_version();
            let set = async { self.cluster.set_finalizer(&object, version.as_deref(), true) };
            let Some(object) = self.fuse.effect(set).await? else { return Ok(None) };
            object
        };
        let mut ledger = self.ledger(&object);
        let driven = self.drive(&object, memory, &mut ledger).await;
        self.cluster.say(format!("{driven:?}"));
        memory.count(&driven.outcome);
        let stale = matches!(driven.outcome, Outcome::Stale(_) | Outcome::Later(..));
        let at = Circumstances {
            generation: object.meta().generation.unwrap_or_default(),
            failures: memory.failures,
            stale: memory.stale,
            waits: memory.waits,
            jitter: fastrand::f64(),
            now: clock::now(),
            timing: Timing::default(),
        };
        let Verdict { status, next, warning, clean } = verdict::verdict(driven, &before, at);
        if let Some(warning) = warning {
            self.cluster.say(format!("{warning:?}"));
        }
        if clean.is_some() {
            let version = ledger.version.clone();
            let remove = async { self.cluster.set_finalizer(&object, version.as_deref(), false) };
            self.fuse.effect(remove).await?;
            return Ok(None);
        }
        if !stale {
            ledger.write(&status).await?;
        }
        Ok(Some(next))
    }

    async fn drive(
        &self,
        object: &K,
        memory: &mut Memory<K>,
        ledger: &mut ClusterLedger<'_, K>,
    ) -> Driven<K::Details> {
        if object.meta().deletion_timestamp.is_some() && !deletion_needs_astra(object) {
            let status = object.status().cloned().unwrap_or_default();
            return Driven {
                status,
                outcome: Outcome::Clean("nothing".into()),
                conditions: None,
                notice: None,
            };
        }
        let stores = self.stores;
        let drive = Drive {
            object,
            organization: &self.organization,
            peers: &|database, place| stores.peers(object, database, place),
            memory,
            ledger,
            timing: Timing::default(),
            now: clock::now,
            look_now: false,
        };
        drive.run().await
    }

    fn ledger<'b>(&'b self, object: &'b K) -> ClusterLedger<'b, K> {
        ClusterLedger {
            cluster: &self.cluster,
            fuse: &self.fuse,
            object,
            version: object.resource_version(),
            written: object.status().cloned().unwrap_or_default(),
        }
    }
}

/// Writes announcements to the cluster, with the resource version that was read.
struct ClusterLedger<'a, K: Kind> {
    cluster: &'a Cluster<K>,
    fuse: &'a Fuse,
    object: &'a K,
    version: Option<String>,
    written: Status<K::Details>,
}

impl<K: Lawful> ClusterLedger<'_, K> {
    async fn write(&mut self, status: &Status<K::Details>) -> Result<(), Conflict> {
        let status = &limits::bounded(status);
        if *status != self.written {
            let write = async { self.cluster.write_status(self.object, self.version.as_deref(), status) };
            self.version = self.fuse.effect(write).await?;
            self.written.clone_from(status);
        }
        Ok(())
    }
}

impl<K: Lawful> Ledger<K> for ClusterLedger<'_, K> {
    fn announce<'b>(
        &'b mut self,
        status: &'b Status<K::Details>,
        _: &'b [Order<K::Step>],
    ) -> BoxFuture<'b, Result<(), NotAnnounced>> {
        async move { self.write(status).await.map_err(|Conflict(what)| NotAnnounced::Stale(what)) }.boxed()
    }

    fn done(&mut self, order: &Order<K::Step>, event: Event) {
        self.cluster.say(format!("{event:?} {order:?}"));
    }
}
