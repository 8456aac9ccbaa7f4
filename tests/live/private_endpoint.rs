//! `AstraPrivateEndpoint`: who may connect to a database privately, and through which endpoints.

use astra_simulator::{Event, state::Endpoint};
use expect_test::expect;
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::PrivateEndpoint,
    wait::{condition, current, gone, until},
};

const PRINCIPAL: &str = "arn:aws:iam::123456789012:root";
const OTHER_PRINCIPAL: &str = "arn:aws:iam::210987654321:root";
const ENDPOINT: &str = "vpce-0f7aed6e7a18a1791";
const OTHER_ENDPOINT: &str = "vpce-0c3d4e5f607182930";

/// `orders` with one principal and one endpoint.
fn orders() -> Value {
    json!({
        "database": { "name": "orders" },
        "allowedPrincipals": [PRINCIPAL],
        "endpoints": [{ "id": ENDPOINT, "description": "production" }],
    })
}

/// The calls that make it.
const ALLOW: &str = r#"POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}"#;
const ACCEPT: &str = r#"POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"production","endpointID":"vpce-0f7aed6e7a18a1791"}"#;

/// Others have a principal and an endpoint at `orders`.
fn others(stage: &Stage) {
    stage.astra.change(|state| {
        let id = id_of("orders");
        let database = state.databases.iter_mut().find(|database| database.id == id).unwrap();
        database.private_links.push(
            serde_json::from_value(json!({
                "datacenterId": format!("{id}-1"),
                "allowedPrincipals": [OTHER_PRINCIPAL],
                "endpoints": [{ "endpointId": OTHER_ENDPOINT, "description": "of others" }],
            }))
            .unwrap(),
        );
    });
}

/// Puts an endpoint into a status that nobody knows.
fn set_status(stage: &Stage, status: &str) {
    stage.astra.change(|state| {
        let links = state.databases.iter_mut().flat_map(|database| &mut database.private_links);
        let endpoints = links.flat_map(|link| &mut link.endpoints);
        endpoints.for_each(|endpoint: &mut Endpoint| status.clone_into(&mut endpoint.status));
    });
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_created_principals_first() {
    let stage = Stage::new().await;
    let object: PrivateEndpoint = stage.apply_ready("orders", orders()).await;
    assert_eq!(stage.astra.writes(), [ALLOW, ACCEPT]);
    let status = current(&object).unwrap();
    assert_eq!(status.owned, [format!("endpoint/{ENDPOINT}"), format!("principal/{PRINCIPAL}")]);
    let details = &status.details;
    let id = id_of("orders");
    assert_eq!(details.provider.as_deref(), Some("AWS"));
    assert_eq!(details.region.as_deref(), Some("us-east-2"));
    assert_eq!(details.datacenter_id, Some(format!("{id}-1")));
    assert!(details.service_name.as_ref().unwrap().starts_with("com.amazonaws.vpce.us-east-2.vpce-svc-"));
    assert_eq!(
        details.dns_names,
        [format!("{id}-us-east-2.apps.astra.datastax.com"), format!("{id}-us-east-2.db.astra.datastax.com")]
    );
    assert_eq!(details.allowed_principals, [PRINCIPAL]);
    let [endpoint] = details.endpoints.as_slice() else { panic!("{details:?}") };
    assert_eq!(
        (endpoint.id.as_str(), endpoint.status.as_deref(), endpoint.astra_id.as_ref()),
        (ENDPOINT, Some("Accepted"), None)
    );
    assert!(endpoint.link_id.is_some() && endpoint.created.is_some());
    for type_ in ["ServiceReady", "EndpointsReady"] {
        assert_eq!(condition(&object, type_).unwrap().status, "True");
    }
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_adopted_when_it_is_there() {
    let mut stage = Stage::empty().await;
    others(&stage);
    stage.start(&[]);
    let spec = json!({
        "database": { "name": "orders" },
        "allowedPrincipals": [OTHER_PRINCIPAL],
        "endpoints": [{ "id": OTHER_ENDPOINT, "description": "of others" }],
    });
    let object: PrivateEndpoint = stage.apply_ready("orders", spec).await;
    assert_eq!(stage.astra.written(), "");
    assert_eq!(
        current(&object).unwrap().owned,
        [format!("endpoint/{OTHER_ENDPOINT}"), format!("principal/{OTHER_PRINCIPAL}")]
    );
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_updated_in_place_additions_first() {
    let stage = Stage::new().await;
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    stage.astra.forget();
    let spec = json!({
        "database": { "name": "orders" },
        "allowedPrincipals": [OTHER_PRINCIPAL],
        "endpoints": [{ "id": OTHER_ENDPOINT }],
    });
    stage.apply_ready::<PrivateEndpoint>("orders", spec).await;
    expect![[r#"
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::210987654321:root"]}
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"","endpointID":"vpce-0c3d4e5f607182930"}
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::123456789012:root"}
    "#]].assert_eq(&stage.astra.written());
    assert_eq!(stage.astra.link("orders"), (vec![OTHER_PRINCIPAL.into()], vec![OTHER_ENDPOINT.into()]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_description_is_changed_in_place() {
    let stage = Stage::new().await;
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    stage.astra.forget();
    let mut spec = orders();
    spec["endpoints"][0]["description"] = json!("staging");
    stage.apply_ready::<PrivateEndpoint>("orders", spec).await;
    expect![[r#"
        PUT /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791 {"description":"staging"}
    "#]].assert_eq(&stage.astra.written());
    assert_eq!(stage.astra.database("orders").private_links[0].endpoints[0].description, "staging");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn every_drift_is_put_right_by_the_call_that_it_needs() {
    let stage = Stage::new().await;
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    let database = id_of("orders");
    let (endpoint, principal) = (ENDPOINT.to_owned(), PRINCIPAL.to_owned());
    for (drift, expected) in [
        (Event::RemoveEndpoint { database: database.clone(), endpoint }, ACCEPT),
        (Event::RemovePrincipal { database, datacenter: None, principal }, ALLOW),
    ] {
        stage.astra.forget();
        stage.astra.happens(&drift);
        until(&format!("{drift:?} to be put right"), || {
            (stage.astra.link("orders") == (vec![PRINCIPAL.into()], vec![ENDPOINT.into()])).then_some(())
        })
        .await;
        assert_eq!(stage.astra.writes(), [expected], "after {drift:?}");
        stage.settled::<PrivateEndpoint>("orders").await;
    }
    // All of it at once.
    stage.astra.forget();
    stage
        .astra
        .change(|state| state.databases.iter_mut().for_each(|database| database.private_links.clear()));
    until("a lost private link to be made anew", || {
        (stage.astra.link("orders") == (vec![PRINCIPAL.into()], vec![ENDPOINT.into()])).then_some(())
    })
    .await;
    assert_eq!(stage.astra.writes(), [ALLOW, ACCEPT]);
    stage.ready::<PrivateEndpoint>("orders").await;
    stage.assert_quiet().await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_others_have_is_left_alone_and_told() {
    let mut stage = Stage::empty().await;
    others(&stage);
    stage.start(&[]);
    let object: PrivateEndpoint = stage.apply_ready("orders", orders()).await;
    let details = &current(&object).unwrap().details;
    assert_eq!(details.unmanaged_principals, [OTHER_PRINCIPAL]);
    assert_eq!(details.unmanaged_endpoints, [OTHER_ENDPOINT]);
    stage.astra.forget();
    stage.delete_and_wait::<PrivateEndpoint>("orders").await;
    expect![[r#"
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::123456789012:root"}
    "#]].assert_eq(&stage.astra.written());
    assert_eq!(stage.astra.link("orders"), (vec![OTHER_PRINCIPAL.into()], vec![OTHER_ENDPOINT.into()]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn exclusive_removes_what_others_have() {
    let mut stage = Stage::empty().await;
    others(&stage);
    stage.start(&[]);
    let mut spec = orders();
    spec["management"] = json!("Exclusive");
    stage.apply_ready::<PrivateEndpoint>("orders", spec).await;
    expect![[r#"
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"production","endpointID":"vpce-0f7aed6e7a18a1791"}
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0c3d4e5f607182930
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::210987654321:root"}
    "#]].assert_eq(&stage.astra.written());
    assert_eq!(stage.astra.link("orders"), (vec![PRINCIPAL.into()], vec![ENDPOINT.into()]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn is_kept_in_astra_with_retain() {
    let stage = Stage::new().await;
    let mut spec = orders();
    spec["deletionPolicy"] = json!("Retain");
    stage.apply_ready::<PrivateEndpoint>("orders", spec).await;
    stage.astra.forget();
    stage.delete_and_wait::<PrivateEndpoint>("orders").await;
    assert_eq!(stage.astra.written(), "");
    assert_eq!(stage.astra.link("orders"), (vec![PRINCIPAL.into()], vec![ENDPOINT.into()]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_object_stays_until_astra_shows_its_endpoint_gone() {
    let mut stage = Stage::with_astra(&["--eventual-consistency", "1500ms"]).await;
    stage.start(&[]);
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    assert_eq!(stage.astra.writes(), [ALLOW, ACCEPT], "nothing is sent twice while reads lag");
    let object = stage.delete::<PrivateEndpoint>("orders").await;
    gone(&stage.api(), &object).await;
    let requests = stage.astra.requests();
    let removed = requests.iter().rfind(|request| request.method == "DELETE").unwrap().time;
    let looked = requests.iter().rfind(|request| request.path.ends_with("/private-link")).unwrap();
    assert_eq!(looked.method, "GET");
    let lag = looked.time.duration_since(removed).as_millis();
    assert!(lag >= 1500, "the object went {lag} ms after the last removal, when reads still showed it");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_service_name_is_there_before_any_endpoint() {
    let stage = Stage::new().await;
    let spec = json!({ "database": { "name": "analytics" }, "allowedPrincipals": [PRINCIPAL] });
    let object: PrivateEndpoint = stage.apply_ready("analytics", spec.clone()).await;
    let service = current(&object).unwrap().details.service_name.clone().unwrap();
    assert!(service.starts_with("com.amazonaws.vpce.us-west-2."), "{service}");
    assert_eq!(condition(&object, "ServiceReady").unwrap().status, "True");
    let endpoints = condition(&object, "EndpointsReady").unwrap();
    assert_eq!((endpoints.status.as_str(), endpoints.reason.as_str()), ("True", "NoneDeclared"));

    // The second commit: the endpoint that was built from it.
    stage.astra.forget();
    let mut spec = spec;
    spec["endpoints"] = json!([{ "id": ENDPOINT }]);
    let object: PrivateEndpoint = stage.apply_ready("analytics", spec).await;
    assert_eq!(stage.astra.writes().len(), 1, "{:?}", stage.astra.writes());
    assert_eq!(current(&object).unwrap().details.service_name, Some(service));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_rejected_endpoint_stalls_until_it_is_replaced() {
    let stage = Stage::new().await;
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    let (database, endpoint) = (id_of("orders"), ENDPOINT.to_owned());
    stage.astra.happens(&Event::RejectEndpoint { database, endpoint });
    let object = stage.stalled::<PrivateEndpoint>("orders", "EndpointRejected").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains(ENDPOINT) && said.contains("put the new id into spec.endpoints"), "{said}");
    assert_eq!(condition(&object, "ServiceReady").unwrap().status, "True");
    assert_eq!(condition(&object, "EndpointsReady").unwrap().status, "False");
    stage.assert_quiet().await;

    let mut spec = orders();
    spec["endpoints"][0]["id"] = json!(OTHER_ENDPOINT);
    stage.apply_ready::<PrivateEndpoint>("orders", spec).await;
    assert_eq!(stage.astra.link("orders").1, [OTHER_ENDPOINT]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_status_that_nobody_knows_is_waited_for() {
    let stage = Stage::new().await;
    stage.apply_ready::<PrivateEndpoint>("orders", orders()).await;
    set_status(&stage, "Undergoing Review");
    let object = stage.reconciling::<PrivateEndpoint>("orders", "EndpointPending").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains(r#"is "Undergoing Review""#), "{said}");
    stage.assert_quiet().await;
    set_status(&stage, "Accepted");
    stage.ready::<PrivateEndpoint>("orders").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn one_principal_of_two_objects_goes_with_the_last_one() {
    let stage = Stage::new().await;
    let spec = |endpoint: &str| {
        json!({
            "database": { "name": "orders" },
            "allowedPrincipals": [PRINCIPAL],
            "endpoints": [{ "id": endpoint }],
        })
    };
    stage.apply_ready::<PrivateEndpoint>("a", spec(ENDPOINT)).await;
    stage.apply_ready::<PrivateEndpoint>("b", spec(OTHER_ENDPOINT)).await;
    stage.delete_and_wait::<PrivateEndpoint>("a").await;
    assert_eq!(stage.astra.link("orders"), (vec![PRINCIPAL.into()], vec![OTHER_ENDPOINT.into()]));
    stage.delete_and_wait::<PrivateEndpoint>("b").await;
    assert_eq!(stage.astra.link("orders"), (vec![], vec![]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn beside_an_older_exclusive_one_it_stalls_until_that_is_gone() {
    let stage = Stage::new().await;
    let mut spec = orders();
    spec["management"] = json!("Exclusive");
    stage.apply_ready::<PrivateEndpoint>("a-whole", spec).await;
    let part = json!({ "database": { "name": "orders" }, "allowedPrincipals": [OTHER_PRINCIPAL] });
    stage.apply::<PrivateEndpoint>("b-part", part).await;
    stage.stalled::<PrivateEndpoint>("b-part", "Conflict").await;
    stage.assert_quiet().await;
    stage.delete_and_wait::<PrivateEndpoint>("a-whole").await;
    stage.ready::<PrivateEndpoint>("b-part").await;
    assert_eq!(stage.astra.link("orders"), (vec![OTHER_PRINCIPAL.into()], vec![]));
}
