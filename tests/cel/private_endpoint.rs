//! Rows for `AstraPrivateEndpoint`.

use serde_json::{Value, json};

use crate::table::{Row, Verdict};

const EITHER: &str = "declare at least one of spec.allowedPrincipals and spec.endpoints";
const REGION: &str =
    "spec.region cannot be changed: make another object for the other region, then delete this one";
const DATACENTER: &str =
    "spec.datacenterId cannot be changed: make another object for the other datacenter, then delete this one";
const PRINCIPAL: &str = "each allowed principal must be an AWS ARN (arn:aws:iam::123456789012:root), an Azure subscription id (a GUID) or a Google Cloud project id";
const SERVICE: &str = "vpce-svc-… is the endpoint service; the endpoint's own id is vpce-…";
const ENDPOINT: &str = "must be an AWS VPC endpoint id (vpce-…), an Azure resource id (/subscriptions/…/privateEndpoints/NAME) or a Google Cloud PSC connection id (digits)";

const ROOT: &str = "arn:aws:iam::123456789012:root";

fn spec(mut fields: Value) -> Value {
    fields["database"] = json!({ "name": "orders" });
    fields
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraPrivateEndpoint", name, old: None, spec, verdict };
    let change =
        |name, old, spec, verdict| Row { kind: "AstraPrivateEndpoint", name, old: Some(old), spec, verdict };
    let principals = |texts: &[&str]| spec(json!({ "allowedPrincipals": texts }));
    let endpoint = |id: &str| spec(json!({ "endpoints": [{ "id": id }] }));
    let region = |region: &str| spec(json!({ "allowedPrincipals": [ROOT], "region": region }));
    let datacenter = |id: &str| spec(json!({ "allowedPrincipals": [ROOT], "datacenterId": id }));
    let plain = principals(&[ROOT]);
    let mut rows = vec![
        row("only endpoints", endpoint("vpce-0f7aed6e7a18a1791"), Verdict::Accepted),
        row("neither principals nor endpoints", spec(json!({})), Verdict::Rule("spec", EITHER)),
        row(
            "a principal twice",
            principals(&[ROOT, ROOT]),
            Verdict::Schema("spec.allowedPrincipals[1]", "Duplicate value"),
        ),
        row(
            "an empty principal",
            principals(&[""]),
            Verdict::Schema("spec.allowedPrincipals[0]", "at least 1 chars"),
        ),
        row(
            "an endpoint twice",
            spec(json!({ "endpoints": [{ "id": "vpce-1" }, { "id": "vpce-1" }] })),
            Verdict::Schema("spec.endpoints[1]", "Duplicate value"),
        ),
        row(
            "an endpoint without an id",
            spec(json!({ "endpoints": [{ "description": "x" }] })),
            Verdict::Schema("spec.endpoints[0].id", "Required value"),
        ),
        row(
            "a number without quotes",
            spec(json!({ "endpoints": [{ "id": 13_585_698_993_864_708_i64 }] })),
            Verdict::Schema("spec.endpoints[0].id", "must be of type string"),
        ),
        row(
            "the service's id",
            endpoint("vpce-svc-0f7aed6e7a18a1791"),
            Verdict::Rule("spec.endpoints[0].id", SERVICE),
        ),
        row(
            "a long description",
            spec(json!({ "endpoints": [{ "id": "vpce-1", "description": "x".repeat(257) }] })),
            Verdict::Schema("spec.endpoints[0].description", "Too long"),
        ),
        row(
            "a region and a datacenter",
            spec(json!({ "allowedPrincipals": [ROOT], "region": "us-east-2", "datacenterId": "x-1" })),
            Verdict::Accepted,
        ),
        row(
            "a datacenter with a slash",
            datacenter("x/../y"),
            Verdict::Schema("spec.datacenterId", "should match"),
        ),
        row(
            "an unknown management",
            spec(json!({ "allowedPrincipals": [ROOT], "management": "Mine" })),
            Verdict::Schema("spec.management", "Unsupported value"),
        ),
        change("a region said later", plain.clone(), region("us-east-2"), Verdict::Accepted),
        change("another region", region("us-east-2"), region("us-west-2"), Verdict::Rule("spec", REGION)),
        change("no region any more", region("us-east-2"), plain.clone(), Verdict::Rule("spec", REGION)),
        change("a datacenter said later", plain.clone(), datacenter("x-1"), Verdict::Accepted),
        change("another datacenter", datacenter("x-1"), datacenter("x-2"), Verdict::Rule("spec", DATACENTER)),
        change("another principal", plain, principals(&["acme-network"]), Verdict::Accepted),
    ];
    for text in [
        ROOT,
        "arn:aws-us-gov:iam::123456789012:role/network",
        "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
        "acme-network",
        "example.com:acme-network",
    ] {
        rows.push(row("a principal", principals(&[text]), Verdict::Accepted));
    }
    for text in ["arn:aws:iam::12345:root", "arn:aws:s3:::bucket", "*", "Acme Network", "acme"] {
        rows.push(row(
            "no principal",
            principals(&[text]),
            Verdict::Rule("spec.allowedPrincipals", PRINCIPAL),
        ));
    }
    for id in [
        "vpce-0f7aed6e7a18a1791",
        "13585698993864708",
        "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/astra",
        "/Subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourcegroups/network/providers/microsoft.network/privateendpoints/astra",
    ] {
        rows.push(row("an endpoint", endpoint(id), Verdict::Accepted));
    }
    for id in
        ["pe-0f7aed6e7a18a1791", "vpce-", "/subscriptions/x", "13585698993864708x", "vpce-1/../2", "vpce 1"]
    {
        rows.push(row("no endpoint", endpoint(id), Verdict::Rule("spec.endpoints[0].id", ENDPOINT)));
    }
    rows
}
