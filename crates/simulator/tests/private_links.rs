//! The quirks of private links, one case each.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use astra_simulator::{Method, State, state::database_id};
use expect_test::expect;
use serde_json::{Value, json};
use support::{Api, datacenter, said};

const SUBSCRIPTION: &str = "9cbbd094-fa31-490f-863d-897d01661681";

fn resource(subscription: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/lab/providers/Microsoft.Network/privateEndpoints/dev-poc"
    )
}

fn allow(api: &mut Api, number: &str, principal: &str) -> Value {
    let response =
        api.post(&datacenter(number, "private-link"), &json!({ "allowedPrincipals": [principal] }));
    assert_eq!(response.status, 200, "{}", said(&response));
    response.value().expect("JSON")
}

#[test]
fn service_names_have_the_form_of_their_cloud_and_stay() {
    let mut api = Api::new();
    let principals =
        [("01", "arn:aws:iam::123456789012:root"), ("03", SUBSCRIPTION), ("04", "valiant-ocean-258751")];
    let names: Vec<_> =
        principals.iter().map(|(number, who)| allow(&mut api, number, who)["serviceName"].clone()).collect();
    expect![[r#"
        [
          "com.amazonaws.vpce.us-east-2.vpce-svc-8610e45a72cab3b18",
          "astra-d4c51f5a.67e1c69b-2719-4460-a96f-758f5e6ef8a3.eastus.azure.privatelinkservice",
          "projects/astra-28294f47/regions/us-east4/serviceAttachments/astra-1b979622011b"
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&names).expect("JSON"));
    let again = allow(&mut api, "01", "arn:aws:iam::210987654321:role/admin");
    assert_eq!(again["serviceName"], names[0]);
    assert_eq!(
        again["allowedPrincipals"],
        json!(["arn:aws:iam::123456789012:root", "arn:aws:iam::210987654321:role/admin"])
    );
}

#[test]
fn what_is_not_configured_is_404_with_a_string_and_what_is_unknown_404_with_errors() {
    let mut api = Api::new();
    let response = api.get(&datacenter("01", "private-link"));
    assert_eq!(said(&response), r#"404 "private link is not configured for this datacenter""#);
    let endpoints = api.post(&datacenter("01", "endpoints"), &json!({ "endpointID": "vpce-1" }));
    assert!(endpoints.status == 404 && endpoints.value().is_some_and(|body| body.is_string()));
    let id = database_id("01");
    for unknown in [
        // A datacenter's id is never the database's.
        format!("/v2/organizations/clusters/{id}/datacenters/{id}/private-link"),
        format!("/v2/organizations/clusters/nowhere/datacenters/{id}-1/private-link"),
        "/v2/organizations/clusters/nowhere/private-link".into(),
    ] {
        let response = api.get(&unknown);
        assert!(
            response.status == 404 && said(&response).contains("errors"),
            "{unknown}: {}",
            said(&response)
        );
    }
    assert_eq!(said(&api.get("/v2/organizations/private-link")), r#"200 {"clusters":[]}"#);
    let none = api.read(&format!("/v2/organizations/clusters/{id}/private-link"));
    assert_eq!(none, json!({ "clusterID": id, "datacenters": [] }));
}

#[test]
fn azure_keeps_another_id_and_an_encoded_id_is_one_segment() {
    let mut api = Api::new();
    allow(&mut api, "03", SUBSCRIPTION);
    let posted = api.post(
        &datacenter("03", "endpoints"),
        &json!({ "endpointID": resource(SUBSCRIPTION), "description": "a" }),
    );
    let posted = posted.value().expect("JSON");
    let kept = posted["endpointID"].as_str().expect("an id").to_owned();
    assert!(kept.starts_with("dev-poc.") && kept.len() == "dev-poc.".len() + 36, "{kept}");
    assert_eq!(posted["status"], "Accepted");
    assert_eq!(posted["createdDateTime"], "2026-03-01T10:20:30");
    assert_eq!(api.read(&datacenter("03", &format!("endpoints/{kept}"))), posted);
    // The posted id is not known, but as one segment it is asked for as an endpoint: 404 with a string.
    let encoded = resource(SUBSCRIPTION).replace('/', "%2F");
    let asked = api.get(&datacenter("03", &format!("endpoints/{encoded}")));
    assert!(asked.value().is_some_and(|body| body.as_str().is_some_and(|text| text.contains(SUBSCRIPTION))));
    // Not encoded, it is no path of the API.
    let asked = api.get(&datacenter("03", &format!("endpoints{}", resource(SUBSCRIPTION))));
    assert_eq!(said(&asked), "404 404 page not found");
    let encoded = kept.replace('.', "%2e");
    assert_eq!(
        api.ask(
            Method::Put,
            &datacenter("03", &format!("endpoints/{encoded}")),
            &json!({ "description": "b" })
        )
        .status,
        200
    );
    assert_eq!(api.delete(&datacenter("03", &format!("endpoints/{kept}")), &Value::Null).status, 204);
    assert_eq!(api.delete(&datacenter("03", &format!("endpoints/{kept}")), &Value::Null).status, 404);
}

#[test]
fn an_endpoint_posted_again_is_kept_once_and_answered_as_it_is() {
    let mut api = Api::new();
    allow(&mut api, "01", "arn:aws:iam::123456789012:root");
    let body =
        |description: &str| json!({ "endpointID": "vpce-0f7aed6e7a18a1791", "description": description });
    let first = api.post(&datacenter("01", "endpoints"), &body("a")).value();
    assert_eq!(api.post(&datacenter("01", "endpoints"), &body("b")).value(), first);
    let link = api.read(&datacenter("01", "private-link"));
    assert_eq!(link["endpoints"], json!([first]));
    assert_eq!(api.read("/v2/organizations/private-link")["clusters"][0]["datacenters"], json!([link]));
}

#[test]
fn an_endpoint_is_rejected_when_listed_or_when_nobody_allows_it() {
    let state = State { rejected_endpoints: vec!["vpce-bad".into()], ..State::default() };
    let mut api = Api::of(state);
    allow(&mut api, "01", "arn:aws:iam::123456789012:root");
    allow(&mut api, "03", SUBSCRIPTION);
    let mut status = |number: &str, id: &str| {
        api.post(&datacenter(number, "endpoints"), &json!({ "endpointID": id })).value().expect("JSON")["status"].clone()
    };
    assert_eq!(status("01", "vpce-good"), "Accepted");
    assert_eq!(status("01", "vpce-bad"), "Rejected");
    assert_eq!(status("03", &resource("00000000-0000-0000-0000-000000000000")), "Rejected");
    api.event(&json!({ "removePrincipal": { "database": database_id("01"), "principal": "arn:aws:iam::123456789012:root" } }));
    let late = api.post(&datacenter("01", "endpoints"), &json!({ "endpointID": "vpce-late" }));
    assert_eq!(late.value().expect("JSON")["status"], "Rejected");
    let good = datacenter("01", "endpoints/vpce-good");
    assert_eq!(api.read(&good)["status"], "Accepted", "who is in stays in");
    api.event(&json!({ "rejectEndpoint": { "database": database_id("01"), "endpoint": "vpce-good" } }));
    assert_eq!(api.read(&good)["status"], "Rejected");
    api.event(&json!({ "removeEndpoint": { "database": database_id("01"), "endpoint": "vpce-good" } }));
    assert_eq!(api.get(&good).status, 404);
}

#[test]
fn principals_and_endpoints_of_another_cloud_are_refused() {
    let arn = "arn:aws:iam::123456789012:root";
    let mut api = Api::new();
    for (number, principal) in [("01", SUBSCRIPTION), ("01", "arn:aws:iam::1:root"), ("03", arn), ("03", "x")]
    {
        let response =
            api.post(&datacenter(number, "private-link"), &json!({ "allowedPrincipals": [principal] }));
        assert_eq!(response.status, 400, "{principal}");
    }
    let response = api.post(&datacenter("04", "allowed-principals"), &json!({ "allowedPrincipals": [arn] }));
    assert_eq!(said(&response), r#"500 "error occurred trying to add principals in Gcp""#);
    for body in [json!({}), json!({ "allowedPrincipals": [] }), json!({ "allowedPrincipals": "a" })] {
        assert_eq!(api.post(&datacenter("01", "private-link"), &body).status, 400, "{body}");
    }
    assert_eq!(api.get(&datacenter("01", "private-link")).status, 404, "nothing was made");
    allow(&mut api, "01", arn);
    allow(&mut api, "04", "valiant-ocean-258751");
    for (number, id, status) in
        [("01", "eni-1", 400), ("01", "", 400), ("04", "vpce-1", 400), ("04", "2755639674399101", 200)]
    {
        assert_eq!(
            api.post(&datacenter(number, "endpoints"), &json!({ "endpointID": id })).status,
            status,
            "{id}"
        );
    }
}

#[test]
fn principals_go_one_by_one_and_the_service_stays() {
    let mut api = Api::new();
    let arn = "arn:aws:iam::123456789012:root";
    let service = allow(&mut api, "01", arn)["serviceName"].clone();
    let target = datacenter("01", "allowed-principals");
    assert_eq!(api.delete(&target, &json!({ "allowedPrincipal": arn })).status, 204);
    assert_eq!(api.delete(&target, &json!({ "allowedPrincipal": arn })).status, 404);
    assert_eq!(api.delete(&target, &json!({ "allowedPrincipals": [arn] })).status, 400);
    let link = api.read(&datacenter("01", "private-link"));
    assert_eq!((&link["serviceName"], &link["allowedPrincipals"]), (&service, &json!([])));
}

#[test]
fn custom_domains_are_set_as_a_whole() {
    let mut api = Api::new();
    assert_eq!(said(&api.get("/v2/organizations/customDomains")), "200 []");
    assert_eq!(said(&api.post("/v2/organizations/customDomains", &json!(["a.example", "b.example"]))), "202");
    assert_eq!(said(&api.post("/v2/organizations/customDomains", &json!(["b.example"]))), "202");
    assert_eq!(api.read("/v2/organizations/customDomains"), json!(["b.example"]));
}
