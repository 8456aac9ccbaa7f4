//! Rows for `AstraVpcPeering`.

use serde_json::{Value, json};

use crate::table::{Row, Verdict};

const ONE: &str = "give exactly one of spec.azure, spec.aws and spec.gcp";
const FIXED: &str =
    "a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another";
const NETWORK: &str = "must be an IPv4 network such as 10.1.0.0/16";
const HOST_BITS: &str =
    "has bits set behind its prefix: write the network's first address, such as 10.1.0.0/16";

fn azure() -> Value {
    json!({
        "tenantId": "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10",
        "subscriptionId": "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
        "resourceGroup": "network",
        "virtualNetwork": "hub",
    })
}

fn aws() -> Value {
    json!({
        "accountId": "123456789012",
        "region": "us-west-2",
        "vpcId": "vpc-0a1b2c3d4e5f60718",
        "cidrBlock": "10.1.0.0/16",
    })
}

fn gcp() -> Value {
    json!({ "projectId": "acme-network", "network": "shared" })
}

fn spec(mut fields: Value) -> Value {
    fields["database"] = json!({ "name": "warehouse" });
    fields
}

/// A network with one field set to another value.
fn with(cloud: &str, mut network: Value, field: &str, value: Value) -> Value {
    network[field] = value;
    spec(json!({ cloud: network }))
}

pub(crate) fn rows() -> Vec<Row> {
    [networks(), names()].concat()
}

/// Names with characters that their cloud does not take: some would break a line of a log.
fn names() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraVpcPeering", name, old: None, spec, verdict };
    vec![
        row(
            "a resource group of two lines",
            with("azure", azure(), "resourceGroup", json!("net\nwork")),
            Verdict::Schema("spec.azure.resourceGroup", "should match"),
        ),
        row(
            "a virtual network of two lines",
            with("azure", azure(), "virtualNetwork", json!("hub\nspoke")),
            Verdict::Schema("spec.azure.virtualNetwork", "should match"),
        ),
        row(
            "a resource group in other letters",
            with("azure", azure(), "resourceGroup", json!("Netz-(ü)_1")),
            Verdict::Accepted,
        ),
        row(
            "a region with a space",
            with("aws", aws(), "region", json!("us west 2")),
            Verdict::Schema("spec.aws.region", "should match"),
        ),
    ]
}

fn networks() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraVpcPeering", name, old: None, spec, verdict };
    let change =
        |name, old, spec, verdict| Row { kind: "AstraVpcPeering", name, old: Some(old), spec, verdict };
    let of = |cloud: &str, network: Value| spec(json!({ cloud: network }));
    let block = "spec.aws.cidrBlock";
    vec![
        row("azure", of("azure", azure()), Verdict::Accepted),
        row("aws", of("aws", aws()), Verdict::Accepted),
        row("gcp", of("gcp", gcp()), Verdict::Accepted),
        row("none", spec(json!({})), Verdict::Rule("spec", ONE)),
        row("two", spec(json!({ "aws": aws(), "gcp": gcp() })), Verdict::Rule("spec", ONE)),
        row(
            "three",
            spec(json!({ "aws": aws(), "gcp": gcp(), "azure": azure() })),
            Verdict::Rule("spec", ONE),
        ),
        row(
            "no GUID for the tenant",
            with("azure", azure(), "tenantId", json!("acme")),
            Verdict::Schema("spec.azure.tenantId", "should match"),
        ),
        row(
            "no GUID for the subscription",
            with("azure", azure(), "subscriptionId", json!("acme")),
            Verdict::Schema("spec.azure.subscriptionId", "should match"),
        ),
        row(
            "no resource group",
            with("azure", azure(), "resourceGroup", json!("")),
            Verdict::Schema("spec.azure.resourceGroup", "at least 1 chars"),
        ),
        row(
            "no virtual network",
            with("azure", azure(), "virtualNetwork", json!("")),
            Verdict::Schema("spec.azure.virtualNetwork", "at least 1 chars"),
        ),
        row(
            "a short account",
            with("aws", aws(), "accountId", json!("123")),
            Verdict::Schema("spec.aws.accountId", "should match"),
        ),
        row(
            "an account without quotes",
            with("aws", aws(), "accountId", json!(123_456_789_012_i64)),
            Verdict::Schema("spec.aws.accountId", "must be of type string"),
        ),
        row(
            "no VPC id",
            with("aws", aws(), "vpcId", json!("subnet-0a1b2c3d")),
            Verdict::Schema("spec.aws.vpcId", "should match"),
        ),
        row("a short VPC id", with("aws", aws(), "vpcId", json!("vpc-0a1b2c3d")), Verdict::Accepted),
        row(
            "a single address",
            with("aws", aws(), "cidrBlock", json!("10.1.0.0")),
            Verdict::Schema(block, "at least 9 chars"),
        ),
        row(
            "no network",
            with("aws", aws(), "cidrBlock", json!("10.1.0.0.0")),
            Verdict::Rule(block, NETWORK),
        ),
        row("IPv6", with("aws", aws(), "cidrBlock", json!("2001:db8::/32")), Verdict::Rule(block, NETWORK)),
        row(
            "bits behind the prefix",
            with("aws", aws(), "cidrBlock", json!("10.1.0.5/16")),
            Verdict::Rule(block, HOST_BITS),
        ),
        row(
            "no project",
            with("gcp", gcp(), "projectId", json!("Acme")),
            Verdict::Schema("spec.gcp.projectId", "should match"),
        ),
        row(
            "no network's name",
            with("gcp", gcp(), "network", json!("Shared!")),
            Verdict::Schema("spec.gcp.network", "should match"),
        ),
        change(
            "another virtual network",
            of("azure", azure()),
            with("azure", azure(), "virtualNetwork", json!("spoke")),
            Verdict::Rule("spec.azure", FIXED),
        ),
        change(
            "another VPC",
            of("aws", aws()),
            with("aws", aws(), "vpcId", json!("vpc-0a1b2c3d")),
            Verdict::Rule("spec.aws", FIXED),
        ),
        change(
            "another network",
            of("gcp", gcp()),
            with("gcp", gcp(), "network", json!("other")),
            Verdict::Rule("spec.gcp", FIXED),
        ),
        change("another cloud", of("gcp", gcp()), of("aws", aws()), Verdict::Rule("spec", FIXED)),
    ]
}
