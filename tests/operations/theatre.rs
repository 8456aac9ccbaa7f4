//! What all operations share: the API server, one real operator for all namespaces, one simulator, and what the objects
//! say, from one watch for each kind.

use std::{
    collections::HashMap,
    fs,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use astra_simulator::state::ACME_TOKEN;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind},
    runtime::watcher,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, task::AbortHandle};

use crate::{
    harness::{
        astra::Astra,
        cluster::{Cluster, cluster},
        operator::Operator,
    },
    scene::{self, Places},
    tally::Tally,
};

/// The label of all objects of one run: other tests have objects of the same kinds.
const RUN: &str = "astra.datastax.com/operations";

/// Objects are spread over so many namespaces.
const NAMESPACES: usize = 6;

/// Nothing takes this long unless it is broken, also on a busy machine: each write of an object with 1,000 addresses costs
/// the API server seconds there.
const DEADLINE: Duration = Duration::from_secs(150);

/// Everything that all operations share.
pub(crate) struct Theatre {
    pub(crate) client: Client,
    pub(crate) namespaces: Vec<String>,
    pub(crate) astra: Astra,
    pub(crate) places: Places,
    pub(crate) tally: Tally,
    run: String,
    operator: Mutex<Operator>,
    seen: Arc<Seen>,
    watches: Vec<AbortHandle>,
    _directory: TempDir,
}

/// The objects of this run as the watches know them, by kind and name.
struct Seen {
    objects: Mutex<HashMap<(String, String), DynamicObject>>,
    changed: watch::Sender<()>,
}

/// The resource of a kind, for the API.
pub(crate) fn resource(kind: &str) -> ApiResource {
    let gvk = GroupVersionKind::gvk("astra.datastax.com", "v1beta1", kind);
    ApiResource::from_gvk_with_plural(&gvk, &format!("{}s", kind.to_lowercase()))
}

impl Theatre {
    /// Opens it, with so many databases of each cloud.
    pub(crate) async fn open(kinds: &[String], databases: usize) -> Self {
        let cluster = cluster();
        let client = cluster.client().await;
        let directory = tempfile::tempdir().unwrap();
        let (state, places) = scene::world(databases);
        let file = directory.path().join("state.yaml");
        fs::File::create(&file).unwrap().write_all(state.to_yaml().unwrap().as_bytes()).unwrap();
        let astra = Astra::start(cluster, &["--state", file.to_str().unwrap()]);
        let mut namespaces = Vec::new();
        for _ in 0..NAMESPACES {
            namespaces.push(make_namespace(&client).await);
        }
        let run = namespaces[0].clone();
        let seen = Arc::new(Seen { objects: Mutex::default(), changed: watch::Sender::new(()) });
        let watches =
            kinds.iter().map(|kind| observe(client.clone(), kind.clone(), &run, seen.clone())).collect();
        let operator = start(cluster, &namespaces, &astra.url, &directory);
        let operator = Mutex::new(operator);
        let tally = Tally::default();
        Self { client, namespaces, astra, places, tally, run, operator, seen, watches, _directory: directory }
    }

    /// The labels that an object must have to be seen.
    pub(crate) fn labels(&self) -> Value {
        json!({ RUN: self.run })
    }

    /// Waits until an object is as `met` wants it; tells what it was like when it takes too long.
    pub(crate) async fn until<T>(
        &self,
        kind: &str,
        name: &str,
        met: impl Fn(Option<&DynamicObject>) -> Option<T>,
    ) -> Result<T, String> {
        let key = (kind.to_owned(), name.to_owned());
        let mut changed = self.seen.changed.subscribe();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                if let Some(found) = met(self.seen.objects.lock().unwrap().get(&key)) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.map_err(|_| {
            let objects = self.seen.objects.lock().unwrap();
            let status = objects.get(&key).map(|object| object.data["status"].to_string());
            format!("nothing came of it within {} s: {status:?}", DEADLINE.as_secs())
        })
    }

    /// What must be true of the operator when all is over: it lives, said nothing that breaks a line of its log, kept the
    /// token to itself, and did not panic.
    pub(crate) fn check_operator(&self) -> Vec<String> {
        let mut operator = self.operator.lock().unwrap();
        operator.assert_running();
        let log = operator.log();
        let mut found: Vec<String> = (log.lines())
            .filter(|line| line.contains("panicked") || !line.starts_with("20"))
            .take(5)
            .map(|line| format!("in the operator's log: {line:?}"))
            .collect();
        if log.contains(ACME_TOKEN) {
            found.push("the token is in the operator's log".to_owned());
        }
        let unnamed = self.astra.requests().into_iter().filter(|request| {
            let named = request.query.strip_prefix("addresses=").is_some_and(|address| !address.is_empty());
            request.method == "DELETE" && request.path.ends_with("/access-list") && !named
        });
        found.extend(unnamed.map(|request| format!("could be read as the whole list: {}", request.target())));
        found
    }

    /// The end of the operator's log, for people.
    pub(crate) fn log(&self) -> String {
        let log = self.operator.lock().unwrap().log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        self.watches.iter().for_each(AbortHandle::abort);
    }
}

fn start(cluster: &Cluster, namespaces: &[String], url: &str, directory: &TempDir) -> Operator {
    // No look of its own accord: what an object says then changes by what is done to it, and by nothing else.
    let mut flags = vec!["--resync", "30m", "--log", "info"];
    flags.extend(namespaces[1..].iter().flat_map(|namespace| ["--namespace", namespace.as_str()]));
    let logs = directory.path().join("logs");
    fs::create_dir(&logs).unwrap();
    Operator::start(cluster, &namespaces[0], url, &logs, &flags)
}

/// Keeps what a watch tells of a kind's objects.
fn observe(client: Client, kind: String, run: &str, seen: Arc<Seen>) -> AbortHandle {
    let api: Api<DynamicObject> = Api::all_with(client, &resource(&kind));
    let config = watcher::Config::default().labels(&format!("{RUN}={run}"));
    let keep = async move {
        let mut events = watcher(api, config).boxed();
        loop {
            let event = match events.try_next().await {
                Ok(Some(event)) => event,
                Ok(None) => return,
                // The watcher tries again by itself.
                Err(_) => continue,
            };
            let mut objects = seen.objects.lock().unwrap();
            match event {
                watcher::Event::Apply(object) | watcher::Event::InitApply(object) => {
                    objects.insert((kind.clone(), object.name_any()), object);
                }
                watcher::Event::Delete(object) => {
                    objects.remove(&(kind.clone(), object.name_any()));
                }
                watcher::Event::Init | watcher::Event::InitDone => {}
            }
            drop(objects);
            seen.changed.send_replace(());
        }
    };
    tokio::spawn(keep).abort_handle()
}

/// A namespace with all Secrets.
async fn make_namespace(client: &Client) -> String {
    let namespace: Namespace = serde_json::from_value(json!({
        "metadata": { "generateName": "operations-", "labels": { "astra.datastax.com/live-test": "true" } },
    }))
    .unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let name = namespaces.create(&PostParams::default(), &namespace).await.unwrap().name_any();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &name);
    let token_under = |keys: &[String]| {
        keys.iter().map(|key| (key.clone(), json!(ACME_TOKEN))).collect::<serde_json::Map<_, _>>()
    };
    let keys = [vec!["token".to_owned()], scene::keys()].concat();
    for secret in [vec!["astra-credentials".to_owned()], scene::secrets()].concat() {
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": secret }, "stringData": token_under(&keys),
        });
        let params = PatchParams::apply("operations-test").force();
        secrets.patch(&secret, &params, &Patch::Apply(body)).await.unwrap();
    }
    name
}
