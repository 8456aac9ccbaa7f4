//! `AstraPrivateEndpoint`: what is special to a cloud, and to a database of several regions.

use expect_test::expect;
use serde_json::json;

use crate::harness::{
    Stage,
    astra::id_of,
    stage::PrivateEndpoint,
    wait::{condition, current},
};

const PRINCIPAL: &str = "arn:aws:iam::123456789012:root";
const ENDPOINT: &str = "vpce-0f7aed6e7a18a1791";
const OTHER_ENDPOINT: &str = "vpce-0c3d4e5f607182930";

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn azures_own_id_is_learned_and_used() {
    let stage = Stage::new().await;
    let subscription = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";
    let resource = |name: &str| {
        format!(
            "/subscriptions/{subscription}/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/{name}"
        )
    };
    let spec = |name: &str, description: &str| {
        json!({
            "database": { "name": "ledger" },
            "allowedPrincipals": [subscription],
            "endpoints": [{ "id": resource(name), "description": description }],
        })
    };
    let object: PrivateEndpoint = stage.apply_ready("ledger", spec("astra-ledger", "hub")).await;
    let astra_id = current(&object).unwrap().details.endpoints[0].astra_id.clone().unwrap();
    assert!(astra_id.starts_with("astra-ledger."), "{astra_id}");
    stage.assert_quiet().await;

    stage.apply_ready::<PrivateEndpoint>("ledger", spec("astra-ledger", "spoke")).await;
    stage.apply_ready::<PrivateEndpoint>("ledger", spec("astra-other", "spoke")).await;
    stage.delete_and_wait::<PrivateEndpoint>("ledger").await;
    let written = stage.astra.written().replace(&astra_id, "{ID}");
    expect![[r#"
        POST /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/private-link {"allowedPrincipals":["9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"]}
        POST /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints {"description":"hub","endpointID":"/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/astra-ledger"}
        PUT /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints/{ID} {"description":"spoke"}
        POST /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints {"description":"spoke","endpointID":"/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/astra-other"}
        DELETE /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints/{ID}
        DELETE /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints/astra-other.7d582ccf-137e-4854-a4b7-e8422296ac5a
        DELETE /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/allowed-principals {"allowedPrincipal":"9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"}
    "#]].assert_eq(&written);
    assert_eq!(stage.astra.link("ledger"), (vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn google_clouds_ids_and_names() {
    let stage = Stage::new().await;
    let spec = json!({
        "database": { "name": "fraud" },
        "allowedPrincipals": ["acme-network"],
        "endpoints": [{ "id": "13585698993864708" }],
    });
    let object: PrivateEndpoint = stage.apply_ready("fraud", spec).await;
    let details = &current(&object).unwrap().details;
    assert_eq!(details.provider.as_deref(), Some("Google Cloud"));
    let uri = details.service_attachment_uri.as_ref().unwrap();
    let service = details.service_name.as_ref().unwrap();
    assert_eq!(*uri, format!("https://www.googleapis.com/compute/v1/{service}"));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn two_regions_are_two_objects() {
    let stage = Stage::new().await;
    let spec = |region: Option<&str>, endpoint: &str| {
        let mut spec = json!({
            "database": { "name": "catalog" },
            "allowedPrincipals": [PRINCIPAL],
            "endpoints": [{ "id": endpoint }],
        });
        if let Some(region) = region {
            spec["region"] = json!(region);
        }
        spec
    };
    stage.apply::<PrivateEndpoint>("which", spec(None, ENDPOINT)).await;
    let which = stage.stalled::<PrivateEndpoint>("which", "InvalidSpec").await;
    let said = &condition(&which, "Ready").unwrap().message;
    assert!(
        said.contains("spec.region") && said.contains("eu-west-1") && said.contains("us-east-1"),
        "{said}"
    );
    assert_eq!(stage.astra.written(), "");

    let east: PrivateEndpoint = stage.apply_ready("east", spec(Some("us-east-1"), ENDPOINT)).await;
    let west: PrivateEndpoint = stage.apply_ready("west", spec(Some("eu-west-1"), OTHER_ENDPOINT)).await;
    let id = id_of("catalog");
    assert_eq!(current(&east).unwrap().details.datacenter_id, Some(format!("{id}-1")));
    assert_eq!(current(&west).unwrap().details.datacenter_id, Some(format!("{id}-2")));

    // Each deletion is about its own region.
    stage.astra.forget();
    stage.delete_and_wait::<PrivateEndpoint>("west").await;
    assert!(stage.astra.writes().iter().all(|write| write.contains("/datacenters/{catalog}-2/")));
    assert_eq!(stage.astra.link("catalog"), (vec![PRINCIPAL.into()], vec![ENDPOINT.into()]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_does_not_fit_the_database_is_told_and_not_sent() {
    let stage = Stage::new().await;
    let id = id_of("catalog");
    for (name, spec, words) in [
        (
            "region",
            json!({ "database": { "name": "catalog" }, "region": "us-west-2", "allowedPrincipals": [PRINCIPAL] }),
            r#"spec.region: database catalog has no region "us-west-2"; it has eu-west-1"#,
        ),
        (
            "disagree",
            json!({ "database": { "name": "catalog" }, "region": "us-east-1", "datacenterId": format!("{id}-2"),
                    "allowedPrincipals": [PRINCIPAL] }),
            r#"spec.region: is "us-east-1", but spec.datacenterId"#,
        ),
        (
            "guid",
            json!({ "database": { "name": "orders" }, "allowedPrincipals": ["9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"] }),
            "spec.allowedPrincipals: the database is on AWS, which takes an ARN",
        ),
        (
            "digits",
            json!({ "database": { "name": "orders" }, "endpoints": [{ "id": "13585698993864708" }] }),
            "spec.endpoints: the database is on AWS, which takes a VPC endpoint id",
        ),
    ] {
        stage.apply::<PrivateEndpoint>(name, spec).await;
        let object = stage.stalled::<PrivateEndpoint>(name, "InvalidSpec").await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(words), "{name}: {said}");
    }
    stage.assert_quiet().await;
    assert_eq!(stage.astra.written(), "");
}
