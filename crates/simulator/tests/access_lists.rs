//! The quirks of access lists, one case each.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use astra_simulator::{Method, State, state::database_id};
use serde_json::{Value, json};
use support::{Api, list, said};

fn entry(address: &str) -> Value {
    json!({ "address": address, "enabled": true, "description": "office" })
}

fn addresses(api: &mut Api) -> Vec<String> {
    let body = api.read(&list("01"));
    let entries = body["addresses"].as_array().expect("a list").clone();
    entries.iter().map(|entry| entry["address"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A list of three addresses, restricted.
fn with_list() -> Api {
    let mut api = Api::new();
    let body = json!({
        "addresses": [entry("203.0.113.0/24"), entry("192.0.2.1"), entry("198.51.100.0/24")],
        "configurations": { "accessListEnabled": true },
    });
    assert_eq!(api.ask(Method::Put, &list("01"), &body).status, 204);
    api
}

#[test]
fn an_absent_list_is_404_with_a_string_and_an_unknown_database_404_with_errors() {
    let mut api = Api::new();
    assert_eq!(said(&api.get(&list("01"))), r#"404 "access list not found""#);
    let unknown = api.get("/v2/databases/00000000-0000-0000-0000-000000000000/access-list");
    assert_eq!(unknown.status, 404);
    assert!(unknown.value().expect("JSON")["errors"][0]["message"].is_string());
    assert_eq!(said(&api.get("/v2/access-lists")), "200 []");
}

#[test]
fn only_the_first_address_of_a_delete_goes() {
    let mut api = with_list();
    let target = list("01") + "?addresses=192.0.2.1&addresses=203.0.113.0%2F24";
    assert_eq!(said(&api.delete(&target, &Value::Null)), "204");
    assert_eq!(addresses(&mut api), ["203.0.113.0/24", "198.51.100.0/24"]);
}

#[test]
fn a_delete_without_an_address_in_the_query_wipes_the_list_whatever_the_body_says() {
    let bodies = [Value::Null, json!({ "addresses": [{ "address": "192.0.2.1" }] })];
    for (query, body) in
        ["", "?addresses=", "?other=1"].iter().flat_map(|q| bodies.iter().map(move |b| (q, b)))
    {
        let mut api = with_list();
        assert_eq!(api.delete(&format!("{}{query}", list("01")), body).status, 204);
        assert_eq!(said(&api.get(&list("01"))), r#"404 "access list not found""#, "{query} {body}");
    }
}

#[test]
fn the_object_of_a_list_is_as_clients_read_it() {
    let mut api = with_list();
    let body = api.read(&list("01"));
    assert_eq!(body["databaseId"], database_id("01"));
    assert_eq!(body["configurations"]["accessListEnabled"], true);
    assert_eq!(body["addresses"][0]["lastUpdateDateTime"], "2026-03-01 10:20:30.040 +0000 UTC");
    assert_eq!(api.read("/v2/access-lists"), json!([body]));
}

#[test]
fn a_post_changes_in_place_what_is_there_and_adds_the_rest_behind() {
    let mut api = with_list();
    let changed = json!({ "address": "192.0.2.1", "enabled": false, "description": "closed" });
    assert_eq!(api.post(&list("01"), &json!([entry("10.0.0.0/8"), changed])).status, 204);
    assert_eq!(addresses(&mut api), ["203.0.113.0/24", "192.0.2.1", "198.51.100.0/24", "10.0.0.0/8"]);
    let body = api.read(&list("01"));
    assert_eq!(body["addresses"][1]["description"], "closed");
    assert_eq!(body["configurations"]["accessListEnabled"], true, "the switch stays");
}

#[test]
fn a_put_replaces_and_a_patch_changes_only_what_it_carries() {
    let mut api = with_list();
    let switch = json!({ "configurations": { "accessListEnabled": false } });
    assert_eq!(api.ask(Method::Patch, &list("01"), &switch).status, 204);
    let body = api.read(&list("01"));
    assert_eq!(body["configurations"]["accessListEnabled"], false);
    assert_eq!(body["addresses"].as_array().map(Vec::len), Some(3));
    let nobody = json!({ "addresses": [], "configurations": { "accessListEnabled": true } });
    assert_eq!(api.ask(Method::Put, &list("01"), &nobody).status, 204);
    assert_eq!(addresses(&mut api), [""; 0]);
    // One of the clients sends a bare array.
    assert_eq!(api.ask(Method::Put, &list("01"), &json!([entry("192.0.2.9")])).status, 204);
    assert_eq!(addresses(&mut api), ["192.0.2.9"]);
    assert_eq!(api.read(&list("01"))["configurations"]["accessListEnabled"], true);
    assert_eq!(api.ask(Method::Patch, &list("02"), &switch).status, 404, "there is nothing to change");
}

#[test]
fn a_bad_body_is_400_with_every_reason_and_changes_nothing() {
    let cases = [
        (json!([entry("10.0.0.0/33")]), "must be an IPv4 address or CIDR"),
        (json!([entry("10.0.0.256")]), "must be an IPv4 address or CIDR"),
        (json!([entry("10.0.0.0/08")]), "must be an IPv4 address or CIDR"),
        (json!([entry("2001:db8::/32")]), "only IPv4"),
        (json!([{ "address": "10.0.0.1" }]), "enabled is required"),
        (json!([{ "address": "10.0.0.1", "enabled": true }]), "description is required"),
        (json!([entry("10.0.0.1"), entry("10.0.0.1")]), "is there twice"),
        (json!({ "addresses": 1 }), "must be an array"),
        (json!("text"), "must be an array"),
    ];
    for (body, reason) in cases {
        let mut api = Api::new();
        let response = api.post(&list("01"), &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(said(&response).contains(reason), "{body}: {}", said(&response));
        assert_eq!(api.get(&list("01")).status, 404, "{body}");
        let verdict = api.post("/v2/access-list/validate", &body);
        assert_eq!(verdict.value().expect("JSON")["valid"], false, "{body}");
    }
    let mut api = Api::new();
    let broken =
        astra_simulator::Request::new(Method::Post, &list("01")).token(astra_simulator::state::ACME_TOKEN);
    let broken = astra_simulator::Request { body: b"{ [ ] }".to_vec(), ..broken };
    assert_eq!(api.world.handle(api.now, &broken).status, 400);
}

#[test]
fn bare_addresses_are_stored_as_given_or_as_networks_of_one() {
    for (normalize, stored) in [(false, "192.0.2.1"), (true, "192.0.2.1/32")] {
        let mut api = Api::of(State { normalize_addresses: normalize, ..State::default() });
        assert_eq!(api.post(&list("01"), &json!([entry("192.0.2.1")])).status, 204);
        assert_eq!(addresses(&mut api), [stored]);
        assert_eq!(api.delete(&(list("01") + "?addresses=192.0.2.1"), &Value::Null).status, 204);
        assert_eq!(addresses(&mut api), [""; 0]);
    }
}

#[test]
fn the_template_is_had_by_get_and_post() {
    let mut api = Api::new();
    let template = api.read("/v2/access-list/template");
    assert_eq!(api.post("/v2/access-list/template", &Value::Null).value(), Some(template));
}

#[test]
fn the_organizations_own_list_is_made_added_to_and_enforced() {
    let caller = "192.0.2.77".parse().ok();
    let mut api = Api::of(State { caller_address: caller, ..State::default() });
    let acl = format!("/v2/organizations/{}/devops-acl", astra_simulator::state::ACME);
    assert_eq!(api.get(&acl).status, 404);
    assert_eq!(api.post(&acl, &json!([entry("192.0.2.0/24")])).status, 201);
    assert_eq!(api.post(&acl, &json!([entry("192.0.2.0/24")])).status, 409);
    let one = json!({ "address": "10.0.0.0/8", "enabled": true, "description": "" });
    assert_eq!(
        api.ask(Method::Patch, &acl, &one).value().expect("JSON")["addresses"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(api.get("/v2/currentOrg").status, 200);
    assert_eq!(api.ask(Method::Put, &acl, &json!([entry("10.0.0.0/8")])).status, 200);
    assert_eq!(api.get("/v2/currentOrg").status, 403, "locked out");
    let other = format!("/v2/organizations/{}/devops-acl", astra_simulator::state::GLOBEX);
    let mut api = Api::new();
    assert_eq!(api.post(&other, &json!([])).status, 404);
    assert_eq!(api.delete(&acl, &Value::Null).status, 202);
}
