//! The one road of every kind: look, decide, announce, send, look again.
//!
//! It knows Astra and nothing of Kubernetes: what must be written down before a call is handed to a [`Ledger`], so that
//! laws can be tested with the very code that runs.

use std::{fmt, sync::Arc, time::Duration};

use astra_devops::{Call, Error, Method, databases::Database, error::Class, id::DatabaseId};
use futures::future::BoxFuture;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use tokio::time::Instant;

use super::{
    Event, Goal, Identities, Kind, KindCondition, Peer, Plan, Planned, Problem, Reason, View, conflict,
    ownership,
    resolve::{self, Resolution},
    settle::Unseen,
};
use crate::{
    organization::{Freshness, Organization},
    resource::{DeletionPolicy, Management},
    status::{InFlight, Status},
};

/// Looks and acts at the most this often before the object is put back into the queue.
const ROUNDS: usize = 6;

/// Times that shape the engine.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often an object is looked at when nothing happens.
    pub resync: Duration,
    /// How old a shared reading may be for an object whose spec has just changed.
    pub fresh: Duration,
    /// How long a change that was sent may take to be seen.
    pub settle: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { resync: Duration::from_mins(1), fresh: Duration::from_secs(5), settle: Duration::from_mins(1) }
    }
}

/// What this process remembers of an object between two looks. Nothing of it is needed after a crash.
#[derive(Debug)]
pub struct Memory<K: Kind> {
    /// Steps sent and not seen.
    pub unseen: Unseen<K>,
    /// When this object last wrote to Astra.
    pub last_write: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// Looks in a row that ended in waiting.
    pub waits: u32,
}

impl<K: Kind> Default for Memory<K> {
    fn default() -> Self {
        Self { unseen: Unseen::default(), last_write: None, failures: 0, waits: 0 }
    }
}

/// Writes down, before a call, what it will make the object own; and tells what was done.
pub trait Ledger<K: Kind>: Send + Sync {
    /// Writes the status down. After this exactly these orders are sent, in this order. A ledger that only wants to know
    /// what would be sent notes them and fails.
    ///
    /// # Errors
    /// When the object is not any more what the plan was made for; then nothing may be sent.
    fn announce<'a>(
        &'a mut self,
        status: &'a Status<K::Details>,
        orders: &'a [Order<K::Step>],
    ) -> BoxFuture<'a, Result<(), Stale>>;

    /// An order was carried out.
    fn done(&mut self, order: &Order<K::Step>, event: Event);
}

/// A step, why it is taken, and the one call that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Order<S> {
    /// The step.
    pub step: S,
    /// Why.
    pub why: String,
    /// The call.
    pub call: Call,
}

/// The object was changed or deleted meanwhile, or cannot be written: look at it again.
#[derive(Debug, thiserror::Error)]
#[error("the object is not what it was when the plan was made: {0}")]
pub struct Stale(pub String);

/// How a look ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is as it shall be; in one line, what is there.
    Done(String),
    /// Something is awaited.
    Waiting(Problem),
    /// A person must change something.
    Blocked(Problem),
    /// A call failed; Astra may have said how long to wait.
    Failed(Problem, Option<Duration>),
    /// Deletion: the world was read again, and nothing that is owned is left.
    Clean(String),
    /// The object changed under the plan.
    Stale(Stale),
}

/// What came of driving an object: the status as far as facts go, without the conditions of all kinds.
#[derive(Debug)]
pub struct Driven<D> {
    /// The facts.
    pub status: Status<D>,
    /// How it ended.
    pub outcome: Outcome,
    /// The kind's own conditions; `None` when Astra could not be looked at.
    pub conditions: Option<Vec<KindCondition>>,
}

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
    /// The wall clock, for times in the status.
    pub now: fn() -> Timestamp,
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
    owns && object.common().deletion_policy == DeletionPolicy::Delete
}

/// Ends a look early, with the problem that was met.
struct Stop(Outcome);

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self(stopped(problem))
    }
}

impl From<Arc<Error>> for Stop {
    fn from(error: Arc<Error>) -> Self {
        // No reading of ours can be wrong in itself, so a refused one is Astra's trouble and not the spec's.
        let outcome = match failed(&error, "reading from Astra") {
            Outcome::Failed(problem, wait) if problem.reason == Reason::ChangeRefused => {
                Outcome::Failed(Problem { reason: Reason::AstraUnavailable, ..problem }, wait)
            }
            outcome => outcome,
        };
        Self(outcome)
    }
}

impl From<Stale> for Stop {
    fn from(stale: Stale) -> Self {
        Self(Outcome::Stale(stale))
    }
}

/// A problem is waited for, or needs a person.
fn stopped(problem: Problem) -> Outcome {
    if problem.reason.needs_a_person() { Outcome::Blocked(problem) } else { Outcome::Waiting(problem) }
}

/// What a failed call means for the object.
#[must_use]
pub fn failed(error: &Error, doing: &str) -> Outcome {
    let reason = match error.class() {
        Class::Unauthorized => Reason::TokenRefused,
        Class::Forbidden => Reason::PermissionDenied,
        Class::Invalid => Reason::ChangeRefused,
        Class::Throttled => Reason::RateLimited,
        Class::Conflict => Reason::DatabaseNotReady,
        Class::NotFound | Class::Transient => Reason::AstraUnavailable,
    };
    Outcome::Failed(Problem::new(reason, format!("{doing}: {}", chain(error))), error.retry_after())
}

/// An error and its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl<K: Kind> Drive<'_, K> {
    /// Brings Astra to what the object says, as far as that goes now.
    pub async fn run(mut self) -> Driven<K::Details> {
        let status = self.object.status().cloned().unwrap_or_default();
        let mut driven = Driven { status, outcome: Outcome::Done(String::new()), conditions: None };
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let result = if deleting { self.absent(&mut driven).await } else { self.present(&mut driven).await };
        driven.outcome = match result {
            Ok(outcome) | Err(Stop(outcome)) => outcome,
        };
        driven
    }

    async fn present(&mut self, driven: &mut Driven<K::Details>) -> Result<Outcome, Stop> {
        let desired = self.object.desired()?;
        let mut not_before = self.oldest_look();
        for _ in 0..ROUNDS {
            let database = self.database(&mut driven.status).await?;
            if let Some(problem) =
                resolve::unavailable(&database).filter(|problem| problem.reason != Reason::DatabaseNotReady)
            {
                return Err(problem.into());
            }
            let place = K::place(&desired, &database, &driven.status.details)?;
            let peers = (self.peers)(&database, &place);
            let observed = K::observe(self.organization, &place, Freshness::NoOlderThan(not_before)).await?;
            let look = Look {
                goal: Goal::Present(&desired),
                declared: Some(&desired),
                place: &place,
                database: Some(&database),
                observed: &observed,
                peers: &peers,
            };
            if let Some(outcome) = self.round(&look, driven).await? {
                return Ok(outcome);
            }
            not_before = Instant::now();
        }
        Ok(Outcome::Waiting(Problem::new(Reason::Progressing, "changes were made and are being checked")))
    }

    async fn absent(&mut self, driven: &mut Driven<K::Details>) -> Result<Outcome, Stop> {
        if !deletion_needs_astra(self.object) {
            return Ok(Outcome::Clean("nothing in Astra is removed".to_owned()));
        }
        let (id, place) = self.recorded_place(&driven.status)?;
        let database = self.organization.database(&id).await?;
        if database.is_none() {
            self.same_organization(&driven.status).await?;
        }
        let Some(database) = database.filter(|database| !database.status.is_terminal()) else {
            return Ok(Outcome::Clean(format!(
                "database {id} does not exist any more, and all of this object's with it"
            )));
        };
        let peers = (self.peers)(&database, &place);
        let declared = self.object.desired().ok();
        for _ in 0..ROUNDS {
            let observed = K::observe(self.organization, &place, Freshness::Direct).await?;
            let look = Look {
                goal: Goal::Absent,
                declared: declared.as_ref(),
                place: &place,
                database: Some(&database),
                observed: &observed,
                peers: &peers,
            };
            if let Some(outcome) = self.round(&look, driven).await? {
                return Ok(match outcome {
                    Outcome::Done(_) => {
                        Outcome::Clean("all that this object owned is gone from Astra".to_owned())
                    }
                    outcome => outcome,
                });
            }
        }
        Ok(Outcome::Waiting(Problem::new(Reason::Deleting, "removals were sent and are being checked")))
    }

    /// A database is unknown to a token of another organization too: only in its own does that mean that it is gone.
    async fn same_organization(&self, status: &Status<K::Details>) -> Result<(), Stop> {
        let current = self.organization.id().await?;
        match &status.organization_id {
            Some(before) if *before != current => Err(Problem::new(
                Reason::TokenRefused,
                format!(
                    "the token is of organization {current}, but this object is about a database of organization {before}; put a token of that one into the Secret, or annotate the object with astra.datastax.com/force-finalize=true to leave Astra as it is"
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// Where the object's business is in Astra, from its status: the spec may have become invalid.
    fn recorded_place(&self, status: &Status<K::Details>) -> Result<(DatabaseId, K::Place), Problem> {
        let id = status.database_id.as_ref().or(self.object.common().database.id.as_ref());
        let id: Option<DatabaseId> = id.and_then(|id| id.parse().ok());
        let place = id.as_ref().and_then(|id| K::recorded_place(id, &status.details));
        id.zip(place).ok_or_else(|| {
            Problem::new(
                Reason::InvalidSpec,
                "the status says that this object owns something in Astra, but not where; remove it by hand, then annotate the object with astra.datastax.com/force-finalize=true",
            )
        })
    }

    /// A look at the object's place must have begun at or after this: never before its own last write.
    fn oldest_look(&self) -> Instant {
        let oldest = self.oldest_reading();
        self.memory.last_write.map_or(oldest, |write| oldest.max(write))
    }

    /// A shared reading must have begun at or after this.
    fn oldest_reading(&self) -> Instant {
        let now = Instant::now();
        let seen = self.object.status().and_then(|status| status.observed_generation)
            == self.object.meta().generation;
        let age = if seen { self.timing.resync / 2 } else { self.timing.fresh.min(self.timing.resync / 2) };
        // Before the process began there was no reading: then any will do.
        if self.look_now { now } else { now.checked_sub(age).unwrap_or(now) }
    }

    /// Finds the database that the spec means.
    async fn database(&self, status: &mut Status<K::Details>) -> Result<Database, Stop> {
        let reference = self.object.common().database;
        // This object's writes do not change databases, so they need no reading of their own.
        let all = self.organization.databases(self.oldest_reading()).await?;
        let database = match resolve::resolve(reference, status.database_id.as_deref(), &all) {
            Resolution::Found(database) => database.clone(),
            Resolution::Problem(problem) => return Err(problem.into()),
            Resolution::Ask(id) => {
                let asked = self.organization.database(&id).await?;
                return Err(resolve::missing(&id, asked.as_ref()).into());
            }
        };
        if let Some(before) = status.database_id.as_deref().filter(|before| *before != database.id.as_str()) {
            self.check_gone(before, status, &database).await?;
            *status = Status {
                last_handled_reconcile_at: status.last_handled_reconcile_at.take(),
                ..Status::default()
            };
        }
        status.organization_id = Some(database.org_id.clone()).filter(|id| !id.is_empty());
        status.database_id = Some(database.id.to_string());
        status.database_name = Some(database.info.name.clone());
        Ok(database)
    }

    /// The name belongs to another database than before: only if the old one is gone can nothing of it be owned any more.
    async fn check_gone(
        &self,
        before: &str,
        status: &Status<K::Details>,
        now: &Database,
    ) -> Result<(), Stop> {
        let other_organization = status.organization_id.as_ref().is_some_and(|id| *id != now.org_id);
        let old = match before.parse::<DatabaseId>() {
            Ok(id) if !other_organization => self.organization.database(&id).await?,
            _ => None,
        };
        if !other_organization && old.is_none_or(|old| old.status.is_terminal()) {
            return Ok(());
        }
        let message = format!(
            "spec.database was database {before} and now is {}, but the first one still exists, or is in another organization than the token; nothing is sent. Put the right token into the Secret, or make this object anew",
            now.id
        );
        Err(Problem::new(Reason::Conflict, message).into())
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

        let exclusive = self.object.common().management == Management::Exclusive;
        let conflict = match look.goal {
            Goal::Present(_) => conflict::blocked_by(exclusive, look.peers),
            Goal::Absent => None,
        };
        let plan = conflict.unwrap_or_else(|| K::plan(&view));
        status.details = K::details(&view);
        driven.conditions = Some(K::conditions(&view));

        let unsettled = self.unsettled(status, &plan);
        let blocked = matches!(&plan, Plan::Blocked(problem) if problem.reason == Reason::Conflict);
        if !blocked {
            status.owned = ownership::after_look(&view, unsettled.is_some()).into_iter().collect();
        }
        if let Some(problem) = unsettled {
            return Ok(Some(Outcome::Waiting(problem)));
        }
        match plan {
            Plan::Done => {
                status.in_flight = None;
                Ok(Some(Outcome::Done(K::summary(&view))))
            }
            Plan::Wait(problem) | Plan::Blocked(problem) => {
                status.in_flight = None;
                Ok(Some(stopped(problem)))
            }
            Plan::Act(steps) => {
                if let Some(problem) = look.database.and_then(resolve::unavailable) {
                    return Err(problem.into());
                }
                self.act(look.place, &steps, status).await
            }
        }
    }

    /// Is something on its way that this look may not show yet? Then no new step is sent, and nothing is called done.
    fn unsettled(&self, status: &Status<K::Details>, plan: &Plan<K::Step>) -> Option<Problem> {
        if let Some((step, _)) = self.memory.unseen.first() {
            return Some(Problem::new(
                Reason::WaitingForAstra,
                format!("sent and not seen in Astra yet: {step}"),
            ));
        }
        // Announced by a process that is gone: perhaps sent, perhaps not. Steps that may be repeated are; a world that
        // is as the announced generation wanted it has them; anything else is waited out.
        let in_flight = status.in_flight.as_ref().filter(|_| self.memory.last_write.is_none())?;
        let age = (self.now)().duration_since(in_flight.since.0);
        let passed = Duration::try_from(age).is_ok_and(|age| age >= self.timing.settle);
        let repeatable =
            |steps: &[Planned<K::Step>]| steps.iter().all(|planned| K::is_repeatable(&planned.step));
        let settled = match plan {
            Plan::Act(steps) => repeatable(steps),
            _ => self.object.meta().generation == Some(in_flight.generation),
        };
        (!passed && !settled).then(|| {
            let steps = in_flight.steps.join("; ");
            Problem::new(
                Reason::WaitingForAstra,
                format!("announced before a restart, and not known to be carried out: {steps}"),
            )
        })
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
        let since = Time((self.now)());
        status.owned = owned.into_iter().collect();
        status.in_flight = Some(InFlight {
            since,
            generation: self.object.meta().generation.unwrap_or_default(),
            steps: steps.iter().map(|planned| planned.step.to_string()).collect(),
        });
        let order = |Planned { step, why }: &Planned<K::Step>| Order {
            call: K::call(place, step),
            step: step.clone(),
            why: why.clone(),
        };
        let orders: Vec<_> = steps.iter().map(order).collect();
        self.ledger.announce(status, &orders).await?;
        for order in &orders {
            if let Some(outcome) = self.send(order, status).await {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// Sends one order. `None` when it was carried out.
    async fn send(&mut self, order: &Order<K::Step>, status: &mut Status<K::Details>) -> Option<Outcome> {
        let step = &order.step;
        let result = self.organization.client().send_call(&order.call).await;
        let now = Instant::now();
        self.memory.last_write = Some(now);
        if let Some(database) = status.database_id.as_ref().and_then(|id| id.parse().ok()) {
            self.organization.wrote(database, now);
        }
        match result {
            Ok(answer) => {
                K::learn(step, &answer, &mut status.details);
                status.last_change_time = Some(Time((self.now)()));
                self.memory.unseen.sent(step.clone(), now);
                self.ledger.done(order, K::event(step));
                None
            }
            // What was to be removed is gone already.
            Err(error) if order.call.method == Method::Delete && error.class() == Class::NotFound => None,
            Err(error) => {
                if error.may_have_taken_effect() && !K::is_repeatable(step) {
                    // Perhaps carried out: it is looked for, and not sent again before the window has passed.
                    self.memory.unseen.sent(step.clone(), now);
                }
                Some(failed(&error, &format!("could not {step}")))
            }
        }
    }
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
