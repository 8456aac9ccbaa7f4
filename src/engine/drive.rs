//! The one road of every kind: look, decide, announce, send, look again.
//!
//! It knows Astra and nothing of Kubernetes: what must be written down before a call is handed to a [`Ledger`], so that
//! laws can be tested with the very code that runs.

mod database;
mod in_flight;

pub use in_flight::release;

use std::{collections::BTreeSet, fmt, time::Duration};

use astra_devops::{Method, databases::Database, error::Class};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use super::{
    Event, Goal, Identities, Kind, Peer, Plan, Planned, Problem, Reason, View,
    conflict::{self, Claim},
    guard::{self, Licence, Ruling},
    ledger::{Ledger, Order},
    memory::Memory,
    outcome::{Driven, Outcome, Stop, failed, stopped},
    ownership, record, resolve,
    timing::{Clock, Timing},
    verdict,
};
use crate::{
    organization::{Freshness, Organization, needs::Needs, wanted::Wanted},
    resource::{DeletionPolicy, Management, annotation},
    status::{Status, limits::Bounded as _},
};

/// A deletion looks and acts at the most this often before the object is put back into the queue.
const ROUNDS: usize = 6;

/// Everything that driving one object needs.
pub struct Drive<'a, K: Kind> {
    /// The object as it was read from the API server.
    pub object: &'a K,
    /// Its organization in Astra.
    pub organization: &'a Organization,
    /// Finds the other objects at the same place.
    pub peers: &'a (dyn Fn(&Database, &K::Place) -> Vec<Peer> + Send + Sync),
    /// What is remembered of the object.
    pub memory: &'a mut Memory<K>,
    /// Where announcements go.
    pub ledger: &'a mut dyn Ledger<K>,
    /// Times.
    pub timing: Timing,
    /// The time of day, for times in the status.
    pub now: Clock,
    /// Must Astra be looked at now, whatever was read a moment ago?
    pub look_now: bool,
}

impl<K: Kind> fmt::Debug for Drive<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// Does deleting this object need Astra at all? If not, neither token nor database can hold it up.
#[must_use]
pub fn deletion_needs_astra<K: Kind>(object: &K) -> bool {
    let owns = object.status().is_some_and(|status| !status.owned.is_empty() || status.in_flight.is_some());
    // Who changed the record may have struck out what is owned.
    (owns || !record::is_sound(object)) && object.common().deletion_policy == DeletionPolicy::Delete
}

impl<K: Kind> Drive<'_, K> {
    /// Brings Astra to what the object says, as far as that goes now.
    pub async fn run(mut self) -> Driven<K::Details> {
        let recorded = self.object.status().cloned().unwrap_or_default();
        let mut driven = Driven {
            status: recorded,
            outcome: Outcome::Done(String::new()),
            conditions: None,
            notice: None,
        };
        let sound = record::is_sound(self.object);
        if !sound {
            driven.notice = Some(disbelief(&driven.status));
            driven.status = record::without_facts(&driven.status);
            self.unknown_announcement(&mut driven.status);
        }
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let result = match (deleting, sound) {
            (false, _) => self.present(&mut driven).await,
            (true, true) => self.absent(&mut driven).await,
            (true, false) => self.absent_without_record(&mut driven).await,
        };
        driven.outcome = match result {
            Ok(outcome) | Err(Stop(outcome)) => outcome,
        };
        // Where there is no list there is nothing to share, and looks are better spread over the whole period.
        let shares = lists::<K>() != Needs::default();
        self.memory.rest = shares.then(|| self.organization.next_round(self.timing.resync));
        if !sound && driven.conditions.is_none() {
            // Astra could not be looked at: there is nothing to put in the place of the old record yet.
            driven.status = self.object.status().cloned().unwrap_or_default();
            driven.notice = None;
        } else {
            self.seal(&mut driven.status);
        }
        driven
    }

    async fn present(&mut self, driven: &mut Driven<K::Details>) -> Result<Outcome, Stop> {
        let desired = self.object.desired()?;
        let database = self.database(&desired, &mut driven.status).await?;
        if let Some(problem) =
            resolve::unavailable(&database).filter(|problem| problem.reason != Reason::DatabaseNotReady)
        {
            return Err(problem.into());
        }
        let place = K::place(&desired, &database, &driven.status.details)?;
        let lists = lists::<K>();
        let oldest = self.oldest_look(&lists);
        let wanted = Wanted { lists, database: database.id.clone(), not_before: oldest };
        let wait = self.organization.wait(&wanted);
        // Who needs a reading from now on would need a newer one each time that it comes again: it waits here.
        if wait > self.timing.patience && !self.look_now {
            return Ok(Outcome::Later(wait, wanted));
        }
        let peers = (self.peers)(&database, &place);
        let freshness = Freshness::NoOlderThan(oldest);
        let shared = K::observe(self.organization, &place, freshness).await?;
        let look = |observed| Look {
            goal: Goal::Present(&desired),
            declared: Some(&desired),
            place: &place,
            database: Some(&database),
            observed,
            peers: &peers,
        };
        let direct;
        let on_its_way = self.memory.unseen.claims();
        let observed = if misses_what_is_owned(&look(&shared), &driven.status, &on_its_way) {
            // A list of the whole organization that lacks a thing for a moment must not make the object forget that it
            // owns it, nor make it a second time: the place itself is asked.
            direct = K::observe(self.organization, &place, Freshness::Direct).await?;
            if contradict(&look(&shared), &look(&direct), &driven.status) {
                let message = "two readings of Astra contradict each other; it is looked at again";
                return Err(Problem::new(Reason::AstraUnavailable, message).into());
            }
            &direct
        } else {
            &shared
        };
        let look = look(observed);
        Ok(self.round(&look, driven).await?.unwrap_or(Outcome::Sent))
    }

    async fn absent(&mut self, driven: &mut Driven<K::Details>) -> Result<Outcome, Stop> {
        if !deletion_needs_astra(self.object) {
            return Ok(release(self.object, self.memory, self.timing));
        }
        let (id, place) = self.recorded_place(&driven.status)?;
        let database = self.organization.database(&id).await?;
        if database.is_none() {
            self.same_organization(&driven.status).await?;
        }
        let Some(database) = database.filter(|database| !database.status.is_terminal()) else {
            self.confirm_gone(&id).await?;
            return Ok(Outcome::Clean(format!(
                "database {id} does not exist any more, and all of this object's with it"
            )));
        };
        self.remove(&database, &place, driven).await
    }

    /// Deletion of an object whose record is not believed: it owns what it would own had it been looked at before, which
    /// is what its spec wants and Astra has.
    async fn absent_without_record(&mut self, driven: &mut Driven<K::Details>) -> Result<Outcome, Stop> {
        let desired = self.object.desired()?;
        let database = self.database(&desired, &mut driven.status).await?;
        let place = K::place(&desired, &database, &driven.status.details)?;
        let observed = K::observe(self.organization, &place, Freshness::Direct).await?;
        let peers = (self.peers)(&database, &place);
        let look = Look {
            goal: Goal::Present(&desired),
            declared: Some(&desired),
            place: &place,
            database: Some(&database),
            observed: &observed,
            peers: &peers,
        };
        let details = K::details(&look.view(&Identities::new(), &driven.status.details));
        let owned = ownership::after_look(&look.view(&Identities::new(), &details), false);
        driven.status.details = details;
        driven.status.owned = owned.into_iter().collect();
        self.remove(&database, &place, driven).await
    }

    /// Takes away what is owned, until a look shows that it is gone.
    async fn remove(
        &mut self,
        database: &Database,
        place: &K::Place,
        driven: &mut Driven<K::Details>,
    ) -> Result<Outcome, Stop> {
        let peers = (self.peers)(database, place);
        let declared = self.object.desired().ok();
        for _ in 0..ROUNDS {
            let observed = K::observe(self.organization, place, Freshness::Direct).await?;
            let look = Look {
                goal: Goal::Absent,
                declared: declared.as_ref(),
                place,
                database: Some(database),
                observed: &observed,
                peers: &peers,
            };
            let before = driven.status.clone();
            match self.round(&look, driven).await? {
                Some(Outcome::Done(_)) if self.is_gone(&look, &before).await? => {
                    driven.status.owned.clear();
                    return Ok(Outcome::Clean("all that this object owned is gone from Astra".to_owned()));
                }
                // Two looks that contradict each other: what is owned stays owned until they agree.
                Some(Outcome::Done(_)) => driven.status = before,
                Some(outcome) => return Ok(outcome),
                None => {}
            }
        }
        Ok(Outcome::Waiting(Problem::new(Reason::Deleting, "removals were sent and are being checked")))
    }

    /// Is nothing left to remove by another reading too, where Astra has one? The finalizer goes for ever, and one answer
    /// can be wrong: a 404 of a gateway in Astra's own words, a list that was cut to `null`.
    async fn is_gone(&self, look: &Look<'_, K>, before: &Status<K::Details>) -> Result<bool, Stop> {
        let freshness = Freshness::NoOlderThan(Instant::now());
        let observed = K::observe(self.organization, look.place, freshness).await?;
        let owned: Identities = before.owned.iter().cloned().collect();
        let look = Look { observed: &observed, ..*look };
        Ok(matches!(K::plan(&look.view(&owned, &before.details)), Plan::Done))
    }

    /// A look at the object's place must have begun at or after this: never before its own last write.
    fn oldest_look(&self, lists: &Needs) -> Instant {
        let oldest = if self.look_now {
            Instant::now()
        } else if self.is_at_rest() {
            // All at rest share the reading of the round.
            self.organization.round_began(self.timing.resync)
        } else if self.is_seen() {
            ago(self.timing.resync / 2)
        } else {
            ago(self.fresh().max(self.organization.interval(lists)))
        };
        self.memory.last_write.map_or(oldest, |write| oldest.max(write))
    }

    /// A reading of all databases must have begun at or after this.
    fn oldest_databases(&self) -> Instant {
        match (self.look_now, self.is_seen()) {
            (true, _) => Instant::now(),
            (false, true) => ago(self.timing.resync / 2),
            (false, false) => ago(self.fresh()),
        }
    }

    /// The same for a reading that has the database, and has it well. This costs a page for every hundred databases, and
    /// tells little that the look at the place does not.
    fn oldest_databases_if_well(&self) -> Instant {
        if self.look_now { Instant::now() } else { ago(self.timing.resync) }
    }

    fn fresh(&self) -> Duration {
        self.timing.fresh.min(self.timing.resync / 2)
    }

    /// Was this generation looked at before?
    fn is_seen(&self) -> bool {
        let seen = self.object.status().and_then(|status| status.observed_generation);
        seen == self.object.meta().generation
    }

    /// Was all as it shall be when this generation was looked at last, and is nothing on its way? What an earlier process
    /// has announced may still come: nothing is concluded from a reading of before it would have.
    fn is_at_rest(&self) -> bool {
        let conditions = self.object.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let announced = self.object.status().is_some_and(|status| status.in_flight.is_some());
        let on_its_way =
            announced || self.memory.announcement.is_some() || self.memory.unseen.first().is_some();
        let is_ready = verdict::find(conditions, "Ready").is_some_and(|ready| ready.status == "True");
        self.is_seen() && is_ready && !on_its_way && record::is_sound(self.object)
    }

    /// One look: decides, and acts if there is something to do. `None` means: look again.
    async fn round(
        &mut self,
        look: &Look<'_, K>,
        driven: &mut Driven<K::Details>,
    ) -> Result<Option<Outcome>, Stop> {
        let status = &mut driven.status;
        let owned: Identities = status.owned.iter().cloned().collect();
        let before = status.details.clone();
        let view = look.view(&owned, &before);
        self.memory.unseen.look(look.observed, &before, Instant::now(), self.timing.settle);
        self.organization.asked().settled(&key(look.place), |identity| K::has(&view, identity));

        let claim = Claim {
            exclusive: self.object.common().management == Management::Exclusive,
            established: !owned.is_empty(),
            shareable: K::SHAREABLE,
        };
        let conflict = match look.goal {
            Goal::Present(_) => conflict::blocked_by(claim, look.peers),
            Goal::Absent => None,
        };
        let yields = conflict.is_some();
        let plan = conflict.unwrap_or_else(|| K::plan(&view));
        status.details = K::details(&view);
        driven.conditions = Some(K::conditions(&view));

        if let Some(changed) = self.memory.changed.take() {
            status.last_change_time = Some(Time(changed));
        }
        let doubt = self.doubt(&view, status.in_flight.as_ref(), &plan);
        let blocked = matches!(&plan, Plan::Blocked(problem) if problem.reason == Reason::Conflict);
        // Who has to yield takes nothing for its own, not even what it finds.
        if !blocked && !yields {
            // A deletion forgets nothing on the way: one answer that lacks a thing must not leave it in Astra for ever.
            let keep = doubt.keep || matches!(look.goal, Goal::Absent);
            status.owned = ownership::after_look(&view, keep).into_iter().collect();
        }
        if let Some(problem) = doubt.wait {
            return Ok(Some(Outcome::Waiting(problem)));
        }
        match plan {
            Plan::Done => {
                status.in_flight = None;
                status.applied_generation = self.object.meta().generation;
                Ok(Some(Outcome::Done(K::summary(&view))))
            }
            Plan::Wait(problem) | Plan::Blocked(problem) => {
                // What an earlier process announced may still come, and others go by that.
                status.in_flight = status.in_flight.take().filter(|_| doubt.keep);
                Ok(Some(stopped(problem)))
            }
            Plan::Act(steps) => {
                // A database may stay parked for ever, and a deletion must not: there Astra has the last word.
                let waits = |problem: &Problem| match look.goal {
                    Goal::Present(_) => true,
                    Goal::Absent => problem.reason != Reason::DatabaseParked,
                };
                if let Some(problem) = look.database.and_then(resolve::unavailable).filter(waits) {
                    return Err(problem.into());
                }
                let steps = match look.goal {
                    Goal::Present(_) => match guard::rule(&view, steps, self.licence(status)) {
                        Ruling::Pass(steps) | Ruling::Only(steps) => steps,
                        Ruling::Stop(problem) => {
                            status.in_flight = status.in_flight.take().filter(|_| doubt.keep);
                            return Ok(Some(stopped(problem)));
                        }
                    },
                    // Deletion is what a person has asked for.
                    Goal::Absent => steps,
                };
                self.act(look.place, &steps, status).await
            }
        }
    }

    /// What the guard against mass removals may let pass.
    fn licence(&self, status: &Status<K::Details>) -> Licence {
        let meta = self.object.meta();
        let annotation = meta.annotations.as_ref().and_then(|all| all.get(annotation::ALLOW_MASS_REMOVAL));
        Licence {
            applied: status.applied_generation.is_some() && status.applied_generation == meta.generation,
            allowed: annotation.and_then(|number| number.parse().ok()),
        }
    }

    fn seal(&self, status: &mut Status<K::Details>) {
        // What is cut after it was sealed would not fit its seal.
        status.bound();
        record::seal(self.object.meta().uid.as_deref().unwrap_or_default(), status);
    }

    /// Announces the steps, then sends them one by one. A failure ends the round: the rest is planned anew.
    async fn act(
        &mut self,
        place: &K::Place,
        steps: &[Planned<K::Step>],
        status: &mut Status<K::Details>,
    ) -> Result<Option<Outcome>, Stop> {
        let claims = steps.iter().flat_map(|planned| K::claims(&planned.step));
        let owned: Identities = status.owned.iter().cloned().chain(claims).collect();
        status.owned = owned.into_iter().collect();
        status.in_flight = Some(self.announce(steps.iter().map(|planned| planned.step.to_string())));
        let order = |Planned { step, why }: &Planned<K::Step>| Order {
            call: K::call(place, step),
            step: step.clone(),
            why: why.clone(),
        };
        let orders: Vec<_> = steps.iter().map(order).collect();
        self.seal(status);
        self.ledger.announce(status, &orders).await?;
        for order in &orders {
            if let Some(outcome) = self.send(place, order, status).await {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// Sends one order. `None` when it was carried out.
    async fn send(
        &mut self,
        place: &K::Place,
        order: &Order<K::Step>,
        status: &mut Status<K::Details>,
    ) -> Option<Outcome> {
        let step = &order.step;
        let asked = if K::is_repeatable(step) { Identities::new() } else { K::claims(step) };
        let here = key(place);
        let ask =
            |thing: &String| self.organization.asked().ask(&here, thing, Instant::now(), self.timing.settle);
        if !asked.iter().all(ask) {
            let message = format!("another object has just asked Astra for the same; not sent again: {step}");
            return Some(Outcome::Waiting(Problem::new(Reason::WaitingForAstra, message)));
        }
        let result = self.organization.client().send_call(&order.call).await;
        let now = Instant::now();
        self.memory.last_write = Some(now);
        if let Some(database) = status.database_id.as_ref().and_then(|id| id.parse().ok()) {
            self.organization.wrote(database, now);
        }
        match result {
            Ok(answer) => {
                K::learn(step, &answer, &mut status.details);
                self.memory.changed = Some((self.now)());
                self.memory.unseen.sent(step.clone(), now);
                self.ledger.done(order, K::event(step));
                None
            }
            // What was to be removed is gone already.
            Err(error) if order.call.method == Method::Delete && error.class() == Class::NotFound => None,
            Err(error) => {
                if !error.may_have_taken_effect() {
                    self.organization.asked().settled(&here, |thing| asked.contains(thing));
                }
                if error.may_have_taken_effect() && !K::is_repeatable(step) {
                    // Perhaps carried out: it is looked for, and not sent again before the window has passed.
                    self.memory.unseen.sent(step.clone(), now);
                }
                Some(failed(&error, &format!("could not {step}")))
            }
        }
    }
}

/// Which lists of the organization a kind looks at.
fn lists<K: Kind>() -> Needs {
    let mut lists = Needs::default();
    K::needs(&mut lists, &BTreeSet::new());
    lists
}

/// An instant in the past; before the process began there was no reading, and then any will do.
fn ago(age: Duration) -> Instant {
    let now = Instant::now();
    now.checked_sub(age).unwrap_or(now)
}

/// A place, as the organization knows where something was asked for.
fn key<P: fmt::Debug>(place: &P) -> String {
    format!("{place:?}")
}

/// What is told when a record is not believed.
fn disbelief<D>(status: &Status<D>) -> Event {
    let claimed = if status.owned.is_empty() { "nothing".to_owned() } else { status.owned.join(", ") };
    Event {
        reason: "RecordNotBelieved",
        note: format!(
            "The status does not fit its checksum: somebody else changed it, or it is another object's. It starts anew from the spec and Astra; what only the old record claimed is left alone in Astra. It claimed {claimed}"
        ),
    }
}

/// Is something owned and not seen? If it is no longer wanted, the object is about to forget it; if it is, to make it anew,
/// unless it is only on its way.
fn misses_what_is_owned<K: Kind>(
    look: &Look<'_, K>,
    status: &Status<K::Details>,
    on_its_way: &Identities,
) -> bool {
    let owned: Identities = status.owned.iter().cloned().collect();
    let view = look.view(&owned, &status.details);
    owned.iter().any(|identity| !on_its_way.contains(identity) && !K::has(&view, identity))
}

/// Does the place itself lack what the list has? One of the two is wrong, and what is owned would be made a second time.
fn contradict<K: Kind>(list: &Look<'_, K>, place: &Look<'_, K>, status: &Status<K::Details>) -> bool {
    let owned: Identities = status.owned.iter().cloned().collect();
    let has = |look: &Look<'_, K>, identity: &str| K::has(&look.view(&owned, &status.details), identity);
    owned.iter().any(|identity| has(list, identity) && !has(place, identity))
}

/// One look at Astra.
struct Look<'a, K: Kind> {
    goal: Goal<'a, K::Desired>,
    declared: Option<&'a K::Desired>,
    place: &'a K::Place,
    database: Option<&'a Database>,
    observed: &'a K::Observed,
    peers: &'a [Peer],
}

impl<'a, K: Kind> Look<'a, K> {
    fn view(&self, owned: &'a Identities, details: &'a K::Details) -> View<'a, K> {
        let Self { goal, declared, place, database, observed, peers } = *self;
        View { goal, declared, place, database, observed, owned, details, peers }
    }
}
