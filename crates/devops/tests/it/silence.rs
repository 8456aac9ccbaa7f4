//! Astra asks one call to slow down, and the whole token is silent.

use std::{sync::Arc, time::Duration};

use astra_devops::{
    Call, Client, Error, Method,
    gate::Gate,
    retry::{LONGEST_SILENCE, PATIENCE, SILENCE},
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

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn a_429_silences_every_clone_until_its_time_is_over() {
    let script = Script::new([throttled(Some(secs(2)))]);
    let client = script.client(4);
    let start = Instant::now();
    send(&client, "first").await.unwrap();
    let times = script.times();
    assert_eq!(times[0], start);
    assert!(times[1] - start >= secs(2), "the call itself waits");

    let script = Script::new([throttled(Some(secs(2)))]);
    let (one, other) = (script.client(4), script.client(4));
    let clone = one.clone();
    let start = Instant::now();
    let first = send(&one, "first");
    let second = async {
        advance(secs(1)).await;
        send(&clone, "second").await
    };
    let (first, second) = futures::join!(first, second);
    assert!(first.is_ok() && second.is_ok());
    assert!(script.times()[1..].iter().all(|at| *at - start >= secs(2)));

    // Another client is another token: it is not concerned.
    let before = Instant::now();
    send(&other, "third").await.unwrap();
    assert_eq!(script.times().last(), Some(&before));
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_wish_silences_too() {
    let script = Script::new([throttled(None)]);
    let client = script.client(2);
    let start = Instant::now();
    let results = futures::join!(send(&client, "a"), async {
        tokio::task::yield_now().await;
        send(&client, "b").await
    });
    assert!(results.0.is_ok() && results.1.is_ok());
    assert!(script.times()[1..].iter().all(|at| *at - start >= SILENCE));
}

#[tokio::test(start_paused = true)]
async fn during_a_long_silence_nothing_is_sent() {
    let script = Script::new([throttled(Some(secs(60)))]);
    let client = script.client(1);
    let error = send(&client, "first").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(secs(60)));

    let before = Instant::now();
    let error = send(&client, "second").await.unwrap_err();
    assert!(matches!(error, Error::Silenced { wait, .. } if wait == secs(60)), "{error:?}");
    assert_eq!(error.to_string(), "GET /v2/second was not sent: Astra asked this token to wait");
    assert!(!error.may_have_taken_effect());
    assert_eq!(Instant::now(), before, "told at once");
    assert_eq!(script.sent(), ["GET /v2/first"]);

    // When little is left of it, it is waited out.
    advance(secs(60).saturating_sub(PATIENCE)).await;
    send(&client, "third").await.unwrap();
    assert_eq!(script.sent(), ["GET /v2/first", "GET /v2/third"]);
    assert!(script.times()[1] - script.times()[0] >= secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_place_does_not_slip_out() {
    // One place; the call that has it is answered 429 after a second, while five others wait.
    for wish in [None, Some(secs(2)), Some(secs(60))] {
        let script = Script::slow(secs(1), [throttled(wish)]);
        let client = script.client(1);
        let start = Instant::now();
        join_all((0..6).map(|_| send(&client, "x"))).await;
        let silent_until = start + secs(1) + wish.unwrap_or(SILENCE);
        let early = script.times()[1..].iter().filter(|at| **at < silent_until).count();
        assert_eq!(early, 0, "{wish:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_queued_behind_a_silence_are_told_at_once() {
    // The call in the only place takes a second and brings a long silence: all that queue are told when it begins.
    let script = Script::slow(secs(1), [throttled(Some(secs(60)))]);
    let client = script.client(1);
    let start = Instant::now();
    let results = join_all((0..6).map(|_| send(&client, "x"))).await;
    assert_eq!(script.sent().len(), 1);
    assert!(results.iter().all(Result::is_err));
    assert_eq!(Instant::now() - start, secs(1));
}

#[tokio::test(start_paused = true)]
async fn patience_ends_when_a_silence_is_prolonged_again_and_again() {
    let script = Script::new(std::iter::repeat_n(throttled(Some(secs(2))), 1000));
    let client = script.client(2);
    let start = Instant::now();
    let prolong = async {
        // Each of these keeps the token silent for another two seconds.
        for _ in 0..20 {
            let _ = send(&client, "noise").await;
        }
    };
    let patient = async {
        tokio::task::yield_now().await;
        let error = send(&client, "patient").await.unwrap_err();
        (error, Instant::now() - start)
    };
    let ((), (_, waited)) = futures::join!(prolong, patient);
    assert!(waited <= PATIENCE * 4, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_absurd_wish_is_capped() {
    for wish in [Duration::from_hours(24), Duration::MAX] {
        let script = Script::new([throttled(Some(wish))]);
        let client = script.client(1);
        assert!(send(&client, "first").await.is_err());
        advance(LONGEST_SILENCE).await;
        send(&client, "second").await.unwrap();
    }
    let gate = Gate::new(usize::MAX);
    gate.silence(Duration::MAX);
    assert_eq!(gate.silence_left(), LONGEST_SILENCE);
    gate.silence(secs(1));
    assert_eq!(gate.silence_left(), LONGEST_SILENCE, "a shorter silence does not end a longer one");
}

#[tokio::test(start_paused = true)]
async fn a_503_silences_only_when_it_asks_for_it() {
    let asks = Line::Answer(astra_devops::Answer {
        retry_after: Some(secs(60)),
        ..astra_devops::Answer::empty(503)
    });
    let script = Script::new([asks]);
    let client = script.client(1);
    assert!(send(&client, "first").await.is_err());
    assert!(matches!(send(&client, "second").await, Err(Error::Silenced { .. })));

    let script = Script::new([status(503)]);
    let client: Client = Arc::clone(&script).client(1);
    send(&client, "first").await.unwrap();
    assert_eq!(script.sent().len(), 2);
}
