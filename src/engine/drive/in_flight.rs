//! What may be on its way to Astra, and not seen there yet.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use super::Drive;
use crate::{
    engine::{Kind, Plan, Planned, Problem, Reason},
    status::{InFlight, Status},
};

impl<K: Kind> Drive<'_, K> {
    /// Is something on its way that this look may not show yet? Then no new step is sent, and nothing is called done.
    pub(super) fn unsettled(&mut self, status: &Status<K::Details>, plan: &Plan<K::Step>) -> Option<Problem> {
        if let Some((step, _)) = self.memory.unseen.first() {
            return Some(Problem::new(
                Reason::WaitingForAstra,
                format!("sent and not seen in Astra yet: {step}"),
            ));
        }
        // Announced by a process that is gone: perhaps sent, perhaps not. Steps that may be repeated are; a world that
        // is as the announced generation wanted it has them; anything else is waited out.
        let in_flight = status.in_flight.as_ref().filter(|_| self.memory.last_write.is_none())?;
        let passed = self.first_seen(in_flight).elapsed() >= self.timing.settle;
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

    /// When this process first saw the announcement. The time in it is another clock's, which may have jumped since: a
    /// call that is not safe to repeat would be repeated an hour too early.
    fn first_seen(&mut self, in_flight: &InFlight) -> Instant {
        match &self.memory.announcement {
            Some((known, at)) if known == in_flight => *at,
            _ => {
                let now = Instant::now();
                self.memory.announcement = Some((in_flight.clone(), now));
                now
            }
        }
    }

    /// What stands in the record of an object whose own is not believed: anything may be on its way.
    pub(super) fn unknown_announcement(&self) -> InFlight {
        InFlight {
            since: Time((self.now)()),
            generation: self.object.meta().generation.unwrap_or_default(),
            steps: vec!["unknown, for the status was changed by somebody else".to_owned()],
        }
    }
}
