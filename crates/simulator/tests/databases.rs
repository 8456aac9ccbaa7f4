//! Databases, datacenters and peerings: their statuses over time, paging, and who may see them.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;

use astra_simulator::{
    Method, Request,
    state::{ACME_TOKEN, GLOBEX_TOKEN, READ_ONLY_TOKEN, database_id},
};
use serde_json::{Value, json};
use support::{Api, datacenter, list, said};

const SECOND: Duration = Duration::from_secs(1);

fn database(number: &str) -> String {
    format!("/v2/databases/{}", database_id(number))
}

fn ids(page: &Value) -> Vec<String> {
    page.as_array()
        .expect("a list")
        .iter()
        .map(|found| found["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_database_is_created_with_a_location_and_comes_to_life() {
    let mut api = Api::new();
    let body = json!({ "name": "new", "cloudProvider": "aws", "tier": "serverless", "capacityUnits": 1, "region": "us-east-1" });
    let response = api.post("/v2/databases", &body);
    assert_eq!(said(&response), "201");
    let (name, id) = response.headers.first().expect("a header").clone();
    assert_eq!(name, "location");
    let status = |api: &mut Api| api.read(&format!("/v2/databases/{id}"))["status"].clone();
    for expected in ["PENDING", "INITIALIZING", "ACTIVE"] {
        assert_eq!(status(&mut api), expected);
        api.wait(SECOND);
    }
    let shown = api.read(&format!("/v2/databases/{id}"));
    assert_eq!(shown["info"]["cloudProvider"], "AWS");
    assert_eq!(shown["info"]["keyspace"], "default_keyspace");
    assert_eq!(shown["info"]["datacenters"][0]["id"], format!("{id}-1"));
    assert!(shown["storage"].is_object());

    let wrong =
        json!({ "name": "n", "cloudProvider": "oci", "tier": "Z1", "capacityUnits": 1, "region": "moon" });
    let wrong = api.post("/v2/databases", &wrong);
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.value().expect("JSON")["errors"].as_array().map(Vec::len), Some(3));
    assert_eq!(api.post("/v2/databases", &json!({ "name": "n" })).status, 400);
}

#[test]
fn pages_are_cut_not_refused_and_go_on_behind_a_database() {
    let mut api = Api::new();
    let all = ids(&api.read("/v2/databases?include=non_terminated&limit=1000&provider=all"));
    assert_eq!(all.len(), 14);
    let first = ids(&api.read("/v2/databases?limit=5"));
    assert_eq!(first, all[..5]);
    assert_eq!(ids(&api.read(&format!("/v2/databases?limit=100&starting_after={}", first[4]))), all[5..]);
    // The last of the page before is gone meanwhile: nothing is left out.
    api.event(&json!({ "setDatabaseStatus": { "database": first[4], "status": "TERMINATED" } }));
    assert_eq!(ids(&api.read(&format!("/v2/databases?starting_after={}", first[4]))), all[5..]);
    let count = |api: &mut Api, query: &str| ids(&api.read(&format!("/v2/databases?{query}"))).len();
    assert_eq!(count(&mut api, "include=all"), 15);
    assert_eq!(count(&mut api, "include=terminated"), 2);
    assert_eq!(count(&mut api, "include=nonsense"), 13);
    assert_eq!(count(&mut api, "provider=gcp"), 2);
    assert_eq!(count(&mut api, "limit=0"), 13);
    assert_eq!(api.get("/v2/databases?starting_after=nobody").status, 400);
    let mut many = astra_simulator::State::default();
    let model = many.databases[0].clone();
    many.databases.extend(
        (0..150).map(|i| astra_simulator::state::Database { id: format!("db-{i}"), ..model.clone() }),
    );
    let mut api = Api::of(many);
    assert_eq!(count(&mut api, ""), 25);
    assert_eq!(count(&mut api, "limit=1000"), 100);
}

#[test]
fn a_terminated_database_is_seen_without_its_network() {
    let mut api = Api::new();
    let principal = json!({ "allowedPrincipals": ["arn:aws:iam::123456789012:root"] });
    assert_eq!(api.post(&datacenter("01", "private-link"), &principal).status, 200);
    let entry = json!([{ "address": "192.0.2.1", "enabled": true, "description": "" }]);
    assert_eq!(api.post(&list("01"), &entry).status, 204);
    let terminate = database("01") + "/terminate";
    assert_eq!(api.post(&terminate, &Value::Null).status, 202);
    assert_eq!(api.read(&database("01"))["status"], "TERMINATING");
    assert_eq!(api.post(&terminate, &Value::Null).status, 409);
    api.wait(SECOND);
    assert_eq!(api.read(&database("01"))["status"], "TERMINATED");
    assert_eq!(api.post(&terminate, &Value::Null).status, 409);
    assert_eq!(api.get(&datacenter("01", "private-link")).status, 404);
    assert_eq!(api.get(&list("01")).status, 404);
    assert_eq!(api.read("/v2/organizations/private-link"), json!({ "clusters": [] }));
    assert_eq!(api.post(&list("01"), &entry).status, 404);
    assert_eq!(api.post("/v2/databases/nowhere/terminate", &Value::Null).status, 404);
    assert_eq!(api.post(&(database("02") + "/terminate"), &Value::Null).status, 409, "two regions");
}

#[test]
fn in_maintenance_every_change_is_409_and_every_read_answered() {
    let mut api = Api::new();
    api.event(&json!({ "addAddress": { "database": database_id("0b"), "address": "192.0.2.1" } }));
    let address = json!([{ "address": "192.0.2.1", "enabled": true, "description": "" }]);
    let list = list("0b");
    let cases = [
        (Method::Post, list.clone(), address.clone()),
        (Method::Put, list.clone(), address),
        (Method::Patch, list.clone(), json!({ "configurations": { "accessListEnabled": true } })),
        (Method::Delete, list.clone(), Value::Null),
        (Method::Delete, list.clone() + "?addresses=192.0.2.1", Value::Null),
        (
            Method::Post,
            datacenter("0b", "private-link"),
            json!({ "allowedPrincipals": ["arn:aws:iam::123456789012:root"] }),
        ),
        (Method::Post, datacenter("0b", "endpoints"), json!({ "endpointID": "vpce-1" })),
        (Method::Post, database("0b") + "/terminate", Value::Null),
        (
            Method::Post,
            database("0b") + "/datacenters",
            json!([{ "cloudProvider": "AWS", "region": "us-east-1" }]),
        ),
    ];
    for (method, target, body) in cases {
        assert_eq!(api.ask(method, &target, &body).status, 409, "{method} {target}");
    }
    assert_eq!(api.read(&list)["addresses"].as_array().map(Vec::len), Some(1));
    assert_eq!(api.read(&database("0b"))["status"], "MAINTENANCE");
}

#[test]
fn regions_come_and_go() {
    let mut api = Api::new();
    let target = database("01") + "/datacenters";
    let add = json!([{ "tier": "serverless", "cloudProvider": "aws", "region": "eu-west-1", "status": "" }]);
    assert_eq!(api.post(&target, &add[0]).status, 400, "an object is not taken");
    assert_eq!(said(&api.post(&target, &add)), "201");
    assert_eq!(api.read(&database("01"))["status"], "MAINTENANCE");
    assert_eq!(ids(&api.read(&target)).len(), 1, "only what is active");
    assert_eq!(ids(&api.read(&(target.clone() + "?all=true"))).len(), 2);
    api.wait(SECOND);
    assert_eq!(ids(&api.read(&target))[1], database_id("01") + "-2");
    assert_eq!(api.post(&target, &add).status, 409, "it is there already");
    let terminate = |n: u8| format!("{target}/{}-{n}/terminate", database_id("01"));
    assert_eq!(api.post(&terminate(1), &Value::Null).status, 409);
    assert_eq!(api.post(&terminate(9), &Value::Null).status, 404);
    assert_eq!(api.delete(&terminate(2), &Value::Null).status, 405);
    assert_eq!(api.post(&terminate(2), &Value::Null).status, 202);
    api.wait(SECOND);
    assert_eq!(ids(&api.read(&(target + "?all=true"))).len(), 1);
}

#[test]
fn classic_databases_are_parked_and_resized_and_others_are_not() {
    let mut api = Api::new();
    let units = |units: u32| json!({ "capacityUnits": units });
    assert_eq!(api.post(&(database("01") + "/park"), &Value::Null).status, 400);
    assert_eq!(api.post(&(database("07") + "/park"), &Value::Null).status, 202);
    assert_eq!(api.post(&(database("07") + "/unpark"), &Value::Null).status, 409);
    api.wait(SECOND);
    assert_eq!(api.read(&database("07"))["status"], "PARKED");
    assert_eq!(api.post(&(database("07") + "/unpark"), &Value::Null).status, 202);
    api.wait(SECOND);
    assert_eq!(api.post(&(database("07") + "/resize"), &units(5)).status, 400);
    assert_eq!(api.post(&(database("07") + "/resize"), &units(4)).status, 202);
    api.wait(SECOND);
    assert_eq!(api.post(&(database("07") + "/resize"), &units(3)).status, 400);
    assert_eq!(api.read(&database("07"))["info"]["capacityUnits"], 4);
}

#[test]
fn a_bundle_is_one_object_or_with_all_an_array() {
    let mut api = Api::new();
    let target = database("02") + "/secureBundleURL";
    let one = api.post(&target, &Value::Null).value().expect("JSON");
    assert_eq!(one["datcenterID"], database_id("02") + "-1", "misspelt as in the real API");
    let all = api.post(&(target + "?all=true"), &Value::Null).value().expect("JSON");
    assert_eq!((all.as_array().map(Vec::len), &all[0]), (Some(2), &one));
}

#[test]
fn keyspaces_put_the_database_in_maintenance_for_a_while() {
    let mut api = Api::new();
    let target = database("01") + "/keyspaces/sales";
    assert_eq!(api.post(&target, &Value::Null).status, 201);
    assert_eq!(api.post(&target, &Value::Null).status, 409);
    api.wait(SECOND);
    assert_eq!(api.read(&database("01"))["info"]["additionalKeyspaces"], json!(["sales"]));
    assert_eq!(api.delete(&target, &Value::Null).status, 202);
}

#[test]
fn who_asks_decides_what_is_answered() {
    let null = "401 null";
    let string = r#"403 "forbidden: insufficient permissions""#;
    let malformed = r#"401 {"errors":[{"ID":340012,"message":"invalid token format"}]}"#;
    let unknown = ACME_TOKEN.replace("Admin", "Nobod");
    let peering = format!("/v2/peering/provider/azure/database/{}", database_id("06"));
    let cases = [
        ("", "/v2/currentOrg", malformed),
        ("nonsense", "/v2/currentOrg", malformed),
        ("AstraCS:short:abc", "/v2/databases", malformed),
        (&unknown, "/v2/databases", r#"401 {"errors":[{"ID":340018"#),
        (READ_ONLY_TOKEN, "/v2/databases?limit=1", "200 ["),
        (READ_ONLY_TOKEN, "/v2/databases/nowhere", r#"404 {"errors""#),
        (READ_ONLY_TOKEN, "/v2/organizations/private-link", null),
        (READ_ONLY_TOKEN, "/v2/organizations/customDomains", null),
        (READ_ONLY_TOKEN, "/v2/regions/serverless", null),
        (READ_ONLY_TOKEN, "/v2/availableRegions", null),
        (READ_ONLY_TOKEN, "/v2/access-lists", string),
        (READ_ONLY_TOKEN, &peering, r#"403 {"errors""#),
        (GLOBEX_TOKEN, &database("01"), r#"404 {"errors""#),
        (GLOBEX_TOKEN, &list("01"), r#"404 {"errors""#),
        (GLOBEX_TOKEN, &peering, r#"404 {"errors""#),
        (ACME_TOKEN, "/v2/organizations/roles", "404 404 page not found"),
        (ACME_TOKEN, "/", "404 404 page not found"),
    ];
    let mut api = Api::new();
    for (token, target, expected) in cases {
        let response = api.world.handle(api.now, &Request::new(Method::Get, target).token(token));
        assert!(said(&response).starts_with(expected), "{target}: {}", said(&response));
    }
    let nobody = api.world.handle(api.now, &Request::new(Method::Get, "/v2/currentOrg"));
    assert_eq!(said(&nobody), malformed);
    api.event(&json!({ "revokeToken": { "token": ACME_TOKEN } }));
    assert!(said(&api.get("/v2/currentOrg")).contains("340018"));
}

#[test]
fn peerings_go_their_way_unless_something_happens() {
    let guid = "9cbbd094-fa31-490f-863d-897d01661681";
    let azure = json!({ "tenantId": guid, "subscriptionId": guid, "resourceGroupName": "lab", "virtualNetworkName": "apps" });
    let mut api = Api::new();
    let target =
        |cloud: &str, number: &str| format!("/v2/peering/provider/{cloud}/database/{}", database_id(number));
    let warehouse = target("azure", "06");
    assert!(said(&api.get(&warehouse)).contains(r#"404 {"errors":[{"#));
    assert_eq!(
        api.post(&warehouse, &json!({})).value().expect("JSON")["errors"].as_array().map(Vec::len),
        Some(4)
    );
    assert_eq!(api.post(&target("azure", "03"), &azure).status, 400, "serverless");
    assert_eq!(api.post(&target("azure", "07"), &azure).status, 400, "another cloud");
    assert_eq!(api.post(&target("oracle", "07"), &azure).status, 400);
    let made = api.post(&warehouse, &azure);
    assert_eq!(made.status, 201);
    assert_eq!(api.post(&warehouse, &azure).status, 409);
    let disconnected = "Conflict Error: RemotePeeringIsDisconnected";
    api.event(&json!({ "setPeeringStatus": { "database": database_id("06"), "status": disconnected } }));
    api.wait(SECOND);
    assert_eq!(api.read(&warehouse)["status"], disconnected, "it does not become active any more");
    assert_eq!(api.delete(&warehouse, &Value::Null).status, 204);
    assert_eq!(api.read(&warehouse)["status"], "deleting");
    api.wait(SECOND);
    assert_eq!(api.get(&warehouse).status, 404);
    assert_eq!(api.delete(&warehouse, &Value::Null).status, 404);
    let again = api.post(&warehouse, &azure).value().expect("JSON");
    assert_ne!(again["connectionId"], made.value().expect("JSON")["connectionId"]);

    let aws = json!({ "accountId": "123456789012", "vpcId": "vpc-0a1b2c3d", "region": "us-west-2", "cidrBlock": "10.1.0.0/16" });
    let made = api.post(&target("aws", "07"), &aws).value().expect("JSON");
    assert_eq!(made["status"], "pending-acceptance");
    let other = json!({ "provider": "aws", "account": "123456789012", "vpcId": "vpc-0a1b2c3d", "cidrBlock": "10.1.0.0/16" });
    assert_eq!(made["otherVpc"], other);
    api.wait(SECOND);
    assert_eq!(api.read(&target("aws", "07"))["status"], "active");
    let gcp = json!({ "projectId": "valiant-ocean-258751", "vpcNetworkName": "default" });
    assert_eq!(
        api.post(&target("gcp", "08"), &gcp).value().expect("JSON")["otherVpc"]["account"],
        "valiant-ocean-258751"
    );
    api.event(&json!({ "removePeering": { "database": database_id("08") } }));
    assert_eq!(api.get(&target("gcp", "08")).status, 404);
}
