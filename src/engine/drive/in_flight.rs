//! What may be on its way to Astra, and not seen there yet.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Drive;
use crate::{
    engine::{
        Kind, Plan, Planned, Problem, Reason, View,
        memory::{Announced, Memory},
        outcome::Outcome,
        timing::Timing,
    },
    status::{InFlight, Status},
};

/// What is to be made of a look while something may be on its way.
pub(super) struct Doubt {
    /// No new step is sent, and nothing is called done.
    pub(super) wait: Option<Problem>,
    /// What is recorded as owned and is not there may still come: it stays recorded.
    pub(super) keep: bool,
}

/// How the deletion of an object ends that needs nothing of Astra: at once, or, where a call that is not safe to repeat may
/// be on its way, when that would show. The object is the only record of it: another one that declares the same thing
/// would ask for it again.
#[must_use]
pub fn release<K: Kind>(object: &K, memory: &mut Memory<K>, timing: Timing) -> Outcome {
    let announced = object.status().and_then(|status| status.in_flight.as_ref());
    let Some(announced) = announced.filter(|_| K::MAKES_ONCE) else {
        return Outcome::Clean("nothing in Astra is removed".to_owned());
    };
    let first_seen = memory.announcement.get_or_insert_with(|| Announced::now(announced.clone())).since;
    let since = memory.last_write.unwrap_or(first_seen);
    if since.elapsed() >= timing.settle {
        return Outcome::Clean("nothing in Astra is removed".to_owned());
    }
    let steps = announced.steps.join("; ");
    let message =
        format!("nothing in Astra will be removed; waiting until what was announced would be seen: {steps}");
    Outcome::Waiting(Problem::new(Reason::Deleting, message))
}

impl<K: Kind> Drive<'_, K> {
    /// Is something on its way that this look may not show yet?
    pub(super) fn doubt(
        &mut self,
        view: &View<'_, K>,
        in_flight: Option<&InFlight>,
        plan: &Plan<K::Step>,
    ) -> Doubt {
        if let Some((step, _)) = self.memory.unseen.first() {
            let wait =
                Problem::new(Reason::WaitingForAstra, format!("sent and not seen in Astra yet: {step}"));
            return Doubt { wait: Some(wait), keep: true };
        }
        let Some(announcement) = self.announcement(view, in_flight) else {
            return Doubt { wait: None, keep: false };
        };
        // Announced by a process that is gone: perhaps sent, perhaps not. Steps that may be repeated are; a world that
        // is as the announced generation wanted it has them; anything else is waited out.
        let repeatable =
            |steps: &[Planned<K::Step>]| steps.iter().all(|planned| K::is_repeatable(&planned.step));
        let goes_on = match plan {
            Plan::Act(steps) => repeatable(steps),
            _ => self.object.meta().generation == Some(announcement.generation),
        };
        let wait = (!goes_on).then(|| {
            let steps = announcement.steps.join("; ");
            Problem::new(
                Reason::WaitingForAstra,
                format!("announced before a restart, and not known to be carried out: {steps}"),
            )
        });
        Doubt { wait, keep: true }
    }

    /// The announcement of an earlier process, while it is not known what became of it: until all that is recorded as
    /// owned is seen, or the settle time has passed on this process' own clock. The time in the announcement is
    /// another clock's, which may have jumped since: a call that is not safe to repeat would be repeated an hour too
    /// early.
    fn announcement(&mut self, view: &View<'_, K>, in_flight: Option<&InFlight>) -> Option<InFlight> {
        let earlier = in_flight.filter(|_| self.memory.last_write.is_none());
        let known = self.memory.announcement.as_ref();
        if let Some(found) = earlier.filter(|found| known.is_none_or(|known| known.in_flight != **found)) {
            self.memory.announcement = Some(Announced::now(found.clone()));
        }
        let announced = self.memory.announcement.as_mut()?;
        if in_flight.is_some() {
            announced.owned.clone_from(view.owned);
        }
        // A record that is lost, as when etcd is restored from a snapshot of before it, takes nothing back from Astra.
        let Announced { in_flight: announcement, since, owned } = announced.clone();
        let seen = owned.iter().all(|identity| K::has(view, identity));
        // A record that is not believed does not tell what it owns.
        let is_told = in_flight.is_none_or(|in_flight| in_flight.steps != [UNKNOWN]);
        if seen && is_told || since.elapsed() >= self.timing.settle {
            self.memory.announcement = None;
            return None;
        }
        Some(announcement)
    }

    /// What is announced: the new steps, and before them what an earlier process announced and may still come. Were it
    /// forgotten, the next process would not wait for it.
    pub(super) fn announce(&self, steps: impl Iterator<Item = String>) -> InFlight {
        let earlier = self.memory.announcement.as_ref().map(|known| &known.in_flight);
        let steps_before = earlier.iter().flat_map(|announcement| announcement.steps.clone());
        let mut all: Vec<String> = Vec::new();
        for step in steps_before.chain(steps) {
            if !all.contains(&step) {
                all.push(step);
            }
        }
        InFlight {
            since: Time((self.now)()),
            // A later generation that is as it shall be says nothing of what the earlier one asked for.
            generation: earlier
                .map_or_else(|| self.object.meta().generation.unwrap_or_default(), |known| known.generation),
            steps: all,
        }
    }

    /// What stands in the record of an object whose own is not believed: anything may be on its way.
    pub(super) fn unknown_announcement(&self, status: &mut Status<K::Details>) {
        status.in_flight = Some(InFlight {
            since: Time((self.now)()),
            generation: self.object.meta().generation.unwrap_or_default(),
            steps: vec![UNKNOWN.to_owned()],
        });
    }
}

/// What is in flight when nobody knows what is.
const UNKNOWN: &str = "unknown, for the status was changed by somebody else";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::{AstraAccessList, AstraPrivateEndpoint};

    fn object<K: Kind>(kind: &str, spec: &Value, announced: bool) -> K {
        let in_flight = json!({ "generation": 1, "since": "2027-01-01T00:00:00Z", "steps": ["connect endpoint vpce-0a1"] });
        let status = if announced { json!({ "inFlight": in_flight }) } else { json!({}) };
        serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": kind, "metadata": {}, "spec": spec, "status": status,
        }))
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_let_go_when_what_it_announced_would_show() {
        let endpoint = |announced| {
            let spec = json!({ "database": { "name": "orders" }, "endpoints": [{ "id": "vpce-0a1" }] });
            object::<AstraPrivateEndpoint>("AstraPrivateEndpoint", &spec, announced)
        };
        let timing = Timing::default();
        let mut memory = Memory::default();
        assert!(
            matches!(release(&endpoint(false), &mut memory, timing), Outcome::Clean(_)),
            "nothing announced"
        );
        let waits = release(&endpoint(true), &mut memory, timing);
        assert!(
            matches!(&waits, Outcome::Waiting(problem) if problem.message.contains("vpce-0a1")),
            "{waits:?}"
        );
        tokio::time::advance(timing.settle).await;
        assert!(
            matches!(release(&endpoint(true), &mut memory, timing), Outcome::Clean(_)),
            "it would show by now"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_sent_twice_holds_no_object_up() {
        let spec = json!({ "database": { "name": "orders" }, "addresses": [{ "address": "10.0.0.1" }] });
        let list = object::<AstraAccessList>("AstraAccessList", &spec, true);
        assert!(matches!(release(&list, &mut Memory::default(), Timing::default()), Outcome::Clean(_)));
    }
}
