//! A token is rotated under objects that are in use: none of them notices.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use astra_simulator::{
    Event,
    state::{ACME, TokenEntry},
};
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::harness::{
    Stage,
    stage::AccessList,
    trio::{self, list},
    wait::{condition, within_time},
};

/// A second token of the same organization.
const NEWER: &str =
    "AstraCS:AcmeSimulatorAdmin000003:7c6e5f4a3b2d1c0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e";

/// How long a replaced Secret may go unread, as the guide promises.
const PROMISED: Duration = Duration::from_mins(1);

fn issue_newer(stage: &Stage) {
    stage.astra.change(|state| {
        state.tokens.push(TokenEntry {
            token: NEWER.into(),
            organization: ACME.into(),
            role: Some("Organization Administrator".into()),
            permissions: Vec::new(),
        });
    });
}

/// Notes what the condition Ready says of an object, each time the object changes.
fn watch_ready(stage: &Stage, name: &str) -> (Arc<Mutex<Vec<String>>>, tokio::task::JoinHandle<()>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let (api, noted) = (stage.api::<AccessList>(), said.clone());
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let task = tokio::spawn(async move {
        let mut objects = Box::pin(watcher(api, config).applied_objects());
        while let Some(Ok(object)) = objects.next().await {
            let ready = condition(&object, "Ready").map(|ready| format!("{} {}", ready.status, ready.reason));
            noted.lock().unwrap().push(ready.unwrap_or_default());
        }
    });
    (said, task)
}

/// How often the operator has read a Secret; its HTTP client tells.
fn secret_reads(stage: &Stage) -> usize {
    stage.log().matches("/secrets/astra-credentials").count()
}

/// How many calls to Astra were refused because of the token.
fn refused(stage: &Stage) -> usize {
    stage.astra.requests().iter().filter(|request| request.status == Some(401)).count()
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn with_two_valid_tokens_the_newer_is_used_within_a_minute_and_nothing_fails() {
    let stage = Stage::new().await;
    trio::apply_all(&stage).await;
    trio::all_ready(&stage).await;
    let (said, watching) = watch_ready(&stage, "list");
    issue_newer(&stage);
    stage.astra.forget();
    stage.put_token("astra-credentials", NEWER).await;
    let (start, before) = (Instant::now(), secret_reads(&stage));
    assert!(before > 0, "the log must show when a Secret is read");
    // The old token goes on working, so nothing but the Secret tells that there is a newer one.
    let read = async {
        while secret_reads(&stage) == before {
            stage.two_looks().await;
        }
        // What is read is used by the looks that begin after that.
        stage.two_looks().await;
    };
    within_time(PROMISED, "the newer token to be used", read).await;
    println!("the newer token was in use after {:.1} s", start.elapsed().as_secs_f64());
    stage.astra.happens(&Event::RevokeToken { token: stage.astra.token() });
    stage.two_looks().await;
    let mut spec = list();
    spec["addresses"][0]["description"] = json!("after the rotation");
    stage.apply_ready::<AccessList>("list", spec).await;
    trio::all_ready(&stage).await;
    watching.abort();
    assert_eq!(refused(&stage), 0, "the old token was used after the newer one");
    let said = said.lock().unwrap().clone();
    assert!(!said.is_empty() && said.iter().all(|ready| ready.starts_with("True ")), "{said:?}");
    let events = stage.events("list");
    assert!(!events.iter().any(|event| event.contains("Token") || event.contains("401")), "{events:?}");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_token_that_is_revoked_as_soon_as_the_newer_is_in_place_costs_one_refused_call() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    stage.settled::<AccessList>("list").await;
    let (said, watching) = watch_ready(&stage, "list");
    issue_newer(&stage);
    let old = stage.astra.token();
    stage.put_token("astra-credentials", NEWER).await;
    stage.astra.forget();
    stage.astra.happens(&Event::RevokeToken { token: old });
    stage.two_looks().await;
    stage.two_looks().await;
    watching.abort();
    assert_eq!(refused(&stage), 1, "the Secret is read again after the first refusal, within the same look");
    let said = said.lock().unwrap().clone();
    assert!(!said.is_empty() && said.iter().all(|ready| ready.starts_with("True ")), "{said:?}");
}
