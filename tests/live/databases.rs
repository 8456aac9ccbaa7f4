//! Which database is meant, and what its state allows.

use astra_simulator::Event;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::{AccessList, VpcPeering},
    wait::{condition, current, gone},
};

fn list(database: &Value) -> Value {
    json!({ "database": database, "deletionPolicy": "Delete", "addresses": [{ "address": "203.0.113.7" }] })
}

fn named(name: &str) -> Value {
    list(&json!({ "name": name }))
}

fn set_status(stage: &Stage, database: &str, status: &str) {
    stage.astra.happens(&Event::SetDatabaseStatus { database: id_of(database), status: status.into() });
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_found_by_name_and_by_id_in_any_case() {
    let stage = Stage::new().await;
    let by_name: AccessList = stage.apply_ready("by-name", named("orders")).await;
    let id = id_of("sessions").to_uppercase();
    let by_id: AccessList = stage.apply_ready("by-id", list(&json!({ "id": id }))).await;
    assert_eq!(current(&by_name).unwrap().database_id, Some(id_of("orders")));
    assert_eq!(current(&by_id).unwrap().database_id, Some(id_of("sessions")));
    assert_eq!(current(&by_id).unwrap().database_name.as_deref(), Some("sessions"));
    assert_eq!(current(&by_id).unwrap().organization_id.as_deref(), Some(astra_simulator::state::ACME));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_cannot_be_found_stalls_and_says_what_was_found() {
    let stage = Stage::new().await;
    let globex = "f2b7d6a0-58c1-4c3e-8a9d-6e5f4d3c2b01";
    for (name, spec, reason, words) in [
        ("unknown-name", named("nowhere"), "DatabaseNotFound", r#"no database named "nowhere""#.to_owned()),
        (
            "unknown-id",
            list(&json!({ "id": "00000000-0000-4000-8000-000000000000" })),
            "DatabaseNotFound",
            "no database with the id 00000000-0000-4000-8000-000000000000".to_owned(),
        ),
        ("of-others", list(&json!({ "id": globex })), "DatabaseNotFound", globex.to_owned()),
        (
            "ambiguous",
            named("staging"),
            "DatabaseAmbiguous",
            format!("{}, {}; use spec.database.id", id_of("staging1"), id_of("staging2")),
        ),
        (
            "retired",
            list(&json!({ "id": id_of("retired") })),
            "DatabaseTerminated",
            "is TERMINATED".to_owned(),
        ),
        ("parked", named("dormant"), "DatabaseParked", "is PARKED: unpark it".to_owned()),
    ] {
        stage.apply::<AccessList>(name, spec).await;
        let object = stage.stalled::<AccessList>(name, reason).await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(&words), "{name}: {said}");
        // Deletion completes although nothing can be looked up.
        stage.delete_and_wait::<AccessList>(name).await;
    }
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn maintenance_is_waited_out() {
    let stage = Stage::new().await;
    stage.apply::<AccessList>("migrating", named("migrating")).await;
    let object = stage.reconciling::<AccessList>("migrating", "DatabaseNotReady").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains("is MAINTENANCE"), "{said}");
    assert_eq!(stage.astra.written(), "", "a busy database is not asked");
    set_status(&stage, "migrating", "ACTIVE");
    stage.ready::<AccessList>("migrating").await;
    assert_eq!(stage.astra.writes().len(), 1);

    // What is right stays Ready through the next maintenance.
    set_status(&stage, "migrating", "MAINTENANCE");
    stage.assert_quiet().await;
    stage.ready::<AccessList>("migrating").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_status_that_nobody_knows_is_tried() {
    let stage = Stage::new().await;
    set_status(&stage, "orders", "DEFRAGMENTING");
    stage.apply_ready::<AccessList>("orders", named("orders")).await;
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn parked_and_unparked() {
    let stage = Stage::new().await;
    stage.apply::<AccessList>("dormant", named("dormant")).await;
    stage.stalled::<AccessList>("dormant", "DatabaseParked").await;
    set_status(&stage, "dormant", "ACTIVE");
    stage.ready::<AccessList>("dormant").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn deletion_completes_when_the_database_is_gone() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("orders", named("orders")).await;
    let peering = json!({ "database": { "name": "archive" }, "gcp": { "projectId": "acme-network", "network": "shared" } });
    stage.apply_ready::<VpcPeering>("archive", peering).await;
    set_status(&stage, "orders", "TERMINATED");
    set_status(&stage, "archive", "TERMINATED");
    // By name it cannot be found any more, but what it was is recorded.
    stage
        .object::<AccessList>("orders", "not to be Ready", |object| {
            condition(object, "Ready").is_some_and(|ready| ready.status == "False")
        })
        .await;
    stage.astra.forget();
    stage.delete_and_wait::<AccessList>("orders").await;
    stage.delete_and_wait::<VpcPeering>("archive").await;
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_renamed_database_is_not_left_for_its_successor() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("orders", named("orders")).await;
    stage.astra.forget();
    stage.astra.change(|state| {
        for database in &mut state.databases {
            match database.name.as_str() {
                "orders" => "orders-old".clone_into(&mut database.name),
                "sessions" => "orders".clone_into(&mut database.name),
                _ => {}
            }
        }
    });
    let object = stage.stalled::<AccessList>("orders", "Conflict").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains(&id_of("orders")) && said.contains(&id_of("sessions")), "{said}");
    stage.assert_quiet().await;
}

/// A maintenance ends; a parked database may stay parked for ever, so Astra is asked.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_deletion_waits_out_maintenance_and_is_finished_on_a_parked_database() {
    let stage = Stage::new().await;
    for name in ["orders", "sessions"] {
        stage.apply::<AccessList>(name, named(name)).await;
        stage.settled::<AccessList>(name).await;
    }
    stage.astra.forget();

    set_status(&stage, "orders", "MAINTENANCE");
    let object = stage.delete::<AccessList>("orders").await;
    let told = |object: &AccessList| {
        condition(object, "Ready").is_some_and(|ready| ready.reason == "DatabaseNotReady")
    };
    stage.object("orders", "to wait for the end of the maintenance", told).await;
    assert_eq!(stage.astra.written(), "", "a database in MAINTENANCE is not asked");
    set_status(&stage, "orders", "ACTIVE");
    gone(&stage.api(), &object).await;
    assert_eq!(stage.astra.writes().len(), 1);

    set_status(&stage, "sessions", "PARKED");
    let object = stage.delete::<AccessList>("sessions").await;
    gone(&stage.api(), &object).await;
    assert_eq!(stage.astra.writes().len(), 2, "a parked database may stay parked, so it is asked");
}
