//! An object that was stored under an older, laxer schema, and that the operator cannot read: it delays nobody, nothing
//! is sent for it, and it is told of.
//!
//! The controller is the real one; the API server is a few lines that answer a list which no real one would have taken
//! by today's definitions, and time is virtual.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use astra_operator::{
    controller::{self, Context, Scope, credentials::Credentials, events::Events},
    engine::timing::Timing,
    kinds::AstraAccessList,
    organization::registry::Organizations,
};
use astra_simulator::{
    Simulator, State,
    state::{ACME_TOKEN, Database},
};
use http::{Method, Request, Response};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

/// The objects, and all that was written.
#[derive(Default)]
struct Server {
    objects: Mutex<BTreeMap<String, Value>>,
    writes: Mutex<Vec<(String, Value)>>,
}

impl Server {
    fn put(&self, name: &str, spec: &Value) {
        let object = json!({
            "apiVersion": "astra.datastax.com/v1beta1",
            "kind": "AstraAccessList",
            "metadata": {
                "name": name, "namespace": "team", "uid": format!("uid-of-{name}"), "resourceVersion": "1",
                "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": spec,
            "status": { "observedGeneration": -1 },
        });
        self.objects.lock().unwrap().insert(name.to_owned(), object);
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let query = parts.uri.query().unwrap_or_default();
        if query.contains("sendInitialEvents=true") {
            let refusal = json!({ "kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422 });
            let body = Body::from(serde_json::to_vec(&refusal).unwrap());
            return Response::builder().status(422).body(body).unwrap();
        }
        if query.contains("watch=true") {
            // Nobody else changes anything, and of its own writes the operator need not be told for what is looked at here.
            std::future::pending::<()>().await;
        }
        let path = parts.uri.path();
        let answer = match parts.method {
            Method::GET if path.ends_with("/secrets/astra-credentials") => secret(),
            Method::GET if path.ends_with("/astraaccesslists") => {
                let items: Vec<Value> = self.objects.lock().unwrap().values().cloned().collect();
                json!({ "metadata": { "resourceVersion": "1" }, "items": items })
            }
            Method::GET => {
                let name = path.rsplit('/').next().unwrap_or_default();
                self.objects.lock().unwrap().get(name).cloned().unwrap_or_default()
            }
            _ => {
                let body: Value = serde_json::from_slice(&body).unwrap();
                self.writes.lock().unwrap().push((path.to_owned(), body.clone()));
                self.write(path, &body)
            }
        };
        Response::new(Body::from(serde_json::to_vec(&answer).unwrap()))
    }

    /// Merges what is written into the object; of anything else, such as an event, it is the answer.
    fn write(&self, path: &str, body: &Value) -> Value {
        let name = path.trim_end_matches("/status").rsplit('/').next().unwrap_or_default();
        let mut objects = self.objects.lock().unwrap();
        let Some(object) = objects.get_mut(name) else { return body.clone() };
        for part in ["spec", "status"].into_iter().filter(|part| !body[*part].is_null()) {
            object[part] = body[part].clone();
        }
        if let Some(finalizers) = body["metadata"].get("finalizers") {
            object["metadata"]["finalizers"] = finalizers.clone();
        }
        object.clone()
    }

    /// What was written of an object, and what was said of it in events.
    fn about(&self, name: &str) -> Vec<Value> {
        let writes = self.writes.lock().unwrap();
        let about = |(path, body): &&(String, Value)| {
            path.contains(&format!("/{name}")) || body["regarding"]["name"] == name
        };
        writes.iter().filter(about).map(|(_, body)| body.clone()).collect()
    }
}

fn secret() -> Value {
    // base64 of the token.
    let token: k8s_openapi::ByteString = k8s_openapi::ByteString(ACME_TOKEN.as_bytes().to_vec());
    json!({ "metadata": { "name": "astra-credentials", "namespace": "team" }, "data": { "token": token } })
}

fn good(database: &str) -> Value {
    json!({ "database": { "name": database }, "addresses": [{ "address": "203.0.113.7" }] })
}

/// A database of the default world.
fn of(simulator: &Simulator, name: &str) -> Database {
    simulator.state().databases.into_iter().find(|database| database.name == name).unwrap()
}

/// Runs the controller over these objects until what the good one says is in Astra, and a minute longer. How long that
/// took, and the server.
async fn run(poison: &[Value]) -> (Duration, Arc<Server>, Simulator) {
    let server = Arc::new(Server::default());
    for (i, spec) in poison.iter().enumerate() {
        server.put(&format!("poison-{i}"), spec);
    }
    server.put("good", &good("orders"));
    let answering = server.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = answering.clone();
        async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
    });
    let client = Client::new(service, "team");
    let simulator = Simulator::new(State::default());
    let organizations =
        Arc::new(Organizations::new(Arc::new(simulator.clone()), 4, Duration::from_millis(500)));
    let (_stop, stopped) = watch::channel(false);
    let context = Context {
        credentials: Arc::new(Credentials::new(client.clone(), organizations.clone())),
        organizations,
        events: Events::new(client.clone(), None),
        client,
        scope: Scope::Namespaces(vec!["team".to_owned()]),
        concurrency: 1,
        timing: Timing::default(),
        clock: Timestamp::now,
        stop: stopped,
        metrics: Arc::default(),
    };
    let start = Instant::now();
    let running = tokio::spawn(controller::run::<AstraAccessList>(&context));
    while of(&simulator, "orders").access_list.is_none() {
        assert!(start.elapsed() < Duration::from_mins(5), "nothing came of the good object");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = start.elapsed();
    tokio::time::sleep(Duration::from_mins(1)).await;
    running.abort();
    (took, server, simulator)
}

/// Specs that an older schema took.
fn poison() -> Vec<Value> {
    let with = |field: &str, value: Value| {
        let mut spec = good("catalog");
        spec[field] = value;
        spec
    };
    vec![
        json!("text"),
        json!({}),
        with("addresses", json!("203.0.113.7")),
        with("addresses", json!([{ "address": 7 }])),
        with("management", json!("Mine")),
        with("publicAccess", json!(true)),
        with("database", json!("catalog")),
        with("credentials", json!({ "secretName": ["a"] })),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_delays_nobody_and_is_left_alone() {
    let (alone, ..) = run(&[]).await;
    let (beside, server, simulator) = run(&poison()).await;
    assert!(beside <= alone + Duration::from_millis(10), "alone it took {alone:?}, beside poison {beside:?}");
    let catalog = State::default().databases.into_iter().find(|database| database.name == "catalog").unwrap();
    assert_eq!(
        simulator.state().database(&catalog.id),
        Some(&catalog),
        "nothing is sent for what cannot be read"
    );
    for i in 0..poison().len() {
        let touched: Vec<Value> = server
            .about(&format!("poison-{i}"))
            .into_iter()
            .filter(|body| body["regarding"].is_null())
            .collect();
        assert_eq!(touched, Vec::<Value>::new(), "what cannot be read is left as it is");
    }
}

/// Who made the object finds out where people look: in its events, with the field.
#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_has_a_warning_that_names_the_field() {
    let (_, server, _) = run(&poison()).await;
    let fields =
        ["spec", "database", "addresses", "address", "management", "publicAccess", "database", "secretName"];
    for (i, field) in fields.into_iter().enumerate() {
        let events = server.about(&format!("poison-{i}"));
        let warned = |event: &Value| {
            event["type"] == "Warning" && event["note"].as_str().is_some_and(|note| note.contains(field))
        };
        let warnings = events.iter().filter(|event| warned(event)).count();
        assert_eq!(warnings, 1, "one warning about {field}: {events:#?}");
    }
}
