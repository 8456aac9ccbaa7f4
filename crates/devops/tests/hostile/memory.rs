//! What hostile answers cost in memory: measured on a process of its own, that does nothing else.

use std::{process::Command, sync::Arc};

use astra_devops::{Token, Transport, http::HttpTransport};
use futures::future::join_all;

use crate::{
    TOKEN,
    behaviours::{self, Expected},
    change, limits,
    server::{Server, Step, say},
};

/// As many calls as the operator has under way at once, by default.
const CALLS: usize = 16;

/// What the process may grow by while all its calls meet the same behaviour: a few bodies of the largest size, and not
/// sixteen.
const GROWTH: u64 = 24 << 20;

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Runs [`as_a_program_that_measures`] against this server, and gives its peak in bytes.
async fn measure(server: &Server) -> u64 {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "memory::as_a_program_that_measures", "--ignored", "--nocapture"]);
    program.env_clear().env("BASE", &server.url);
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().find_map(|line| line.strip_prefix("peak ")).unwrap().parse().unwrap()
}

#[test]
#[ignore = "started by another test, to be measured"]
fn as_a_program_that_measures() {
    let base = std::env::var("BASE").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let transport = Arc::new(HttpTransport::with_limits(&base, "t", limits()).unwrap());
        let token = Token::new(TOKEN).unwrap();
        let (transport, token) = (&transport, &token);
        let calls = (0..CALLS).map(|_| async move {
            let result = transport.send(token, &change()).await;
            // What is done with every answer that is none.
            result
                .map(|answer| (answer.words(), answer.is_unknown(), answer.is_plain_404(), answer.is_html()))
        });
        join_all(calls).await;
    });
    println!("\npeak {}", peak());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_costs_more_memory_than_a_few_bodies() {
    let idle =
        measure(&Server::start(vec![Step::Read, say(behaviours::head("204 No Content", &[]))]).await).await;
    let nested = |status: &str, unit: &[u8]| {
        // As large as a body may be, and the worst that a reader of JSON can be given.
        let body = unit.repeat((4 << 20) / unit.len());
        let head = behaviours::head(status, &[&format!("content-length: {}", body.len())]);
        vec![Step::Read, say(head), say(body)]
    };
    let mut scripts: Vec<(&str, Vec<Step>)> = behaviours::all()
        .into_iter()
        .filter(|behaviour| behaviour.script.iter().any(|step| matches!(step, Step::Endlessly(_))))
        .map(|behaviour| (behaviour.name, behaviour.script))
        .collect();
    assert!(behaviours::all().iter().any(|b| matches!(b.expected, Expected::Answer(..))));
    scripts.push(("4 MiB of an error, as a list of numbers", nested("500 Oops", b"[0,0,0,0,0,0,0,0,")));
    scripts.push(("4 MiB of an error, nested", nested("404 Gone", b"[")));
    scripts.push(("4 MiB of a page", nested("502 Bad", b"<p>")));
    scripts.push(("4 MiB of line breaks", nested("500 Oops", b"\n\x1b")));
    let mut worst = ("", 0);
    for (name, script) in scripts {
        let peak = measure(&Server::start(script).await).await;
        if peak > worst.1 {
            worst = (name, peak);
        }
        assert!(peak <= idle + GROWTH, "{name}: {} MiB over {} MiB", (peak - idle) >> 20, idle >> 20);
    }
    println!(
        "{CALLS} calls at once: {} MiB idle, {} MiB at the worst ({})",
        idle >> 20,
        worst.1 >> 20,
        worst.0
    );
}
