//! `AstraAccessList` as a part of a list that others use, too (Shared).

use astra_simulator::Event;
use expect_test::expect;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::AccessList,
    wait::{condition, current, until},
};

/// A team's addresses in the list of `payments`.
fn team(addresses: &[&str]) -> Value {
    let addresses: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
    json!({
        "database": { "name": "payments" },
        "management": "Shared",
        "deletionPolicy": "Delete",
        "addresses": addresses,
    })
}

/// Somebody else has an entry in the list of `payments`.
fn others_entry(stage: &Stage) {
    stage.astra.happens(&Event::AddAddress {
        database: id_of("payments"),
        address: "192.0.2.200".into(),
        description: "of others".into(),
        enabled: true,
    });
}

async fn listed(stage: &Stage, addresses: &[&str]) {
    let mut expected = addresses.to_vec();
    expected.sort_unstable();
    until(&format!("the list to be {expected:?}"), || {
        let mut found = stage.astra.addresses("payments")?;
        found.sort_unstable();
        (found == expected).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn adds_its_own_and_leaves_the_rest_and_the_switch() {
    let mut stage = Stage::empty().await;
    others_entry(&stage);
    stage.start(&[]);
    let object: AccessList = stage.apply_ready("team", team(&["203.0.113.1", "203.0.113.2"])).await;
    expect![[r#"
        POST /v2/databases/{payments}/access-list [{"address":"203.0.113.1","description":"","enabled":true},{"address":"203.0.113.2","description":"","enabled":true}]
    "#]]
    .assert_eq(&stage.astra.written());
    assert!(!stage.astra.is_restricted("payments"));
    let status = current(&object).unwrap();
    assert_eq!(status.owned, ["address/203.0.113.1/32", "address/203.0.113.2/32"]);
    assert_eq!(status.details.unmanaged_addresses, ["192.0.2.200"]);
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn restricts_when_it_says_listed_and_only_after_its_addresses_are_in() {
    let stage = Stage::new().await;
    let mut spec = team(&["203.0.113.1"]);
    spec["publicAccess"] = json!("Listed");
    stage.apply_ready::<AccessList>("team", spec).await;
    expect![[r#"
        POST /v2/databases/{payments}/access-list [{"address":"203.0.113.1","description":"","enabled":true}]
        PATCH /v2/databases/{payments}/access-list {"configurations":{"accessListEnabled":true}}
    "#]]
    .assert_eq(&stage.astra.written());

    // The switch is its business from now on; to switch it off is drift.
    stage.astra.forget();
    stage.astra.happens(&Event::SetRestriction { database: id_of("payments"), enabled: false });
    until("access to be restricted again", || stage.astra.is_restricted("payments").then_some(())).await;
    expect![[r#"
        PATCH /v2/databases/{payments}/access-list {"configurations":{"accessListEnabled":true}}
    "#]]
    .assert_eq(&stage.astra.written());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_updated_in_place_additions_first() {
    let mut stage = Stage::empty().await;
    others_entry(&stage);
    stage.start(&[]);
    stage.apply_ready::<AccessList>("team", team(&["203.0.113.1", "203.0.113.2"])).await;
    stage.astra.forget();
    let mut spec = team(&["203.0.113.2", "203.0.113.3"]);
    spec["addresses"][0]["description"] = json!("kept");
    stage.apply_ready::<AccessList>("team", spec).await;
    expect![[r#"
        POST /v2/databases/{payments}/access-list [{"address":"203.0.113.2","description":"kept","enabled":true},{"address":"203.0.113.3","description":"","enabled":true}]
        DELETE /v2/databases/{payments}/access-list?addresses=203.0.113.1 {"addresses":[{"address":"203.0.113.1"}]}
    "#]]
    .assert_eq(&stage.astra.written());
    listed(&stage, &["192.0.2.200 of others", "203.0.113.2 kept", "203.0.113.3"]).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn drift_of_its_own_is_put_right_and_that_of_others_left() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("team", team(&["203.0.113.1"])).await;
    let database = id_of("payments");
    others_entry(&stage);
    for drift in [
        Event::RemoveAddress { database: database.clone(), address: "203.0.113.1".into() },
        Event::AddAddress {
            database,
            address: "203.0.113.1".into(),
            description: String::new(),
            enabled: false,
        },
    ] {
        stage.astra.forget();
        stage.astra.happens(&drift);
        listed(&stage, &["192.0.2.200 of others", "203.0.113.1"]).await;
        let expected = r#"POST /v2/databases/{payments}/access-list [{"address":"203.0.113.1","description":"","enabled":true}]"#;
        assert_eq!(stage.astra.writes(), [expected], "after {drift:?}");
        stage.settled::<AccessList>("team").await;
    }
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_address_of_two_owners_goes_with_the_last_one() {
    let stage = Stage::new().await;
    others_entry(&stage);
    stage.apply_ready::<AccessList>("a", team(&["203.0.113.1", "203.0.113.9"])).await;
    stage.apply_ready::<AccessList>("b", team(&["203.0.113.2", "203.0.113.9"])).await;
    stage.astra.forget();
    stage.delete_and_wait::<AccessList>("a").await;
    stage.ready::<AccessList>("b").await;
    stage.assert_quiet().await;
    stage.delete_and_wait::<AccessList>("b").await;
    expect![[r#"
        DELETE /v2/databases/{payments}/access-list?addresses=203.0.113.1 {"addresses":[{"address":"203.0.113.1"}]}
        DELETE /v2/databases/{payments}/access-list?addresses=203.0.113.9 {"addresses":[{"address":"203.0.113.9"}]}
        DELETE /v2/databases/{payments}/access-list?addresses=203.0.113.2 {"addresses":[{"address":"203.0.113.2"}]}
    "#]]
    .assert_eq(&stage.astra.written());
    listed(&stage, &["192.0.2.200 of others"]).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn beside_an_older_whole_list_it_stalls_and_sends_nothing() {
    let stage = Stage::new().await;
    let whole = json!({ "database": { "name": "payments" }, "addresses": [{ "address": "192.0.2.1" }] });
    stage.apply_ready::<AccessList>("a-whole", whole).await;
    stage.apply::<AccessList>("b-part", team(&["203.0.113.1"])).await;
    let part = stage.stalled::<AccessList>("b-part", "Conflict").await;
    let said = &condition(&part, "Stalled").unwrap().message;
    assert!(said.contains("/a-whole is older and manages the same thing exclusively"), "{said}");
    stage.assert_quiet().await;
    listed(&stage, &["192.0.2.1"]).await;

    // It has added nothing, so its deletion takes nothing.
    stage.astra.forget();
    stage.delete_and_wait::<AccessList>("b-part").await;
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_older_part_keeps_its_place_beside_a_whole_list() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("a-part", team(&["203.0.113.1"])).await;
    let whole = json!({ "database": { "name": "payments" }, "addresses": [{ "address": "192.0.2.1" }] });
    stage.apply::<AccessList>("b-whole", whole).await;
    stage.stalled::<AccessList>("b-whole", "Conflict").await;
    stage.assert_quiet().await;
    listed(&stage, &["203.0.113.1"]).await;
}
