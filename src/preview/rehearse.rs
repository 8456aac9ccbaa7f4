//! Drives objects of one kind on a stage, turn by turn as the operator would, until nothing moves any more; and notes
//! every call.

use std::{sync::Arc, time::Duration};

use astra_devops::{Client, Token};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use k8s_openapi::jiff::Timestamp;
use kube::{
    ResourceExt,
    core::DeserializeGuard,
    runtime::{reflector, watcher},
};

use super::{change::Change, danger::Danger, stage::Stage};
use crate::{
    controller::{index::Index, peers::Stores, reconcile::is_paused},
    engine::{
        Event, Kind, Problem,
        drive::{Drive, deletion_needs_astra, release},
        ledger::{Ledger, NotAnnounced, Order},
        memory::Memory,
        outcome::{Driven, Outcome},
        timing::Timing,
        verdict::{self, Circumstances},
    },
    organization::Organization,
    status::Status,
};

/// Turns of all objects at the most. What moves longer than this has no end, and that is told.
const ROUNDS: usize = 12;

/// One call that would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// In the imperative.
    pub what: String,
    /// Why.
    pub why: String,
    /// The call.
    pub call: astra_devops::Call,
    /// In which of the object's rounds: a later one is sent when Astra shows what the earlier ones did.
    pub round: usize,
    /// What it changes in Astra.
    pub changes: Vec<Change>,
    /// What a reviewer must not overlook.
    pub dangers: Vec<Danger>,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Ready: what is there then.
    Ready(String),
    /// Somebody else's work is awaited.
    Waits(Problem),
    /// Nothing is sent until a person changes something.
    Blocked(Problem),
    /// A call would fail.
    Fails(Problem),
    /// The object is deleted.
    Gone(String),
    /// It is paused by its annotation.
    Paused,
    /// It never comes to rest.
    Endless,
}

/// What would come of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed<K> {
    /// The object in the end.
    pub object: K,
    /// What would be sent for it, in order.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
    /// What is there, is not this object's, and is left alone.
    pub left_alone: Vec<String>,
    /// What a person should know beside that.
    pub notices: Vec<String>,
}

struct Actor<K: Kind> {
    object: K,
    memory: Memory<K>,
    steps: Vec<Step>,
    rounds: usize,
    end: Option<End>,
    notices: Vec<String>,
}

/// Rehearses objects of one kind, which may be in each other's way, on `stage`. They come back in the order of their age.
pub async fn rehearse<K: Kind>(objects: Vec<K>, stage: &Arc<Stage>) -> Vec<Rehearsed<K>> {
    // The stage does not look at tokens.
    let Ok(token) = Token::new("AstraCS:rehearsal") else { return Vec::new() };
    let client = Client::new(stage.clone(), token, 1);
    let (store, mut writer) = reflector::store::<DeserializeGuard<K>>();
    let index = Arc::<Index>::default();
    let mut tell = |event: watcher::Event<DeserializeGuard<K>>| {
        writer.apply_watcher_event(&event);
        index.told(&event);
    };
    let mut actors: Vec<Actor<K>> = objects.into_iter().map(Actor::new).collect();
    actors.sort_by_key(|actor| {
        (actor.object.creation_timestamp(), actor.object.namespace(), actor.object.name_any())
    });
    for actor in &actors {
        tell(watcher::Event::Apply(DeserializeGuard(Ok(actor.object.clone()))));
    }
    let stores = Stores::new(vec![(store, index.clone())]);
    for round in 0..ROUNDS {
        let mut moved = false;
        // A new one for each round, which has read nothing yet: on a stage no time passes by which to tell readings apart.
        let organization = Organization::new(client.clone(), Duration::ZERO);
        // All at once, as the operator works on them.
        let left = actors.iter_mut().filter(|actor| !matches!(actor.end, Some(End::Gone(_))));
        let turns = left.map(|actor| async {
            let moved = actor.turn(&organization, &stores, stage).await;
            (actor, moved)
        });
        for (actor, has_moved) in join_all(turns).await {
            moved |= has_moved;
            let guard = DeserializeGuard(Ok(actor.object.clone()));
            tell(if matches!(actor.end, Some(End::Gone(_))) {
                watcher::Event::Delete(guard)
            } else {
                watcher::Event::Apply(guard)
            });
        }
        if !moved {
            break;
        }
        if round + 1 == ROUNDS {
            actors
                .iter_mut()
                .filter(|actor| actor.end.is_none())
                .for_each(|actor| actor.end = Some(End::Endless));
        }
    }
    actors.into_iter().map(Actor::rehearsed).collect()
}

impl<K: Kind> Actor<K> {
    fn new(object: K) -> Self {
        let memory = Memory::default();
        Self { object, memory, steps: Vec::new(), rounds: 0, end: None, notices: Vec::new() }
    }

    /// One turn. Did anything change: in Astra, or in what the object says?
    async fn turn(&mut self, organization: &Organization, stores: &Stores<K>, stage: &Arc<Stage>) -> bool {
        if is_paused(&self.object) {
            return self.ends(End::Paused);
        }
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let before = self.object.status().cloned().unwrap_or_default();
        let mut notes = Notes { stage, round: self.rounds, noted: Vec::new() };
        let driven = if deleting && !deletion_needs_astra(&self.object) {
            let outcome = release(&self.object, &mut self.memory, Timing::default());
            Driven { status: before.clone(), outcome, conditions: None, notice: None }
        } else {
            let object = &self.object;
            let drive = Drive {
                object,
                organization,
                peers: &|database, place| stores.peers(object, database, place),
                memory: &mut self.memory,
                ledger: &mut notes,
                timing: Timing::default(),
                now: || Timestamp::UNIX_EPOCH,
                look_now: true,
            };
            drive.run().await
        };
        let acted = !notes.noted.is_empty();
        self.rounds += usize::from(acted);
        self.steps.append(&mut notes.noted);
        self.notices.extend(driven.notice.as_ref().map(|notice| notice.note.clone()));
        let end = end_of(&driven.outcome);
        let mut status = self.said(driven, &before);
        // The object's own clock does not matter, and must not look like a move.
        status.last_change_time.clone_from(&before.last_change_time);
        let told = status != before;
        self.object = self.object.with_status(status);
        let ended = end.is_some_and(|end| self.ends(end));
        acted || told || ended
    }

    /// The status that the operator would write after this turn.
    fn said(&self, driven: Driven<K::Details>, before: &Status<K::Details>) -> Status<K::Details> {
        let at = Circumstances {
            generation: self.object.meta().generation.unwrap_or_default(),
            failures: u32::MAX,
            stale: 0,
            waits: 0,
            jitter: 0.0,
            now: Timestamp::UNIX_EPOCH,
            timing: Timing::default(),
        };
        verdict::verdict(driven, before, at).status
    }

    fn ends(&mut self, end: End) -> bool {
        let new = self.end.as_ref() != Some(&end);
        self.end = Some(end);
        new
    }

    fn rehearsed(self) -> Rehearsed<K> {
        let details = self.object.status().and_then(|status| serde_json::to_value(&status.details).ok());
        let lists = ["unmanagedAddresses", "unmanagedPrincipals", "unmanagedEndpoints"];
        let left_alone = lists.iter().flat_map(|list| {
            let all = details.as_ref().and_then(|details| details[*list].as_array()).cloned();
            all.unwrap_or_default().into_iter().filter_map(|one| one.as_str().map(ToOwned::to_owned))
        });
        Rehearsed {
            left_alone: left_alone.collect(),
            steps: self.steps,
            end: self.end.unwrap_or(End::Endless),
            notices: self.notices,
            object: self.object,
        }
    }
}

/// `None`: the next turn will tell.
fn end_of(outcome: &Outcome) -> Option<End> {
    Some(match outcome {
        Outcome::Done(summary) => End::Ready(summary.clone()),
        Outcome::Sent | Outcome::Stale(_) | Outcome::Later(..) => return None,
        Outcome::Waiting(problem) => End::Waits(problem.clone()),
        Outcome::Blocked(problem) => End::Blocked(problem.clone()),
        Outcome::Failed(problem, _) => End::Fails(problem.clone()),
        Outcome::Clean(what) => End::Gone(what.clone()),
    })
}

/// Notes what is sent, and what the stage looks like before and after.
struct Notes<'a> {
    stage: &'a Arc<Stage>,
    round: usize,
    noted: Vec<Step>,
}

impl<K: Kind> Ledger<K> for Notes<'_> {
    fn announce<'a>(
        &'a mut self,
        _: &'a Status<K::Details>,
        _: &'a [Order<K::Step>],
    ) -> BoxFuture<'a, Result<(), NotAnnounced>> {
        async { Ok(()) }.boxed()
    }

    fn done(&mut self, order: &Order<K::Step>, _: Event) {
        let effect = self.stage.effect_of(&order.call);
        let (changes, dangers) = effect.map(|effect| (effect.changes, effect.dangers)).unwrap_or_default();
        self.noted.push(Step {
            what: order.step.to_string(),
            why: order.why.clone(),
            call: order.call.clone(),
            round: self.round,
            changes,
            dangers,
        });
    }
}
