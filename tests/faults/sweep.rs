//! Each scenario without a fault, then with each fault at each call, once and three times in a row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use astra_devops::{Client, Token};
use astra_operator::organization::Organization;
use astra_simulator::state::ACME_TOKEN;
use kube::ResourceExt;
use tokio::time::Instant;

use crate::{
    fault::table,
    fuse::Fuse,
    lawful::{Lawful, Things, owned},
    process::Process,
    scenarios::Scenario,
    stage::{SETTLED, Stage, in_virtual_time},
    way::{Plan, Trace, Way},
};

/// Calls that come this long after the last action are struck too: they are looks at what is done.
const STRUCK: Duration = Duration::from_secs(70);

/// In the normal run one of so many plans is run.
const SAMPLE: usize = 29;

/// What once broke something is run always: scenario, call and kind of fault.
///
/// Both: one look at a deleted object's place lacked a part of what it owned, which was forgotten and stayed in Astra.
const ONCE_BROKEN: [(&str, usize, &str); 2] =
    [("delete", 1, "Without(\"allowedPrincipals\")"), ("delete on Azure", 1, "Null(\"endpoints\")")];

/// At the most so many failures are told.
const TOLD: usize = 12;

/// How a run ended, as far as a fault must not change it.
#[derive(Debug, PartialEq)]
struct End {
    things: Things,
    open: Option<bool>,
    owned: BTreeMap<String, Vec<String>>,
    creates: BTreeMap<String, usize>,
}

struct Run {
    end: End,
    problems: Vec<String>,
    /// The calls that came after the last action, with their numbers.
    calls: Vec<(usize, Trace)>,
}

async fn play<K: Lawful>(scenario: &Scenario, plan: Option<Plan>) -> Run {
    let stage = Stage::<K>::new(&scenario.case, Fuse::default());
    let script = Duration::from_secs(scenario.case.script.iter().map(|(after, _)| after).sum());
    let more = plan.as_ref().map_or(Duration::ZERO, |plan| plan.fault.takes(plan.times));
    let way = Arc::new(Way::new(stage.wire.clone(), plan));
    let client = Client::new(way.clone(), Token::new(ACME_TOKEN).unwrap(), 4);
    let organization = Arc::new(Organization::new(client, Duration::from_secs(1)));
    let process = Process::new(stage.cluster.clone(), &stage.stores, organization, stage.fuse.clone());
    let action = Instant::now() + script;
    let end = action + Duration::from_secs(SETTLED) + more;
    futures::join!(process.run(end), stage.people());
    stage.cluster.quiet();
    let truth = stage.truth();
    let mut creates = BTreeMap::new();
    for request in stage.simulator.requests() {
        let done = request.applied && request.status.is_some_and(|status| (200..300).contains(&status));
        if let Some(identity) = K::creates(&request).filter(|_| done) {
            *creates.entry(identity).or_default() += 1;
        }
    }
    let objects = stage.cluster.objects();
    let end = End {
        things: K::things(&truth),
        open: truth.access_list.map(|list| list.access_list_enabled),
        owned: objects.iter().map(|object| (object.name_any(), owned(object))).collect(),
        creates,
    };
    let mut problems: Vec<String> =
        way.early().into_iter().map(|early| format!("sent during the silence: {early}")).collect();
    problems.extend(stage.at_rest().await);
    let calls = way.calls().into_iter().enumerate();
    let calls = calls.filter(|(_, trace)| (action..action + STRUCK).contains(&trace.at)).collect();
    Run { end, problems, calls }
}

fn plans(calls: &[(usize, Trace)]) -> Vec<Plan> {
    let mut plans = Vec::new();
    for fault in table() {
        for (at, trace) in calls {
            for times in [1, 3] {
                if fault.can_strike(trace) && (times == 1 || !fault.lie) {
                    plans.push(Plan { fault: fault.clone(), at: *at, times });
                }
            }
        }
    }
    plans
}

/// Runs all scenarios of one kind.
pub(crate) fn sweep<K: Lawful>(scenarios: &[Scenario]) {
    let only = std::env::var("FAULT").ok();
    let every = if std::env::var_os("THOROUGH").is_some() || only.is_some() { 1 } else { SAMPLE };
    let (mut all, mut run, mut failed) = (0, 0, Vec::new());
    let mut struck = BTreeSet::new();
    for (offset, scenario) in scenarios.iter().enumerate() {
        let reference = in_virtual_time(play::<K>(scenario, None));
        assert_eq!(reference.problems, Vec::<String>::new(), "{} without a fault", scenario.name);
        let plans = plans(&reference.calls);
        all += plans.len();
        // Each scenario begins at another plan: together they take other calls of each kind of fault.
        for (n, plan) in plans.iter().enumerate() {
            let Plan { fault, at, times } = plan;
            let number = at - reference.calls[0].0;
            let once_broken = ONCE_BROKEN.contains(&(scenario.name, number, fault.name.as_str()));
            if n % every != offset % every && !once_broken {
                continue;
            }
            let call = &reference.calls[number].1.call;
            let what = format!("{}: call {number} ({call}): {} × {times}", scenario.name, fault.name);
            if only.as_ref().is_some_and(|only| !what.contains(only)) {
                continue;
            }
            run += 1;
            struck.insert(fault.name.clone());
            let found = in_virtual_time(play::<K>(scenario, Some(plan.clone())));
            let mut problems = found.problems;
            if found.end != reference.end {
                problems.push(format!("ended as {:?}\n    and not as {:?}", found.end, reference.end));
            }
            if !problems.is_empty() {
                failed.push(format!("{what}\n    {}", problems.join("\n    ")));
            }
        }
    }
    println!(
        "{}: {} of {} kinds of faults, {} scenarios, {run} run of {all} kinds × calls × {{once, thrice}}",
        K::kind(&()),
        struck.len(),
        table().len(),
        scenarios.len(),
    );
    let told = failed.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {run} failed:\n{told}", failed.len());
}
