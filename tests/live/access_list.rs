//! `AstraAccessList`: one database's list and its switch.

use astra_operator::{kinds::access_list::PublicAccess, resource::annotation};
use astra_simulator::{Event, state::AccessList as StoredList};
use expect_test::expect;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::AccessList,
    wait::{condition, current, until},
};

/// `orders` lets in two offices.
fn offices() -> Value {
    json!({
        "database": { "name": "orders" },
        "addresses": [
            { "address": "203.0.113.0/24", "description": "Berlin" },
            { "address": "198.51.100.7", "description": "Lisbon", "enabled": false },
        ],
    })
}

/// `payments` lets in one more.
fn shared(address: &str) -> Value {
    json!({
        "database": { "name": "payments" },
        "management": "Shared",
        "deletionPolicy": "Delete",
        "addresses": [{ "address": address }],
    })
}

/// Somebody has put an entry into a list by hand.
fn by_hand(stage: &Stage, database: &str, address: &str) {
    let (database, address) = (id_of(database), address.to_owned());
    stage.astra.happens(&Event::AddAddress {
        database,
        address,
        description: "by hand".into(),
        enabled: true,
    });
}

fn restrict(stage: &Stage, database: &str, enabled: bool) {
    stage.astra.happens(&Event::SetRestriction { database: id_of(database), enabled });
}

/// Waits until Astra has exactly these addresses in the list, in any order.
async fn listed(stage: &Stage, database: &str, addresses: &[&str]) {
    let mut expected = addresses.to_vec();
    expected.sort_unstable();
    until(&format!("{database} to list {expected:?}"), || {
        let mut found = stage.astra.addresses(database)?;
        found.sort_unstable();
        (found == expected).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_created_in_one_call() {
    let stage = Stage::new().await;
    let list: AccessList = stage.apply_ready("offices", offices()).await;
    expect![[r#"
        PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"203.0.113.0/24","description":"Berlin","enabled":true},{"address":"198.51.100.7","description":"Lisbon","enabled":false}],"configurations":{"accessListEnabled":true}}
    "#]]
    .assert_eq(&stage.astra.written());
    let status = current(&list).unwrap();
    assert_eq!(status.database_id, Some(id_of("orders")));
    assert_eq!(status.database_name.as_deref(), Some("orders"));
    assert_eq!(status.owned, ["address/198.51.100.7/32", "address/203.0.113.0/24"]);
    assert_eq!(status.details.public_access, Some(PublicAccess::Listed));
    assert_eq!(status.details.address_count, Some(2));
    assert!(status.in_flight.is_none() && status.last_change_time.is_some());
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_adopted_when_it_is_there() {
    let stage = Stage::empty().await;
    // The same network in other words is the same.
    for address in ["203.0.113.0/24", "198.51.100.7/32"] {
        stage.astra.happens(&Event::AddAddress {
            database: id_of("orders"),
            address: address.into(),
            description: if address.starts_with("203") { "Berlin" } else { "Lisbon" }.into(),
            enabled: address.starts_with("203"),
        });
    }
    restrict(&stage, "orders", true);
    let mut stage = stage;
    stage.start(&[]);
    let list: AccessList = stage.apply_ready("offices", offices()).await;
    assert_eq!(stage.astra.written(), "");
    assert_eq!(current(&list).unwrap().owned, ["address/198.51.100.7/32", "address/203.0.113.0/24"]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_updated_in_place_in_one_call() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("offices", offices()).await;
    stage.astra.forget();
    let mut spec = offices();
    spec["addresses"] = json!([
        { "address": "203.0.113.0/24", "description": "Berlin, second floor" },
        { "address": "192.0.2.0/25", "enabled": false },
    ]);
    stage.apply_ready::<AccessList>("offices", spec).await;
    expect![[r#"
        PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"203.0.113.0/24","description":"Berlin, second floor","enabled":true},{"address":"192.0.2.0/25","description":"","enabled":false}],"configurations":{"accessListEnabled":true}}
    "#]]
    .assert_eq(&stage.astra.written());
    let events = stage.events("offices").join("\n");
    assert!(
        events.contains(
            "AccessListReplaced Replaced the access list: ~203.0.113.0/24 +192.0.2.0/25 -198.51.100.7"
        ),
        "{events}"
    );
}
