//! What will change by itself later: statuses on their way.

use std::time::Duration;

use jiff::Timestamp;

use crate::{clock::later, state::State};

/// A change that comes by itself. Each is only made when the thing is still in the status it left from: an event or a
/// later call may have changed its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A database goes from one status to the next.
    Database { id: String, from: &'static str, to: &'static str },
    /// A datacenter that was added is there.
    DatacenterReady { database: String, datacenter: String },
    /// A datacenter that was taken away is gone.
    DatacenterGone { database: String, datacenter: String },
    /// A peering goes from one status to the next; `None` is gone.
    Peering { database: String, connection: String, from: &'static str, to: Option<&'static str> },
}

/// The changes to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule(Vec<(Timestamp, Change)>);

impl Schedule {
    /// Plans a change.
    pub(crate) fn add(&mut self, now: Timestamp, after: Duration, change: Change) {
        self.0.push((later(now, after), change));
    }

    /// Plans a database's way through several statuses, each for `step`, starting from the first.
    pub(crate) fn database(&mut self, now: Timestamp, step: Duration, id: &str, way: &[&'static str]) {
        for (i, pair) in (1_u32..).zip(way.windows(2)) {
            if let [from, to] = *pair {
                self.add(now, step.saturating_mul(i), Change::Database { id: id.into(), from, to });
            }
        }
    }

    /// Takes out the next change that is due, the earliest first; of two at the same time, the one planned first.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Change)> {
        let due = self.0.iter().enumerate().filter(|(_, (at, _))| *at <= now);
        let (i, _) = due.min_by_key(|(_, (at, _))| *at)?;
        Some(self.0.remove(i))
    }
}

impl Change {
    /// Makes the change.
    pub(crate) fn apply(&self, state: &mut State) {
        match self {
            Self::Database { id, from, to } => {
                let Some(database) = state.database_mut(id).filter(|database| database.status == *from)
                else {
                    return;
                };
                if *to == "TERMINATED" {
                    database.terminate();
                } else {
                    (*to).clone_into(&mut database.status);
                }
            }
            Self::DatacenterReady { database, datacenter } => {
                let Some(database) = state.database_mut(database) else { return };
                for found in database.datacenters.iter_mut().filter(|found| found.id == *datacenter) {
                    "ACTIVE".clone_into(&mut found.status);
                }
            }
            Self::DatacenterGone { database, datacenter } => {
                let Some(database) = state.database_mut(database) else { return };
                database.datacenters.retain(|found| found.id != *datacenter);
                database.private_links.retain(|link| link.datacenter_id != *datacenter);
            }
            Self::Peering { database, connection, from, to } => {
                let Some(database) = state.database_mut(database) else { return };
                let Some(peering) = database.peering.as_mut() else { return };
                if peering.connection_id != *connection || peering.status != *from {
                    return;
                }
                match to {
                    Some(to) => (*to).clone_into(&mut peering.status),
                    None => database.peering = None,
                }
            }
        }
    }
}
