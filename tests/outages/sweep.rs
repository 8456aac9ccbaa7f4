//! `kill -9` at every call that changes something in Astra, and at what can be seen in Kubernetes between them; and the
//! same calls with an answer that is lost while the operator lives.
//!
//! Each plan is a world of its own: namespace, simulator, operator. It ends as the same scenario without a crash did:
//! the same in Astra, the same owned, nothing made twice, and nothing asked for that was not asked for there.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use astra_operator::{engine::Kind, resource::FINALIZER};
use futures::{FutureExt, StreamExt, stream};
use kube::{ResourceExt, runtime::wait::await_condition};
use serde_json::Value;

use crate::{
    harness::{
        Stage,
        astra::line,
        stage::{AccessList, PrivateEndpoint, VpcPeering},
        trio::sorted,
        wait,
    },
    proxy::{POINTS, Point, Proxy},
    scenario::{self, About, Order, Scenario},
};

/// What waits out a minute after a crash gets this long: on a busy machine, and a little more.
const DEADLINE: Duration = Duration::from_mins(2);

/// How Astra answers: slowly enough to be killed in between, and with reads that lag behind writes, so that a process
/// that begins anew does not see at once what the one before it has done.
const ASTRA: [&str; 4] = ["--latency", "20ms", "--eventual-consistency", "2s"];

/// Worlds at once of those that work.
const WORKING: usize = 16;
/// Worlds at once of those that mostly wait.
const WAITING: usize = 48;

/// When the operator dies, or loses an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    /// At a call to Astra, counted from 0.
    Call(usize, Point),
    /// As soon as Kubernetes has taken the order.
    Ordered,
    /// As soon as the object has the finalizer.
    Finalizer,
    /// As soon as a call is announced in the status, or was carried out before that was seen.
    Announced,
    /// As soon as the object is Ready, which may be before the last event.
    Ready,
}

/// What is compared.
#[derive(Debug, PartialEq)]
struct End {
    /// The database, but for times and what is made of them.
    database: Value,
    /// What the object owns at last; nothing when it is gone.
    owned: Vec<String>,
    /// What made endpoints and peerings and took effect: never more than once.
    creates: Vec<String>,
    /// What was asked for. Most of it may be asked for twice, nothing else may be.
    asked: BTreeSet<String>,
}

/// How a scenario goes without a crash.
struct Reference {
    end: End,
    /// How many calls changed something.
    calls: usize,
    /// Did the object own more before than at last? What may still come after a crash stays owned for a minute.
    gives_up: bool,
}

impl Reference {
    /// Does a crash cost a minute? What is not safe to repeat is looked for that long, and so is what is given up.
    fn waits(&self) -> bool {
        self.gives_up || !self.end.creates.is_empty()
    }
}

type References = BTreeMap<&'static str, Reference>;

/// A plan: when the operator dies, and how it must end all the same.
#[derive(Clone, Copy)]
struct Plan<'a> {
    crash: Crash,
    reference: &'a Reference,
}

/// A world from its beginning to its end.
async fn play(scenario: &Scenario, plan: Option<Plan<'_>>) -> Reference {
    match scenario.about {
        About::AccessList => play_kind::<AccessList>(scenario, plan).boxed_local().await,
        About::PrivateEndpoint => play_kind::<PrivateEndpoint>(scenario, plan).boxed_local().await,
        About::VpcPeering => play_kind::<VpcPeering>(scenario, plan).boxed_local().await,
    }
}

async fn play_kind<K: Kind>(scenario: &Scenario, plan: Option<Plan<'_>>) -> Reference {
    let mut stage = Stage::with_astra(&ASTRA).await;
    stage.deadline = DEADLINE;
    let proxy = Proxy::start(&stage.astra.url).await;
    scenario.prepare(&stage);
    stage.start_alone(&proxy.url);
    let mut owned_before = Vec::new();
    if let Some(before) = &scenario.before {
        stage.apply::<K>("object", before.clone()).await;
        owned_before = owned(&stage.settled::<K>("object").await);
    }
    stage.astra.forget();
    if let Some(Plan { crash: Crash::Call(call, point), .. }) = plan {
        proxy.strike(call, point, stage.operator().id());
    }
    let object = match &scenario.order {
        Order::Apply(spec) => stage.apply::<K>("object", spec.clone()).await,
        Order::Delete => stage.delete::<K>("object").await,
    };
    if let Some(Plan { crash, .. }) = plan {
        match crash {
            Crash::Call(..) => proxy.struck(DEADLINE).await,
            Crash::Ordered => {}
            _ => drop(stage.object::<K>("object", "to come to the crash", |o| crash.is_reached(o)).await),
        }
        if crash.kills() {
            stage.take_operator().kill();
            stage.start_alone(&proxy.url);
        }
    }
    let expected = plan.map(|plan| &plan.reference.end.owned);
    let owned = match &scenario.order {
        Order::Apply(_) => owned(&at_its_end::<K>(&stage, expected).await),
        Order::Delete => {
            gone(&stage, &object).await;
            Vec::new()
        }
    };
    assert_eq!(stage.astra.violations(), [] as [Value; 0]);
    let gives_up =
        matches!(scenario.order, Order::Apply(_)) && owned_before.iter().any(|id| !owned.contains(id));
    Reference { end: end(&stage, scenario, owned), calls: stage.astra.writes().len(), gives_up }
}

fn owned<K: Kind>(object: &K) -> Vec<String> {
    object.status().unwrap().owned.clone()
}

/// Waits until the object is settled, and owns what it owns without a crash.
async fn at_its_end<K: Kind>(stage: &Stage, expected: Option<&Vec<String>>) -> K {
    let what =
        format!("to be settled and to own {}", expected.map_or("something".into(), |owned| owned.join(", ")));
    let met = |object: &K| {
        let settled = wait::is_ready(object) && object.status().unwrap().in_flight.is_none();
        settled && expected.is_none_or(|expected| owned(object) == *expected)
    };
    stage.object::<K>("object", &what, met).await
}

impl Crash {
    fn kills(self) -> bool {
        !matches!(self, Self::Call(_, point) if !point.kills())
    }

    fn is_reached<K: Kind>(self, object: &K) -> bool {
        match self {
            Self::Finalizer => object.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
            // A short time: where it has passed before the watch began, the next thing that is seen will do.
            Self::Announced => {
                let announced = object.status().is_some_and(|status| status.in_flight.is_some());
                announced || wait::is_ready(object)
            }
            Self::Ready => wait::is_ready(object),
            Self::Call(..) | Self::Ordered => true,
        }
    }
}

/// As the harness waits for it, but as long as this takes.
async fn gone<K: Kind>(stage: &Stage, object: &K) {
    let uid = object.uid();
    let condition = |found: Option<&K>| found.is_none_or(|found| found.uid() != uid);
    let waiting = Box::pin(await_condition(stage.api::<K>(), "object", condition));
    wait::within_time(DEADLINE, "the object to be gone", waiting).await.unwrap();
}

fn end(stage: &Stage, scenario: &Scenario, owned: Vec<String>) -> End {
    let mut database = serde_json::to_value(stage.astra.database(scenario.database())).unwrap();
    without_times(&mut database);
    let requests = stage.astra.requests();
    let creates = requests.iter().filter(|request| {
        let makes = request.path.ends_with("/endpoints") || request.path.starts_with("/v2/peering/");
        request.method == "POST" && makes && request.applied
    });
    End {
        database,
        owned,
        creates: sorted(creates.map(line).collect()),
        asked: stage.astra.writes().into_iter().collect(),
    }
}

/// Times differ from run to run, and so does the id of a peering, which the simulator makes of its time.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(name.as_str(), "created" | "lastUpdateDateTime" | "connectionId")
            });
            fields.values_mut().for_each(without_times);
        }
        Value::Array(values) => values.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// A world with a crash, and what is wrong with its end.
async fn check(scenario: &Scenario, plan: Plan<'_>) -> Result<(), String> {
    let named = |what: &str| format!("{}, struck at {:?}: {what}", scenario.name, plan.crash);
    let reference = AssertUnwindSafe(play(scenario, Some(plan)))
        .catch_unwind()
        .await
        .map_err(|_| named("it did not come to its end (see above)"))?;
    let (end, expected) = (&reference.end, &plan.reference.end);
    if end == expected {
        return Ok(());
    }
    Err(named(&format!("ended as\n{end:#?}\ninstead of\n{expected:#?}")))
}

/// The crashes of a scenario with so many calls.
fn crashes(scenario: &Scenario, calls: usize) -> Vec<Crash> {
    let at_calls = (0..calls).flat_map(|call| POINTS.map(|point| Crash::Call(call, point)));
    let seen: &[Crash] = match (&scenario.order, &scenario.before) {
        (Order::Apply(_), None) => &[Crash::Ordered, Crash::Finalizer, Crash::Announced, Crash::Ready],
        // It had the finalizer, and was Ready, before.
        (Order::Apply(_), Some(_)) => &[Crash::Ordered, Crash::Announced],
        (Order::Delete, _) => &[Crash::Ordered],
    };
    at_calls.chain(seen.iter().copied()).collect()
}

/// Carries plans out, and tells what went wrong.
async fn run(plans: Vec<(&Scenario, Plan<'_>)>, at_once: usize) -> Vec<String> {
    stream::iter(plans)
        .map(|(scenario, plan)| check(scenario, plan))
        .buffer_unordered(at_once)
        .filter_map(|result| async { result.err() })
        .collect()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_kill_at_any_call_changes_nothing() {
    let start = Instant::now();
    let scenarios = scenario::all();
    let references: References = stream::iter(&scenarios)
        .map(|scenario| async move { (scenario.name, play(scenario, None).await) })
        .buffer_unordered(WORKING)
        .collect()
        .await;
    let (made, narrowed) = (&references["a link is made"], &references["a part is narrowed"]);
    assert_eq!((made.end.creates.len(), narrowed.calls), (2, 4), "the crashes are chosen by this");
    let fault_free = start.elapsed();
    let plans: Vec<(&Scenario, Plan<'_>)> = scenarios
        .iter()
        .flat_map(|scenario| {
            let reference = &references[scenario.name];
            let crashes = crashes(scenario, reference.calls);
            crashes.into_iter().map(move |crash| (scenario, Plan { crash, reference }))
        })
        .collect();
    let (waiting, working): (Vec<_>, Vec<_>) =
        plans.iter().copied().partition(|(_, plan)| plan.reference.waits());
    let (mut wrong, more) = tokio::join!(run(waiting, WAITING), run(working, WORKING));
    wrong.extend(more);
    let count = |counts: fn(Crash) -> bool| plans.iter().filter(|(_, plan)| counts(plan.crash)).count();
    let kills = count(Crash::kills);
    let at_calls = count(|crash| crash.kills() && matches!(crash, Crash::Call(..)));
    println!(
        "figures: kill -9: {kills} plans of {} scenarios ({at_calls} at a call to Astra, {} at a state in Kubernetes), and {} with an answer lost, in {:.0} s, of them {:.0} s for the runs without a fault; {} went wrong",
        scenarios.len(),
        kills - at_calls,
        plans.len() - kills,
        start.elapsed().as_secs_f64(),
        fault_free.as_secs_f64(),
        wrong.len(),
    );
    assert!(at_calls >= 100, "{at_calls} plans at calls");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
