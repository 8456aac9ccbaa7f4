//! What goes wrong on purpose, and what time does: faults, latency, reads that lag behind, the journal.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{sync::Arc, time::Duration};

use astra_devops::{
    Answer, Client, Endpoint, Error, Token, Transport,
    access_list::{AddAddresses, Entry, GetAccessList, ListAccessLists},
    error::Sent,
    id::DatabaseId,
    organization::GetCurrentOrganization,
};
use astra_simulator::{
    Event, Fault, ManualClock, Method, Simulator, State,
    state::{ACME_TOKEN, database_id},
};
use serde_json::json;
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

fn token() -> Token {
    Token::new(ACME_TOKEN).unwrap()
}

fn orders() -> DatabaseId {
    database_id("01").parse().unwrap()
}

fn add() -> AddAddresses {
    let entry = Entry { address: "192.0.2.1".into(), description: "office".into(), enabled: true };
    AddAddresses { database: orders(), addresses: vec![entry] }
}

/// One attempt, without the client's retries.
async fn send(simulator: &Simulator, endpoint: &impl Endpoint) -> Option<Answer> {
    simulator.send(&token(), &endpoint.call()).await.ok()
}

#[tokio::test]
async fn faults_strike_by_method_path_skip_and_count() {
    let cases = [
        (Fault::status(500), [500, 500, 500]),
        (Fault::status(500).times(1), [500, 200, 200]),
        (Fault::status(500).times(1).after(1), [200, 500, 200]),
        (Fault::status(500).on(Method::Post, "/v2"), [200, 200, 200]),
        (Fault::status(500).on(Method::Get, "/v2/access"), [500, 500, 500]),
        (Fault::status(500).on(Method::Get, "/access"), [200, 200, 200]),
        (Fault::status(500).on(Method::Get, "*/access-lists"), [500, 500, 500]),
        (Fault::status(500).on(Method::Get, "/v2/*/list"), [200, 200, 200]),
        (Fault::status(500).times(0), [200, 200, 200]),
    ];
    for (fault, expected) in cases {
        let simulator = Simulator::new(State::default());
        simulator.add_fault(fault.clone());
        for expected in expected {
            let answer = send(&simulator, &ListAccessLists).await.unwrap();
            assert_eq!(answer.status, expected, "{fault:?}");
        }
        simulator.clear_faults();
        assert_eq!(send(&simulator, &ListAccessLists).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_fault_answers_headers_json_and_text() {
    let simulator = Simulator::new(State::default());
    simulator.add_fault(Fault::status(429).header("Retry-After", "7").json(json!(null)).times(1));
    simulator.add_fault(Fault::status(502).text("<html>bad gateway</html>").times(1));
    simulator.add_fault(Fault::default().text(r#"[{"databaseId""#).times(1));
    let throttled = send(&simulator, &ListAccessLists).await.unwrap();
    assert_eq!((throttled.retry_after, throttled.body), (Some(7 * SECOND), b"null".to_vec()));
    assert!(send(&simulator, &ListAccessLists).await.unwrap().is_html());
    let half = send(&simulator, &ListAccessLists).await.unwrap();
    assert!(half.status == 200 && ListAccessLists.read(&half).is_err());
    assert_eq!(simulator.faults(), []);
}

#[tokio::test]
async fn a_reset_comes_before_the_change_or_after_it() {
    for (fault, applied) in [(Fault::reset(), false), (Fault::lost_answer(), true)] {
        let simulator = Simulator::new(State::default());
        simulator.add_fault(fault);
        let lost = simulator.send(&token(), &add().call()).await.unwrap_err();
        assert_eq!(lost.sent, Sent::Maybe);
        assert_eq!(simulator.state().database(&database_id("01")).unwrap().access_list.is_some(), applied);
        let recorded = &simulator.requests()[0];
        assert_eq!((recorded.status, recorded.applied), (None, applied));
    }
    // An answer of the fault's own, after the work was done: a proxy that lost its patience.
    let simulator = Simulator::new(State::default());
    simulator.add_fault(Fault { after_applying: true, ..Fault::status(504) });
    assert_eq!(send(&simulator, &add()).await.unwrap().status, 504);
    assert!(simulator.state().database(&database_id("01")).unwrap().access_list.is_some());
}

#[tokio::test(start_paused = true)]
async fn latency_and_delays_pass_in_virtual_time_and_a_caller_who_leaves_early_finds_the_world_as_promised() {
    let simulator = Simulator::new(State::default());
    simulator.set_latency(SECOND);
    simulator.add_fault(Fault::delay(2 * SECOND).times(1));
    let start = Instant::now();
    assert_eq!(send(&simulator, &GetCurrentOrganization).await.unwrap().status, 200);
    assert_eq!(start.elapsed(), 3 * SECOND);
    simulator.set_latency(Duration::ZERO);
    for (after_applying, applied) in [(false, false), (true, true)] {
        simulator.put_state(State::default());
        simulator.add_fault(Fault { after_applying, ..Fault::delay(9 * SECOND).times(1) });
        let left = tokio::time::timeout(SECOND, send(&simulator, &add())).await;
        assert!(left.is_err());
        advance(60 * SECOND).await;
        assert_eq!(simulator.state().database(&database_id("01")).unwrap().access_list.is_some(), applied);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_lag_behind_writes_and_events_and_no_further() {
    let simulator = Simulator::new(State::default());
    simulator.set_eventual_consistency(2 * SECOND);
    let client = Client::new(Arc::new(simulator.clone()), token(), 4);
    let count = async || {
        let list = client.send(&GetAccessList(orders())).await.unwrap();
        list.map(|list| list.addresses.len())
    };
    client.send(&add()).await.unwrap();
    assert_eq!(count().await, None, "not seen yet");
    assert_eq!(
        simulator.state().database(&database_id("01")).unwrap().access_list.as_ref().unwrap().addresses.len(),
        1
    );
    advance(SECOND).await;
    let event = Event::AddAddress {
        database: database_id("01"),
        address: "192.0.2.2".into(),
        description: String::new(),
        enabled: true,
    };
    simulator.apply(event).unwrap();
    advance(SECOND).await;
    assert_eq!(count().await, Some(1), "the first is seen, the second not yet");
    advance(SECOND).await;
    assert_eq!(count().await, Some(2));
    // A write sees what is true, not what is read.
    client.send(&add()).await.unwrap();
    assert_eq!(
        simulator.state().database(&database_id("01")).unwrap().access_list.as_ref().unwrap().addresses.len(),
        2
    );
    simulator.set_eventual_consistency(Duration::ZERO);
    simulator.apply(Event::RemoveAccessList { database: database_id("01") }).unwrap();
    assert_eq!(count().await, None, "at once");
}

#[tokio::test(start_paused = true)]
async fn what_comes_by_itself_is_seen_late_too() {
    let simulator = Simulator::new(State { database_delay: SECOND, ..State::default() });
    simulator.set_eventual_consistency(5 * SECOND);
    let terminate =
        astra_devops::Call::new(Method::Post, &["v2", "databases", &database_id("01"), "terminate"], "");
    simulator.send(&token(), &terminate).await.unwrap();
    let status = async || {
        let get = astra_devops::databases::GetDatabase(orders());
        let answer = send(&simulator, &get).await.unwrap();
        get.read(&answer).unwrap().unwrap().status.0
    };
    assert_eq!(status().await, "ACTIVE");
    advance(5 * SECOND).await;
    assert_eq!(status().await, "TERMINATING", "it was so five seconds ago");
    advance(SECOND).await;
    assert_eq!(status().await, "TERMINATED");
}

#[tokio::test]
async fn time_stands_still_under_a_manual_clock_until_it_is_moved() {
    let clock = Arc::new(ManualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()));
    let simulator = Simulator::with_clock(State::default(), clock.clone());
    send(&simulator, &GetCurrentOrganization).await.unwrap();
    clock.advance(90 * SECOND);
    send(&simulator, &GetCurrentOrganization).await.unwrap();
    simulator.apply(Event::AdvanceTime(SECOND)).unwrap();
    send(&simulator, &GetCurrentOrganization).await.unwrap();
    let times: Vec<_> = simulator.requests().iter().map(|recorded| recorded.time.to_string()).collect();
    assert_eq!(times, ["2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z", "2026-01-01T00:01:31Z"]);
    simulator.clear_requests();
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn the_journal_tells_what_was_sent_and_never_the_token() {
    let simulator = Simulator::new(State::default());
    send(&simulator, &add()).await.unwrap();
    let leak = astra_devops::Call::new(Method::Post, &["v2", ACME_TOKEN], "")
        .query("token", ACME_TOKEN)
        .body(json!({ "token": ACME_TOKEN }));
    simulator.send(&token(), &leak).await.unwrap();
    let writes = simulator.writes();
    assert_eq!(writes[0].target(), format!("/v2/databases/{}/access-list", database_id("01")));
    assert_eq!(writes[0].body.as_ref().unwrap()[0]["address"], "192.0.2.1");
    let secret = ACME_TOKEN.rsplit(':').next().unwrap();
    for text in [
        serde_json::to_string(&writes).unwrap(),
        format!("{writes:?}"),
        format!("{simulator:?}"),
        format!("{:?}", simulator.state()),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_is_refused_in_words_the_client_knows() {
    let simulator = Simulator::new(State::default());
    let client = Client::new(Arc::new(simulator.clone()), token(), 4);
    simulator.apply(Event::RevokeToken { token: ACME_TOKEN.into() }).unwrap();
    let error = client.send(&GetCurrentOrganization).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.words.contains("340018")), "{error}");
    let again = simulator.apply(Event::RevokeToken { token: ACME_TOKEN.into() }).unwrap_err();
    assert!(!again.to_string().contains(ACME_TOKEN));
}
