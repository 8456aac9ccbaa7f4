//! What people do to the objects of one kind, and what must be true of them when all is quiet.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    time::Duration,
};

use astra_operator::{controller::object::has_finalizer, engine::verdict};
use astra_simulator::{Event, Simulator, state::Database};
use kube::ResourceExt;
use serde_json::{Value, json};
use simulated_apiserver::ApiServer;
use tokio::time::sleep;

use crate::{
    case::{Action, Case},
    kstatus::{as_kstatus_wants, is_ready},
    lawful::{Lawful, Things, deletes, elders, governs, owned},
    story::Story,
    universe::NAMESPACE,
};

/// A kind's part of a world.
pub(crate) struct Play<K: Lawful> {
    case: Case,
    database: String,
    server: ApiServer,
    simulator: Simulator,
    story: Story,
    created: Cell<usize>,
    /// What others have put into Astra, as it is now.
    foreign: RefCell<Things>,
    /// What may stay though nobody wants it.
    left: RefCell<BTreeSet<String>>,
    /// What was wanted at any time.
    ever_wanted: RefCell<BTreeSet<String>>,
    kind: std::marker::PhantomData<K>,
}

/// A kind's part of a world, whichever the kind.
pub(crate) trait Acts {
    /// Plays its script.
    fn people(&self) -> futures::future::LocalBoxFuture<'_, ()>;
    /// What is not as it must be when all is quiet.
    fn at_rest(&self) -> Vec<String>;
    /// From now on, whatever was ever wanted may be there: the records that told of it are gone.
    fn forgive(&self);
    /// Somebody changes a status: strikes out what it records, or puts in something foreign.
    fn tamper(&self, strike_out: bool);
    /// All objects, as they are stored.
    fn stored(&self) -> Vec<Value>;
}

impl<K: Lawful> Play<K> {
    pub(crate) fn new(
        case: Case,
        server: &ApiServer,
        simulator: &Simulator,
        database: &Database,
        story: &Story,
    ) -> Self {
        Self {
            foreign: RefCell::new(K::things(database)),
            case,
            database: database.id.clone(),
            server: server.clone(),
            simulator: simulator.clone(),
            story: story.clone(),
            created: Cell::new(0),
            left: RefCell::default(),
            ever_wanted: RefCell::default(),
            kind: std::marker::PhantomData,
        }
    }

    fn plural() -> String {
        K::plural(&()).into_owned()
    }

    fn get(&self, name: &str) -> Option<K> {
        self.server.get(&Self::plural(), NAMESPACE, name).map(parsed)
    }

    fn objects(&self) -> Vec<K> {
        self.server.list(&Self::plural()).into_iter().map(parsed).collect()
    }

    fn truth(&self) -> Database {
        self.simulator.state().database(&self.database).unwrap().clone()
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.story.tell("people", what);
    }

    fn act(&self, action: &Action) {
        match action {
            Action::Create(wish) => {
                let name = format!("o{}", self.created.replace(self.created.get() + 1));
                let object = K::object(&name, wish, &self.case);
                self.ever_wanted.borrow_mut().extend(object.wants().into_keys());
                let mut value = serde_json::to_value(&object).unwrap();
                value["metadata"]["namespace"] = json!(NAMESPACE);
                self.tell(|| format!("create {} {name}: {}", K::kind(&()), value["spec"]));
                self.server.create(value).unwrap();
            }
            Action::Edit(i, wish) => {
                let name = format!("o{i}");
                let Some(before) = self.get(&name) else { return };
                let object = before.edited(wish, &self.case);
                self.ever_wanted.borrow_mut().extend(object.wants().into_keys());
                if before.meta().deletion_timestamp.is_some() && !deletes(&object) {
                    self.forgive();
                }
                let value = serde_json::to_value(&object).unwrap();
                self.tell(|| format!("edit {} {name}: {}", K::kind(&()), value["spec"]));
                self.server.update(value).unwrap();
            }
            Action::Delete(i) => {
                let name = format!("o{i}");
                let Some(object) = self.get(&name) else { return };
                if !deletes(&object) {
                    self.left.borrow_mut().extend(owned(&object));
                    // What was announced may still be on its way.
                    self.forgive();
                }
                self.tell(|| format!("delete {} {name}", K::kind(&())));
                self.server.delete(&Self::plural(), NAMESPACE, &name).unwrap();
            }
            Action::Drift(what, thing) => {
                let before = self.truth();
                let Some(event) = K::drift(&before, &self.case, *what, *thing) else { return };
                self.tell(|| format!("in Astra: {event:?}"));
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
                self.tell(|| format!("in Astra: the database is {status}"));
                self.simulator
                    .apply(Event::SetDatabaseStatus { database: self.database.clone(), status })
                    .unwrap();
            }
        }
    }

    /// Each object is Ready, or tells the reason that the facts give it.
    fn objects_say_what_is(all: &[K], truth: &Database) -> Vec<String> {
        let mut found = Vec::new();
        for object in all {
            let name = object.name_any();
            let status = || serde_json::to_string(&object.status()).unwrap();
            if object.meta().deletion_timestamp.is_some() {
                found.push(format!("{name} is still being deleted: {}", status()));
                continue;
            }
            if !has_finalizer(object) {
                found.push(format!("{name} has no finalizer"));
            }
            let elders = acting_elders(object, all, truth);
            let expected = if governs(object, all) {
                object.reason(&elders, truth)
            } else if object.reason(&[], truth) == "InvalidSpec" {
                "InvalidSpec"
            } else {
                "Conflict"
            };
            let by_others = object.reason(&crate::lawful::elders(object, all), truth) == "Conflict";
            let Some(facts) = object.status() else {
                found.push(format!("{name} has no status"));
                continue;
            };
            if facts.observed_generation != object.meta().generation {
                found.push(format!("{name}: generation {:?}: {}", object.meta().generation, status()));
            }
            // Whether most of a list would go depends on who was first, the operator or somebody else.
            let asks =
                verdict::find(&facts.conditions, "Ready").is_some_and(|ready| ready.reason == "MassRemoval");
            let expected =
                if asks && Self::is_mass_removal(object, truth) { "MassRemoval" } else { expected };
            // An elder that yields may have been first with an address, and may not: both are right.
            let yields =
                verdict::find(&facts.conditions, "Ready").is_some_and(|ready| ready.reason == "Conflict");
            let expected = if yields && by_others { "Conflict" } else { expected };
            found.extend(
                as_kstatus_wants(&facts.conditions, expected).map(|problem| format!("{name}: {problem}")),
            );
            if expected == "UpToDate" && facts.in_flight.is_some() {
                found.push(format!("{name}: ready, and something is in flight"));
            }
        }
        found
    }

    fn is_mass_removal(object: &K, truth: &Database) -> bool {
        let (there, wants) = (K::things(truth), object.wants());
        let too_much = there.keys().filter(|identity| !wants.contains_key(*identity)).count();
        too_much >= 3 && too_much * 2 > there.len()
    }

    /// What Ready objects want is there; nothing else is, but what others made or a deletion left.
    fn astra_has_what_is_wanted(&self, all: &[K], truth: &Database) -> Vec<String> {
        let there = K::things(truth);
        let mut found = Vec::new();
        let mut accounted: Vec<String> =
            self.foreign.borrow().keys().chain(self.left.borrow().iter()).cloned().collect();
        for object in all {
            let (name, wants) = (object.name_any(), object.wants());
            accounted.extend(wants.keys().cloned());
            if !is_ready(object) {
                accounted.extend(owned(object));
                continue;
            }
            let elders = elders(object, all);
            for (identity, value) in &wants {
                let elder_decides = elders.iter().any(|elder| elder.wants().contains_key(identity));
                match there.get(identity) {
                    None => found.push(format!("{name} is ready without {identity}")),
                    Some(real) if real != value && !elder_decides => {
                        found.push(format!("{name} is ready with {identity} as {real:?} and not {value:?}"));
                    }
                    Some(_) => {}
                }
                if !owned(object).contains(identity) {
                    found.push(format!("{name} is ready and does not own {identity}"));
                }
            }
            if object.takes_over() && there.keys().ne(wants.keys()) {
                found.push(format!("{name} is exclusive and ready, and there is {there:?}"));
            }
        }
        for identity in there.keys().filter(|identity| !accounted.contains(identity)) {
            found.push(format!("nobody wants {identity}, and it is still there"));
        }
        found
    }

    /// What nobody ever claimed is as it was.
    fn foreign_things_are_left_alone(&self, truth: &Database) -> Vec<String> {
        if self.case.wishes().any(|wish| K::object("any", wish, &self.case).takes_over()) {
            return Vec::new();
        }
        let there = K::things(truth);
        let (ever_wanted, foreign) = (self.ever_wanted.borrow(), self.foreign.borrow());
        (foreign.iter())
            .filter(|(identity, value)| {
                !ever_wanted.contains(*identity) && there.get(*identity) != Some(value)
            })
            .map(|(identity, value)| format!("foreign {identity} ({value}) is now {:?}", there.get(identity)))
            .collect()
    }
}

impl<K: Lawful> Acts for Play<K> {
    fn people(&self) -> futures::future::LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            for (after, action) in &self.case.script {
                sleep(Duration::from_secs(*after)).await;
                self.act(action);
            }
        })
    }

    fn at_rest(&self) -> Vec<String> {
        let (all, truth) = (self.objects(), self.truth());
        let mut found = Self::objects_say_what_is(&all, &truth);
        found.extend(self.astra_has_what_is_wanted(&all, &truth));
        found.extend(self.foreign_things_are_left_alone(&truth));
        found.into_iter().map(|problem| format!("{} {problem}", K::kind(&()))).collect()
    }

    fn forgive(&self) {
        self.left.borrow_mut().extend(self.ever_wanted.borrow().iter().cloned());
    }

    fn tamper(&self, strike_out: bool) {
        let Some(object) = self.objects().into_iter().next() else { return };
        let name = object.name_any();
        let ever_wanted = self.ever_wanted.borrow();
        let foreign: Vec<String> = self
            .foreign
            .borrow()
            .keys()
            .filter(|identity| !ever_wanted.contains(*identity))
            .cloned()
            .collect();
        let claimed = if strike_out { json!(null) } else { json!(foreign) };
        self.tell(|| format!("tamper with {} {name}: status.owned is {claimed}", K::kind(&())));
        drop(ever_wanted);
        self.server
            .merge_status(&Self::plural(), NAMESPACE, &name, json!({ "status": { "owned": claimed } }))
            .unwrap();
        // What it owned and did not want any more is nobody's now.
        self.forgive();
    }

    fn stored(&self) -> Vec<Value> {
        self.server.list(&Self::plural())
    }
}

/// The elders whose wishes count: what one wants that has to yield itself, or contradicts another, counts for nothing.
fn acting_elders<'a, K: Lawful>(object: &K, all: &'a [K], truth: &Database) -> Vec<&'a K> {
    let mut elders = elders(object, all);
    elders.sort_by_key(|elder| (elder.creation_timestamp(), elder.name_any()));
    let mut acting: Vec<&K> = Vec::new();
    for elder in elders {
        if governs(elder, all) && elder.reason(&acting, truth) != "Conflict" {
            acting.push(elder);
        }
    }
    acting
}

fn parsed<K: Lawful>(value: Value) -> K {
    serde_json::from_value(value)
        .unwrap_or_else(|error| panic!("the API server has an object that is none: {error}"))
}
