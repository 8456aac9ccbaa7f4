//! A server with one kind, a client, a weather that a test makes, and a watcher whose events are collected.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::watcher::{self, Event},
};
use serde_json::{Value, json};
use simulated_apiserver::{ApiServer, Seen, Strike, WatchStrike, Weather};
use tokio::time::Instant;

pub(crate) const PLURAL: &str = "widgets";
pub(crate) const NAMESPACE: &str = "default";

pub(crate) fn definition() -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.test.io" },
        "spec": {
            "group": "test.io",
            "names": { "kind": "Widget", "plural": PLURAL, "singular": "widget" },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": { "type": "object", "properties": { "size": { "type": "integer" } } },
                        "status": { "type": "object", "properties": { "seen": { "type": "integer" } } },
                    },
                } },
            }],
        },
    }))
    .unwrap()
}

fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn server() -> ApiServer {
    ApiServer::new(&[definition()], clock)
}

pub(crate) fn widget(name: &str, size: i64) -> Value {
    json!({
        "apiVersion": "test.io/v1",
        "kind": "Widget",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "size": size },
    })
}

pub(crate) fn api(client: &Client) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("test.io", "v1", "Widget"), PLURAL);
    Api::namespaced_with(client.clone(), NAMESPACE, &kind)
}

/// A weather that strikes some requests and some watches.
pub(crate) struct Made {
    pub(crate) strikes: Box<dyn Fn(&Seen<'_>) -> Strike + Send + Sync>,
    pub(crate) watches: Box<dyn Fn(&Seen<'_>) -> WatchStrike + Send + Sync>,
}

impl Weather for Made {
    fn strike(&self, request: &Seen<'_>) -> Strike {
        (self.strikes)(request)
    }

    fn watch(&self, request: &Seen<'_>) -> WatchStrike {
        (self.watches)(request)
    }
}

/// Strikes what it is told to.
pub(crate) fn striking(strikes: impl Fn(&Seen<'_>) -> Strike + Send + Sync + 'static) -> Arc<dyn Weather> {
    Arc::new(Made { strikes: Box::new(strikes), watches: Box::new(|_| WatchStrike::default()) })
}

/// Strikes the first watch only.
pub(crate) fn first_watch(strike: WatchStrike) -> Arc<dyn Weather> {
    let strike = Mutex::new(Some(strike));
    Arc::new(Made {
        strikes: Box::new(|_| Strike::default()),
        watches: Box::new(move |_| strike.lock().unwrap().take().unwrap_or_default()),
    })
}

/// What a stock watcher saw: second, and event.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Starts a stock watcher with its stock backoff off: it tries again at once, and after an error in a second.
pub(crate) fn watch(client: &Client, config: watcher::Config) -> Log {
    let log = Log::default();
    let (events, start) = (log.clone(), Instant::now());
    let mut stream = watcher::watcher(api(client), config).boxed();
    tokio::spawn(async move {
        while let Some(event) = stream.next().await {
            let text = match &event {
                Ok(Event::Init) => "init".to_owned(),
                Ok(Event::InitApply(object)) => format!("had {}", told(object)),
                Ok(Event::InitDone) => "ready".to_owned(),
                Ok(Event::Apply(object)) => format!("apply {}", told(object)),
                Ok(Event::Delete(object)) => format!("delete {}", told(object)),
                Err(error) => format!("error: {error}"),
            };
            events.0.lock().unwrap().push(format!("{:.1} {text}", start.elapsed().as_secs_f64()));
            if event.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    log
}

fn told(object: &DynamicObject) -> String {
    format!("{}={}", object.name_any(), object.data["spec"]["size"])
}

pub(crate) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
