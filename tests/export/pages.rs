//! What an export looks like.

use std::fmt::Write as _;

use astra_operator::{
    export::{Export, Options, draft, layout},
    preview::stage::World,
};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn database(n: u8, name: &str, cloud: &str, tier: &str, regions: &[&str]) -> Value {
    let id = format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b{n:02}");
    let datacenter =
        |(i, region): (usize, &&str)| json!({ "id": format!("{id}-{}", i + 1), "region": region });
    let datacenters: Vec<_> = regions.iter().enumerate().map(datacenter).collect();
    let info = json!({ "name": name, "cloudProvider": cloud, "tier": tier, "datacenters": datacenters });
    json!({ "id": id, "info": info, "status": "ACTIVE" })
}

fn world(databases: Vec<Value>, lists: Vec<Value>, links: Vec<Value>, peerings: &[(&str, Value)]) -> World {
    let read = |value: Value| serde_json::from_value(value).unwrap();
    let databases: Vec<astra_devops::databases::Database> =
        databases.into_iter().map(|value| serde_json::from_value(value).unwrap()).collect();
    let lists = lists
        .into_iter()
        .map(|list| -> astra_devops::access_list::AccessList { serde_json::from_value(list).unwrap() });
    let links = links
        .into_iter()
        .map(|links| -> astra_devops::private_link::DatabaseLinks { serde_json::from_value(links).unwrap() });
    World {
        organization: "acme".to_owned(),
        access_lists: lists.map(|list| (list.database_id.clone(), list)).collect(),
        links: links.map(|links| (links.database.clone(), links)).collect(),
        peerings: (peerings.iter())
            .map(|(cloud, peering)| (((*cloud).to_owned(), databases[0].id.clone()), read(peering.clone())))
            .collect(),
        databases,
    }
}

/// All files, and what is said beside them.
fn shown(world: &World, options: &Options) -> String {
    let export: Export = draft(world, &[], options).unwrap();
    let mut text = String::new();
    for file in layout::files(&export).unwrap() {
        writeln!(text, "=== {}\n{}", file.path.display(), file.text.trim_end()).unwrap();
    }
    for note in &export.notes {
        writeln!(text, "=== note: {note}").unwrap();
    }
    for left_out in &export.left_out {
        writeln!(text, "=== warning: {left_out}").unwrap();
    }
    text
}

fn check(world: &World, options: &Options, expected: &Expect) {
    expected.assert_eq(&shown(world, options));
}

const ONE: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01";

#[test]
fn a_database_with_a_list_and_a_private_link() {
    let entries = json!([
        { "address": "203.0.113.0/24", "description": "Berlin: office #1", "enabled": true },
        { "address": "198.51.100.7", "description": "yes", "enabled": false },
        { "address": "192.0.2.9/25", "description": "", "enabled": true },
    ]);
    let list =
        json!({ "databaseId": ONE, "addresses": entries, "configurations": { "accessListEnabled": true } });
    let endpoints = json!([
        { "endpointID": "vpce-0a1", "description": "orders, checkout", "linkID": "link-1", "status": "Accepted" },
        { "endpointID": "vpce-0b2", "description": "", "linkID": "link-2", "status": "Rejected" },
    ]);
    let link = json!({
        "datacenterID": format!("{ONE}-1"), "serviceName": "com.amazonaws.vpce.us-east-2.vpce-svc-1",
        "allowedPrincipals": ["arn:aws:iam::123456789012:root"], "endpoints": endpoints,
    });
    let world = world(
        vec![database(1, "orders", "AWS", "serverless", &["us-east-2"])],
        vec![list],
        vec![json!({ "clusterID": ONE, "datacenters": [link] })],
        &[],
    );
    let namespace = Some("data".to_owned());
    check(
        &world,
        &Options { namespace, ..Options::default() },
        &expect![[r#"
        === orders/access-list.yaml
        # Database orders, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, serverless, us-east-2.
        # Exclusive, the default: the operator removes entries that are added elsewhere. The careful choice is management: Shared.
        # Astra has 192.0.2.0/25 as 192.0.2.9/25: the bits behind the prefix mean nothing.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraAccessList
        metadata:
          name: orders
          namespace: data
        spec:
          database:
            name: orders
          publicAccess: Listed
          addresses:
            - address: 192.0.2.0/25
            - address: "198.51.100.7"
              description: "yes"
              enabled: false
            - address: 203.0.113.0/24
              description: "Berlin: office #1"
        === orders/private-endpoint-us-east-2.yaml
        # Database orders, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, serverless, us-east-2.
        # Datacenter 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01-1 in us-east-2.
        # Endpoint vpce-0a1: link link-1, Accepted.
        # Endpoint vpce-0b2: link link-2, Rejected.
        # Service name com.amazonaws.vpce.us-east-2.vpce-svc-1.
        # deletionPolicy: Retain keeps all of it in Astra when this object is deleted.
        # Shared, the default: what is allowed or connected elsewhere is left alone.
        # Left out: endpoint vpce-0b2: Astra has rejected it: remove it there, and make it anew in the cloud.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraPrivateEndpoint
        metadata:
          name: orders-us-east-2
          namespace: data
        spec:
          database:
            name: orders
          region: us-east-2
          deletionPolicy: Retain
          allowedPrincipals:
            - arn:aws:iam::123456789012:root
          endpoints:
            - id: vpce-0a1
              description: orders, checkout
        === kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
          - orders/access-list.yaml
          - orders/private-endpoint-us-east-2.yaml
        === warning: database orders (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01): AstraPrivateEndpoint: endpoint vpce-0b2: Astra has rejected it: remove it there, and make it anew in the cloud
    "#]],
    );
}

#[test]
fn two_of_one_name_one_blocked_and_one_open() {
    let list = json!({ "databaseId": ONE, "addresses": [], "configurations": { "accessListEnabled": true } });
    let databases = vec![
        database(1, "staging", "AWS", "serverless", &["us-east-2"]),
        database(2, "staging", "AWS", "serverless", &["us-east-2"]),
    ];
    check(
        &world(databases, vec![list], vec![], &[]),
        &Options::default(),
        &expect![[r#"
        === staging-4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01/access-list.yaml
        # Database staging, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, serverless, us-east-2.
        # Nobody gets in from the internet, and the operator removes what is added elsewhere.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraAccessList
        metadata:
          name: staging-4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01
        spec:
          database:
            id: 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01
          publicAccess: Blocked
        === kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
          - staging-4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01/access-list.yaml
        === note: open to everybody, and without an access list that could be exported: staging (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02)
    "#]],
    );
}

#[test]
fn a_list_that_no_manifest_can_say_whole_is_shared() {
    let entries = json!([
        { "address": "203.0.113.7", "description": "a", "enabled": true },
        { "address": "203.0.113.7/32", "description": "b", "enabled": true },
        { "address": "198.51.100.7", "description": "c", "enabled": true },
        { "address": "198.51.100.7/32", "description": "c", "enabled": true },
        { "address": "10.0.0.0/08", "description": "d", "enabled": true },
    ]);
    let list =
        json!({ "databaseId": ONE, "addresses": entries, "configurations": { "accessListEnabled": true } });
    let databases = vec![database(1, "orders", "AWS", "serverless", &["us-east-2"])];
    check(
        &world(databases, vec![list], vec![], &[]),
        &Options::default(),
        &expect![[r#"
        === orders/access-list.yaml
        # Database orders, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, serverless, us-east-2.
        # Shared, because no object can say the whole list: an Exclusive one would take away what this one does not say.
        # Astra has 198.51.100.7 and 198.51.100.7/32, which are one network: said once, and Shared, so that neither is removed.
        # Left out: address "10.0.0.0/08": it is no IPv4 address or network as the API server takes them, so it stays in Astra, and Shared leaves it alone.
        # Left out: addresses 203.0.113.7 and 203.0.113.7/32: they are one network, 203.0.113.7/32, with different descriptions or switches, and a manifest says a network once; make them one in Astra, then export again.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraAccessList
        metadata:
          name: orders
        spec:
          database:
            name: orders
          management: Shared
          publicAccess: Listed
          addresses:
            - address: "198.51.100.7"
              description: c
        === kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
          - orders/access-list.yaml
        === warning: database orders (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01): AstraAccessList: address "10.0.0.0/08": it is no IPv4 address or network as the API server takes them, so it stays in Astra, and Shared leaves it alone
        === warning: database orders (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01): AstraAccessList: addresses 203.0.113.7 and 203.0.113.7/32: they are one network, 203.0.113.7/32, with different descriptions or switches, and a manifest says a network once; make them one in Astra, then export again
    "#]],
    );
}

#[test]
fn a_list_that_is_not_switched_on_is_left_so() {
    let entries = json!([{ "address": "203.0.113.0/24", "description": "office", "enabled": true }]);
    let list =
        json!({ "databaseId": ONE, "addresses": entries, "configurations": { "accessListEnabled": false } });
    let databases = vec![database(1, "orders", "AWS", "serverless", &["us-east-2"])];
    check(
        &world(databases, vec![list], vec![], &[]),
        &Options::default(),
        &expect![[r#"
        === orders/access-list.yaml
        # Database orders, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, serverless, us-east-2.
        # Access is not restricted in Astra: everybody gets in, and this object leaves it so. publicAccess: Listed restricts it to the list.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraAccessList
        metadata:
          name: orders
        spec:
          database:
            name: orders
          management: Shared
          addresses:
            - address: 203.0.113.0/24
              description: office
        === kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
          - orders/access-list.yaml
    "#]],
    );
}

#[test]
fn a_peering_is_finished_where_astra_tells_enough() {
    let peering = |account: &str, network: &str| {
        json!({
            "connectionId": "c-1", "status": "active", "currentVpc": {},
            "otherVpc": { "account": account, "vpcId": network, "cidrBlock": "10.1.0.0/16" },
        })
    };
    let gcp = world(
        vec![database(1, "archive", "GCP", "D10", &["us-central1"])],
        vec![],
        vec![],
        &[("gcp", peering("acme-network", "projects/acme-network/global/networks/hub"))],
    );
    check(
        &gcp,
        &Options::default(),
        &expect![[r#"
        === archive/vpc-peering.yaml
        # Database archive, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: GCP, D10, us-central1.
        # Connection c-1, active.
        # deletionPolicy: Retain keeps the peering in Astra when this object is deleted.
        apiVersion: astra.datastax.com/v1beta1
        kind: AstraVpcPeering
        metadata:
          name: archive
        spec:
          database:
            name: archive
          deletionPolicy: Retain
          gcp:
            projectId: acme-network
            network: hub
        === kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
          - archive/vpc-peering.yaml
        === note: open to everybody, and without an access list that could be exported: archive (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01)
    "#]],
    );
    let aws = world(
        vec![database(1, "legacy", "AWS", "C20", &["us-west-2"])],
        vec![],
        vec![],
        &[("aws", peering("123456789012", "vpc-01234567"))],
    );
    check(
        &aws,
        &Options::default(),
        &expect![[r#"
        === legacy/vpc-peering.yaml
        # Database legacy, 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01: AWS, C20, us-west-2.
        # Connection c-1, active.
        # deletionPolicy: Retain keeps the peering in Astra when this object is deleted.
        # Left out: the peering with "vpc-01234567" of "123456789012": Astra does not tell the VPC's region, so the object is written as a comment: fill it in, and take away the # of its lines.
        #apiVersion: astra.datastax.com/v1beta1
        #kind: AstraVpcPeering
        #metadata:
        #  name: legacy
        #spec:
        #  database:
        #    name: legacy
        #  deletionPolicy: Retain
        #  aws:
        #    accountId: "123456789012"
        #    region: FILL-IN
        #    vpcId: vpc-01234567
        #    cidrBlock: 10.1.0.0/16
        === note: open to everybody, and without an access list that could be exported: legacy (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01)
        === warning: database legacy (4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01): AstraVpcPeering: the peering with "vpc-01234567" of "123456789012": Astra does not tell the VPC's region, so the object is written as a comment: fill it in, and take away the # of its lines
    "#]],
    );
}
