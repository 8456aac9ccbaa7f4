//! The laws, each for any kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use astra_operator::engine::verdict;
use astra_simulator::{Fault, Method, state::ACME_TOKEN};
use kube::ResourceExt;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use tokio::time::Instant;

use crate::{
    case::{Action, Case, case},
    fuse::{Fuse, MOMENTS, Moment},
    lawful::{Lawful, Things, owned},
    stage::{SETTLED, Stage, in_virtual_time},
};

/// A runner over so many cases. Without a wish they are the same in every run, so that a change is judged by what it
/// changes; `LAWS_CASES` is a factor for a longer search, and then they are drawn anew each time.
fn runner(cases: u32) -> TestRunner {
    let factor = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok());
    TestRunner::new(Config {
        cases: cases * factor.unwrap_or(1),
        rng_seed: if factor.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) },
        // PROPTEST_MAX_SHRINK_ITERS spares who only wants a verdict the search for the smallest case.
        max_shrink_iters: Config::default().max_shrink_iters.min(400),
        failure_persistence: None,
        ..Config::default()
    })
}

fn hold(laws: &[String]) -> Result<(), TestCaseError> {
    if laws.is_empty() { Ok(()) } else { Err(TestCaseError::fail(laws.join("\n"))) }
}

/// Laws 1, 2, 7 and 9, and the harmlessness of each single write: any world comes to rest, as its specs say, and stays.
pub(crate) fn worlds_come_to_rest<K: Lawful>() {
    runner(120)
        .run(&case(), |case| {
            hold(&in_virtual_time(async {
                let stage = Stage::<K>::new(&case, Fuse::default());
                stage.play().await;
                stage.at_rest().await
            }))
        })
        .unwrap();
}

/// Law 3: when all objects are deleted, nothing that was owned is left, and nothing else was touched.
pub(crate) fn deleting_all_leaves_what_is_not_owned<K: Lawful>() {
    runner(64)
        .run(&case(), |case| {
            hold(&in_virtual_time(async {
                let stage = Stage::<K>::new(&case, Fuse::default());
                stage.play().await;
                let before = K::things(&stage.truth());
                let mut may_go: Vec<String> = Vec::new();
                let mut stays: Vec<String> = Vec::new();
                for object in stage.cluster.objects() {
                    let owned = owned(&object);
                    if crate::lawful::deletes(&object) {
                        may_go.extend(owned);
                    } else {
                        stays.extend(owned);
                    }
                    stage.cluster.delete(&object.name_any());
                }
                stage.operate(Instant::now() + Duration::from_secs(SETTLED)).await;
                let mut found = stage.violations.all();
                found.extend(
                    stage
                        .cluster
                        .objects()
                        .iter()
                        .map(|object| format!("{} is still there: {:?}", object.name_any(), object.status())),
                );
                let after = K::things(&stage.truth());
                let kept = |identity: &&String| !may_go.contains(identity);
                for identity in before.keys().filter(kept) {
                    if before.get(identity) != after.get(identity) {
                        found.push(format!(
                            "law 3: {identity} was not owned, and is {:?}",
                            after.get(identity)
                        ));
                    }
                }
                for identity in may_go.iter().filter(|identity| !stays.contains(identity)) {
                    if after.contains_key(identity) {
                        found.push(format!("law 3: {identity} was owned, and is still there"));
                    }
                }
                found.extend(
                    after
                        .keys()
                        .filter(|identity| !before.contains_key(*identity))
                        .map(|identity| format!("law 3: {identity} was made by a deletion")),
                );
                found
            }))
        })
        .unwrap();
}

/// How a world ended, as far as a crash must not change it.
#[derive(Debug, PartialEq)]
struct End {
    things: Things,
    open: Option<bool>,
    owned: BTreeMap<String, Vec<String>>,
    creates: BTreeMap<String, usize>,
}

/// What several objects want may be made by several of them at once: each looks for itself, and both find nothing.
fn wanted_by_several<K: Lawful>(case: &Case) -> BTreeSet<String> {
    let mut owners = BTreeMap::<String, BTreeSet<usize>>::new();
    let mut created = 0;
    for (_, action) in &case.script {
        let (owner, wish) = match action {
            Action::Create(wish) => {
                created += 1;
                (created - 1, wish)
            }
            Action::Edit(owner, wish) => (*owner, wish),
            _ => continue,
        };
        for identity in K::object("any", wish, case).wants().into_keys() {
            owners.entry(identity).or_default().insert(owner);
        }
    }
    owners.into_iter().filter(|(_, owners)| owners.len() > 1).map(|(identity, _)| identity).collect()
}

async fn end<K: Lawful>(case: &Case, fuse: Fuse) -> (End, Vec<String>, usize) {
    let stage = Stage::<K>::new(case, fuse);
    stage.play().await;
    let mut creates = BTreeMap::new();
    let shared = wanted_by_several::<K>(case);
    for request in stage.simulator.requests().iter().filter(|request| request.applied) {
        if let Some(identity) = K::creates(request).filter(|identity| !shared.contains(identity)) {
            *creates.entry(identity).or_default() += 1;
        }
    }
    let truth = stage.truth();
    let end = End {
        things: K::things(&truth),
        open: truth.access_list.map(|list| list.access_list_enabled),
        owned: stage.cluster.objects().iter().map(|object| (object.name_any(), owned(object))).collect(),
        creates,
    };
    (end, stage.at_rest().await, stage.fuse.effects())
}

/// Law 4: a crash at any moment of any effect, then a restart, ends in the same world, with nothing made twice.
pub(crate) fn crashes_leave_no_trace<K: Lawful>() {
    let crash_again = proptest::option::of((1..5_usize, proptest::sample::select(&MOMENTS[..])));
    runner(6)
        .run(&(case(), 0..7_usize, crash_again), |(case, offset, again)| {
            let case = Case { latency: 0, ..case.slow() };
            let run = |plan: Vec<(usize, Moment)>| in_virtual_time(end::<K>(&case, Fuse::new(plan)));
            let (reference, violations, effects) = run(Vec::new());
            hold(&violations)?;
            let plans = (1..=effects).flat_map(|at| MOMENTS.map(|moment| (at, moment)));
            // Each case takes another seventh of all moments; together they take them all.
            for (at, moment) in plans.skip(offset % 3).step_by(3) {
                let plan: Vec<_> = [(at, moment)].into_iter().chain(again).collect();
                let (found, violations, _) = run(plan.clone());
                let context = |problem: &String| format!("after a crash at {plan:?}: {problem}");
                hold(&violations.iter().map(context).collect::<Vec<_>>())?;
                prop_assert_eq!(&found, &reference, "after a crash at {:?}", plan);
            }
            Ok(())
        })
        .unwrap();
}

/// Law 4 on one case: at every moment of every effect.
pub(crate) fn crashes_everywhere_leave_no_trace<K: Lawful>(case: &Case) {
    let run = |plan: Vec<(usize, Moment)>| in_virtual_time(end::<K>(case, Fuse::new(plan)));
    let (reference, violations, effects) = run(Vec::new());
    assert_eq!(violations, Vec::<String>::new());
    for (at, moment) in (1..=effects).flat_map(|at| MOMENTS.map(|moment| (at, moment))) {
        let (found, violations, _) = run(vec![(at, moment)]);
        assert_eq!(violations, Vec::<String>::new(), "after a crash at {at}, {moment:?}");
        assert_eq!(found, reference, "after a crash at {at}, {moment:?}");
    }
}

/// Law 5: the same world gives the same bytes: every request with its time, every status.
pub(crate) fn same_world_same_bytes<K: Lawful>() {
    runner(24)
        .run(&case(), |case| {
            let run = || {
                in_virtual_time(async {
                    let stage = Stage::<K>::new(&case, Fuse::default());
                    stage.play().await;
                    (format!("{:#?}", stage.simulator.requests()), stage.statuses(), stage.cluster.said())
                })
            };
            let (one, other) = (run(), run());
            prop_assert_eq!(one.0, other.0);
            prop_assert_eq!(one.1, other.1);
            prop_assert_eq!(one.2, other.2);
            Ok(())
        })
        .unwrap();
}

/// Law 6: where reads do not lag and nobody else writes, every write changes the world or fails.
pub(crate) fn every_write_changes_the_world<K: Lawful>() {
    runner(48)
        .run(&case(), |case| {
            let case = Case { latency: 0, ..case.consistent().without_drift().slow() };
            hold(&in_virtual_time(async {
                let stage = Stage::<K>::new(&case, Fuse::default());
                stage.play().await;
                stage.at_rest().await
            }))
        })
        .unwrap();
}

/// The ways in which Astra says no to everything, and what an object then says.
fn refusals() -> Vec<(Fault, &'static str)> {
    vec![
        (Fault::status(401).json(serde_json::Value::Null), "TokenRefused"),
        (Fault::status(403).json(serde_json::json!("forbidden")), "PermissionDenied"),
        (Fault::status(429).header("retry-after", "20"), "RateLimited"),
        (Fault::status(429), "RateLimited"),
        (Fault::status(503), "AstraUnavailable"),
        (Fault::status(200).text("<html>please log in</html>"), "AstraUnavailable"),
        (Fault::status(404).text("404 page not found"), "AstraUnavailable"),
        (Fault::reset(), "AstraUnavailable"),
    ]
}

/// Law 8: a refused token or a 429 changes nothing, loses nothing that was known, and is over when it is over.
pub(crate) fn refusals_change_nothing<K: Lawful>() {
    let writes_only = any::<bool>();
    runner(48)
        .run(&(case(), 0..refusals().len(), writes_only), |(case, which, writes_only)| {
            let case = case.without_drift().slow();
            hold(&in_virtual_time(async {
                let stage = Stage::<K>::new(&case, Fuse::default());
                let (fault, reason) = refusals().swap_remove(which);
                let methods = [Method::Post, Method::Put, Method::Patch, Method::Delete];
                if writes_only {
                    for method in methods {
                        stage.simulator.add_fault(fault.clone().on(method, "/"));
                    }
                } else {
                    stage.simulator.add_fault(fault);
                }
                let Some((_, Action::Create(wish))) = case.script.first() else { return Vec::new() };
                let before = stage.truth();
                stage.cluster.create(K::object("o0", wish, &case));
                stage.operate(Instant::now() + Duration::from_secs(200)).await;
                let mut found = Vec::new();
                if before != stage.truth() {
                    found.push(format!("law 8: {reason}: Astra was changed"));
                }
                let sent = !stage.simulator.writes().is_empty();
                let object = stage.cluster.get("o0").unwrap();
                if sent != (writes_only && sent) {
                    found.push("law 8: a write was sent although nothing could be read".into());
                }
                if !writes_only || sent {
                    let conditions = &object.status().unwrap().conditions;
                    // What may not be sent twice, and may have been carried out, is looked for first.
                    let looks = reason == "AstraUnavailable"
                        && verdict::find(conditions, "Ready")
                            .is_some_and(|ready| ready.reason == "WaitingForAstra");
                    let reason = if writes_only && looks { "WaitingForAstra" } else { reason };
                    found.extend(crate::kstatus::as_kstatus_wants(conditions, reason));
                }
                // Another process, once Astra is well again; the object itself was not touched.
                stage.simulator.clear_faults();
                stage.ever_wanted.borrow_mut().extend(object.wants().into_keys());
                stage.operate(Instant::now() + Duration::from_secs(SETTLED)).await;
                stage.cluster.quiet();
                found.extend(stage.at_rest().await);
                found
            }))
        })
        .unwrap();
}

/// A deletion in the middle of such a refusal waits, and is finished afterwards.
pub(crate) fn refusals_do_not_finish_a_deletion<K: Lawful>() {
    runner(24)
        .run(&(case(), 0..refusals().len()), |(case, which)| {
            let case = Case { script: case.script[..1].to_vec(), ..case };
            hold(&in_virtual_time(async {
                let stage = Stage::<K>::new(&case, Fuse::default());
                stage.play().await;
                let object = stage.cluster.get("o0").unwrap();
                let (fault, reason) = refusals().swap_remove(which);
                stage.simulator.add_fault(fault);
                let before = stage.truth();
                stage.cluster.delete("o0");
                stage.operate(Instant::now() + Duration::from_secs(100)).await;
                let mut found = Vec::new();
                let gone = stage.cluster.get("o0").is_none();
                let needed = crate::lawful::deletes(&object) && !owned(&object).is_empty();
                if gone == needed {
                    found.push(format!(
                        "law 8: {reason}: deleted object gone: {gone}, with {:?}",
                        owned(&object)
                    ));
                }
                if before != stage.truth() {
                    found.push(format!("law 8: {reason}: Astra was changed"));
                }
                stage.simulator.clear_faults();
                stage.operate(Instant::now() + Duration::from_secs(SETTLED)).await;
                found.extend(
                    stage.cluster.get("o0").map(|object| format!("still there: {:?}", object.status())),
                );
                found.extend(stage.violations.all());
                found
            }))
        })
        .unwrap();
}

/// Law 10: the token is in nothing that is said, whatever Astra or a proxy answers.
pub(crate) fn the_token_is_never_said<K: Lawful>() {
    let secret = ACME_TOKEN.rsplit(':').next().unwrap();
    let answers = [format!("who is {ACME_TOKEN}?"), format!("Bearer {secret}"), ACME_TOKEN.to_owned()];
    runner(24)
        .run(
            &(case(), 0..3_usize, proptest::sample::select(vec![200_u16, 400, 401, 404, 409, 500])),
            |input| {
                let (case, which, status) = input;
                hold(&in_virtual_time(async {
                    let stage = Stage::<K>::new(&case, Fuse::default());
                    let text = serde_json::to_string(&answers[which]).unwrap();
                    let fault = Fault::status(status).text(&text).after(3).times(2);
                    stage.simulator.add_fault(fault.clone());
                    stage.simulator.add_fault(Fault { method: Some("POST".into()), ..fault.clone() });
                    stage.simulator.add_fault(Fault { method: Some("PUT".into()), ..fault });
                    stage.play().await;
                    let mut said = stage.cluster.said();
                    said.extend(stage.statuses().into_values());
                    let objects = stage.cluster.objects();
                    said.extend(objects.iter().map(|object| format!("{object:?}")));
                    said.push(format!("{:?} {:?}", stage.organization(), stage.organization().client()));
                    let mut found = stage.violations.all();
                    // Any part of it that is long enough to be worth something.
                    let windows: Vec<&str> = (0..=secret.len() - 12).map(|at| &secret[at..at + 12]).collect();
                    found.extend(
                        said.into_iter()
                            .filter(|text| windows.iter().any(|window| text.contains(window)))
                            .map(|text| format!("law 10: {text}")),
                    );
                    found
                }))
            },
        )
        .unwrap();
}
