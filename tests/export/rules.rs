//! What the export takes for a value that a manifest can hold is what the definitions' own schema and rules take.

use astra_devops::peering::Provider;
use astra_operator::{export::forms, manifest};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

/// Does the API server take an object of this kind with this spec?
fn takes(kind: &str, spec: &Value) -> bool {
    let mut spec = spec.clone();
    spec["database"] = json!({ "name": "orders" });
    let object = json!({
        "apiVersion": "astra.datastax.com/v1beta1", "kind": kind, "metadata": { "name": "x" }, "spec": spec,
    });
    let read = manifest::read_text("x.json", &object.to_string(), "default");
    assert_eq!(read.objects.len() + usize::from(!read.errors.is_empty()), 1, "{read:?}");
    read.errors.is_empty()
}

fn takes_principal(text: &str) -> bool {
    takes("AstraPrivateEndpoint", &json!({ "allowedPrincipals": [text] }))
}

fn takes_endpoint(text: &str) -> bool {
    takes("AstraPrivateEndpoint", &json!({ "endpoints": [{ "id": text }] }))
}

fn takes_address(text: &str) -> bool {
    takes("AstraAccessList", &json!({ "addresses": [{ "address": text }] }))
}

/// A text that is nearly one of these: each part may be doubled, dropped, or another sign put in.
fn nearly(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let signs = select("a0Z-_.:/ \nvé*".chars().collect::<Vec<_>>());
    let change = (any::<prop::sample::Index>(), signs, 0..5_u8);
    (select(texts), prop::collection::vec(change, 0..3)).prop_map(|(text, changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, sign, how) in changes {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match how {
                0 => text[at] = sign,
                1 => text.insert(at, sign),
                2 => drop(text.remove(at)),
                3 => text.insert(at, text[at]),
                _ => text.push(sign),
            }
        }
        text.into_iter().collect()
    })
}

const PRINCIPALS: &[&str] = &[
    "arn:aws:iam::123456789012:root",
    "arn:aws-us-gov:iam::123456789012:role/a/b",
    "arn:aws:iam::123456789012:user/x",
    "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
    "acme-network",
    "example.com:acme-network",
    "abcdef",
];

const ENDPOINTS: &[&str] = &[
    "vpce-0a1b2c",
    "vpce-svc-0a1b2c",
    "100200",
    "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/a",
    "/SUBSCRIPTIONS/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourcegroups/n-1/Providers/microsoft.network/privateendpoints/a",
];

const ADDRESSES: &[&str] =
    &["203.0.113.7", "203.0.113.0/24", "203.0.113.9/24", "0.0.0.0/0", "10.0.0.0/08", "255.255.255.255/32"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn principals(text in nearly(PRINCIPALS)) {
        prop_assert_eq!(forms::principal(None, &text), takes_principal(&text), "{:?}", text);
    }

    #[test]
    fn endpoints(text in nearly(ENDPOINTS)) {
        // An id with white space never gets so far: it is none in Astra either.
        prop_assume!(!text.contains([' ', '\n']));
        prop_assert_eq!(forms::endpoint(None, &text), takes_endpoint(&text), "{:?}", text);
    }

    #[test]
    fn addresses(text in nearly(ADDRESSES)) {
        match forms::address(&text) {
            Some((_, said)) => {
                prop_assert!(takes_address(&said), "{:?}", said);
                prop_assert_eq!(said == text, takes_address(&text), "{:?}", text);
            }
            None => prop_assert!(!takes_address(&text), "{:?}", text),
        }
    }

    #[test]
    fn projects_and_networks(project in nearly(&["acme-network", "example.com:acme-network"]), network in nearly(&["hub", "a-1"])) {
        let gcp = |project: &str, network: &str| {
            takes("AstraVpcPeering", &json!({ "gcp": { "projectId": project, "network": network } }))
        };
        prop_assert_eq!(forms::project(&project), gcp(&project, "hub"), "{:?}", project);
        prop_assert_eq!(forms::gcp_network(&network), gcp("acme-network", &network), "{:?}", network);
    }
}

#[test]
fn lengths_end_where_the_schema_ends() {
    let principal = |n: usize| format!("arn:aws:iam::123456789012:role/{}", "x".repeat(n));
    for n in [224, 225, 226, 227] {
        let text = principal(n);
        assert_eq!(forms::principal(None, &text), takes_principal(&text), "{}", text.len());
    }
    for n in [505, 506, 507, 508] {
        let text = format!("vpce-{}", "x".repeat(n));
        assert_eq!(forms::endpoint(None, &text), takes_endpoint(&text), "{}", text.len());
    }
    for n in [forms::DESCRIPTION, forms::DESCRIPTION + 1] {
        let spec = json!({ "addresses": [{ "address": "203.0.113.7", "description": "é".repeat(n) }] });
        assert_eq!(takes("AstraAccessList", &spec), n <= forms::DESCRIPTION);
    }
    for n in [forms::ADDRESSES, forms::ADDRESSES + 1] {
        let address = |i: usize| json!({ "address": format!("10.{}.{}.0/24", i / 256, i % 256) });
        let spec = json!({ "addresses": (0..n).map(address).collect::<Vec<_>>() });
        assert_eq!(takes("AstraAccessList", &spec), n <= forms::ADDRESSES);
    }
    for n in [forms::ENDPOINTS, forms::ENDPOINTS + 1] {
        let endpoint = |i: usize| json!({ "id": format!("vpce-{i}") });
        let spec = json!({ "endpoints": (0..n).map(endpoint).collect::<Vec<_>>() });
        assert_eq!(takes("AstraPrivateEndpoint", &spec), n <= forms::ENDPOINTS);
    }
    for n in [1, 256, 257] {
        let text = "é".repeat(n);
        let object = json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "metadata": { "name": "x" },
            "spec": { "database": { "name": text }, "addresses": [{ "address": "203.0.113.7" }] },
        });
        let read = manifest::read_text("x.json", &object.to_string(), "default");
        assert_eq!(forms::database_name(&text), read.errors.is_empty(), "{n}");
    }
}

#[test]
fn a_value_must_be_of_the_databases_cloud() {
    let clouds = [Provider::Aws, Provider::Azure, Provider::Gcp];
    for (principal, endpoint, cloud) in [
        (PRINCIPALS[0], ENDPOINTS[0], Provider::Aws),
        (PRINCIPALS[3], ENDPOINTS[3], Provider::Azure),
        (PRINCIPALS[4], ENDPOINTS[2], Provider::Gcp),
    ] {
        for other in clouds {
            assert_eq!(forms::principal(Some(other), principal), other == cloud, "{principal} on {other}");
            assert_eq!(forms::endpoint(Some(other), endpoint), other == cloud, "{endpoint} on {other}");
        }
    }
}
