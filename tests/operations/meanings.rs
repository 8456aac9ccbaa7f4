//! What a schema cannot tell: the words of the clouds and of networks. Only fields whose meaning is judged by a rule, or
//! that name something that must exist, are here.

use serde_json::{Value, json};

use crate::scene;

/// Values with a meaning.
pub(crate) struct Meaning {
    pub(crate) valid: Vec<Value>,
    pub(crate) invalid: Vec<Value>,
}

fn texts(valid: &[&str], invalid: &[&str]) -> Meaning {
    let values = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect();
    Meaning { valid: values(valid), invalid: values(invalid) }
}

/// The `i`th of endlessly many items that differ, for a list.
pub(crate) fn nth(list: &str, i: usize) -> String {
    match list {
        "spec.addresses" => format!("10.{}.{}.{}", i / 65_536, i / 256 % 256, i % 256),
        "spec.allowedPrincipals" => format!("arn:aws:iam::{i:012}:root"),
        "spec.endpoints" => format!("vpce-{i:017x}"),
        _ => panic!("{list}: say in meanings.rs how its items look"),
    }
}

/// What is known of a field, by its path.
pub(crate) fn of(path: &str) -> Option<Meaning> {
    of_names(path).or_else(|| of_networks(path)).or_else(|| of_clouds(path))
}

fn of_names(path: &str) -> Option<Meaning> {
    match path {
        "spec.database.id" => {
            Some(texts(&["{id}", "{ID}"], &["{name}", "{id}0", "{id}\n", "../{id}", "{{id}}"]))
        }
        "spec.database.name" => Some(Meaning {
            valid: scene::names().into_iter().map(Value::from).collect(),
            invalid: Vec::new(),
        }),
        "spec.credentials.secretName" => {
            let names = scene::secrets().into_iter().map(Value::from).collect();
            let bad =
                ["../astra-credentials", "a/b", "Astra", "a_b", "-a", "a.", "..", "%2e%2e", "a?b=c", "a#b"];
            Some(Meaning { valid: names, invalid: bad.map(Value::from).to_vec() })
        }
        "spec.credentials.key" => {
            let keys = scene::keys().into_iter().map(Value::from).collect();
            Some(Meaning { valid: keys, invalid: ["a/b", "a b", "ä", "a\u{0}"].map(Value::from).to_vec() })
        }
        "spec.datacenterId" => Some(texts(
            &["{id}-1", "d", "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"],
            &["..", "{id}/1", "{id}-1?", "{id}-1#"],
        )),
        _ => None,
    }
}

fn of_networks(path: &str) -> Option<Meaning> {
    match path {
        "spec.addresses[].address" => Some(texts(
            &[
                "192.0.2.1",
                "192.0.2.0/25",
                "192.0.2.7/32",
                "0.0.0.0/0",
                "128.0.0.0/1",
                "255.255.255.255",
                "0.0.0.0",
            ],
            &[
                "192.0.2.1/24",
                "1.0.0.0/0",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "10.0.0.0/",
                "256.0.0.1",
                "10.0.0.01",
                "10.0.0",
                "10.0.0.0.0",
                "2001:db8::1",
                "2001:db8::/32",
                "::ffff:10.0.0.1",
                "0x0a.0.0.1",
                "host.example",
                "10.0.0.1-10.0.0.9",
                "10,0,0,1",
                "１０.0.0.1.1",
            ],
        )),
        "spec.addresses" => Some(Meaning {
            // Networks within networks.
            valid: vec![
                json!([{ "address": "10.0.0.0/8" }, { "address": "10.1.0.0/16" }, { "address": "10.1.1.1" }]),
                json!([{ "address": "0.0.0.0/0" }, { "address": "203.0.113.7" }]),
                json!([{ "address": "203.0.113.7", "enabled": false }, { "address": "203.0.113.8" }]),
            ],
            // One network in two texts.
            invalid: vec![json!([{ "address": "203.0.113.7" }, { "address": "203.0.113.7/32" }])],
        }),
        "spec.aws.cidrBlock" => Some(texts(
            &["10.2.0.0/16", "172.16.0.0/12", "192.168.255.0/24", "10.0.0.0/8"],
            &[
                "10.2.0.1/16",
                "10.2.0.0",
                "10.2.0.0/33",
                "2001:db8::/32",
                "10.2.0/16",
                "300.0.0.0/8",
                "10.02.0.0/16",
            ],
        )),
        _ => None,
    }
}

fn of_clouds(path: &str) -> Option<Meaning> {
    const GUID: &str = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";
    match path {
        "spec.allowedPrincipals[]" => Some(texts(
            &[
                "arn:aws:iam::210987654321:root",
                "arn:aws-cn:iam::123456789012:role/path/x",
                "arn:aws:iam::123456789012:user/y",
            ],
            &[
                "arn:aws:iam::12345678901:root",
                "arn:aws:iam::1234567890123:root",
                "arn:aws:iam:us-east-1:123456789012:root",
                "arn:aws:s3:::bucket",
                "ARN:AWS:IAM::123456789012:ROOT",
                "arn:aws:iam::123456789012:group/x",
                "*",
                "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a00",
                "Acme-Network",
                "acme_network",
                "a-",
            ],
        )),
        "spec.allowedPrincipals" => Some(Meaning {
            valid: Vec::new(),
            // One subscription in two spellings, and principals of other clouds.
            invalid: vec![
                json!([GUID, GUID.to_uppercase()]),
                json!([GUID]),
                json!(["acme-network"]),
                json!(["arn:aws:iam::123456789012:root", GUID]),
            ],
        }),
        "spec.endpoints[].id" => Some(texts(
            &["vpce-0123456789abcdef0", "vpce-x"],
            &[
                "vpce-",
                "vpce-svc-0123456789abcdef0",
                "VPCE-1",
                "pe-1",
                "vpce-1/../2",
                "vpce-1?x=1",
                "vpce-1#",
                "13585698993864708",
                "1358569899386470x",
                "/subscriptions/x",
                "..",
                ".",
                "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/a b/providers/Microsoft.Network/privateEndpoints/c",
                "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/a\n/providers/Microsoft.Network/privateEndpoints/c",
                "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/a/providers/Microsoft.Network/privateEndpoints/",
            ],
        )),
        "spec.endpoints" => Some(Meaning {
            valid: Vec::new(),
            // One id in two cases: on AWS they differ to Kubernetes, and not to anybody else.
            invalid: vec![json!([{ "id": "vpce-a" }, { "id": "vpce-A" }])],
        }),
        _ => None,
    }
}
