//! `AstraAccessList` as the whole list of a database (Exclusive).

use astra_operator::kinds::access_list::PublicAccess;
use astra_simulator::Event;
use expect_test::expect;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::AccessList,
    wait::{condition, current, gone, until},
};

/// `orders` lets in two offices, one of them not now.
fn offices() -> Value {
    json!({
        "database": { "name": "orders" },
        "addresses": [
            { "address": "203.0.113.0/24", "description": "Berlin" },
            { "address": "198.51.100.7", "description": "Lisbon", "enabled": false },
        ],
    })
}

/// What Astra has when all is well.
const OFFICES: [&str; 2] = ["203.0.113.0/24 Berlin", "198.51.100.7 Lisbon off"];

/// The one call that makes it so.
const PUT_OFFICES: &str = r#"PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"203.0.113.0/24","description":"Berlin","enabled":true},{"address":"198.51.100.7","description":"Lisbon","enabled":false}],"configurations":{"accessListEnabled":true}}"#;

/// Somebody adds an entry to the list of `orders`, or changes one.
fn by_hand(address: &str) -> Event {
    let (database, address) = (id_of("orders"), address.to_owned());
    Event::AddAddress { database, address, description: "by hand".into(), enabled: true }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_created_in_one_call() {
    let stage = Stage::new().await;
    let list: AccessList = stage.apply_ready("offices", offices()).await;
    assert_eq!(stage.astra.writes(), [PUT_OFFICES]);
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
    let mut stage = Stage::empty().await;
    // The same network in other words is the same.
    for address in ["203.0.113.0/24", "198.51.100.7/32"] {
        stage.astra.happens(&Event::AddAddress {
            database: id_of("orders"),
            address: address.into(),
            description: if address.starts_with("203") { "Berlin" } else { "Lisbon" }.into(),
            enabled: address.starts_with("203"),
        });
    }
    stage.astra.happens(&Event::SetRestriction { database: id_of("orders"), enabled: true });
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

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_change_of_words_or_of_one_switch_is_one_call() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("offices", offices()).await;
    let mut spec = offices();
    for (entry, field, value, listed) in [
        (0, "description", json!("Berlin, all floors"), ["203.0.113.0/24 Berlin, all floors", OFFICES[1]]),
        (1, "enabled", json!(true), ["203.0.113.0/24 Berlin, all floors", "198.51.100.7 Lisbon"]),
    ] {
        stage.astra.forget();
        spec["addresses"][entry][field] = value;
        stage.apply_ready::<AccessList>("offices", spec.clone()).await;
        let writes = stage.astra.writes();
        assert!(writes.len() == 1 && writes[0].starts_with("PUT "), "{field}: {writes:?}");
        assert_eq!(stage.astra.addresses("orders").unwrap(), listed);
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn every_drift_is_put_right_by_one_call() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("offices", offices()).await;
    let database = id_of("orders");
    for drift in [
        Event::RemoveAddress { database: database.clone(), address: "203.0.113.0/24".into() },
        by_hand("192.0.2.9"),
        by_hand("203.0.113.0/24"),
        Event::AddAddress {
            database: database.clone(),
            address: "198.51.100.7".into(),
            description: "Lisbon".into(),
            enabled: true,
        },
        Event::SetRestriction { database: database.clone(), enabled: false },
        Event::RemoveAccessList { database },
    ] {
        stage.astra.forget();
        stage.astra.happens(&drift);
        until(&format!("{drift:?} to be put right"), || {
            let right = stage.astra.addresses("orders")? == OFFICES && stage.astra.is_restricted("orders");
            right.then_some(())
        })
        .await;
        assert_eq!(stage.astra.writes(), [PUT_OFFICES], "after {drift:?}");
        stage.settled::<AccessList>("offices").await;
    }
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_kept_in_astra_when_the_object_is_deleted() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("offices", offices()).await;
    stage.astra.forget();
    stage.delete_and_wait::<AccessList>("offices").await;
    assert_eq!(stage.astra.written(), "", "the default is Retain");
    assert_eq!(stage.astra.addresses("orders").unwrap(), OFFICES);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn deletion_takes_what_is_owned_and_leaves_the_restriction_on() {
    let mut stage = Stage::new().await;
    let mut spec = offices();
    spec["deletionPolicy"] = json!("Delete");
    stage.apply_ready::<AccessList>("offices", spec).await;
    // Somebody adds an entry while the operator is down, and the object is deleted before it is back.
    stage.take_operator().kill();
    stage.astra.happens(&by_hand("192.0.2.9"));
    let object = stage.delete::<AccessList>("offices").await;
    stage.astra.forget();
    stage.start(&[]);
    gone(&stage.api(), &object).await;
    expect![[r#"
        DELETE /v2/databases/{orders}/access-list?addresses=203.0.113.0%2F24 {"addresses":[{"address":"203.0.113.0/24"}]}
        DELETE /v2/databases/{orders}/access-list?addresses=198.51.100.7 {"addresses":[{"address":"198.51.100.7"}]}
    "#]]
    .assert_eq(&stage.astra.written());
    assert_eq!(stage.astra.addresses("orders").unwrap(), ["192.0.2.9 by hand"]);
    assert!(stage.astra.is_restricted("orders"));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_object_stays_until_astra_shows_its_addresses_gone() {
    let mut stage = Stage::with_astra(&["--eventual-consistency", "1500ms"]).await;
    stage.start(&[]);
    let mut spec = offices();
    spec["deletionPolicy"] = json!("Delete");
    stage.apply_ready::<AccessList>("offices", spec).await;
    stage.delete_and_wait::<AccessList>("offices").await;
    let requests = stage.astra.requests();
    let removed = requests.iter().rfind(|request| request.method == "DELETE").unwrap().time;
    let looked = requests.iter().rfind(|request| request.path.ends_with("/access-list")).unwrap();
    assert_eq!(looked.method, "GET", "the place itself is read at the end");
    let lag = looked.time.duration_since(removed).as_millis();
    assert!(lag >= 1500, "the object went {lag} ms after the last removal, when reads still showed it");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn blocked_lets_in_nobody_and_open_everybody() {
    let stage = Stage::new().await;
    let spec = |access: &str| json!({ "database": { "name": "orders" }, "publicAccess": access });
    let blocked: AccessList = stage.apply_ready("door", spec("Blocked")).await;
    assert_eq!(current(&blocked).unwrap().details.public_access, Some(PublicAccess::Blocked));
    let open: AccessList = stage.apply_ready("door", spec("Open")).await;
    assert_eq!(current(&open).unwrap().details.public_access, Some(PublicAccess::Open));
    expect![[r#"
        PUT /v2/databases/{orders}/access-list {"addresses":[],"configurations":{"accessListEnabled":true}}
        PUT /v2/databases/{orders}/access-list {"addresses":[],"configurations":{"accessListEnabled":false}}
    "#]]
    .assert_eq(&stage.astra.written());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn of_two_whole_lists_the_older_goes_on() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("a-older", offices()).await;
    let other = json!({ "database": { "id": id_of("orders") }, "addresses": [{ "address": "192.0.2.1" }] });
    let younger: AccessList = {
        stage.apply::<AccessList>("b-younger", other).await;
        stage.stalled("b-younger", "Conflict").await
    };
    let said = &condition(&younger, "Ready").unwrap().message;
    assert!(said.contains("/a-older is older"), "{said}");
    assert!(current(&younger).unwrap().owned.is_empty());
    stage.assert_quiet().await;
    assert_eq!(stage.astra.writes(), [PUT_OFFICES]);
    stage.ready::<AccessList>("a-older").await;

    // The younger takes over, in one call, when the older is gone.
    stage.astra.forget();
    stage.delete_and_wait::<AccessList>("a-older").await;
    stage.ready::<AccessList>("b-younger").await;
    expect![[r#"
        PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"192.0.2.1","description":"","enabled":true}],"configurations":{"accessListEnabled":true}}
    "#]]
    .assert_eq(&stage.astra.written());
}
