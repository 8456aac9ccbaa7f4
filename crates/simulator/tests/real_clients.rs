//! What clients that others wrote need beyond the published documents. Each case is one that such a client fell over.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use astra_simulator::{
    Method, Request, Response,
    state::{READ_ONLY_TOKEN, database_id},
};
use serde_json::{Value, json};
use support::{Api, datacenter, list, said};

/// The generated Go client reads these 404 and 403 as an `errors` object, and fails on anything else that says JSON.
fn assert_errors(response: &Response, status: u16, what: &str) {
    let errors = response.value().and_then(|body| body["errors"].as_array().map(Vec::len));
    assert_eq!((response.status, errors), (status, Some(1)), "{what}: {}", said(response));
}

fn peering(cloud: &str, number: &str) -> String {
    format!("/v2/peering/provider/{cloud}/database/{}", database_id(number))
}

#[test]
fn an_unknown_endpoint_is_a_string_to_a_read_and_errors_to_a_change() {
    let mut api = Api::new();
    let principal = json!({ "allowedPrincipals": ["arn:aws:iam::123456789012:root"] });
    assert_eq!(api.post(&datacenter("01", "private-link"), &principal).status, 200);
    let target = datacenter("01", "endpoints/vpce-unknown");
    assert!(api.get(&target).value().is_some_and(|body| body.is_string()));
    assert_errors(&api.ask(Method::Put, &target, &json!({ "description": "d" })), 404, "PUT");
    assert_errors(&api.delete(&target, &Value::Null), 404, "DELETE");
}

#[test]
fn without_any_link_an_endpoint_is_a_string_to_a_read_and_errors_to_a_change() {
    let mut api = Api::new();
    let target = datacenter("01", "endpoints/vpce-unknown");
    assert!(api.get(&target).value().is_some_and(|body| body.is_string()));
    assert_errors(&api.ask(Method::Put, &target, &json!({ "description": "d" })), 404, "PUT");
    assert_errors(&api.delete(&target, &Value::Null), 404, "DELETE");
}

#[test]
fn an_absent_list_is_a_string_to_a_read_and_errors_to_a_change() {
    let mut api = Api::new();
    assert!(api.get(&list("01")).value().is_some_and(|body| body.is_string()));
    let configurations = json!({ "configurations": { "accessListEnabled": true } });
    assert_errors(&api.ask(Method::Patch, &list("01"), &configurations), 404, "PATCH");
    assert_errors(&api.delete(&list("01"), &Value::Null), 404, "DELETE");
    assert_errors(&api.delete(&(list("01") + "?addresses=192.0.2.1"), &Value::Null), 404, "DELETE of one");
}

#[test]
fn an_absent_or_forbidden_peering_is_errors() {
    let mut api = Api::new();
    for (cloud, number) in [("azure", "06"), ("aws", "07"), ("gcp", "08")] {
        assert_errors(&api.get(&peering(cloud, number)), 404, cloud);
        assert_errors(&api.delete(&peering(cloud, number), &Value::Null), 404, cloud);
        for method in [Method::Get, Method::Post, Method::Delete] {
            let request = Request::new(method, &peering(cloud, number)).token(READ_ONLY_TOKEN);
            assert_errors(&api.world.handle(api.now, &request), 403, &format!("{method} {cloud}"));
        }
    }
}

#[test]
fn a_validation_without_addresses_finds_nothing_wrong() {
    let mut api = Api::new();
    // The Python client sends `null` where others send no body.
    for body in ["", "null", "{}", r#"{"addresses":null}"#, "[]"] {
        let request = Request::new(Method::Post, "/v2/access-list/validate");
        let request = Request { body: body.into(), ..request.token(astra_simulator::state::ACME_TOKEN) };
        let verdict = api.world.handle(api.now, &request);
        assert_eq!(said(&verdict), r#"200 {"valid":true,"validationFailures":[]}"#, "{body}");
    }
}

#[test]
fn a_database_that_was_taken_away_leaves_its_id_to_nobody() {
    let mut api = Api::new();
    let body = json!({ "name": "n", "cloudProvider": "AWS", "tier": "serverless", "capacityUnits": 1, "region": "us-east-1" });
    let location =
        |api: &mut Api| api.post("/v2/databases", &body).get("location").expect("an id").to_owned();
    let first = location(&mut api);
    let mut state = api.world.state(api.now).clone();
    state.databases.remove(0);
    api.world.put_state(state);
    assert_ne!(location(&mut api), first);
}
