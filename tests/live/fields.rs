//! One case for each field of each spec: a change to it reaches Astra, or is refused when it is applied.
//!
//! The fields are read from the definitions, so a field that is added without a case fails here: no object may ever be
//! Ready for a change that was never sent.

use std::collections::BTreeSet;

use astra_operator::{engine::Kind, kinds::KINDS};
use astra_simulator::State;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    astra::id_of,
    stage::{AccessList, PrivateEndpoint, VpcPeering},
    wait::until,
};

/// What a change to a field must lead to.
enum Outcome {
    /// The API server refuses it, and says so.
    Refused(&'static str),
    /// A call with this in it is sent, and the object is Ready.
    Sent(&'static str),
    /// The change is looked at, and stalls the object for this reason.
    Stalls(&'static str),
    /// It makes itself felt when the object is deleted: a call with this in it.
    SentAtDeletion(&'static str),
}

use Outcome::{Refused, Sent, SentAtDeletion, Stalls};

/// A field, a spec, and what changes in it (by JSON pointer).
struct Case {
    field: &'static str,
    spec: Value,
    pointer: &'static str,
    value: Value,
    outcome: Outcome,
}

fn case(
    field: &'static str,
    spec: &Value,
    pointer: &'static str,
    value: impl Into<Value>,
    outcome: Outcome,
) -> Case {
    Case { field, spec: spec.clone(), pointer, value: value.into(), outcome }
}

const DATABASE: &str = "spec.database cannot be changed";
const PEERING: &str = "a peering cannot be changed in Astra";

/// Tries all cases of a kind, one after the other, in one namespace.
async fn try_all<K: Kind>(cases: Vec<Case>) {
    let fields = fields::<K>();
    let known: BTreeSet<String> = cases.iter().map(|case| case.field.to_owned()).collect();
    let missing: Vec<_> = fields.difference(&known).collect();
    assert!(missing.is_empty(), "{}: these fields of spec have no case: {missing:?}", K::kind(&()));
    let gone: Vec<_> = known.difference(&fields).collect();
    assert!(gone.is_empty(), "{}: these cases are for no field of spec: {gone:?}", K::kind(&()));

    let stage = Stage::new().await;
    for (i, case) in cases.into_iter().enumerate() {
        stage.astra.change(|state| *state = State::default());
        println!("{}: {}", K::kind(&()), case.field);
        try_one::<K>(&stage, &format!("case-{i}"), case).await;
    }
}

async fn try_one<K: Kind>(stage: &Stage, name: &str, case: Case) {
    let Case { field, spec, pointer, value, outcome } = case;
    let mut changed = spec.clone();
    set(&mut changed, pointer, value);
    stage.apply::<K>(name, spec).await;
    stage.settled::<K>(name).await;
    if let Refused(words) = outcome {
        let refused = stage.try_apply::<K>(name, changed).await;
        let said = refused.map(|_| ()).expect_err(&format!("a change to {field} is not refused")).to_string();
        assert!(said.contains(words), "{field}: {said}");
        stage.delete_and_wait::<K>(name).await;
        return;
    }
    // Others add something, which matters to `management`.
    stage.astra.change(|state| {
        for database in &mut state.databases {
            if let Some(list) = database.access_list.as_mut().filter(|_| database.name == "sessions") {
                list.addresses.push(
                    serde_json::from_value(json!({ "address": "192.0.2.9", "enabled": true })).unwrap(),
                );
            }
            for link in &mut database.private_links {
                if link.endpoints.is_empty() {
                    link.allowed_principals.push("arn:aws:iam::999999999999:root".into());
                }
            }
        }
    });
    stage.astra.forget();
    stage.apply::<K>(name, changed).await;
    match outcome {
        Refused(_) => unreachable!(),
        Sent(words) => {
            let sent = || stage.astra.written().contains(words).then_some(());
            until(&format!("a change to {field} to be sent"), sent).await;
            stage.settled::<K>(name).await;
        }
        Stalls(reason) => {
            stage.stalled::<K>(name, reason).await;
            assert_eq!(stage.astra.written(), "", "{field}");
            stage.annotate::<K>(name, astra_operator::resource::annotation::FORCE_FINALIZE, "true").await;
        }
        SentAtDeletion(words) => {
            stage.settled::<K>(name).await;
            assert_eq!(stage.astra.written(), "", "{field} alone changes nothing yet");
            stage.delete_and_wait::<K>(name).await;
            let writes = stage.astra.written();
            assert!(writes.contains(words), "{field} had no effect on the deletion: {writes:?}");
            return;
        }
    }
    stage.delete_and_wait::<K>(name).await;
}

/// Sets a value, making what is on the way.
fn set(spec: &mut Value, pointer: &str, value: Value) {
    let mut at = spec;
    for part in pointer.trim_start_matches('/').split('/') {
        at = match part.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[part],
        };
    }
    *at = value;
}

/// The leaves of the spec, such as `addresses[].description`.
fn fields<K: Kind>() -> BTreeSet<String> {
    let entry = KINDS.iter().map(|entry| (entry.crd)()).find(|crd| crd.spec.names.kind == K::kind(&()));
    let crd = entry.expect("a registered kind");
    let schema = crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
    let mut found = BTreeSet::new();
    leaves("", &schema.properties.as_ref().unwrap()["spec"], &mut found);
    found
}

fn leaves(path: &str, schema: &JSONSchemaProps, found: &mut BTreeSet<String>) {
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        return leaves(&format!("{path}[]"), item, found);
    }
    match &schema.properties {
        Some(properties) => {
            for (name, field) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, field, found);
            }
        }
        None => {
            found.insert(path.to_owned());
        }
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn of_access_lists() {
    let base = json!({
        "database": { "name": "orders" },
        "addresses": [{ "address": "203.0.113.7", "description": "office" }, { "address": "203.0.113.9" }],
    });
    let by_id = json!({ "database": { "id": id_of("orders") }, "addresses": [{ "address": "203.0.113.7" }] });
    let shared = json!({
        "database": { "name": "sessions" },
        "management": "Shared",
        "addresses": [{ "address": "203.0.113.7" }],
    });
    try_all::<AccessList>(vec![
        case("database.name", &base, "/database/name", "sessions", Refused(DATABASE)),
        case("database.id", &by_id, "/database/id", id_of("sessions"), Refused(DATABASE)),
        case(
            "credentials.secretName",
            &base,
            "/credentials",
            json!({ "secretName": "other" }),
            Stalls("SecretNotFound"),
        ),
        case(
            "credentials.key",
            &base,
            "/credentials",
            json!({ "key": "other" }),
            Stalls("SecretKeyNotFound"),
        ),
        case("publicAccess", &base, "/publicAccess", "Open", Sent(r#""accessListEnabled":false"#)),
        case(
            "publicAccess",
            &shared,
            "/publicAccess",
            "Listed",
            Sent(
                r#"PATCH /v2/databases/{sessions}/access-list {"configurations":{"accessListEnabled":true}}"#,
            ),
        ),
        case(
            "addresses[].address",
            &base,
            "/addresses/0/address",
            "203.0.113.8",
            Sent(r#""address":"203.0.113.8""#),
        ),
        case(
            "addresses[].description",
            &base,
            "/addresses/0/description",
            "new office",
            Sent(r#""description":"new office""#),
        ),
        case(
            "addresses[].enabled",
            &base,
            "/addresses/1/enabled",
            false,
            Sent(r#"{"address":"203.0.113.9","description":"","enabled":false}"#),
        ),
        case(
            "management",
            &shared,
            "/management",
            "Exclusive",
            Sent(r#"PUT /v2/databases/{sessions}/access-list {"addresses":[{"address":"203.0.113.7""#),
        ),
        case(
            "deletionPolicy",
            &base,
            "/deletionPolicy",
            "Delete",
            SentAtDeletion("DELETE /v2/databases/{orders}/access-list?addresses=203.0.113.7"),
        ),
    ])
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn of_private_endpoints() {
    let base = json!({
        "database": { "name": "orders" },
        "allowedPrincipals": ["arn:aws:iam::123456789012:root"],
        "endpoints": [{ "id": "vpce-0f7aed6e7a18a1791", "description": "production" }],
        "deletionPolicy": "Delete",
    });
    let with = |field: &str, value: Value| {
        let mut spec = base.clone();
        spec[field] = value;
        spec
    };
    let by_id = with("database", json!({ "id": id_of("orders") }));
    let region = with("region", json!("us-east-2"));
    let datacenter = with("datacenterId", json!(format!("{}-1", id_of("orders"))));
    let kept = with("deletionPolicy", json!("Retain"));
    try_all::<PrivateEndpoint>(vec![
        case("database.name", &base, "/database/name", "sessions", Refused(DATABASE)),
        case("database.id", &by_id, "/database/id", id_of("sessions"), Refused(DATABASE)),
        case("credentials.secretName", &base, "/credentials", json!({ "secretName": "other" }), Stalls("SecretNotFound")),
        case("credentials.key", &base, "/credentials", json!({ "key": "other" }), Stalls("SecretKeyNotFound")),
        case("region", &region, "/region", "us-west-2", Refused("spec.region cannot be changed")),
        case("region", &base, "/region", "us-west-2", Stalls("InvalidSpec")),
        case("datacenterId", &datacenter, "/datacenterId", "other-1", Refused("spec.datacenterId cannot be changed")),
        case("datacenterId", &base, "/datacenterId", "other-1", Stalls("InvalidSpec")),
        case("allowedPrincipals[]", &base, "/allowedPrincipals/0", "arn:aws:iam::210987654321:root", Sent(r#"{"allowedPrincipals":["arn:aws:iam::210987654321:root"]}"#)),
        case("endpoints[].id", &base, "/endpoints/0/id", "vpce-0c3d4e5f607182930", Sent(r#""endpointID":"vpce-0c3d4e5f607182930""#)),
        case("endpoints[].description", &base, "/endpoints/0/description", "staging", Sent(r#"PUT /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791 {"description":"staging"}"#)),
        case("deletionPolicy", &kept, "/deletionPolicy", "Delete", SentAtDeletion("DELETE ")),
        case("management", &with("endpoints", json!([])), "/management", "Exclusive", Sent(r#"{"allowedPrincipal":"arn:aws:iam::999999999999:root"}"#)),
    ])
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn of_vpc_peerings() {
    let azure = json!({
        "database": { "name": "warehouse" },
        "azure": {
            "tenantId": "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10",
            "subscriptionId": "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
            "resourceGroup": "network",
            "virtualNetwork": "hub",
        },
    });
    let aws = json!({
        "database": { "name": "legacy" },
        "aws": { "accountId": "123456789012", "region": "us-west-2", "vpcId": "vpc-0a1b2c3d4e5f60718", "cidrBlock": "10.1.0.0/16" },
    });
    let gcp = json!({ "database": { "name": "archive" }, "gcp": { "projectId": "acme-network", "network": "shared" } });
    let by_id = json!({ "database": { "id": id_of("archive") }, "gcp": { "projectId": "acme-network", "network": "shared" } });
    let mut kept = gcp.clone();
    kept["deletionPolicy"] = json!("Retain");
    let other = "00000000-7d2e-4f61-9a55-2a8f4c1f7c10";
    try_all::<VpcPeering>(vec![
        case("database.name", &gcp, "/database/name", "warehouse", Refused(DATABASE)),
        case("database.id", &by_id, "/database/id", id_of("warehouse"), Refused(DATABASE)),
        case(
            "credentials.secretName",
            &gcp,
            "/credentials",
            json!({ "secretName": "other" }),
            Stalls("SecretNotFound"),
        ),
        case("credentials.key", &gcp, "/credentials", json!({ "key": "other" }), Stalls("SecretKeyNotFound")),
        case("azure.tenantId", &azure, "/azure/tenantId", other, Refused(PEERING)),
        case("azure.subscriptionId", &azure, "/azure/subscriptionId", other, Refused(PEERING)),
        case("azure.resourceGroup", &azure, "/azure/resourceGroup", "other", Refused(PEERING)),
        case("azure.virtualNetwork", &azure, "/azure/virtualNetwork", "spoke", Refused(PEERING)),
        case("aws.accountId", &aws, "/aws/accountId", "210987654321", Refused(PEERING)),
        case("aws.region", &aws, "/aws/region", "us-east-1", Refused(PEERING)),
        case("aws.vpcId", &aws, "/aws/vpcId", "vpc-0a1b2c3d4e5f60719", Refused(PEERING)),
        case("aws.cidrBlock", &aws, "/aws/cidrBlock", "10.2.0.0/16", Refused(PEERING)),
        case("gcp.projectId", &gcp, "/gcp/projectId", "other-network", Refused(PEERING)),
        case("gcp.network", &gcp, "/gcp/network", "other", Refused(PEERING)),
        case(
            "deletionPolicy",
            &kept,
            "/deletionPolicy",
            "Delete",
            SentAtDeletion("DELETE /v2/peering/provider/gcp/database/{archive}"),
        ),
    ])
    .await;
}
