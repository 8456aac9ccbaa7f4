//! What Astra has, read over its own API by the test itself, in a form in which two databases can be compared.

use serde_json::{Value, json};

use astra_simulator::state::ACME_TOKEN;

use crate::{harness::astra::Astra, scene::Place};

/// What differs between any two databases, or between any two moments, and means nothing.
const MASKED: [&str; 9] = [
    "databaseId",
    "organizationId",
    "lastUpdateDateTime",
    "createdDateTime",
    "datacenterID",
    "linkID",
    "serviceName",
    "connectionId",
    "currentVpc",
];

/// What is there of a kind.
pub(crate) fn read(astra: &Astra, kind: &str, place: &Place) -> Value {
    let Place { id, cloud, .. } = place;
    let cloud = cloud.as_str().to_lowercase();
    let value = match kind {
        "AstraAccessList" => get(astra, &format!("/v2/databases/{id}/access-list")),
        "AstraPrivateEndpoint" => {
            let mut all = get(astra, &format!("/v2/organizations/clusters/{id}/private-link"));
            all.pointer_mut("/datacenters/0").map(Value::take).unwrap_or_default()
        }
        "AstraVpcPeering" => get(astra, &format!("/v2/peering/provider/{cloud}/database/{id}")),
        other => panic!("{other}: say in remote.rs where it is in Astra"),
    };
    plain(value)
}

/// Is anything there that an object could own?
pub(crate) fn is_empty(found: &Value) -> bool {
    match found {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_empty),
        // Being restricted is a switch, and nobody's property.
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| *name != "configurations").all(|(_, v)| is_empty(v))
        }
        _ => false,
    }
}

fn get(astra: &Astra, path: &str) -> Value {
    let request =
        ureq::get(format!("{}{path}", astra.url)).header("authorization", format!("Bearer {ACME_TOKEN}"));
    let mut response = request.config().http_status_as_error(false).build().call().unwrap();
    match response.status().as_u16() {
        200 => serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap(),
        404 => Value::Null,
        status => panic!("{path}: {status}"),
    }
}

/// Sorted, without what is masked, in one spelling, and without what is empty.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(plain).collect();
            items.sort_by_key(Value::to_string);
            if items.is_empty() { Value::Null } else { Value::Array(items) }
        }
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !MASKED.contains(&name.as_str()));
            let kept: serde_json::Map<_, _> = kept
                .map(|(name, value)| (name, plain(value)))
                .filter(|(_, value)| !value.is_null())
                .collect();
            // A list that restricts nothing and lists nobody is as good as none.
            let nothing = kept.is_empty()
                || Value::Object(kept.clone()) == json!({ "configurations": { "accessListEnabled": false } });
            if nothing { Value::Null } else { Value::Object(kept) }
        }
        Value::String(text) => json!(spelling(&text)),
        other => other,
    }
}

/// One of the spellings that mean the same: a network of one with or without its prefix, a GUID in either case, and
/// Azure's own id of an endpoint without the part that Astra made up.
fn spelling(text: &str) -> String {
    if let Some(address) = text.strip_suffix("/32") {
        return address.to_owned();
    }
    let is_guid = |text: &str| text.len() == 36 && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    if is_guid(text) {
        return text.to_lowercase();
    }
    match text.rsplit_once('.') {
        Some((name, made)) if is_guid(made) => name.to_owned(),
        _ => text.to_owned(),
    }
}
