//! I4 to I7, and I9 on things: what a request takes away, and what it makes.

use std::collections::BTreeSet;

use astra_devops::Method;
use serde_json::Value;

use super::{
    Finding,
    Invariant::{I3, I4, I5, I6, I7, I8, I9},
    Kind,
    claims::Claims,
    place::{of_address, of_principal},
    reads::Shown,
    watch::Write,
};

/// What goes by a request, and what comes.
pub(super) struct Change {
    /// The identities that were there and are not any more.
    pub(super) gone: BTreeSet<String>,
    /// The identities that were not there.
    pub(super) made: BTreeSet<String>,
}

/// Judges what one write takes away.
pub(super) fn judge(write: &Write<'_>, change: &Change) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(thing) = named(write) {
        let (_, name) = &thing;
        if write.place.kind != Kind::AccessList && write.reads.shown(write.token, &thing).is_none() {
            let why = format!("no answer has ever shown {name} to this token: it may be somebody else's");
            found.push(Finding::new(I6, why));
        }
        if let Some(at) = write.reads.baseless(write.token, &thing, write.now) {
            let why = format!(
                "the last answer about the place failed or was empty ({at}), and {name} was not shown since: that proves nothing"
            );
            found.push(Finding::new(I7, why));
        }
    }
    let Some(claims) = &write.claims else { return found };
    for identity in &change.gone {
        // A peering is nobody's only because an object wants another one in its place.
        let taken_over = claims.takes_all() && write.place.kind != Kind::VpcPeering;
        if !taken_over && !claims.owns(identity) {
            let law = if write.place.kind == Kind::AccessList { I5 } else { I6 };
            found.push(Finding::new(
                law,
                format!("no declared object owns {identity}: it is somebody else's"),
            ));
        }
        // Of addresses it counts who gets in, and not how that is written.
        if write.place.kind != Kind::AccessList && claims.wants_throughout(write.state, identity) {
            found.push(Finding::new(I4, format!("{identity} is declared all the time")));
        }
    }
    found
}

/// Judges what one write makes.
pub(super) fn judge_made(claims: &Claims<'_>, change: &Change, found: &mut Vec<Finding>) {
    let widens = found.iter().any(|finding| finding.invariant == I3);
    for identity in &change.made {
        if !claims.wants(identity) {
            if !widens {
                found.push(Finding::new(I9, format!("it makes {identity}, which nobody wants")));
            }
        } else if !claims.owns(identity) {
            let why =
                format!("no status had {identity} as owned before it was made: after a crash it is nobody's");
            found.push(Finding::new(I8, why));
        }
    }
}

/// What a `DELETE` asks to be removed, by the name that readings have for it. A peering has none there: it is the one
/// that is there.
fn named(write: &Write<'_>) -> Option<Shown> {
    if write.request.method != Method::Delete {
        return None;
    }
    let name = match (write.place.kind, write.path) {
        (Kind::AccessList, _) => of_address(&write.request.parameter("addresses")?)?,
        (Kind::PrivateEndpoint, [.., "endpoints", id]) => format!("endpoint/{id}").to_ascii_lowercase(),
        (Kind::PrivateEndpoint, _) => {
            let body: Value = serde_json::from_slice(&write.request.body).ok()?;
            of_principal(body["allowedPrincipal"].as_str()?)
        }
        (Kind::VpcPeering, _) => write.before?.peering.as_ref()?.connection_id.clone(),
    };
    Some((write.place.clone(), name))
}
