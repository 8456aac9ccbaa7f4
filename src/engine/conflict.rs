//! Objects that cannot live beside each other at one place: the older goes on, the younger sends nothing.
//!
//! Without this, two objects fight for ever: each removes what the other adds, and a database's door swings.

use super::{Peer, Plan, Problem, Reason};

/// Why this object must not act because of others, if so. `exclusive` tells whether it claims the whole place.
#[must_use]
pub fn blocked_by<S>(exclusive: bool, peers: &[Peer]) -> Option<Plan<S>> {
    let older = || peers.iter().filter(|peer| peer.older);
    if let Some(peer) = older().find(|peer| !peer.unseen && (exclusive || peer.exclusive)) {
        return Some(Plan::Blocked(Problem::new(Reason::Conflict, conflict(exclusive, peer))));
    }
    // An older object whose database is not known yet may turn out to be at the same place.
    let unseen = older().find(|peer| peer.unseen && (exclusive || peer.exclusive))?;
    let message = format!("{} is older and may be for the same database; it is looked at first", unseen.name);
    Some(Plan::Wait(Problem::new(Reason::WaitingForPeer, message)))
}

fn conflict(exclusive: bool, peer: &Peer) -> String {
    match (exclusive, peer.exclusive) {
        (true, true) => format!(
            "{} is older and manages the same thing exclusively; nothing is sent for this object. Delete one of the two; where the kind has spec.management, both can be Shared instead",
            peer.name
        ),
        (true, false) => format!(
            "{} is older and manages a part of it; an Exclusive object would remove that. Delete it first, or make this one Shared",
            peer.name
        ),
        (false, _) => format!(
            "{} is older and manages the same thing exclusively; it would remove what this object adds. Add it there, or make that one Shared",
            peer.name
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(older: bool, exclusive: bool, unseen: bool) -> Peer {
        Peer { name: "team/other".into(), older, exclusive, unseen, ..Peer::default() }
    }

    #[test]
    fn the_older_goes_on_where_one_is_exclusive() {
        for (exclusive, other, expected) in [
            (true, peer(true, true, false), Some(Reason::Conflict)),
            (true, peer(true, false, false), Some(Reason::Conflict)),
            (false, peer(true, true, false), Some(Reason::Conflict)),
            (false, peer(true, false, false), None),
            (true, peer(false, true, false), None),
            (false, peer(false, true, false), None),
            (true, peer(true, true, true), Some(Reason::WaitingForPeer)),
            (false, peer(true, false, true), None),
            (true, peer(false, true, true), None),
        ] {
            let found = blocked_by::<()>(exclusive, std::slice::from_ref(&other)).map(|plan| match plan {
                Plan::Blocked(problem) | Plan::Wait(problem) => problem.reason,
                plan => panic!("{plan:?}"),
            });
            assert_eq!(found, expected, "exclusive: {exclusive}, beside {other:?}");
        }
    }
}
