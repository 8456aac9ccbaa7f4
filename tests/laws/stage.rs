//! Plays a case: a world, a cluster, the operator and the people, in virtual time.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};

use astra_devops::{Client, Token, Transport};
use astra_operator::{controller::peers::Stores, organization::Organization};
use astra_simulator::{
    Simulator, State,
    state::{ACME_TOKEN, Database},
};
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use crate::{
    case::{Action, Case},
    clock,
    cluster::Cluster,
    fuse::Fuse,
    lawful::{Lawful, Things, deletes, owned},
    process::Process,
    wire::{Violations, Wire},
    world::bystander,
};

/// After this long without an action, all must be quiet. Longer than the settle time, the longest lag and two resyncs.
pub(crate) const SETTLED: u64 = 500;

/// Runs a test in virtual time, with the dice always falling the same way.
pub(crate) fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    fastrand::seed(7);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// A case being played.
pub(crate) struct Stage<'a, K: Lawful> {
    pub(crate) case: &'a Case,
    pub(crate) simulator: Simulator,
    pub(crate) cluster: Cluster<K>,
    pub(crate) stores: Stores<K>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) violations: Violations,
    pub(crate) database: String,
    /// What others have put into Astra, as it is now.
    pub(crate) foreign: RefCell<Things>,
    /// What may stay though nobody wants it: it was left by objects that were deleted with `Retain`.
    pub(crate) left: RefCell<BTreeSet<String>>,
    /// What was wanted at any time.
    pub(crate) ever_wanted: RefCell<BTreeSet<String>>,
    /// The way to Astra.
    pub(crate) wire: Arc<dyn Transport>,
}

impl<'a, K: Lawful> Stage<'a, K> {
    /// Builds the world.
    pub(crate) fn new(case: &'a Case, fuse: Fuse) -> Self {
        let clock = clock::start();
        let target = K::database(case);
        let database = target.id.clone();
        let foreign = K::things(&target);
        let mut state = State { databases: vec![bystander(case.cloud), target], ..State::default() };
        state.normalize_addresses = case.flags & 4 != 0;
        state.validate().unwrap();
        let simulator = Simulator::with_clock(state, Arc::new(clock));
        simulator.set_eventual_consistency(Duration::from_secs(case.lag));
        let (cluster, stores) = Cluster::new();
        let fuse = Arc::new(fuse);
        let violations = Violations::default();
        let disturbed = case.script.iter().any(|(_, action)| matches!(action, Action::Drift(..)));
        let slow = case.script.iter().all(|(after, _)| *after >= 400);
        let wire = Wire {
            simulator: simulator.clone(),
            cluster: cluster.clone(),
            fuse: fuse.clone(),
            violations: violations.clone(),
            database: database.clone(),
            latency: Duration::from_millis(case.latency),
            strict: slow && case.lag == 0 && case.latency == 0 && !disturbed && !fuse.is_planned(),
            kind: PhantomData,
        };
        Self {
            case,
            simulator,
            cluster,
            stores,
            fuse,
            violations,
            database,
            foreign: RefCell::new(foreign),
            left: RefCell::default(),
            ever_wanted: RefCell::default(),
            wire: Arc::new(wire),
        }
    }

    /// The operator's view of the organization, when its process has just started.
    pub(crate) fn organization(&self) -> Arc<Organization> {
        let client = Client::new(self.wire.clone(), Token::new(ACME_TOKEN).unwrap(), 4);
        Arc::new(Organization::new(client, Duration::from_secs(1)))
    }

    /// Plays the script, and then lets all come to rest.
    pub(crate) async fn play(&self) {
        let script: u64 = self.case.script.iter().map(|(after, _)| after).sum();
        let end = Instant::now() + Duration::from_secs(script + SETTLED);
        futures::join!(self.operate(end), self.people());
        self.cluster.quiet();
    }

    /// The operator works until `end`. When it dies, it is started again.
    pub(crate) async fn operate(&self, end: Instant) {
        loop {
            let process =
                Process::new(self.cluster.clone(), &self.stores, self.organization(), self.fuse.clone());
            tokio::select! {
                biased;
                () = self.fuse.burnt() => self.fuse.renew(),
                () = process.run(end) => return,
            }
        }
    }

    /// What the script says.
    pub(crate) async fn people(&self) {
        for (after, action) in &self.case.script {
            sleep(Duration::from_secs(*after)).await;
            if *after >= 400 {
                self.cluster.quiet();
            }
            self.act(action);
        }
        if self.truth().status != "ACTIVE" {
            self.act(&Action::Status("ACTIVE"));
        }
    }

    fn act(&self, action: &Action) {
        match action {
            Action::Create(wish) => {
                let n = self.cluster.created();
                let object = K::object(&format!("o{n}"), wish, self.case);
                self.ever_wanted.borrow_mut().extend(object.wants().into_keys());
                self.cluster.create(object);
            }
            Action::Edit(i, wish) => self.cluster.edit(&format!("o{i}"), |object| {
                let object = object.edited(wish, self.case);
                self.ever_wanted.borrow_mut().extend(object.wants().into_keys());
                if object.meta().deletion_timestamp.is_some() && !deletes(&object) {
                    self.left.borrow_mut().extend(self.ever_wanted.borrow().iter().cloned());
                }
                object
            }),
            Action::Delete(i) => {
                let Some(object) = self.cluster.get(&format!("o{i}")) else { return };
                if !deletes(&object) {
                    let mut left = self.left.borrow_mut();
                    left.extend(owned(&object));
                    // What was announced may still be on its way.
                    left.extend(self.ever_wanted.borrow().iter().cloned());
                }
                self.cluster.delete(&object.name_any());
            }
            Action::Drift(what, thing) => {
                let before = self.truth();
                let Some(event) = K::drift(&before, self.case, *what, *thing) else { return };
                self.simulator.apply(&event).unwrap_or_else(|error| panic!("{event:?}: {error}"));
                let (before, after) = (K::things(&before), K::things(&self.truth()));
                let mut foreign = self.foreign.borrow_mut();
                foreign.retain(|identity, _| after.contains_key(identity));
                foreign.extend(
                    after.into_iter().filter(|(identity, value)| before.get(identity) != Some(value)),
                );
            }
            Action::Status(status) => {
                let status = (*status).to_owned();
                let event =
                    astra_simulator::Event::SetDatabaseStatus { database: self.database.clone(), status };
                self.simulator.apply(&event).unwrap();
            }
        }
    }

    /// The database as it truly is.
    pub(crate) fn truth(&self) -> Database {
        self.simulator.state().database(&self.database).unwrap().clone()
    }

    /// All statuses, as they are stored.
    pub(crate) fn statuses(&self) -> BTreeMap<String, String> {
        let objects = self.cluster.objects();
        objects
            .iter()
            .map(|object| (object.name_any(), serde_json::to_string(&object.status()).unwrap()))
            .collect()
    }
}
