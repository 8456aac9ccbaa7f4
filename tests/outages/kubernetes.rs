//! An API server that is killed, freezes, says no, or forgets a kind: one operator process lives through all of it.

use std::time::{Duration, Instant};

use astra_simulator::Event;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use rustix::process::Pid;
use serde_json::{Value, json};

use crate::{
    harness::{
        Stage,
        astra::id_of,
        stage::AccessList,
        trio,
        wait::{until, within_time},
    },
    plane::{OPERATOR, Plane},
};

/// How long things may take to be well again when the fault is over: the longest pause between two tries of a watch is
/// half a minute.
const AGAIN: Duration = Duration::from_mins(1);

/// How long the API server is frozen: longer than any call waits for it.
const FROZEN: Duration = Duration::from_secs(20);

/// A control plane of its own, and a stage on it whose operator has the rights that the guide gives it.
pub(crate) async fn plane() -> (Plane, Stage) {
    let plane = Plane::start().await;
    let mut stage = Stage::on(plane.cluster(), &["--latency", "20ms"]).await;
    stage.deadline = AGAIN;
    let role: Role = serde_json::from_value(json!({
        "metadata": { "name": OPERATOR },
        "rules": [
            {
                "apiGroups": ["astra.datastax.com"],
                "resources": ["astraprivateendpoints", "astraaccesslists", "astravpcpeerings"],
                "verbs": ["list", "watch", "patch"],
            },
            {
                "apiGroups": ["astra.datastax.com"],
                "resources":
                    ["astraprivateendpoints/status", "astraaccesslists/status", "astravpcpeerings/status"],
                "verbs": ["update"],
            },
            { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
            { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"] },
        ],
    }))
    .unwrap();
    let roles: Api<Role> = Api::namespaced(stage.client.clone(), &stage.namespace);
    roles.create(&PostParams::default(), &role).await.unwrap();
    bind(&plane, &stage).await;
    let url = stage.astra.url.clone();
    stage.start_alone(&url);
    (plane, stage)
}

fn bindings(stage: &Stage) -> Api<RoleBinding> {
    Api::namespaced(stage.client.clone(), &stage.namespace)
}

/// Gives the operator its rights, and waits until the API server knows.
async fn bind(plane: &Plane, stage: &Stage) {
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": OPERATOR },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": OPERATOR },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR }],
    }))
    .unwrap();
    bindings(stage).create(&PostParams::default(), &binding).await.unwrap();
    allowed(plane, stage, true).await;
}

/// The API server's authorizer learns of changes by a watch of its own.
async fn allowed(plane: &Plane, stage: &Stage, expected: bool) {
    let known = async {
        while plane.lets_operator_list(&stage.namespace).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within_time(AGAIN, "the rights to be known", known).await;
}

/// The list of `orders` with one address, which is kept when the object goes.
pub(crate) fn list(address: &str) -> Value {
    let mut spec = trio::list();
    spec["deletionPolicy"] = json!("Retain");
    spec["addresses"] = json!([{ "address": address }]);
    spec
}

/// Waits until all objects are Ready and the list in Astra is this; how long it took since the fault was over.
pub(crate) async fn converged(stage: &Stage, fault: &str, address: &str, over: Instant) -> Duration {
    trio::all_ready(stage).await;
    until_listed(stage, address).await;
    let took = over.elapsed();
    println!("figures: {fault}: converged {:.1} s after it was over", took.as_secs_f64());
    took
}

async fn until_listed(stage: &Stage, address: &str) {
    let listed = async {
        while stage.astra.addresses("orders") != Some(vec![address.to_owned()]) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within_time(AGAIN, &format!("the list to be {address}"), listed).await;
}

/// What the operator says from now on.
struct Ear<'a>(&'a Stage, usize);

impl<'a> Ear<'a> {
    fn from_now(stage: &'a Stage) -> Self {
        Self(stage, stage.log().len())
    }

    /// Waits until it was refused so often in its work on this object. It cannot be told by looks at Astra: without the
    /// right to read the token there are none.
    async fn hears_refusals(&self, object: &str, times: usize) {
        let object = format!("object={object}");
        until(&format!("{times} refusals for {object}"), || {
            let log = self.0.log();
            let refusals =
                log[self.1..].lines().filter(|line| line.contains("is forbidden") && line.contains(&object));
            (refusals.count() >= times).then_some(())
        })
        .await;
    }

    async fn hears(&self, words: &[&str]) {
        until(&format!("the operator to say one of {words:?}"), || {
            let log = self.0.log();
            words.iter().any(|words| log[self.1..].contains(words)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn an_api_server_that_fails_is_waited_for() {
    let (mut plane, stage) = plane().await;
    let process = stage.operator().id();
    trio::apply_all(&stage).await;
    stage.apply::<AccessList>("list", list("203.0.113.1")).await;
    converged(&stage, "a new control plane", "203.0.113.1", Instant::now()).await;

    killed_at_work(&mut plane, &stage).await;
    frozen(&plane, &stage).await;
    without_rights(&plane, &stage).await;
    without_definition(&stage).await;

    assert_same(process, &stage);
    assert_eq!(stage.astra.violations(), [] as [Value; 0]);
    let made = |path: &str| {
        let makes = |write: &&String| write.starts_with("POST ") && write.contains(path);
        stage.astra.writes().iter().filter(makes).count()
    };
    assert_eq!((made("/endpoints"), made("/peering/")), (1, 1), "nothing was made twice");
}

/// No restart helped: it is the same process, and it runs (which the stage checks at the end).
pub(crate) fn assert_same(process: Pid, stage: &Stage) {
    assert_eq!(stage.operator().id(), process);
}

/// The API server dies when the call to Astra has been sent and its outcome was not written down.
async fn killed_at_work(plane: &mut Plane, stage: &Stage) {
    let before = stage.astra.writes().len();
    let ear = Ear::from_now(stage);
    stage.apply::<AccessList>("list", list("203.0.113.2")).await;
    until("a call to Astra", || (stage.astra.writes().len() > before).then_some(())).await;
    plane.kill_api_server();
    ear.hears(&["watching failed"]).await;
    plane.start_servers().await;
    converged(stage, "API server killed at work and started again", "203.0.113.2", Instant::now()).await;
}

/// Somebody takes the address out of the list meanwhile. Nothing is sent that could not be announced.
async fn frozen(plane: &Plane, stage: &Stage) {
    stage.assert_quiet().await;
    let before = stage.astra.writes();
    plane.freeze_api_server();
    let (database, address) = (id_of("orders"), "203.0.113.2".to_owned());
    stage.astra.happens(&Event::RemoveAddress { database, address });
    // This is the fault, and nothing is awaited by it.
    tokio::time::sleep(FROZEN).await;
    assert_eq!(stage.astra.writes(), before, "what cannot be announced is not sent");
    assert_eq!(stage.astra.addresses("orders"), Some(vec![]));
    plane.thaw_api_server();
    let fault = format!("API server frozen for {} s", FROZEN.as_secs());
    converged(stage, &fault, "203.0.113.2", Instant::now()).await;
}

/// The order comes while the operator may do nothing: it does nothing, in Astra neither.
async fn without_rights(plane: &Plane, stage: &Stage) {
    bindings(stage).delete(OPERATOR, &DeleteParams::default()).await.unwrap();
    allowed(plane, stage, false).await;
    let before = stage.astra.writes();
    let ear = Ear::from_now(stage);
    stage.apply::<AccessList>("list", list("203.0.113.3")).await;
    ear.hears_refusals("list", 4).await;
    assert_eq!(stage.astra.writes(), before, "what cannot be announced is not sent");
    bind(plane, stage).await;
    converged(stage, "rights taken and given back", "203.0.113.3", Instant::now()).await;
}

/// With the definition go all objects of the kind; what they kept in Astra stays.
async fn without_definition(stage: &Stage) {
    let ear = Ear::from_now(stage);
    stage.cluster.kubectl(&["delete", "crd", "astraaccesslists.astra.datastax.com", "--timeout=60s"]);
    let lists = stage.api::<AccessList>();
    let gone = async {
        while lists.list(&ListParams::default()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within_time(AGAIN, "the kind to be gone", gone).await;
    ear.hears(&["watching was refused", "watching failed"]).await;
    assert_eq!(
        stage.astra.addresses("orders"),
        Some(vec!["203.0.113.3".to_owned()]),
        "what is retained stays"
    );
    stage.cluster.install();
    let over = Instant::now();
    stage.apply::<AccessList>("list", list("203.0.113.4")).await;
    converged(stage, "definition deleted and made again", "203.0.113.4", over).await;
}
