//! What happens in a run, once without a fault and then with each: the calls after the last action are the ones that
//! are struck.

use crate::case::{Action, Case, Thing, Wish};

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) case: Case,
}

/// How long after one action comes the next: all is quiet by then.
const QUIET: u64 = 400;

fn wish(things: &[(u8, u8)]) -> Wish {
    let things = things.iter().map(|(id, variety)| Thing { id: *id, variety: *variety }).collect();
    Wish { things, exclusive: false, by_name: false, delete: true, choice: 0 }
}

fn create(wish: Wish) -> (u64, Action) {
    (0, Action::Create(wish))
}

fn edit(wish: Wish) -> (u64, Action) {
    (QUIET, Action::Edit(0, wish))
}

fn drift(what: u8, id: u8) -> (u64, Action) {
    (QUIET, Action::Drift(what, Thing { id, variety: 0 }))
}

const DELETE: (u64, Action) = (QUIET, Action::Delete(0));

/// A latency, so that two calls are never under way at the same instant by accident of the clock.
const LATENCY: u64 = 40;

fn scenario(
    name: &'static str,
    cloud: u8,
    lag: u64,
    foreign: &[(u8, u8)],
    script: Vec<(u64, Action)>,
) -> Scenario {
    let foreign = foreign.iter().map(|(id, variety)| Thing { id: *id, variety: *variety }).collect();
    Scenario { name, case: Case { cloud, regions: 1, flags: 2, foreign, lag, latency: LATENCY, script } }
}

/// Access lists: a Shared one that adds to others' entries, and an Exclusive one.
pub(crate) fn access_list() -> Vec<Scenario> {
    let all = || Wish { choice: 2, ..wish(&[(0, 0), (2, 0), (3, 0)]) };
    let one = || Wish { choice: 2, ..wish(&[(0, 0)]) };
    let exclusive = |wish: Wish| Wish { exclusive: true, choice: 1, ..wish };
    let foreign = [(5, 0)];
    vec![
        scenario("create, open database", 0, 0, &[], vec![create(all())]),
        scenario("create beside others", 0, 0, &foreign, vec![create(all())]),
        scenario("create exclusive", 0, 0, &foreign, vec![create(exclusive(all()))]),
        scenario("create by name", 0, 0, &foreign, vec![create(Wish { by_name: true, ..all() })]),
        scenario("create, reads lag", 0, 8, &foreign, vec![create(all())]),
        scenario("widen", 0, 0, &foreign, vec![create(one()), edit(all())]),
        scenario("narrow", 0, 0, &foreign, vec![create(all()), edit(one())]),
        scenario("narrow exclusive", 0, 0, &[], vec![create(exclusive(all())), edit(exclusive(one()))]),
        scenario("delete", 0, 0, &foreign, vec![create(all()), DELETE]),
        scenario("delete, reads lag", 0, 8, &foreign, vec![create(all()), DELETE]),
        scenario("an entry is gone", 0, 0, &foreign, vec![create(all()), drift(0, 0)]),
        scenario("an entry too many", 0, 0, &[], vec![create(exclusive(all())), drift(3, 4)]),
        scenario("the restriction is off", 0, 0, &foreign, vec![create(all()), drift(1, 0)]),
    ]
}

/// Private endpoints: on AWS, and on Azure, where Astra keeps other ids than it is sent.
pub(crate) fn private_endpoint() -> Vec<Scenario> {
    let all = || wish(&[(1, 0), (3, 1), (4, 2)]);
    let one = || wish(&[(3, 1)]);
    let foreign = [(2, 0)];
    vec![
        scenario("create", 0, 0, &[], vec![create(all())]),
        scenario("create beside others", 0, 0, &foreign, vec![create(all())]),
        scenario("create on Azure", 1, 0, &[], vec![create(all())]),
        scenario("create, reads lag", 0, 8, &[], vec![create(all())]),
        scenario("widen", 0, 0, &foreign, vec![create(one()), edit(all())]),
        scenario("narrow", 0, 0, &foreign, vec![create(all()), edit(one())]),
        scenario("describe anew", 0, 0, &[], vec![create(one()), edit(wish(&[(3, 2)]))]),
        scenario("delete", 0, 0, &foreign, vec![create(all()), DELETE]),
        scenario("delete on Azure", 1, 0, &[], vec![create(all()), DELETE]),
        scenario("a principal is gone", 0, 0, &[], vec![create(all()), drift(0, 1)]),
        scenario("an endpoint is gone", 0, 0, &[], vec![create(all()), drift(4, 3)]),
    ]
}

/// VPC peerings.
pub(crate) fn vpc_peering() -> Vec<Scenario> {
    let one = || wish(&[(0, 0)]);
    vec![
        scenario("create", 0, 0, &[], vec![create(one())]),
        scenario("create on Google Cloud", 2, 0, &[], vec![create(one())]),
        scenario("create, reads lag", 0, 8, &[], vec![create(one())]),
        scenario("delete", 0, 0, &[], vec![create(one()), DELETE]),
        scenario("delete, reads lag", 0, 8, &[], vec![create(one()), DELETE]),
        scenario("it is gone", 0, 0, &[], vec![create(one()), drift(0, 0)]),
    ]
}
