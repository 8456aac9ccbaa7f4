//! `/metrics`: what is told of a run agrees with what was sent, and tells no secret.

use std::net::TcpListener;

use serde_json::json;

use crate::harness::{
    Stage,
    stage::AccessList,
    trio::{all_ready, apply_all},
    wait::until,
};

/// The number of the series that begin so, added up.
fn sum(text: &str, series: &str) -> u64 {
    let of = text.lines().filter(|line| line.starts_with(series));
    of.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_was_sent_what_is_ready_and_what_was_put_right_is_counted() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut stage = Stage::empty().await;
    stage.start(&["--metrics-address", &address]);
    let scrape = || {
        let mut answer = ureq::get(format!("http://{address}/metrics")).call().ok()?;
        assert!(
            answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text")
        );
        answer.body_mut().read_to_string().ok()
    };
    apply_all(&stage).await;
    all_ready(&stage).await;
    let ready = r#"condition="Ready",status="True""#;
    let text = until("three objects to be counted as Ready", || {
        let text = scrape()?;
        let of_all =
            text.lines().filter(|line| line.starts_with("astra_operator_objects{") && line.contains(ready));
        (of_all.count() == 3).then_some(text)
    })
    .await;
    assert_eq!(sum(&text, "astra_operator_leading"), 1);
    assert_eq!(sum(&text, "astra_operator_drift_corrected_total"), 0, "nobody else has changed anything");
    let writes = stage.astra.writes().len() as u64;
    let sent: u64 = ["POST", "PUT", "PATCH", "DELETE"]
        .iter()
        .map(|method| sum(&text, &format!("astra_operator_devops_requests_total{{method=\"{method}\"")))
        .sum();
    assert_eq!((sent, sum(&text, "astra_operator_steps_total")), (writes, writes), "{text}");

    stage.astra.change(|state| {
        let orders = state.databases.iter_mut().find(|database| database.name == "orders").unwrap();
        orders.access_list.as_mut().unwrap().addresses.clear();
    });
    let drift = r#"astra_operator_drift_corrected_total{kind="AstraAccessList"}"#;
    until("the drift to be counted", || scrape().filter(|text| sum(text, drift) == 1)).await;

    // A name that needs a person, and a namespace with its reason.
    stage
        .apply::<AccessList>("lost", json!({ "database": { "name": "nowhere" }, "publicAccess": "Blocked" }))
        .await;
    let stalled = format!(
        "astra_operator_objects{{kind=\"AstraAccessList\",namespace=\"{}\",condition=\"Ready\",status=\"False\",reason=\"DatabaseNotFound\"}} 1",
        stage.namespace
    );
    let text =
        until("the one that stalls to be counted", || scrape().filter(|text| text.contains(&stalled))).await;
    let token = stage.astra.token();
    assert!(!text.contains("AstraCS") && !text.contains(token.rsplit(':').next().unwrap()), "{text}");
}
