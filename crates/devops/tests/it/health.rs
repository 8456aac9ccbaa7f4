//! Astra is down: the calls of one token ask as one.

use std::time::Duration;

use astra_devops::{
    Call, Client, Error, Method,
    error::Class,
    health::{FAILURES, LONGEST_PAUSE},
    retry::ATTEMPTS,
};
use futures::future::join_all;
use tokio::time::{Instant, advance};

use crate::script::{Line, Script, status, throttled};

fn call(name: &str) -> Call {
    Call::new(Method::Get, &["v2", name], "p")
}

async fn send(client: &Client, name: &str) -> Result<(), Error> {
    client.send_call(&call(name)).await.map(|_| ())
}

fn down(lines: usize) -> Vec<Line> {
    vec![status(503); lines]
}

/// Lets calls fail until Astra counts as down.
async fn trip(client: &Client) {
    while !matches!(send(client, "first").await, Err(Error::Down { .. })) {}
}

#[tokio::test(start_paused = true)]
async fn after_some_failures_in_a_row_only_one_call_at_a_time_asks() {
    let script = Script::new(down(100_000));
    let client = script.client(16);
    let start = Instant::now();
    // 500 callers that try again every second, each with retries, for ten minutes.
    for _ in 0..600 {
        let results = join_all((0..500).map(|_| send(&client, "x"))).await;
        assert!(results.iter().all(|result| result.as_ref().is_err_and(|e| e.class() == Class::Transient)));
        advance(Duration::from_secs(1)).await;
    }
    let calls = script.sent().len();
    let minutes = start.elapsed().as_secs() / 60;
    println!("{calls} calls in {minutes} minutes of an outage, by 500 callers");
    // The first burst is bounded by what is under way at once.
    let pauses = usize::try_from(start.elapsed().as_secs() / LONGEST_PAUSE.as_secs()).unwrap();
    assert!(calls <= 16 + 5 + pauses, "{calls}");
    let late: Vec<_> = script.times().into_iter().filter(|at| *at - start > Duration::from_mins(1)).collect();
    assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= LONGEST_PAUSE));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_here_says_nothing_of_astra() {
    let script = Script::new(vec![Line::HeldBack; 20]);
    let client = script.client(1);
    for _ in 0..20 {
        let error = send(&client, "x").await.unwrap_err();
        assert_eq!((error.class(), error.was_not_sent()), (Class::HeldBack, true), "{error}");
        assert!(!error.may_have_taken_effect());
        assert_eq!(error.to_string(), "GET /v2/x was held back");
    }
    assert!(send(&client, "x").await.is_ok(), "Astra does not count as down");

    // Nor does it end an outage.
    let script = Script::new(down(5).into_iter().chain([Line::HeldBack]).chain(down(1)));
    let client = script.client(1);
    trip(&client).await;
    advance(LONGEST_PAUSE).await;
    assert_eq!(send(&client, "x").await.unwrap_err().class(), Class::HeldBack);
    assert_eq!(send(&client, "x").await.unwrap_err().class(), Class::Transient);
    assert!(matches!(send(&client, "x").await, Err(Error::Down { .. })), "it goes on");
}

#[tokio::test(start_paused = true)]
async fn who_is_told_that_astra_is_down_hears_why_and_that_nothing_was_sent() {
    let script = Script::new(down(100));
    let client = script.client(1);
    trip(&client).await;
    let sent = script.sent().len();
    let before = Instant::now();
    let error = send(&client, "second").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v2/second was not sent, because Astra has been failing; it began with: GET /v2/first was answered 503: an empty body"
    );
    assert_eq!(error.class(), Class::Transient);
    assert!(!error.may_have_taken_effect() && error.was_not_sent());
    assert!(error.retry_after().is_some_and(|wait| wait <= LONGEST_PAUSE));
    assert_eq!((script.sent().len(), Instant::now()), (sent, before), "told at once");
}

#[tokio::test(start_paused = true)]
async fn one_success_opens_the_way_for_all_and_those_who_wait_for_it_go_at_once() {
    let script = Script::slow(Duration::from_millis(200), down(FAILURES as usize));
    let client = script.client(16);
    trip(&client).await;
    advance(LONGEST_PAUSE).await;
    let before = script.sent().len();
    let start = Instant::now();
    let results = join_all((0..100).map(|_| send(&client, "x"))).await;
    assert!(results.iter().all(Result::is_ok));
    let times = script.times()[before..].to_vec();
    assert_eq!(times.iter().filter(|at| **at == start).count(), 1, "one asks");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_thing_that_always_fails_does_not_hold_up_the_others() {
    // A change that fails for ever, and a reading that goes well before each: never down.
    let lines = (0..50).flat_map(|_| [status(200), status(500)]);
    let script = Script::new(lines);
    let client = script.client(4);
    let change = Call::new(Method::Post, &["v2", "broken"], "p");
    for _ in 0..50 {
        send(&client, "list").await.unwrap();
        let error = client.send_call(&change).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
    }
    // Refusals in Astra's own words are no failures of its health either.
    let refusals = [400, 401, 403, 404, 409, 422].map(status);
    let script = Script::new(refusals.into_iter().cycle().take(60));
    let client = script.client(4);
    for _ in 0..60 {
        assert!(matches!(send(&client, "x").await, Err(Error::Refused(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_and_is_dropped_lets_the_next_one_ask() {
    let script = Script::slow(Duration::from_millis(100), down(FAILURES as usize));
    let client = script.client(4);
    trip(&client).await;
    advance(LONGEST_PAUSE).await;
    let cut = tokio::time::timeout(Duration::from_millis(10), send(&client, "dropped")).await;
    assert!(cut.is_err());
    send(&client, "next").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_is_asked_for_during_an_outage_is_kept() {
    let lines = down(FAILURES as usize).into_iter().chain([throttled(Some(Duration::from_mins(1)))]);
    let script = Script::new(lines);
    let client = script.client(4);
    trip(&client).await;
    advance(LONGEST_PAUSE).await;
    assert!(send(&client, "asks").await.is_err());
    let silenced = script.sent().len();
    advance(Duration::from_secs(50)).await;
    assert!(matches!(send(&client, "early").await, Err(Error::Silenced { .. })));
    assert_eq!(script.sent().len(), silenced);
    advance(Duration::from_secs(10)).await;
    send(&client, "late").await.unwrap();
}

/// The first attempt may have been carried out, and the second was never sent: what is told must be the first.
#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_not_hidden_by_an_attempt_that_was_not_sent() {
    let safe = Call::new(Method::Delete, &["v2", "x"], "p").safe_to_repeat();
    let script = Script::new([Line::Reset, Line::NoConnection, Line::NoConnection]);
    let error = script.client(1).send_call(&safe).await.unwrap_err();
    assert_eq!(script.sent().len(), ATTEMPTS as usize);
    assert!(error.may_have_taken_effect(), "{error}");

    // What Astra said last counts, when it said something.
    let script = Script::new([Line::Reset, status(404)]);
    let error = script.client(1).send_call(&safe).await.unwrap_err();
    assert_eq!(error.class(), Class::NotFound);
}
