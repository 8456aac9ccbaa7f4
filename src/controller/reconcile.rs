//! One look at one object: what stands between the queue and the engine.

use std::{convert::Infallible, sync::Arc};

use futures::FutureExt;
use kube::{Api, ResourceExt, core::DeserializeGuard, runtime::controller::Action};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    KindContext, KubeError,
    ledger::ObjectLedger,
    object, unreadable,
    waiting_room::{Comes, WaitingRoom},
    wakes::Reference,
};
use crate::{
    engine::{
        Event, Kind, Problem, Reason,
        drive::{Drive, deletion_needs_astra, release},
        memory::Memory,
        outcome::{Driven, Outcome},
        verdict::{self, Circumstances, Verdict},
    },
    organization::{Organization, wanted::Wanted},
    resource::annotation,
    status::{Status, limits},
};

/// Objects that share a reading look at it within this part of the resync period, each at a moment of its own.
const SPREAD: u32 = 12;

/// Looks at one object, brings Astra to what it says, and tells how it went.
///
/// # Errors
/// Never: what fails is told in the status or the log, and tried again.
pub async fn reconcile<K: Kind>(
    guard: Arc<DeserializeGuard<K>>,
    kind: Arc<KindContext<K>>,
) -> Result<Action, Infallible> {
    let object = Reference::from_obj(&*guard);
    let namespace = guard.namespace().unwrap_or_default();
    let turn = match kind.waiting_room.comes(&object) {
        Comes::Called(turn) => turn,
        Comes::TooEarly => return Ok(Action::await_change()),
        Comes::Anew => {
            let mut asked = kind.turns.ask(&namespace);
            let Ok(turn) = asked.try_recv() else {
                WaitingRoom::wait(&kind, object, asked.map(Result::ok));
                return Ok(Action::await_change());
            };
            turn
        }
    };
    if *kind.context.stop.borrow() {
        // Of those that waited for their turn when the process was told to end, none begins.
        return Ok(Action::await_change());
    }
    // A future of its own, so that those under way cost little memory.
    let parked = match look(guard.clone(), kind.clone()).boxed().await {
        Next::Action(action) => return Ok(action),
        Next::Parked(parked) => parked,
    };
    drop(turn);
    let waits = {
        let kind = kind.clone();
        async move {
            parked.wait(&guard, &kind).await;
            let turn = kind.turns.ask(&namespace);
            // Nothing of the old object is needed any more.
            drop(guard);
            turn.await.ok()
        }
    };
    WaitingRoom::wait(&kind, object, waits);
    Ok(Action::await_change())
}

/// What follows a look.
enum Next {
    Action(Action),
    /// There was none: it waits for a reading.
    Parked(Parked),
}

/// An object that waits for a reading of its organization, and holds no turn meanwhile.
struct Parked {
    organization: Arc<Organization>,
    wanted: Wanted,
}

impl Parked {
    /// Waits for the reading; no longer than until the object changes, or the process is to end.
    async fn wait<K: Kind>(self, object: &Arc<DeserializeGuard<K>>, kind: &KindContext<K>) {
        let has_changed = || !kind.stores.latest(object).is_some_and(|latest| Arc::ptr_eq(&latest, object));
        let mut stop = kind.context.stop.clone();
        tokio::select! {
            () = self.organization.until(&self.wanted, kind.context.timing.patience, has_changed) => {}
            // An error means that the sender is gone, and then the process is ending too.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

async fn look<K: Kind>(guard: Arc<DeserializeGuard<K>>, kind: Arc<KindContext<K>>) -> Next {
    let object = match &guard.0 {
        Ok(object) => object,
        Err(invalid) => {
            unreadable::tell(&guard, invalid, &kind).await;
            return Next::Action(Action::await_change());
        }
    };
    let namespace = object.namespace().unwrap_or_default();
    // Not `name`: in JSON that is the span's own, and readers keep the last of two.
    let span = tracing::info_span!("reconcile", kind = %K::kind(&()), %namespace, object = %object.name_any(), generation = object.meta().generation, reconcile_id = kind.looks.next());
    let uid = object.uid().unwrap_or_default();
    let mut memory = kind.memories.take(&uid);
    let _looking = kind.context.metrics.looking(K::KIND);
    let turn = Turn { api: Api::namespaced(kind.context.client.clone(), &namespace), namespace, kind: &kind };
    let (next, gone) = async {
        match turn.take(object, &mut memory).await {
            Ok(next) => (Next::Action(next), false),
            Err(End::Gone) => (Next::Action(Action::await_change()), true),
            Err(End::Parked(parked)) => (Next::Parked(parked), false),
            Err(End::Kube(error)) => {
                let result = if error.is_stale() { "stale" } else { "kubernetes_failed" };
                kind.context.metrics.looked(K::KIND, result);
                (Next::Action(Turn::<K>::failed(&error, &mut memory)), false)
            }
        }
    }
    .instrument(span)
    .await;
    if gone || memory.looked {
        kind.catching_up.looked_at(&*guard);
    }
    if !gone {
        kind.memories.put(&uid, memory);
    }
    next
}

/// One turn of one object.
struct Turn<'a, K: Kind> {
    api: Api<K>,
    namespace: String,
    kind: &'a KindContext<K>,
}

/// Why a turn ended early.
enum End {
    /// The object is gone, or was never this operator's.
    Gone,
    /// It waits for a reading.
    Parked(Parked),
    /// The Kubernetes API failed.
    Kube(KubeError),
}

impl From<KubeError> for End {
    fn from(error: KubeError) -> Self {
        Self::Kube(error)
    }
}

impl<K: Kind> Turn<'_, K> {
    async fn take(&self, object: &K, memory: &mut Memory<K>) -> Result<Action, End> {
        let deleting = object.meta().deletion_timestamp.is_some();
        let before = object.status().cloned().unwrap_or_default();
        // Not any more, if this turn goes on.
        let unpaused = verdict::without_pause(&before);
        if deleting && !object::has_finalizer(object) {
            return Err(End::Gone);
        }
        if is_paused(object) {
            memory.looked = true;
            return self.pause(object, &before).await;
        }
        let with_finalizer;
        let object = if deleting || object::has_finalizer(object) {
            object
        } else {
            with_finalizer = object::add_finalizer(&self.api, object).await?;
            &with_finalizer
        };
        let mut ledger = ObjectLedger::new(&self.api, object);
        let (mut driven, organization) = self.drive(object, memory, &mut ledger).await;
        if let (Outcome::Later(_, wanted), Some(organization)) = (&driven.outcome, &organization) {
            self.kind.context.metrics.looked(K::KIND, driven.outcome.name());
            return Err(End::Parked(Parked { organization: organization.clone(), wanted: wanted.clone() }));
        }
        let looked = driven.conditions.is_some();
        if let Some(request) = object.annotations().get(annotation::RECONCILE).filter(|_| looked) {
            driven.status.last_handled_reconcile_at = Some(request.clone());
        }
        let concluded = self.conclude(object, &unpaused, driven, memory, &mut ledger).await;
        if let Some(organization) = organization {
            organization.is_at_work(Instant::now());
        }
        concluded
    }

    async fn pause(&self, object: &K, before: &Status<K::Details>) -> Result<Action, End> {
        let generation = object.meta().generation.unwrap_or_default();
        let status = verdict::paused(before, generation, (self.kind.context.clock)());
        ObjectLedger::new(&self.api, object).write(&status).await?;
        self.kind.context.metrics.looked(K::KIND, "paused");
        Ok(Action::await_change())
    }

    /// Drives the object with its token, and tells in which organization. A token that is refused is read anew once: it may
    /// have been rotated.
    async fn drive(
        &self,
        object: &K,
        memory: &mut Memory<K>,
        ledger: &mut ObjectLedger<'_, K>,
    ) -> (Driven<K::Details>, Option<Arc<Organization>>) {
        if object.meta().deletion_timestamp.is_some() && !deletion_needs_astra(object) {
            let status = object.status().cloned().unwrap_or_default();
            let outcome = release(object, memory, self.kind.context.timing);
            return (Driven { status, outcome, conditions: None, notice: None }, None);
        }
        let credentials = &self.kind.context.credentials;
        let from = object.common().credentials;
        if asks_to_look(object) {
            // Whoever asks for a look at once may have just mended the Secret.
            credentials.forget(&self.namespace, from).await;
        }
        let organization = match credentials.organization(&self.namespace, from).await {
            Ok(organization) => organization,
            Err(problem) => return (without_astra(object, problem), None),
        };
        let driven = self.drive_with(&organization, object, memory, ledger).await;
        let refused = matches!(
            driven.outcome,
            Outcome::Failed(Problem { reason: Reason::TokenRefused | Reason::PermissionDenied, .. }, _)
        );
        // What was announced is in the object by now: then the next look must begin from there.
        if !refused || ledger.has_announced() {
            return (driven, Some(organization));
        }
        credentials.forget(&self.namespace, from).await;
        match credentials.organization(&self.namespace, from).await {
            Ok(newer) if !Arc::ptr_eq(&newer, &organization) => {
                (self.drive_with(&newer, object, memory, ledger).await, Some(newer))
            }
            _ => (driven, Some(organization)),
        }
    }

    async fn drive_with(
        &self,
        organization: &Organization,
        object: &K,
        memory: &mut Memory<K>,
        ledger: &mut ObjectLedger<'_, K>,
    ) -> Driven<K::Details> {
        let drive = Drive {
            object,
            organization,
            peers: &|database, place| self.kind.stores.peers(object, database, place),
            memory,
            ledger,
            timing: self.kind.context.timing,
            now: self.kind.context.clock,
            look_now: asks_to_look(object),
        };
        drive.run().await
    }

    /// Judges the look, writes what is to be written, and says when to look again.
    async fn conclude(
        &self,
        object: &K,
        before: &Status<K::Details>,
        driven: Driven<K::Details>,
        memory: &mut Memory<K>,
        ledger: &mut ObjectLedger<'_, K>,
    ) -> Result<Action, End> {
        memory.count(&driven.outcome);
        self.count(object, before, &driven, ledger);
        if ledger.has_announced() {
            self.kind.wake_neighbours(object);
        }
        ledger.publish(&self.kind.context.events).await;
        if let Some(notice) = &driven.notice {
            tracing::warn!(reason = notice.reason, "{}", notice.note);
            self.kind.context.events.warn_of(object, notice).await;
        }
        if let Outcome::Stale(stale) = &driven.outcome {
            tracing::debug!(%stale, "looking again");
        }
        let stale = matches!(driven.outcome, Outcome::Stale(_) | Outcome::Later(..));
        // Those at rest that share a list are looked at together, so that they share one reading.
        let rest = memory.rest.filter(|_| matches!(driven.outcome, Outcome::Done(_)));
        let forced = Self::forced(object, &driven);
        let at = Circumstances {
            generation: object.meta().generation.unwrap_or_default(),
            failures: memory.failures,
            stale: memory.stale,
            waits: memory.waits,
            jitter: fastrand::f64(),
            now: (self.kind.context.clock)(),
            timing: self.kind.context.timing,
        };
        let Verdict { status, next, warning, clean } = verdict::verdict(driven, before, at);
        let spread = self.kind.context.timing.resync / SPREAD;
        let next = rest.map_or(next, |rest| rest + spread.mul_f64(at.jitter));
        if let Some(what) = clean {
            object::remove_finalizer(&self.api, object, ledger.resource_version()).await?;
            tracing::info!("deletion finished: {what}");
            return Err(End::Gone);
        }
        if let Some(what) = forced {
            return self.give_up(object, what, ledger).await;
        }
        if stale {
            // Whatever was found was found for another object than the one that is there now.
            return Ok(Action::requeue(next));
        }
        log(before, &status);
        ledger.write(&status).await?;
        if let Some(problem) = warning {
            self.kind.context.events.warn(object, &problem).await;
        }
        Ok(Action::requeue(next))
    }

    /// Counts how the look ended, and what was done in it.
    fn count(
        &self,
        object: &K,
        before: &Status<K::Details>,
        driven: &Driven<K::Details>,
        ledger: &ObjectLedger<'_, K>,
    ) {
        let metrics = &self.kind.context.metrics;
        metrics.looked(K::KIND, driven.outcome.name());
        for event in ledger.unpublished() {
            metrics.step(K::KIND, event.reason);
        }
        let was_ready =
            verdict::find(&before.conditions, "Ready").is_some_and(|ready| ready.status == "True");
        let is_the_same = before.observed_generation == object.meta().generation
            && object.meta().deletion_timestamp.is_none();
        if was_ready && is_the_same && !ledger.unpublished().is_empty() {
            metrics.drift(K::KIND);
        }
    }

    /// A deletion that cannot be finished may be forced by a person; what is left behind is told.
    fn forced(object: &K, driven: &Driven<K::Details>) -> Option<String> {
        let stuck = match &driven.outcome {
            Outcome::Blocked(problem) | Outcome::Failed(problem, _) | Outcome::Waiting(problem) => problem,
            Outcome::Done(_) | Outcome::Sent | Outcome::Clean(_) | Outcome::Stale(_) | Outcome::Later(..) => {
                return None;
            }
        };
        let asked = object.annotations().get(annotation::FORCE_FINALIZE).is_some_and(|value| value == "true");
        (asked && object.meta().deletion_timestamp.is_some()).then(|| {
            let left = driven.status.owned.join(", ");
            format!(
                "Deletion was forced by annotation. May be left behind in Astra: {left}. What held it up: {}",
                stuck.message
            )
        })
    }

    /// Lets the object go although Astra was not cleaned up, and says so while there is an object to say it of.
    async fn give_up(&self, object: &K, note: String, ledger: &ObjectLedger<'_, K>) -> Result<Action, End> {
        tracing::warn!("{note}");
        self.kind.context.events.warn_of(object, &Event { reason: "DeletionForced", note }).await;
        object::remove_finalizer(&self.api, object, ledger.resource_version()).await?;
        Err(End::Gone)
    }

    /// A Kubernetes call failed: nothing can be written, so it is logged and tried again.
    fn failed(error: &KubeError, memory: &mut Memory<K>) -> Action {
        if error.is_stale() {
            tracing::debug!(%error, "the object changed meanwhile; looking again");
            memory.stale = memory.stale.saturating_add(1);
            return Action::requeue(verdict::after_stale(memory.stale));
        }
        memory.failures = memory.failures.saturating_add(1);
        tracing::warn!(%error, "a call to the Kubernetes API failed and is tried again");
        Action::requeue(crate::engine::backoff::after_failure(memory.failures, fastrand::f64()))
    }
}

/// Does the object ask to be left alone?
pub fn is_paused<K: Kind>(object: &K) -> bool {
    object.annotations().get(annotation::PAUSED).is_some_and(|value| value == "true")
}

/// Does a person ask for a look that was not taken yet?
fn asks_to_look<K: Kind>(object: &K) -> bool {
    let handled = object.status().and_then(|status| status.last_handled_reconcile_at.as_ref());
    object.annotations().get(annotation::RECONCILE).is_some_and(|request| {
        // The status keeps no more of it: a longer one would be asked for again at each look.
        let mut request = request.clone();
        limits::cut(&mut request, limits::TEXT);
        Some(&request) != handled
    })
}

fn without_astra<K: Kind>(object: &K, problem: Problem) -> Driven<K::Details> {
    let status = object.status().cloned().unwrap_or_default();
    let outcome = if problem.reason.needs_a_person() {
        Outcome::Blocked(problem)
    } else {
        Outcome::Failed(problem, None)
    };
    Driven { status, outcome, conditions: None, notice: None }
}

/// One line when what is said about the object changes.
fn log<D>(before: &Status<D>, after: &Status<D>) {
    let (old, new) = (verdict::find(&before.conditions, "Ready"), verdict::find(&after.conditions, "Ready"));
    let Some(new) = new else { return };
    if old.is_none_or(|old| {
        (&old.status, &old.reason, &old.message) != (&new.status, &new.reason, &new.message)
    }) {
        match (new.status.as_str(), verdict::find(&after.conditions, "Stalled")) {
            ("True", _) => tracing::info!(reason = %new.reason, "ready: {}", new.message),
            (_, None) => tracing::info!(reason = %new.reason, "waiting: {}", new.message),
            (_, Some(_)) => tracing::warn!(reason = %new.reason, "stalled: {}", new.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{kinds::AstraAccessList, status::limits::Bounded as _};

    #[test]
    fn a_request_to_look_is_met_once_however_long_it_is() {
        for length in [1, limits::TEXT, limits::TEXT + 1, 3 * limits::TEXT] {
            let request = "é".repeat(length);
            let mut status = Status { last_handled_reconcile_at: Some(request.clone()), ..Status::default() };
            let object: AstraAccessList = serde_json::from_value(json!({
                "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
                "metadata": { "annotations": { annotation::RECONCILE: request } },
                "spec": { "database": { "name": "orders" }, "publicAccess": "Open" },
            }))
            .unwrap();
            assert!(asks_to_look(&object), "{length} characters, not met yet");
            status.bound();
            assert!(!asks_to_look(&object.with_status(status)), "{length} characters, met");
        }
    }
}
