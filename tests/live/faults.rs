//! Astra answers badly: nothing is removed, nothing is sent twice that may not be, and a person is told.

use astra_simulator::{Fault, Method};
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::line,
    stage::{AccessList, PrivateEndpoint},
    wait::{condition, until},
};

fn list() -> Value {
    json!({ "database": { "name": "orders" }, "addresses": [{ "address": "203.0.113.7" }] })
}

fn endpoint() -> Value {
    json!({
        "database": { "name": "orders" },
        "allowedPrincipals": ["arn:aws:iam::123456789012:root"],
        "endpoints": [{ "id": "vpce-0f7aed6e7a18a1791" }],
    })
}

const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

/// Every kind of answer that is none, to every read: told with the start of the answer, and over when it is over.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn garbage_is_quoted_and_waited_out() {
    for (fault, words) in [
        (Fault::status(500).text(PAGE), "502 Bad Gateway"),
        (Fault::status(200).text(PAGE), "502 Bad Gateway"),
        (Fault::status(200).text(r#"[{"databaseId":"4b8a1c52-"#), "4b8a1c52-"),
        (Fault::status(200).json(json!({ "surprise": true })), "surprise"),
        (Fault::status(503), "503"),
    ] {
        let mut stage = Stage::empty().await;
        stage.astra.fails(&fault.clone().on(Method::Get, "/v2/access-lists"));
        stage.start(&[]);
        stage.apply::<AccessList>("list", list()).await;
        let object = stage.reconciling::<AccessList>("list", "AstraUnavailable").await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(words), "{fault:?}: {said}");
        assert_eq!(stage.astra.written(), "", "{fault:?}");
        stage.astra.heals();
        stage.ready::<AccessList>("list").await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_ready_object_stays_ready_through_a_short_trouble_and_nothing_is_removed() {
    let stage = Stage::new().await;
    stage.apply::<AccessList>("list", list()).await;
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    stage.settled::<AccessList>("list").await;
    let before = stage.settled::<PrivateEndpoint>("endpoint").await;
    stage.astra.forget();
    stage.astra.fails(&Fault::status(500).text(PAGE).times(2));
    stage.two_looks().await;
    stage.assert_quiet().await;
    let after = stage.ready::<PrivateEndpoint>("endpoint").await;
    assert_eq!(after.status, before.status, "conditions do not flap");
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_change_that_astra_refuses_is_told_in_its_words() {
    let stage = Stage::new().await;
    let refusal = json!({ "errors": [{ "ID": 2_000_123, "message": "address not allowed by policy" }] });
    stage.astra.fails(&Fault::status(400).json(refusal).on(Method::Put, "/v2/databases/*"));
    stage.apply::<AccessList>("list", list()).await;
    let object = stage.stalled::<AccessList>("list", "ChangeRefused").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains("address not allowed by policy"), "{said}");
    let told = stage.events("list");
    assert!(told.iter().any(|event| event.starts_with("ChangeRefused could not replace")), "{told:?}");
    stage.astra.heals();
    stage.ready::<AccessList>("list").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn retry_after_is_obeyed_by_all_objects_of_the_token() {
    let mut stage = Stage::empty().await;
    let throttled = Fault::status(429).header("retry-after", "4").times(1);
    stage.astra.fails(&throttled.on(Method::Get, "/v2/databases"));
    stage.start(&[]);
    stage.apply::<AccessList>("list", list()).await;
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    stage.ready::<AccessList>("list").await;
    stage.ready::<PrivateEndpoint>("endpoint").await;
    let requests = stage.astra.requests();
    let at = requests.iter().position(|request| request.status == Some(429)).unwrap();
    let quiet_until = requests[at].time;
    for later in &requests[at + 1..] {
        let after = later.time.duration_since(quiet_until).as_millis();
        assert!(after >= 4000, "{} came {after} ms after a 429 that asked for 4 s", line(later));
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_lost_answer_makes_no_second_endpoint() {
    let stage = Stage::new().await;
    stage
        .astra
        .fails(&Fault::lost_answer().on(Method::Post, "/v2/organizations/clusters/*/endpoints").times(1));
    stage.apply_ready::<PrivateEndpoint>("endpoint", endpoint()).await;
    let posts = stage.astra.writes().into_iter().filter(|write| write.contains("/endpoints")).count();
    assert_eq!(posts, 1);
    stage.assert_quiet().await;
    // It was written down before it was sent, so it is owned, and goes with the object.
    stage.delete_and_wait::<PrivateEndpoint>("endpoint").await;
    assert_eq!(stage.astra.link("orders"), (vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_lost_answer_to_what_may_be_repeated_is_asked_again() {
    let stage = Stage::new().await;
    stage.astra.fails(&Fault::lost_answer().on(Method::Put, "/v2/databases/*").times(1));
    stage.apply_ready::<AccessList>("list", list()).await;
    assert_eq!(stage.astra.addresses("orders").unwrap(), ["203.0.113.7"]);
    stage.assert_quiet().await;
}

/// While the endpoint's reading fails, an access list of the same database is served.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn trouble_of_one_part_is_not_that_of_another() {
    let stage = Stage::new().await;
    stage.astra.fails(&Fault::status(500).text(PAGE).on(Method::Get, "/v2/organizations/private-link"));
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    stage.apply_ready::<AccessList>("list", list()).await;
    stage.reconciling::<PrivateEndpoint>("endpoint", "AstraUnavailable").await;
    stage.astra.heals();
    until("the endpoint", || (!stage.astra.link("orders").1.is_empty()).then_some(())).await;
    stage.ready::<PrivateEndpoint>("endpoint").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn reads_that_lag_behind_cause_no_second_write() {
    let mut stage = Stage::with_astra(&["--eventual-consistency", "2s", "--latency", "20ms"]).await;
    stage.start(&[]);
    stage.apply::<AccessList>("list", list()).await;
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    stage.ready::<AccessList>("list").await;
    stage.ready::<PrivateEndpoint>("endpoint").await;
    stage.assert_quiet().await;
    assert_eq!(stage.astra.writes().len(), 3, "{:?}", stage.astra.writes());
}
