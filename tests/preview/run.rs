//! For each golden scenario: the stock controllers over an API server in memory and the simulator send what the plan says,
//! call by call, and each object ends as the plan says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use astra_devops::{Client, Token};
use astra_operator::{
    controller::{Context, Scope, credentials::Credentials, events::Events},
    engine::{Kind, record, timing::Timing, verdict},
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, KINDS},
    organization::registry::Organizations,
    preview::{self, ObjectPlan, Subject, observe::observe, rehearse::End},
    resource::FINALIZER,
};
use astra_simulator::{Recorded, Simulator, TokioClock, state::ACME_TOKEN};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};
use simulated_apiserver::ApiServer;
use tokio::sync::watch;

use crate::scenario::{Scenario, state};

/// Long enough for everything that is not waited out on purpose.
const RUN: Duration = Duration::from_secs(45);

/// Scenarios in which a run knows less or more than a plan, and why.
const APART: &[(&str, &str)] = &[];

#[test]
fn a_run_sends_what_the_plan_of_each_golden_scenario_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let mut differing = Vec::new();
    let (mut scenarios, mut calls) = (0, 0);
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if APART.iter().any(|(apart, _)| *apart == name) {
            continue;
        }
        let scenario: Scenario = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (planned, sent) = runtime.unwrap().block_on(both(scenario));
        scenarios += 1;
        calls += planned.0.len();
        let (planned, sent) = (accepted(planned), accepted(sent));
        if planned != sent {
            differing.push(format!("{name}\n  planned {planned:#?}\n  run {sent:#?}"));
        }
    }
    println!(
        "figures: {scenarios} golden scenarios, {calls} calls: {} differ between plan and run",
        differing.len()
    );
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
    assert!(calls > 40, "{calls} calls in all");
}

/// A plan cannot know when the other side accepts a peering, and the simulator does it after a second.
fn accepted((calls, mut ends): Told) -> Told {
    for end in ends.values_mut().filter(|end| *end == "PeeringPending") {
        "UpToDate".clone_into(end);
    }
    (calls, ends)
}

/// The calls, and how each object ends.
type Told = (Vec<String>, BTreeMap<String, String>);

async fn both(scenario: Scenario) -> (Told, Told) {
    let simulator = Simulator::with_clock(
        state(&scenario),
        Arc::new(TokioClock::starting_at(Timestamp::from_second(1_800_000_000).unwrap())),
    );
    let definitions: Vec<_> = KINDS.iter().map(|entry| (entry.crd)()).collect();
    let server = ApiServer::new(&definitions, Timestamp::now);
    server
        .create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team" } }))
        .unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "astra-credentials", "namespace": "team" },
        "stringData": { "token": ACME_TOKEN },
    });
    server.create(with_data(secret)).unwrap();
    let mut stored = Vec::new();
    for (n, object) in scenario.objects.into_iter().enumerate() {
        stored.push(store(&server, n, object));
    }
    let subjects: Vec<Subject> = stored
        .iter()
        .map(|(kind, plural, name)| Subject::stored(kind, server.get(plural, "team", name).unwrap()))
        .collect();
    let client = Client::new(Arc::new(simulator.clone()), Token::new(ACME_TOKEN).unwrap(), 4);
    let world = observe(&client, &preview::needs(&subjects)).await.unwrap();
    let plans = preview::plan(subjects, &world).await;
    assert_eq!(simulator.writes(), [], "a plan writes nothing");
    let planned = told(&plans);
    simulator.clear_requests();
    simulator.set_latency(Duration::from_millis(20));
    run(&server, &simulator).await;
    let ends = stored.iter().map(|(kind, plural, name)| {
        (format!("{kind} {name}"), end_of_stored(server.get(plural, "team", name).as_ref()))
    });
    let mut calls: Vec<String> = simulator.writes().iter().map(line).collect();
    calls.sort();
    (planned, (calls, ends.collect()))
}

fn with_data(mut secret: Value) -> Value {
    // What the API server does with `stringData`.
    use k8s_openapi::ByteString;
    let token = secret["stringData"]["token"].as_str().unwrap().as_bytes().to_vec();
    secret["data"] = json!({ "token": ByteString(token) });
    secret.as_object_mut().unwrap().remove("stringData");
    secret
}

/// The controllers, as `run` starts them, for a while.
async fn run(server: &ApiServer, simulator: &Simulator) {
    let client = server.client("astra-operator", "team");
    let organizations =
        Arc::new(Organizations::new(Arc::new(simulator.clone()), 16, Duration::from_millis(500)));
    let (_stop, stopped) = watch::channel(false);
    let context = Context {
        credentials: Arc::new(Credentials::new(client.clone(), organizations.clone())),
        organizations,
        events: Events::new(client.clone(), None),
        client,
        scope: Scope::Cluster,
        concurrency: 16,
        timing: Timing::default(),
        clock: Timestamp::now,
        stop: stopped,
        metrics: Arc::default(),
    };
    let controllers = futures::future::join_all(KINDS.iter().map(|entry| (entry.run)(&context)));
    let _ = tokio::time::timeout(RUN, controllers).await;
}

/// Puts an object of a scenario into the API server, with its status under its seal; an older one first.
fn store(server: &ApiServer, n: usize, mut object: Value) -> (&'static str, String, String) {
    let fields = object.as_object_mut().unwrap();
    let deleted = fields.remove("deleted") == Some(json!(true));
    let status = fields.remove("status");
    object["apiVersion"] = json!("astra.datastax.com/v1beta1");
    object["metadata"]["namespace"] = json!("team");
    object["metadata"]["finalizers"] = json!([FINALIZER]);
    object["metadata"]["creationTimestamp"] = json!(format!("2027-01-01T00:00:{n:02}Z"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    let stored = server.create(object).unwrap();
    let entry = KINDS.iter().find(|entry| entry.kind == kind).unwrap();
    let plural = (entry.crd)().spec.names.plural;
    if let Some(status) = status {
        let sealed = match entry.kind {
            "AstraAccessList" => sealed::<AstraAccessList>(&stored, status),
            "AstraPrivateEndpoint" => sealed::<AstraPrivateEndpoint>(&stored, status),
            _ => sealed::<AstraVpcPeering>(&stored, status),
        };
        server.merge_status(&plural, "team", &name, json!({ "status": sealed })).unwrap();
    }
    if deleted {
        server.delete(&plural, "team", &name).unwrap();
    }
    (entry.kind, plural, name)
}

fn sealed<K: Kind>(stored: &Value, status: Value) -> Value {
    let mut object = stored.clone();
    object["status"] = status;
    let parsed: K = serde_json::from_value(object).unwrap();
    let Some(mut status) = parsed.status().cloned() else { return Value::Null };
    if status.record_checksum.is_none() {
        record::seal(stored["metadata"]["uid"].as_str().unwrap(), &mut status);
    }
    serde_json::to_value(status).unwrap()
}

fn told(plans: &[ObjectPlan]) -> Told {
    let line = |call: &astra_devops::Call| {
        format!("{call} {}", call.body.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    let mut calls: Vec<String> = plans
        .iter()
        .flat_map(|plan| &plan.steps)
        .map(|step| line(&step.call).trim_end().to_owned())
        .collect();
    calls.sort();
    let ends = plans.iter().map(|plan| (format!("{} {}", plan.kind, plan.name), end(&plan.end)));
    (calls, ends.collect())
}

fn line(request: &Recorded) -> String {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {}{query} {body}", request.method, request.path).trim_end().to_owned()
}

fn end(end: &End) -> String {
    match end {
        End::Ready(_) => "UpToDate".to_owned(),
        End::Waits(problem) | End::Blocked(problem) | End::Fails(problem) => problem.reason.to_string(),
        End::Gone(_) => "gone".to_owned(),
        End::Paused => "paused".to_owned(),
        End::Endless => "endless".to_owned(),
    }
}

fn end_of_stored(object: Option<&Value>) -> String {
    let Some(object) = object else { return "gone".to_owned() };
    let conditions: Vec<Condition> =
        serde_json::from_value(object["status"]["conditions"].clone()).unwrap_or_default();
    if verdict::find(&conditions, "Paused").is_some_and(|paused| paused.status == "True") {
        return "paused".to_owned();
    }
    verdict::find(&conditions, "Ready").map_or_else(String::new, |ready| ready.reason.clone())
}
