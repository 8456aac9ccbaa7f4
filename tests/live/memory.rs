//! What a server that sends without end costs: the answer is given up, and the memory stays.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustix::process::Pid;
use serde_json::json;

use crate::harness::{Stage, stage::AccessList, wait::until};

/// Tokens at work: each has calls of its own under way.
const TOKENS: usize = 4;

/// So many answers are begun before it is judged.
const ANSWERS: usize = 12;

/// The most that the operator may ever have, in KiB.
const MOST: u64 = 100 << 10;

/// Answers every request with JSON that never ends, and counts.
fn endless() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = Arc::new(AtomicUsize::new(0));
    let count = answers.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = count.clone();
            thread::spawn(move || answer(stream, &count));
        }
    });
    (url, answers)
}

fn answer(mut stream: TcpStream, count: &AtomicUsize) {
    let mut request = [0; 4096];
    if stream.read(&mut request).is_err() {
        return;
    }
    count.fetch_add(1, Ordering::Relaxed);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[";
    let piece = br#"{"id":"x","info":{"name":"y"}},"#.repeat(1000);
    let mut sent = stream.write_all(head);
    while sent.is_ok() {
        sent = stream.write_all(&piece);
    }
}

/// A figure of `/proc/PID/status`, in KiB.
fn memory(pid: Pid, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_endless_answer_costs_no_memory() {
    let mut stage = Stage::empty().await;
    let url = stage.astra.url.clone();
    stage.start_alone(&url);
    for n in 0..TOKENS {
        let secret = format!("credentials-{n}");
        stage.put_token(&secret, &stage.astra.token()).await;
        let database = ["orders", "catalog", "sessions", "payments"][n];
        let spec = json!({
            "database": { "name": database },
            "credentials": { "secretName": secret },
            "addresses": [{ "address": "203.0.113.0/24" }],
        });
        let _: AccessList = stage.apply_ready(&format!("list-{n}"), spec).await;
    }
    let idle = memory(stage.operator().id(), "VmRSS");
    stage.take_operator().kill();
    for n in 0..TOKENS {
        // Tokens that differ: what one asks for is not shared with the others.
        stage.put_token(&format!("credentials-{n}"), &format!("AstraCS:endless{n}:{}", "0".repeat(64))).await;
    }
    let (url, answers) = endless();
    stage.start_alone(&url);
    let pid = stage.operator().id();
    until("answers to be given up", || (answers.load(Ordering::Relaxed) >= ANSWERS).then_some(())).await;
    let peak = memory(pid, "VmHWM");
    println!("figures: endless answers: {} MiB at the most, {} MiB idle", peak >> 10, idle >> 10);
    assert!(peak < MOST, "{peak} KiB");
    assert!(peak <= 2 * idle, "{peak} KiB, and {idle} KiB idle");
}
