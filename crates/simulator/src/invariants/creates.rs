//! I8: creates that are not known to be safe to send twice. Addresses and principals are: a second one changes nothing.

use std::{collections::BTreeMap, time::Duration};

use astra_devops::Method;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Finding,
    Invariant::I8,
    Kind,
    reads::{self, Reading, Shown},
    removals::Change,
    watch::Write,
};
use crate::{clock::later, state::State, wire::Response};

/// A create whose thing may be there without being seen.
#[derive(Clone)]
struct Open {
    answered: Timestamp,
    lag: Duration,
    organization: String,
}

/// The creates that were asked for and not looked for since, over all tokens and restarts. A peering has no name: there
/// is one of a database.
#[derive(Clone, Default)]
pub(super) struct Creates(BTreeMap<Shown, Open>);

impl Creates {
    /// Judges one write, and takes note of it.
    pub(super) fn judge(&mut self, write: &Write<'_>, answer: Option<&Response>) -> Option<Finding> {
        let thing = created(write)?;
        let open = self.0.get(&thing);
        let finding = open.map(|open| {
            let ((_, name), at) = (&thing, open.answered);
            Finding::new(
                I8,
                format!(
                    "{name} was asked for already (answered {at}), and no GET that began after that and the lag of readings has shown that it is not there: there may be two now"
                ),
            )
        });
        if !is_refusal(answer) {
            let organization = write.before.map(|database| database.organization.clone()).unwrap_or_default();
            self.0.insert(thing, Open { answered: write.answered, lag: write.lag, organization });
        }
        finding
    }

    /// Takes note of a reading: what it shows not to be there may be asked for again.
    pub(super) fn read(&mut self, reading: &Reading<'_>, token: &str, lag: Duration, state: &State) {
        if self.0.is_empty() {
            return;
        }
        let organization = state.tokens.iter().find(|entry| entry.token == token);
        let Some(organization) = organization.map(|entry| &entry.organization) else { return };
        self.0.retain(|thing, open| {
            let in_time = reading.times.began >= later(open.answered, open.lag.max(lag));
            !in_time || open.organization != *organization || is_there(reading, thing)
        });
    }

    /// What was answered before this moment cannot be known to whoever sends now.
    pub(super) fn forget(&mut self, before: Timestamp) {
        self.0.retain(|_, open| open.answered >= before);
    }

    /// Takes note of what a removal took away: it may be made again at once.
    pub(super) fn removed(&mut self, write: &Write<'_>, change: &Change) {
        if change.gone.is_empty() {
            return;
        }
        self.0.retain(|(place, name), _| {
            place != write.place || (place.kind != Kind::VpcPeering && !change.gone.contains(name))
        });
    }
}

/// Does a reading leave it open that the thing is there?
fn is_there(reading: &Reading<'_>, thing: &Shown) -> bool {
    let (place, name) = thing;
    let shows = match place.kind {
        Kind::VpcPeering => reading.shows_any(place),
        // Azure's endpoints have another name there: no reading can tell.
        _ if name.starts_with("endpoint//") => reading.shows_any(place).map(|_| false),
        _ => reading.shows(thing),
    };
    shows.unwrap_or(true)
}

/// What a request creates, if sending it twice may make two.
fn created(write: &Write<'_>) -> Option<Shown> {
    if write.request.method != Method::Post {
        return None;
    }
    match (write.place.kind, write.path) {
        (Kind::VpcPeering, _) => Some((write.place.clone(), "the peering".to_owned())),
        (Kind::PrivateEndpoint, [.., "endpoints"]) => {
            let body: Value = serde_json::from_slice(&write.request.body).ok()?;
            reads::endpoint(write.place, &body)
        }
        _ => None,
    }
}

/// Only a 4xx says that nothing was made, and no page: that may come from a proxy before a server that did.
fn is_refusal(answer: Option<&Response>) -> bool {
    answer.is_some_and(|answer| match answer.status {
        429 => true,
        408 | 425 => false,
        status => (400..500).contains(&status) && !answer.body.trim_ascii_start().starts_with(b"<"),
    })
}
