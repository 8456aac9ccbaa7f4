//! What must be true when all is quiet.

use std::{collections::BTreeMap, time::Duration};

use astra_operator::{
    controller::object::has_finalizer,
    engine::{
        Event,
        drive::Drive,
        ledger::{Ledger, NotAnnounced, Order},
        memory::Memory,
        outcome::Outcome,
        timing::Timing,
    },
    status::Status,
};
use futures::{FutureExt, future::BoxFuture};
use kube::ResourceExt;
use tokio::time::Instant;

use crate::{
    clock,
    kstatus::{as_kstatus_wants, is_ready},
    lawful::{Lawful, Things, elders, governs, owned},
    stage::Stage,
};

/// How long a world is watched that must not move. Several looks at each object, whatever they wait for.
const WATCHED: Duration = Duration::from_secs(200);

impl<K: Lawful> Stage<'_, K> {
    /// All laws about a world at rest, each violation in a line.
    pub(crate) async fn at_rest(&self) -> Vec<String> {
        let mut found = self.violations.all();
        found.extend(self.objects_say_what_is());
        found.extend(self.astra_has_what_is_wanted());
        found.extend(self.plans_are_empty().await);
        found.extend(self.nothing_moves().await);
        found
    }

    /// Each object is Ready, or tells the reason that the facts give it.
    fn objects_say_what_is(&self) -> Vec<String> {
        let all = self.cluster.objects();
        let truth = self.truth();
        let mut found = Vec::new();
        for object in &all {
            let name = object.name_any();
            if object.meta().deletion_timestamp.is_some() {
                let status = serde_json::to_string(&object.status()).unwrap();
                found.push(format!("{name} is still being deleted: {status}"));
                continue;
            }
            if !has_finalizer(object) {
                found.push(format!("{name} has no finalizer"));
            }
            let elders = elders(object, &all);
            let expected = if governs(object, &all) {
                object.reason(&elders, &truth)
            } else if object.reason(&[], &truth) == "InvalidSpec" {
                "InvalidSpec"
            } else {
                "Conflict"
            };
            let status = object.status().unwrap();
            let generation = object.meta().generation;
            if status.observed_generation != generation {
                found
                    .push(format!("{name}: {:?} was observed of {generation:?}", status.observed_generation));
            }
            found.extend(
                as_kstatus_wants(&status.conditions, expected).map(|problem| format!("{name}: {problem}")),
            );
            if expected == "UpToDate" && status.in_flight.is_some() {
                found.push(format!("{name}: ready, and something is in flight"));
            }
        }
        found
    }

    /// What Ready objects want is there; nothing else is, but what others made or `Retain` left.
    fn astra_has_what_is_wanted(&self) -> Vec<String> {
        let all = self.cluster.objects();
        let there = K::things(&self.truth());
        let mut found = Vec::new();
        let mut accounted: Vec<String> =
            self.foreign.borrow().keys().chain(self.left.borrow().iter()).cloned().collect();
        for object in &all {
            let (name, wants) = (object.name_any(), object.wants());
            accounted.extend(wants.keys().cloned());
            if !is_ready(object) {
                accounted.extend(owned(object));
                continue;
            }
            let elders = elders(object, &all);
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
        found.extend(self.foreign_things_are_left_alone(&there));
        found
    }

    /// Law 3: what nobody ever claimed is as it was.
    fn foreign_things_are_left_alone(&self, there: &Things) -> Vec<String> {
        if self.case.wishes().any(|wish| K::object("any", wish, self.case).takes_over()) {
            return Vec::new();
        }
        let ever_wanted = self.ever_wanted.borrow();
        let foreign = self.foreign.borrow();
        (foreign.iter())
            .filter(|(identity, value)| {
                !ever_wanted.contains(*identity) && there.get(*identity) != Some(value)
            })
            .map(|(identity, value)| format!("foreign {identity} ({value}) is now {:?}", there.get(identity)))
            .collect()
    }

    /// Law 1: after acting, there is nothing to do.
    async fn plans_are_empty(&self) -> Vec<String> {
        let mut found = Vec::new();
        let stores = &self.stores;
        for object in self.cluster.objects().iter().filter(|object| is_ready(*object)) {
            let (mut noted, mut memory) = (Noted::default(), Memory::default());
            let organization = self.organization();
            let drive = Drive {
                object,
                organization: &organization,
                peers: &|database, place| stores.peers(object, database, place),
                memory: &mut memory,
                ledger: &mut noted,
                timing: Timing::default(),
                now: clock::now,
                look_now: true,
            };
            let outcome = drive.run().await.outcome;
            if !matches!(outcome, Outcome::Done(_)) {
                found.push(format!("law 1: {} plans {:?}: {outcome:?}", object.name_any(), noted.0));
            }
        }
        found
    }

    /// Laws 2 and 7: nothing is sent any more and no status changes by a byte, neither in this process nor in the next.
    async fn nothing_moves(&self) -> Vec<String> {
        let (statuses, writes) = (self.statuses(), self.cluster.status_writes());
        self.simulator.clear_requests();
        let mut found = Vec::new();
        for life in ["first", "second"] {
            self.operate(Instant::now() + WATCHED).await;
            let sent = self.simulator.writes();
            if let Some(write) = sent.first() {
                found.push(format!(
                    "law 2: {life} life: sent {} {} {:?}",
                    write.method,
                    write.target(),
                    write.body
                ));
            }
            for (name, difference) in differences(&statuses, &self.statuses()) {
                found.push(format!("law 7: {life} life: {name}: {difference}"));
            }
            let more = self.cluster.status_writes() - writes;
            if more > 0 {
                found.push(format!("law 7: {life} life: {more} statuses were written"));
            }
        }
        if self.cluster.objects().iter().any(is_ready) && self.simulator.requests().is_empty() {
            found.push("nobody looked".into());
        }
        found
    }
}

fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let changed = before.iter().filter(|(name, status)| after.get(*name) != Some(status));
    changed.map(|(name, status)| (name.clone(), format!("{status} is now {:?}", after.get(name)))).collect()
}

/// Notes what would be sent, and sends nothing.
#[derive(Default)]
pub(crate) struct Noted(pub Vec<String>);

impl<K: Lawful> Ledger<K> for Noted {
    fn announce<'a>(
        &'a mut self,
        _: &'a Status<K::Details>,
        orders: &'a [Order<K::Step>],
    ) -> BoxFuture<'a, Result<(), NotAnnounced>> {
        self.0.extend(orders.iter().map(|order| format!("{} {:?}", order.call, order.call.body)));
        async { Err(NotAnnounced::Stale("only noted".into())) }.boxed()
    }

    fn done(&mut self, _: &Order<K::Step>, _: Event) {}
}
