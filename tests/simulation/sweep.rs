//! The crash sweep: the operator's process dies at every one of its effects, at every moment of it, in scenarios that
//! cover what can be done with each kind; and then a second time, at the effects that follow. Each time the world must
//! end as it does without a death, with nothing made twice.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use fastrand::Rng;
use libtest_mimic::Failed;

use crate::{
    case::{Action, Case, Thing, Wish},
    fuse::{MOMENTS, Moment},
    scenario::{Incident, Scenario},
    search::{number, run_scenario},
};

/// How many plans with two deaths are played in each run; with `SIMULATION_DOUBLE=0`, all.
const DOUBLE: usize = 1_500;

/// The deaths of one plan.
type Deaths = Vec<(usize, Moment)>;

/// Dies at every effect of every scenario, and at a sample of pairs.
pub(crate) fn crashes() -> Result<(), Failed> {
    let mut plans: Vec<(usize, Deaths)> = Vec::new();
    let mut pairs: Vec<(usize, Deaths)> = Vec::new();
    let scenarios = scenarios();
    let mut references = Vec::new();
    for (n, (name, scenario)) in scenarios.iter().enumerate() {
        let end = run_scenario(scenario.clone(), false);
        if !end.violations.is_empty() {
            return Err(format!("{name}, without a death:\n  {}", end.violations.join("\n  ")).into());
        }
        let single = (1..=end.effects).flat_map(|at| MOMENTS.map(|moment| (at, moment)));
        for first in single {
            plans.push((n, vec![first]));
            let again = (1..=end.effects).flat_map(|at| MOMENTS.map(|moment| (at, moment)));
            pairs.extend(again.map(|second| (n, vec![first, second])));
        }
        references.push(end);
    }
    let (single, all_pairs) = (plans.len(), pairs.len());
    let double = number("SIMULATION_DOUBLE").map_or(DOUBLE, |count| usize::try_from(count).unwrap_or(0));
    if double > 0 && double < pairs.len() {
        Rng::with_seed(1).shuffle(&mut pairs);
        pairs.truncate(double);
    }
    plans.extend(pairs);
    let failed = play(&plans, |(n, deaths)| {
        let (name, scenario) = &scenarios[*n];
        let end = run_scenario(Scenario { deaths: deaths.clone(), ..scenario.clone() }, false);
        let mut found = end.violations.clone();
        if end.world != references[*n].world {
            found.push(format!("ends as\n{}\n  and without a death as\n{}", end.world, references[*n].world));
        }
        for (identity, count) in &end.creates {
            let without = references[*n].creates.get(identity).copied().unwrap_or(0);
            if *count > without {
                found.push(format!("{identity} was made {count} times, and {without} without a death"));
            }
        }
        (!found.is_empty()).then(|| format!("{name}, dying at {deaths:?}:\n  {}", found.join("\n  ")))
    });
    println!(
        "figures: crash sweep: {} scenarios, {single} plans with one death (all), {} of {all_pairs} with two, {} failed",
        scenarios.len(),
        plans.len() - single,
        failed.len()
    );
    match failed.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(first.into()),
    }
}

/// Plays all plans, on all cores, and collects what is wrong, in the order of the plans.
pub(crate) fn play<P: Sync>(plans: &[P], judge: impl Fn(&P) -> Option<String> + Sync) -> Vec<String> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((n, plan)) = {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    plans.get(n).map(|plan| (n, plan))
                } {
                    if let Some(problem) = judge(plan) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push((n, problem));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort();
    failed.into_iter().map(|(_, problem)| problem).collect()
}

/// What a scenario is about.
struct About {
    name: &'static str,
    kind: usize,
    cloud: u8,
    foreign: Vec<Thing>,
    script: Vec<(u64, Action)>,
    incidents: Vec<(u64, Incident)>,
}

fn things(ids: &[u8]) -> Vec<Thing> {
    ids.iter().map(|id| Thing { id: *id, variety: 0 }).collect()
}

fn wish(ids: &[u8]) -> Wish {
    Wish { things: things(ids), exclusive: false, by_name: true, delete: true, choice: 2 }
}

/// Actions so far apart that each is finished before the next, also after two deaths.
const FAR: u64 = 200;

/// How far reads lag behind writes, in seconds.
const LAGS: [u64; 2] = [0, 8];

fn scenarios() -> Vec<(String, Scenario)> {
    let (endpoints, lists, peerings) = (0, 1, 2);
    let create = |ids: &[u8]| (1, Action::Create(wish(ids)));
    let edit = |ids: &[u8]| (FAR, Action::Edit(0, wish(ids)));
    let delete = || (FAR, Action::Delete(0));
    let exclusive = |ids: &[u8]| Wish { exclusive: true, choice: 0, ..wish(ids) };
    let retained = |ids: &[u8]| Wish { delete: false, ..wish(ids) };
    let about = |name, kind, cloud, foreign: &[u8], script: Vec<(u64, Action)>| About {
        name,
        kind,
        cloud,
        foreign: things(foreign),
        script,
        incidents: Vec::new(),
    };
    let mut all = vec![
        about("a shared list is made beside foreign entries", lists, 0, &[4], vec![create(&[0, 1, 2])]),
        about("a shared list is narrowed", lists, 0, &[4], vec![create(&[0, 1, 2]), edit(&[1])]),
        about("a shared list is replaced", lists, 0, &[], vec![create(&[0, 1]), edit(&[2, 3])]),
        about("a shared list is deleted", lists, 0, &[4], vec![create(&[0, 1, 2]), delete()]),
        about("a list is retained", lists, 0, &[], vec![(1, Action::Create(retained(&[0, 1]))), delete()]),
        about(
            "an exclusive list takes over and is changed",
            lists,
            0,
            &[4, 5],
            vec![(1, Action::Create(exclusive(&[0, 1]))), (FAR, Action::Edit(0, exclusive(&[1, 2])))],
        ),
        about(
            "a list is deleted while it is made, and made again",
            lists,
            0,
            &[],
            vec![create(&[0, 1]), (0, Action::Delete(0)), (FAR, Action::Create(wish(&[1, 2])))],
        ),
        about(
            "two objects share a list, and one goes",
            lists,
            0,
            &[],
            vec![create(&[0, 1]), (FAR, Action::Create(wish(&[1, 2]))), delete()],
        ),
        about(
            "an entry is removed behind the operator's back",
            lists,
            0,
            &[],
            vec![create(&[0, 1]), (FAR, Action::Drift(0, Thing { id: 1, variety: 0 }))],
        ),
        about("endpoints on AWS are made", endpoints, 0, &[], vec![create(&[0, 3, 4])]),
        about("an endpoint is replaced", endpoints, 0, &[], vec![create(&[0, 3]), edit(&[0, 4])]),
        about(
            "endpoints on Azure are made and deleted",
            endpoints,
            1,
            &[],
            vec![create(&[0, 3, 4]), delete()],
        ),
        about("endpoints on Google Cloud are adopted", endpoints, 2, &[0, 3], vec![create(&[0, 3, 4])]),
        about(
            "an endpoint's object is deleted while it is made",
            endpoints,
            0,
            &[],
            vec![create(&[0, 3]), (0, Action::Delete(0))],
        ),
        about("a peering on AWS is made", peerings, 0, &[], vec![create(&[0])]),
        about("a peering on Azure is made and deleted", peerings, 1, &[], vec![create(&[0]), delete()]),
        about(
            "a peering is made in another one's place",
            peerings,
            2,
            &[],
            vec![create(&[0]), delete(), (FAR, Action::Create(wish(&[1])))],
        ),
        about(
            "the database takes no changes for a while",
            lists,
            0,
            &[],
            vec![(0, Action::Status("MAINTENANCE")), create(&[0, 1]), (30, Action::Status("ACTIVE"))],
        ),
    ];
    let mut lost = about("the Secret is lost for a while", lists, 0, &[], vec![create(&[0]), edit(&[0, 1])]);
    lost.incidents.push((FAR - 10, Incident::SecretLost));
    all.push(lost);
    let mut rotated = about("the token is replaced", endpoints, 0, &[], vec![create(&[0]), edit(&[0, 3])]);
    rotated.incidents.push((FAR - 20, Incident::TokenRotated));
    all.push(rotated);
    let name = |about: &About, lag: u64| match lag {
        0 => about.name.to_owned(),
        lag => format!("{}, with reads {lag} s behind", about.name),
    };
    let each = all.iter().flat_map(|about| LAGS.map(|lag| (name(about, lag), scenario(about, lag))));
    each.collect()
}

fn scenario(about: &About, lag: u64) -> Scenario {
    let case = Case {
        cloud: about.cloud,
        regions: 1,
        flags: 0,
        foreign: about.foreign.clone(),
        lag,
        latency: 0,
        script: about.script.clone(),
    };
    let mut cases = [None, None, None];
    cases[about.kind] = Some(case);
    Scenario { seed: 7, lag, cases, weather: 0, deaths: Vec::new(), incidents: about.incidents.clone() }
}
