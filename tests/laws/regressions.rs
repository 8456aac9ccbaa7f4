//! Cases that once broke a law. Each keeps the bug from coming back, whatever the dice say.

use std::time::Duration;

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering};
use astra_simulator::{Fault, Method};
use tokio::time::Instant;

use crate::{
    case::{Action, Case, Thing, Wish},
    fuse::Fuse,
    lawful::Lawful,
    laws::crashes_everywhere_leave_no_trace,
    stage::{SETTLED, Stage, in_virtual_time},
};

/// A Shared wish for these things, each with its variety.
fn shared(things: &[(u8, u8)]) -> Wish {
    let things = things.iter().map(|(id, variety)| Thing { id: *id, variety: *variety }).collect();
    Wish { things, exclusive: false, by_name: false, delete: false, choice: 0 }
}

fn deleting(wish: Wish) -> Wish {
    Wish { delete: true, ..wish }
}

fn case(script: Vec<(u64, Action)>) -> Case {
    Case { cloud: 0, regions: 1, flags: 0, foreign: Vec::new(), lag: 0, latency: 0, script }
}

#[track_caller]
fn comes_to_rest<K: Lawful>(case: &Case) {
    let found = in_virtual_time(async {
        let stage = Stage::<K>::new(case, Fuse::default());
        stage.play().await;
        stage.at_rest().await
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Both had owned the endpoint: the older one's past ownership kept the younger from describing it.
#[test]
fn a_past_owner_does_not_decide_over_a_description() {
    comes_to_rest::<AstraPrivateEndpoint>(&case(vec![
        (0, Action::Create(shared(&[]))),
        (400, Action::Create(shared(&[(3, 1)]))),
        (400, Action::Edit(0, shared(&[(3, 0)]))),
        (400, Action::Edit(0, shared(&[]))),
    ]));
}

/// Both had owned the address and neither wants it any more: each waited for the other to remove it.
#[test]
fn two_past_owners_do_not_leave_an_address_open() {
    comes_to_rest::<AstraAccessList>(&case(vec![
        (0, Action::Create(shared(&[(0, 0), (4, 0)]))),
        (400, Action::Create(shared(&[(3, 0), (4, 0)]))),
        (400, Action::Edit(0, shared(&[(0, 0)]))),
        (400, Action::Edit(1, shared(&[(3, 0)]))),
    ]));
}

/// `203.0.113.7` and `203.0.113.7/32` were both added, and only one of the two was switched off.
#[test]
fn all_texts_of_a_network_are_switched_off() {
    comes_to_rest::<AstraAccessList>(&case(vec![
        (0, Action::Create(shared(&[(1, 0)]))),
        (0, Action::Create(shared(&[(1, 3)]))),
        (400, Action::Delete(1)),
        (400, Action::Edit(0, shared(&[(1, 4)]))),
    ]));
}

/// Another object that wanted another network was taken for one that still needs the peering.
#[test]
fn a_peering_goes_though_another_object_wants_another_network() {
    comes_to_rest::<AstraVpcPeering>(&case(vec![
        (0, Action::Create(deleting(shared(&[(1, 0)])))),
        (0, Action::Create(deleting(shared(&[])))),
        (1, Action::Delete(0)),
        (1, Action::Delete(1)),
    ]));
}

/// What may not be sent twice is not, though the process that sent it died and reads show nothing yet.
#[test]
fn an_announcement_outlives_its_process() {
    let case = Case { lag: 30, ..case(vec![(0, Action::Create(shared(&[(3, 0)])))]) };
    crashes_everywhere_leave_no_trace::<AstraPrivateEndpoint>(&case);
    crashes_everywhere_leave_no_trace::<AstraVpcPeering>(&case);
}

/// A Shared object that waited for an older one took an address that it found there for its own, and so kept the older,
/// Exclusive one from acting.
#[test]
fn who_has_to_yield_owns_nothing() {
    let exclusive = Wish { exclusive: true, by_name: true, ..shared(&[]) };
    let script = vec![(0, Action::Create(exclusive)), (0, Action::Create(shared(&[(1, 0)])))];
    let foreign = vec![Thing { id: 1, variety: 0 }];
    comes_to_rest::<AstraAccessList>(&Case { foreign, ..case(script) });
}

/// An answer for the whole organization that lacked a list for a moment made the object forget what it owned and no
/// longer wanted: it stayed in Astra.
#[test]
fn a_list_that_is_missing_for_a_moment_makes_nobody_forget() {
    let case = case(vec![(0, Action::Create(shared(&[(0, 0), (1, 0)])))]);
    let left = in_virtual_time(async {
        let stage = Stage::<AstraAccessList>::new(&case, Fuse::default());
        stage.play().await;
        assert_eq!(AstraAccessList::things(&stage.truth()).len(), 2, "both are added");
        let nothing = Fault::status(200).json(serde_json::json!([]));
        stage.simulator.add_fault(nothing.on(Method::Get, "/v2/access-lists").times(1));
        stage.cluster.edit("o0", |object| object.edited(&shared(&[(0, 0)]), &case));
        stage.operate(Instant::now() + Duration::from_secs(SETTLED)).await;
        AstraAccessList::things(&stage.truth())
    });
    assert_eq!(left.len(), 1, "{left:?}");
}
