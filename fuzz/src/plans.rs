//! Plans over any world: what is wanted, what is there, what is owned, and who else is there.
//!
//! Each plan is checked for what must never be, then carried out on the world in hand, and the next is asked for, until
//! nothing is left to do. That must come soon: a plan without an end sends for ever.

mod access_list;
mod private_endpoint;
mod vpc_peering;

use std::fmt::Debug;

use astra_operator::{
    engine::{Goal, Identities, Kind, Peer, Plan, Planned, View},
    resource::Management,
};
use serde_json::{Value, json};

pub(crate) use self::{
    access_list::feed as access_list, private_endpoint::feed as private_endpoint,
    vpc_peering::feed as vpc_peering,
};

/// More rounds than any world here needs.
const ROUNDS: usize = 8;

/// One object and what it meets.
struct World<K: Kind> {
    management: Management,
    desired: K::Desired,
    deleting: bool,
    place: K::Place,
    observed: K::Observed,
    owned: Identities,
    details: K::Details,
    peers: Vec<Peer>,
}

impl<K: Kind> World<K> {
    /// From a spec that may be invalid, and then there is nothing to plan.
    fn desired(spec: &Value) -> Option<(K::Desired, Management)> {
        let object = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": { "name": "x" }, "spec": spec,
        });
        let object: K = serde_json::from_value(object).expect("an object");
        let management = object.common().management;
        Some((object.desired().ok()?, management))
    }

    fn view(&self) -> View<'_, K> {
        View {
            goal: if self.deleting { Goal::Absent } else { Goal::Present(&self.desired) },
            declared: Some(&self.desired),
            place: &self.place,
            database: None,
            observed: &self.observed,
            owned: &self.owned,
            details: &self.details,
            peers: &self.peers,
        }
    }

    /// Plans, checks, carries out, until there is nothing to do.
    fn run(
        &mut self,
        check: impl Fn(&Self, &[Planned<K::Step>]),
        carry_out: impl Fn(&mut K::Observed, &K::Step),
    ) {
        for _ in 0..ROUNDS {
            let view = self.view();
            let plan = K::plan(&view);
            assert_eq!(plan, K::plan(&view), "the same view is planned in two ways");
            let _ = (K::details(&view), K::summary(&view), K::conditions(&view));
            let Plan::Act(steps) = plan else { return };
            assert!(!steps.is_empty(), "an empty plan to act");
            let wanted = view.wanted();
            for planned in &steps {
                let call = K::call(&self.place, &planned.step);
                assert!(!call.would_delete_whole_list(), "{call}");
                assert!(
                    K::claims(&planned.step).is_subset(&wanted),
                    "claims what is not wanted: {planned:?}"
                );
                assert!(!planned.why.is_empty() && !planned.step.to_string().is_empty());
            }
            check(self, &steps);
            for planned in &steps {
                self.owned.extend(K::claims(&planned.step));
                carry_out(&mut self.observed, &planned.step);
            }
        }
        panic!("no end after {ROUNDS} rounds: {:?} of {:?}", K::plan(&self.view()), self.observed);
    }

    fn claimed(&self, identity: &str) -> bool {
        self.peers.iter().any(|peer| !peer.deleting && !peer.unseen && peer.wants.contains(identity))
    }

    /// Nothing is taken away that this object does not own, that it wants, or that somebody else wants.
    fn assert_may_go(&self, identity: &str, what: &impl Debug) {
        let wanted = self.view().wanted();
        assert!(!wanted.contains(identity), "takes away what is wanted: {what:?}");
        if self.deleting || self.management == Management::Shared {
            assert!(self.owned.contains(identity), "takes away what is not owned: {what:?}");
            assert!(!self.claimed(identity), "takes away what a peer wants: {what:?}");
        }
    }
}

/// What things are for; also in words that break a line.
const WORDS: [&str; 3] = ["", "office", "two\nlines"];
