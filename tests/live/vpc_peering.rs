//! `AstraVpcPeering`: one peering of a Classic database.

use std::time::Duration;

use astra_simulator::{Event, Fault, Method};
use expect_test::expect;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::VpcPeering,
    wait::{condition, current, gone, is_ready},
};

fn azure() -> Value {
    json!({
        "database": { "name": "warehouse" },
        "azure": {
            "tenantId": "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10",
            "subscriptionId": "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
            "resourceGroup": "network",
            "virtualNetwork": "hub",
        },
    })
}

/// The call that makes it.
const POST_AZURE: &str = r#"POST /v2/peering/provider/azure/database/{warehouse} {"resourceGroupName":"network","subscriptionId":"9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001","tenantId":"3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10","virtualNetworkName":"hub"}"#;
/// What an object that it is of owns.
const OWNED: &str = "peering/azure/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/hub";
const DELETE_AZURE: &str = "DELETE /v2/peering/provider/azure/database/{warehouse}";

fn set_status(stage: &Stage, status: &str) {
    stage.astra.happens(&Event::SetPeeringStatus { database: id_of("warehouse"), status: status.into() });
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_created_and_waited_for() {
    let mut stage = Stage::empty().await;
    stage.astra.change(|state| state.peering_delay = Duration::from_secs(3));
    stage.start(&[]);
    stage.apply::<VpcPeering>("warehouse", azure()).await;
    let pending = stage.reconciling::<VpcPeering>("warehouse", "PeeringPending").await;
    let said = &condition(&pending, "Ready").unwrap().message;
    assert!(said.contains(r#""provisioning""#), "{said}");
    let object = stage.ready::<VpcPeering>("warehouse").await;
    assert_eq!(stage.astra.writes(), [POST_AZURE]);
    let status = current(&object).unwrap();
    assert_eq!(status.owned, [OWNED]);
    let details = &status.details;
    assert_eq!(
        (details.provider.as_deref(), details.peering_status.as_deref()),
        (Some("Azure"), Some("active"))
    );
    assert!(details.connection_id.is_some());
    assert_eq!(details.peer_network.as_ref().unwrap().network, "hub");
    assert!(!details.astra_network.as_ref().unwrap().cidr_block.is_empty());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn aws_and_google_cloud() {
    let stage = Stage::new().await;
    let aws = json!({
        "database": { "name": "legacy" },
        "aws": { "accountId": "123456789012", "region": "us-west-2", "vpcId": "vpc-0a1b2c3d4e5f60718", "cidrBlock": "10.1.0.0/16" },
    });
    let gcp = json!({
        "database": { "name": "archive" },
        "gcp": { "projectId": "acme-network", "network": "shared" },
    });
    stage.apply_ready::<VpcPeering>("legacy", aws).await;
    stage.apply_ready::<VpcPeering>("archive", gcp).await;
    expect![[r#"
        POST /v2/peering/provider/aws/database/{legacy} {"accountId":"123456789012","cidrBlock":"10.1.0.0/16","region":"us-west-2","vpcId":"vpc-0a1b2c3d4e5f60718"}
        POST /v2/peering/provider/gcp/database/{archive} {"projectId":"acme-network","vpcNetworkName":"shared"}
    "#]].assert_eq(&stage.astra.written());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_adopted_when_it_is_there_and_made_again_when_it_is_lost() {
    let stage = Stage::new().await;
    let mut spec = azure();
    spec["deletionPolicy"] = json!("Retain");
    stage.apply_ready::<VpcPeering>("first", spec).await;
    stage.astra.forget();
    stage.delete_and_wait::<VpcPeering>("first").await;
    let object: VpcPeering = stage.apply_ready("second", azure()).await;
    assert_eq!(stage.astra.written(), "", "Retain leaves it, and the next object finds it");
    assert_eq!(current(&object).unwrap().owned, [OWNED]);

    let before = current(&object).unwrap().details.connection_id.clone();
    stage.astra.happens(&Event::RemovePeering { database: id_of("warehouse") });
    let made_again = |object: &VpcPeering| {
        let status = object.status.as_ref().unwrap();
        let connection = &status.details.connection_id;
        is_ready(object) && status.in_flight.is_none() && connection.is_some() && *connection != before
    };
    stage.object("second", "to have a new connection", made_again).await;
    assert_eq!(stage.astra.writes(), [POST_AZURE]);
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_object_stays_until_the_peering_is_gone() {
    let stage = Stage::new().await;
    stage.apply_ready::<VpcPeering>("warehouse", azure()).await;
    stage.astra.forget();
    stage.astra.change(|state| state.peering_delay = Duration::from_secs(2));
    let object = stage.delete::<VpcPeering>("warehouse").await;
    let deleting =
        |object: &VpcPeering| condition(object, "Ready").is_some_and(|ready| ready.reason == "Deleting");
    stage.object::<VpcPeering>("warehouse", "to wait for the deletion", deleting).await;
    assert!(stage.astra.database("warehouse").peering.is_some());
    gone(&stage.api(), &object).await;
    assert_eq!(stage.astra.writes(), [DELETE_AZURE]);
    assert!(stage.astra.database("warehouse").peering.is_none());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn each_status_says_what_comes_next() {
    let stage = Stage::new().await;
    stage.apply_ready::<VpcPeering>("warehouse", azure()).await;
    stage.astra.forget();
    for (status, reason, words) in [
        ("pending-acceptance", "PeeringPending", "accept it on the other side"),
        (
            "Conflict Error: RemotePeeringIsDisconnected",
            "PeeringFailed",
            "1. delete the disconnected peering of Astra DB from your virtual network",
        ),
        ("initiating", "PeeringPending", "nothing to do but wait"),
        ("failed", "PeeringFailed", "check the ids in the spec"),
        ("Error: SubscriptionNotRegistered", "PeeringFailed", "mend the cause"),
        ("never-heard-of", "PeeringPending", "nothing to do but wait"),
        ("expired", "PeeringFailed", "did not come through"),
    ] {
        set_status(&stage, status);
        let told = |object: &VpcPeering| {
            condition(object, "Ready")
                .is_some_and(|ready| ready.reason == reason && ready.message.contains(words))
        };
        let object = stage.object("warehouse", &format!("to tell of {status:?}"), told).await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(&format!("{status:?}")), "Astra's own words are missing: {said}");
        let stalled = condition(&object, "Stalled").is_some();
        assert_eq!(stalled, reason == "PeeringFailed", "{status}");
        assert_eq!(condition(&object, "Reconciling").is_some(), !stalled, "{status}");
    }
    set_status(&stage, "active");
    stage.ready::<VpcPeering>("warehouse").await;
    assert_eq!(stage.astra.written(), "", "a status alone is no reason to send anything");

    // A disconnected peering can be deleted and made anew, as the message says.
    set_status(&stage, "Conflict Error: RemotePeeringIsDisconnected");
    stage.delete_and_wait::<VpcPeering>("warehouse").await;
    stage.apply_ready::<VpcPeering>("warehouse", azure()).await;
    assert_eq!(stage.astra.writes(), [DELETE_AZURE, POST_AZURE]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_peering_with_another_network_is_left_alone() {
    let stage = Stage::new().await;
    let mut other = azure();
    other["azure"]["virtualNetwork"] = json!("spoke");
    other["deletionPolicy"] = json!("Retain");
    stage.apply_ready::<VpcPeering>("other", other).await;
    stage.delete_and_wait::<VpcPeering>("other").await;
    stage.astra.forget();
    stage.apply::<VpcPeering>("warehouse", azure()).await;
    let object = stage.stalled::<VpcPeering>("warehouse", "Conflict").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains("already peered with spoke"), "{said}");
    stage.assert_quiet().await;
    stage.delete_and_wait::<VpcPeering>("warehouse").await;
    assert_eq!(stage.astra.written(), "");
    assert!(stage.astra.database("warehouse").peering.is_some());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn serverless_databases_and_other_clouds_are_refused_with_the_way_out() {
    let stage = Stage::new().await;
    for (database, words) in [
        ("ledger", "is serverless; Astra peers Classic databases only. Use an AstraPrivateEndpoint"),
        ("legacy", "spec.azure: database legacy is on AWS"),
    ] {
        let mut spec = azure();
        spec["database"]["name"] = json!(database);
        stage.apply::<VpcPeering>(database, spec).await;
        let object = stage.stalled::<VpcPeering>(database, "InvalidSpec").await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn an_answer_that_is_lost_makes_no_second_peering() {
    let stage = Stage::new().await;
    let path = "/v2/peering/provider/azure/database/*";
    stage.astra.fails(&Fault::lost_answer().on(Method::Post, path).times(1));
    stage.apply_ready::<VpcPeering>("warehouse", azure()).await;
    assert_eq!(stage.astra.writes(), [POST_AZURE]);
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn of_two_for_one_database_the_older_goes_on() {
    let stage = Stage::new().await;
    stage.apply_ready::<VpcPeering>("a-older", azure()).await;
    stage.apply::<VpcPeering>("b-younger", azure()).await;
    stage.stalled::<VpcPeering>("b-younger", "Conflict").await;
    stage.assert_quiet().await;
    // The younger one never owned it, so its deletion leaves it.
    stage.delete_and_wait::<VpcPeering>("b-younger").await;
    stage.ready::<VpcPeering>("a-older").await;
    assert_eq!(stage.astra.writes(), [POST_AZURE]);
}
