//! Is the API server in memory like the real one? The same sequences of requests run on both, and the codes, the bodies
//! and the events of watches must be equal.
//!
//! Without a cluster, the server in memory is held to what is written down in `transcripts`, which the real server has
//! confirmed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "sequences are data, and long")]

mod cases;
#[path = "../live/harness/cluster.rs"]
#[expect(dead_code, reason = "the live tests use the rest")]
mod cluster;
mod mask;
mod run;
mod sequence;

use std::{collections::BTreeSet, path::Path};

use astra_operator::kinds::KINDS;
use futures::{StreamExt, future::ready, stream};
use jiff::Timestamp;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use simulated_apiserver::ApiServer;

use run::{Side, run};
use sequence::Sequence;

fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

async fn in_memory(group: &str) -> Vec<String> {
    let definitions: Vec<_> = KINDS.iter().map(|kind| (kind.crd)()).collect();
    let server = ApiServer::new(&definitions, clock);
    server.validate(true);
    let client = server.client("admin", "default");
    let side = Side::Memory(server.clone(), client);
    // The first revisions of a server are forgotten.
    server.compact();
    let mut transcripts = Vec::new();
    let groups = cases::all();
    let (_, sequences) = groups.iter().find(|(name, _)| *name == group).unwrap();
    for (index, sequence) in sequences.iter().enumerate() {
        transcripts.push(run(sequence, &format!("conformance-{index}"), &side).await);
    }
    transcripts
}

#[tokio::test(start_paused = true)]
async fn the_server_in_memory_answers_as_it_is_written_down() {
    for (group, _) in cases::all() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/conformance/transcripts/{group}.txt"));
        expect_test::expect_file![path].assert_eq(&in_memory(group).await.join("\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_requests_give_the_same_answers() {
    for (group, _) in cases::all() {
        assert_eq!(in_memory(group).await, in_memory(group).await);
    }
}

#[test]
fn there_are_enough_sequences_and_each_has_its_name() {
    let groups = cases::all();
    let names: Vec<(&str, &str)> =
        groups.iter().flat_map(|(group, all)| all.iter().map(|sequence| (*group, sequence.name))).collect();
    assert!(names.len() >= 40, "{}", names.len());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_real_server_answers_alike() {
    let client = client().await;
    let mut wrong = Vec::new();
    for (group, sequences) in cases::all() {
        let memory = paused(group).await;
        let each = stream::iter(sequences.iter().zip(&memory).enumerate())
            .map(|(index, (sequence, memory))| {
                let (namespace, client) = (format!("conformance-{group}-{index}"), &client);
                async move { difference(sequence, &namespace, client, memory).await }
            })
            .buffered(8);
        wrong.extend(each.filter_map(ready).collect::<Vec<_>>().await);
    }
    assert!(wrong.is_empty(), "{} sequences differ\n{}", wrong.len(), wrong.join("\n"));
}

/// In what the real server differs from this transcript. A watch ends by the clock: if the machine was too slow for what
/// was to happen in that time, the sequence is tried again with more. A server that is different stays different.
async fn difference(sequence: &Sequence, namespace: &str, client: &Client, memory: &str) -> Option<String> {
    let now = Timestamp::now().as_millisecond();
    let mut real = String::new();
    for times in [1, 4, 16] {
        real = run(sequence, &format!("{namespace}-{now}-{times}"), &Side::Real(client.clone(), times)).await;
        if real == memory {
            return None;
        }
        if !sequence.watches() {
            break;
        }
    }
    Some(differences(&real, memory))
}

/// A client that repeats nothing: the stock one waits for hours when it is told to come again later.
async fn client() -> Client {
    let kubeconfig = Kubeconfig::read_from(&cluster::cluster().kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

/// In a runtime of its own, where time is virtual.
async fn paused(group: &'static str) -> Vec<String> {
    let run = move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(in_memory(group))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The lines in which two transcripts differ, with the requests before them.
fn differences(real: &str, memory: &str) -> String {
    let mut text = real.lines().next().unwrap_or_default().to_owned() + "\n";
    let (real, memory): (Vec<&str>, Vec<&str>) = (real.lines().collect(), memory.lines().collect());
    let start = real.iter().zip(&memory).take_while(|(real, memory)| real == memory).count();
    let request = real[..start.min(real.len())].iter().rfind(|line| line.starts_with('>'));
    text += request.unwrap_or(&"");
    for (who, lines) in [("real:  ", &real), ("memory:", &memory)] {
        let until = lines[start..]
            .iter()
            .position(|line| line.starts_with('>'))
            .map_or(lines.len(), |end| start + end);
        for line in &lines[start..until] {
            text.extend(["\n  ", who, " ", line]);
        }
    }
    text + "\n"
}
