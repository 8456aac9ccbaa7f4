//! What the draw of a seed hardly ever comes upon, and what is dangerous: two who act in the same moment, a list that
//! somebody fills, a place that is being cleared while it is wanted again. Each is played in many weathers.
//!
//! A thousand seeds meet such a moment once or not at all. `cargo xtask teeth` shows which defences would go unguarded
//! without these.

use libtest_mimic::Failed;

use crate::{
    case::{Action, Case, Thing, Wish},
    scenario::Scenario,
    search::run_scenario,
    sweep::play,
};

/// In how many weathers each is played.
const WEATHERS: u64 = 40;

/// So far apart that all is at rest in between, in most weathers.
const FAR: u64 = 150;

/// What happens to a case, and the kind that it is about.
struct Peril {
    name: &'static str,
    kind: usize,
    foreign: &'static [u8],
    script: Vec<(u64, Action)>,
}

const ENDPOINTS: usize = 0;
const LISTS: usize = 1;
const PEERINGS: usize = 2;

fn thing(id: u8) -> Thing {
    Thing { id, variety: 0 }
}

/// A Shared object with these things. A list restricts access to them.
fn shared(ids: &[u8]) -> Wish {
    let things = ids.iter().copied().map(thing).collect();
    Wish { things, exclusive: false, by_name: true, delete: true, choice: 2 }
}

fn exclusive(ids: &[u8]) -> Wish {
    Wish { exclusive: true, choice: 0, ..shared(ids) }
}

fn create(after: u64, wish: Wish) -> (u64, Action) {
    (after, Action::Create(wish))
}

fn edit(after: u64, object: usize, wish: Wish) -> (u64, Action) {
    (after, Action::Edit(object, wish))
}

fn delete(after: u64, object: usize) -> (u64, Action) {
    (after, Action::Delete(object))
}

/// Somebody adds this to a list by hand, or changes what is there.
fn by_hand(after: u64, id: u8) -> (u64, Action) {
    (after, Action::Drift(3, thing(id)))
}

fn peril(name: &'static str, kind: usize, foreign: &'static [u8], script: Vec<(u64, Action)>) -> Peril {
    Peril { name, kind, foreign, script }
}

fn perils() -> Vec<Peril> {
    let mut all = passing_on();
    all.extend(clearing());
    all
}

/// Something passes from one object to another, or is made by two.
fn passing_on() -> Vec<Peril> {
    vec![
        peril(
            "two restrict access in the same moment",
            LISTS,
            &[],
            vec![create(1, shared(&[0, 2])), create(0, shared(&[3, 4]))],
        ),
        peril(
            "a database is open until two who declare different addresses restrict access",
            LISTS,
            &[5],
            vec![
                create(1, Wish { choice: 0, ..shared(&[0]) }),
                create(0, Wish { choice: 0, ..shared(&[3]) }),
                edit(FAR, 0, shared(&[0, 2])),
                edit(0, 1, shared(&[3, 4])),
            ],
        ),
        peril(
            "a network goes to another object as a part of it",
            LISTS,
            &[],
            vec![
                create(1, shared(&[0, 2])),
                create(0, shared(&[3])),
                edit(FAR, 1, shared(&[1, 3])),
                edit(0, 0, shared(&[2])),
            ],
        ),
        peril(
            "an address goes to another object as a part of its network",
            LISTS,
            &[],
            vec![
                create(1, shared(&[1, 2])),
                create(0, shared(&[3])),
                edit(FAR, 1, shared(&[0, 3])),
                edit(0, 0, shared(&[2])),
            ],
        ),
    ]
}

/// Something is taken away, while it is wanted or by two.
fn clearing() -> Vec<Peril> {
    vec![
        peril(
            "two lists that share an address are deleted in the same moment",
            LISTS,
            &[4],
            vec![create(1, shared(&[0, 2])), create(0, shared(&[0, 3])), delete(FAR, 0), delete(0, 1)],
        ),
        peril(
            "two that share an endpoint are deleted in the same moment",
            ENDPOINTS,
            &[],
            vec![create(1, shared(&[0, 3])), create(0, shared(&[0, 3, 4])), delete(FAR, 1), delete(0, 0)],
        ),
        peril(
            "an address passes from an object that is deleted to one that is older",
            LISTS,
            &[],
            vec![
                create(1, shared(&[2])),
                create(5, shared(&[0, 3])),
                edit(FAR, 0, shared(&[0, 2])),
                delete(0, 1),
            ],
        ),
        peril(
            "somebody fills an Exclusive list",
            LISTS,
            &[],
            vec![create(1, exclusive(&[0, 2])), by_hand(FAR, 1), by_hand(0, 3), by_hand(0, 4), by_hand(0, 5)],
        ),
        peril(
            "an Exclusive list takes over a long one",
            LISTS,
            &[1, 3, 4, 5],
            vec![create(1, exclusive(&[0, 2])), edit(FAR, 0, exclusive(&[2]))],
        ),
        peril(
            "an endpoint goes to another object in the moment in which the first gives it up",
            ENDPOINTS,
            &[],
            vec![create(1, shared(&[0, 3])), create(FAR, shared(&[0, 4])), edit(1, 0, shared(&[0]))],
        ),
        peril(
            "a peering is wanted again while Astra deletes it",
            PEERINGS,
            &[],
            vec![create(1, shared(&[0])), delete(FAR, 0), create(2, shared(&[0]))],
        ),
        peril(
            "a peering is deleted while it is made",
            PEERINGS,
            &[],
            vec![create(1, shared(&[0])), delete(1, 0), create(4, shared(&[1]))],
        ),
        peril(
            "two lists claim all of it in the same moment",
            LISTS,
            &[4],
            vec![create(1, exclusive(&[0])), create(0, exclusive(&[2])), delete(FAR, 0)],
        ),
        peril(
            "a list claims all of what another has a part of",
            LISTS,
            &[],
            vec![create(1, shared(&[0, 2])), create(FAR, exclusive(&[3])), edit(0, 0, shared(&[0]))],
        ),
    ]
}

/// The peril in the weather, the deaths and the lag of a seed. Nothing else happens: what a restore of etcd brings back
/// would be told of the restore.
fn scenario(peril: &Peril, weather: u64) -> Scenario {
    let drawn = Scenario::of(weather);
    let case = Case {
        cloud: u8::try_from(weather % 3).unwrap_or(0),
        regions: 1,
        flags: 0,
        foreign: peril.foreign.iter().copied().map(thing).collect(),
        lag: drawn.lag,
        latency: 0,
        script: peril.script.clone(),
    };
    let mut cases = [None, None, None];
    cases[peril.kind] = Some(case);
    // The first half sees nothing but lagging reads: what is to happen in one moment does.
    let (weather, deaths) =
        if weather < WEATHERS / 2 { (0, Vec::new()) } else { (drawn.weather, drawn.deaths) };
    Scenario { weather, deaths, cases, incidents: Vec::new(), ..drawn }
}

/// Each peril in each weather.
pub(crate) fn all() -> Result<(), Failed> {
    let perils = perils();
    let plays = perils.iter().flat_map(|peril| (0..WEATHERS).map(move |weather| (peril, weather)));
    let plays: Vec<_> = plays.collect();
    let failed = play(&plays, |(peril, weather)| {
        let end = run_scenario(scenario(peril, *weather), false);
        let violations = end.violations.join("\n  ");
        (!end.violations.is_empty()).then(|| format!("{}, in weather {weather}:\n  {violations}", peril.name))
    });
    println!("figures: perils: {} in {WEATHERS} weathers each, {} failed", perils.len(), failed.len());
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("{} of {} perils fail:\n{}", failed.len(), plays.len(), failed.join("\n")).into())
}
