//! The same run gives the same bytes, and runs are fast.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
    runtime::watcher::Config,
};
use serde_json::json;
use simulated_apiserver::{How, Strike, WatchStrike};

use crate::stage::{Made, NAMESPACE, PLURAL, api, seconds, server, watch, widget};

/// A small pseudo-random sequence: the weather's dice.
fn next(state: &Mutex<u64>) -> u64 {
    let mut state = state.lock().unwrap();
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Some minutes of writers, a watcher and bad weather. All that anybody saw of it.
async fn story(seed: u64) -> String {
    let server = server();
    let dice = Arc::new(Mutex::new(seed));
    let (one, two) = (dice.clone(), dice.clone());
    server.set_weather(Some(Arc::new(Made {
        strikes: Box::new(move |_| Strike {
            latency: Duration::from_millis(next(&one) % 200),
            latency_after: Duration::from_millis(next(&one) % 200),
            how: match next(&one) % 20 {
                0 => How::ResetBefore,
                1 => How::AnswerLost,
                2 => How::Status { code: 503, reason: "ServiceUnavailable", retry_after: None },
                3 => How::StaleList { revisions: 3 },
                _ => How::Fine,
            },
        }),
        watches: Box::new(move |_| WatchStrike {
            cut_after: Some(Duration::from_secs(1 + next(&two) % 30)),
            delay: Duration::from_millis(next(&two) % 500),
            ..WatchStrike::default()
        }),
    })));
    let client = server.client("operator", NAMESPACE);
    let log = watch(&client, Config::default());
    let mut told = String::new();
    for turn in 0..60 {
        let name = format!("w{}", next(&dice) % 4);
        let size = i64::try_from(next(&dice) % 100).unwrap();
        let outcome = match next(&dice) % 4 {
            0 => server.create(widget(&name, size)).map(drop),
            1 => server.delete(PLURAL, NAMESPACE, &name),
            _ => server.merge(PLURAL, NAMESPACE, &name, json!({ "spec": { "size": size } })).map(drop),
        };
        writeln!(told, "{turn}: {outcome:?}").unwrap();
        let patch = json!({ "apiVersion": "test.io/v1", "kind": "Widget", "status": { "seen": turn } });
        let written =
            api(&client).patch_status(&name, &PatchParams::apply("m").force(), &Patch::Apply(patch)).await;
        writeln!(told, "{turn}: {:?}", written.map(|object| object.resource_version())).unwrap();
        seconds(2).await;
    }
    writeln!(told, "{:#?}\n{:#?}\n{:#?}", log.take(), server.requests(), server.changes(0)).unwrap();
    told
}

fn told(seed: u64) -> String {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(story(seed))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..10 {
        let first = told(seed);
        assert!(first.contains("MODIFIED") || first.contains("Modified"), "nothing happened");
        assert!(first == told(seed), "seed {seed} gives another story the second time");
        assert!(first != told(seed + 1000), "the weather has no effect");
    }
}
