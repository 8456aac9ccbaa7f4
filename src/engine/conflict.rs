//! Objects that cannot live beside each other at one place: one goes on, the other sends nothing.
//!
//! The older goes on; but an object that claims the whole place never takes away what another one has there already,
//! older or younger. Without this, two objects fight for ever, or a change of one manifest locks out the users of another.

use super::{Peer, Plan, Problem, Reason};

/// What is to be known of the object itself.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Does it claim the whole place?
    pub exclusive: bool,
    /// Does it own something there?
    pub established: bool,
    /// Does the kind know Shared objects?
    pub shareable: bool,
}

/// Why this object must not act because of others, if so.
#[must_use]
pub fn blocked_by<S>(claim: Claim, peers: &[Peer]) -> Option<Plan<S>> {
    if let Some(peer) = peers.iter().find(|peer| !peer.unseen && stands_in_the_way(claim, peer)) {
        return Some(Plan::Blocked(Problem::new(Reason::Conflict, conflict(claim, peer))));
    }
    // An older object whose database is not known yet may turn out to be at the same place.
    let unseen = peers.iter().find(|peer| peer.unseen && stands_in_the_way(claim, peer))?;
    let message = format!("{} is older and may be for the same database; it is looked at first", unseen.name);
    Some(Plan::Wait(Problem::new(Reason::WaitingForPeer, message)))
}

fn stands_in_the_way(claim: Claim, peer: &Peer) -> bool {
    match (claim.exclusive, peer.exclusive) {
        (true, true) => peer.older,
        (true, false) => peer.older || !peer.owns.is_empty(),
        // What this object has there keeps the other from acting.
        (false, true) => peer.older && !claim.established,
        (false, false) => false,
    }
}

fn conflict(claim: Claim, peer: &Peer) -> String {
    let name = &peer.name;
    match (claim.exclusive, peer.exclusive) {
        (true, true) if claim.shareable => format!(
            "{name} is older and manages the same thing exclusively; nothing is sent for this object. Delete one of the two, or make both Shared"
        ),
        (true, true) => format!(
            "{name} is older and is for the same thing; nothing is sent for this object. Delete one of the two"
        ),
        (true, false) => format!(
            "{name} manages a part of it; an Exclusive object would remove that. Delete it first, or make this one Shared"
        ),
        (false, _) => format!(
            "{name} is older and manages the same thing exclusively; it would remove what this object adds. Add it there, or make that one Shared"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(older: bool, exclusive: bool, unseen: bool) -> Peer {
        Peer { name: "team/other".into(), older, exclusive, unseen, ..Peer::default() }
    }

    fn at_home(peer: Peer) -> Peer {
        Peer { owns: ["address/10.0.0.0/24".to_owned()].into(), ..peer }
    }

    fn reason(exclusive: bool, established: bool, other: &Peer) -> Option<Reason> {
        let claim = Claim { exclusive, established, shareable: true };
        blocked_by::<()>(claim, std::slice::from_ref(other)).map(|plan| match plan {
            Plan::Blocked(problem) | Plan::Wait(problem) => problem.reason,
            plan => panic!("{plan:?}"),
        })
    }

    #[test]
    fn the_older_goes_on_where_one_is_exclusive() {
        for (exclusive, other, expected) in [
            (true, peer(true, true, false), Some(Reason::Conflict)),
            (true, peer(true, false, false), Some(Reason::Conflict)),
            (false, peer(true, true, false), Some(Reason::Conflict)),
            (false, peer(true, false, false), None),
            (true, peer(false, true, false), None),
            (true, peer(false, false, false), None),
            (false, peer(false, true, false), None),
            (true, peer(true, true, true), Some(Reason::WaitingForPeer)),
            (false, peer(true, false, true), None),
            (true, peer(false, true, true), None),
        ] {
            assert_eq!(
                reason(exclusive, false, &other),
                expected,
                "exclusive: {exclusive}, beside {other:?}"
            );
        }
    }

    #[test]
    fn an_exclusive_object_takes_nothing_away_that_a_shared_one_has_there() {
        let younger = at_home(peer(false, false, false));
        assert_eq!(
            reason(true, true, &younger),
            Some(Reason::Conflict),
            "the older was made Exclusive later"
        );
        assert_eq!(reason(false, true, &peer(true, true, false)), None, "and the younger goes on");
        assert_eq!(
            reason(true, true, &at_home(peer(false, true, false))),
            None,
            "of two Exclusive the older goes on"
        );
    }
}
