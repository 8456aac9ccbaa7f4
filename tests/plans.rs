//! Golden plans: each `tests/plans/NAME.yaml` is a world and objects, and `NAME.plan` is what would be sent to Astra for
//! each of them, in order, with the reasons. `UPDATE_EXPECT=1 cargo test --test plans` writes the plans anew.
//!
//! The plan comes from the engine itself, through a ledger that notes the orders and fails, so that nothing is sent. For
//! what comes after that, the noted calls are then carried out in the simulator, and the engine is asked again.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is a verdict; the settings know only of functions that are tests themselves"
)]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use astra_devops::{Client, Token};
use astra_operator::{
    controller::{index::Index, peers::Stores},
    engine::{
        Event, Kind,
        drive::Drive,
        ledger::{Ledger, NotAnnounced, Order},
        memory::Memory,
        outcome::{Driven, Outcome},
        record,
        timing::Timing,
    },
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
    organization::Organization,
    resource::FINALIZER,
    status::Status,
};
use astra_simulator::{Simulator, State, state::ACME_TOKEN};
use expect_test::expect_file;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use kube::{
    ResourceExt,
    core::DeserializeGuard,
    runtime::{reflector, watcher},
};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

#[path = "golden/scenario.rs"]
mod scenario;

use scenario::{Scenario, merge, state};

/// Rounds of looking and acting at the most; more would be a plan without an end.
const ROUNDS: usize = 6;

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (inputs, plans): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    let orphans = plans.into_iter().filter(|plan| !inputs.contains(&plan.with_extension("yaml")));
    let orphans: Vec<Trial> = orphans
        .map(|plan| {
            let failed = Failed::from(format!("{} has no .yaml beside it", plan.display()));
            Trial::test(format!("orphan::{}", plan.display()), move || Err(failed))
        })
        .collect();
    let tests = inputs.into_iter().map(|input| {
        let name = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || {
            let text = plans_of(&fs::read_to_string(&input)?);
            expect_file![input.with_extension("plan")].assert_eq(&text);
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, tests.chain(orphans).collect()).exit();
}

fn plans_of(input: &str) -> String {
    let scenario: Scenario = serde_saphyr::from_str(input).unwrap_or_else(|error| panic!("{error}"));
    let state = state(&scenario);
    let objects: Vec<Value> = scenario.objects.into_iter().enumerate().map(complete).collect();
    let mut text = String::new();
    for object in &objects {
        let of_kind =
            |kind: &str| -> Vec<&Value> { objects.iter().filter(|object| object["kind"] == kind).collect() };
        let plan = match object["kind"].as_str().unwrap_or_default() {
            "AstraPrivateEndpoint" => {
                plan::<AstraPrivateEndpoint>(object, &of_kind("AstraPrivateEndpoint"), &state)
            }
            "AstraAccessList" => plan::<AstraAccessList>(object, &of_kind("AstraAccessList"), &state),
            "AstraVpcPeering" => plan::<AstraVpcPeering>(object, &of_kind("AstraVpcPeering"), &state),
            kind => panic!("no kind {kind:?}"),
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&plan);
    }
    text
}

/// What the API server would have added to an object.
fn complete((n, mut object): (usize, Value)) -> Value {
    let deleted = object.as_object_mut().and_then(|fields| fields.remove("deleted")) == Some(json!(true));
    object["apiVersion"] = json!("astra.datastax.com/v1beta1");
    let name = object["metadata"]["name"].clone();
    let meta = json!({
        "namespace": "team",
        "uid": name,
        "generation": 1,
        "resourceVersion": "1",
        "finalizers": [FINALIZER],
        "creationTimestamp": format!("2027-01-01T00:00:{n:02}Z"),
        "deletionTimestamp": deleted.then_some("2027-01-02T00:00:00Z"),
    });
    merge(&mut object["metadata"], &meta);
    object
}

/// What would be sent for one object, if it were alone in acting.
fn plan<K: Kind>(object: &Value, all: &[&Value], state: &State) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let simulator = Simulator::new(state.clone());
        let (store, mut writer) = reflector::store::<DeserializeGuard<K>>();
        let index = Arc::<Index>::default();
        for other in all {
            let event = watcher::Event::Apply(DeserializeGuard(Ok(sealed(other))));
            writer.apply_watcher_event(&event);
            index.told(&event);
        }
        let stores = Stores::new(vec![(store, index)]);
        let mut object: K = sealed(object);
        let mut text = format!("{} {}\n", K::kind(&()), object.name_any());
        for round in 0..ROUNDS {
            let (driven, noted) = preview(&object, &stores, &simulator).await;
            let Some((mut status, orders)) = noted else {
                text.push_str(&ending(&driven));
                return text;
            };
            text.push_str(if round == 0 { "  first:\n" } else { "  when that is seen:\n" });
            for order in &orders {
                text.push_str(&order_text(order));
                let client = client(&simulator);
                match client.send_call(&order.call).await {
                    Ok(answer) => K::learn(&order.step, &answer, &mut status.details),
                    Err(error) => {
                        writeln!(text, "      refused: {error}").unwrap();
                        break;
                    }
                }
            }
            // All of it was seen.
            status.in_flight = None;
            record::seal(&object.uid().unwrap(), &mut status);
            let mut value = serde_json::to_value(&object).unwrap();
            value["status"] = serde_json::to_value(&status).unwrap();
            object = serde_json::from_value(value).unwrap();
        }
        text + "  and so on without an end\n"
    })
}

/// The object, with its status as the operator would have written it: unless the scenario tampers with the seal.
fn sealed<K: Kind>(object: &Value) -> K {
    let parse =
        |value: Value| -> K { serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}")) };
    let plain = parse(object.clone());
    let Some(mut status) = plain.status().filter(|status| status.record_checksum.is_none()).cloned() else {
        return plain;
    };
    record::seal(&plain.uid().unwrap(), &mut status);
    let mut object = object.clone();
    object["status"] = serde_json::to_value(status).unwrap();
    parse(object)
}

type Announced<K> = (Status<<K as Kind>::Details>, Vec<Order<<K as Kind>::Step>>);

async fn preview<K: Kind>(
    object: &K,
    stores: &Stores<K>,
    simulator: &Simulator,
) -> (Driven<K::Details>, Option<Announced<K>>) {
    let organization = Organization::new(client(simulator), Duration::ZERO);
    let (mut notes, mut memory) = (Notes::<K>(None), Memory::default());
    let drive = Drive {
        object,
        organization: &organization,
        peers: &|database, place| stores.peers(object, database, place),
        memory: &mut memory,
        ledger: &mut notes,
        timing: Timing::default(),
        now: || Timestamp::UNIX_EPOCH,
        look_now: true,
    };
    (drive.run().await, notes.0)
}

fn client(simulator: &Simulator) -> Client {
    Client::new(Arc::new(simulator.clone()), Token::new(ACME_TOKEN).unwrap(), 4)
}

fn order_text<S: std::fmt::Display>(order: &Order<S>) -> String {
    let mut text = format!("    - {}\n      because: {}\n      {}\n", order.step, order.why, order.call);
    if let Some(body) = &order.call.body {
        writeln!(text, "      {body}").unwrap();
    }
    text
}

/// How the last look ended, and what it left alone.
fn ending<D: serde::Serialize>(driven: &Driven<D>) -> String {
    let mut text = match &driven.outcome {
        Outcome::Sent => "  sent\n".to_owned(),
        Outcome::Done(summary) => format!("  ready: {summary}\n"),
        Outcome::Waiting(problem) => format!("  waits: {}: {}\n", problem.reason, problem.message),
        Outcome::Blocked(problem) => format!("  blocked: {}: {}\n", problem.reason, problem.message),
        Outcome::Failed(problem, _) => format!("  failed: {}: {}\n", problem.reason, problem.message),
        Outcome::Clean(what) => format!("  may go: {what}\n"),
        Outcome::Stale(stale) => format!("  stale: {stale}\n"),
        Outcome::Later(wait, _) => format!("  later: {wait:?}\n"),
    };
    let status = serde_json::to_value(&driven.status).unwrap();
    for (field, value) in status.as_object().into_iter().flatten() {
        let label = match field.as_str() {
            "owned" => "owns",
            "unmanagedAddresses" | "unmanagedPrincipals" | "unmanagedEndpoints" => "leaves alone",
            _ => continue,
        };
        for one in value.as_array().into_iter().flatten() {
            writeln!(text, "  {label}: {}", one.as_str().unwrap_or_default()).unwrap();
        }
    }
    text
}

/// Notes what would be sent, and fails.
struct Notes<K: Kind>(Option<Announced<K>>);

impl<K: Kind> Ledger<K> for Notes<K> {
    fn announce<'a>(
        &'a mut self,
        status: &'a Status<K::Details>,
        orders: &'a [Order<K::Step>],
    ) -> BoxFuture<'a, Result<(), NotAnnounced>> {
        self.0 = Some((status.clone(), orders.to_vec()));
        async { Err(NotAnnounced::Stale("only noted".into())) }.boxed()
    }

    fn done(&mut self, _: &Order<K::Step>, _: Event) {}
}
