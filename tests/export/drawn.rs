//! Random organizations: few databases, and all the oddities that Astra or a hand can bring about.

use astra_devops::{
    access_list::{AccessList, Configurations, Entry},
    databases::{Database, DatabaseInfo, DatabaseStatus, Datacenter},
    id::DatabaseId,
    peering::{Peering, Vpc},
    private_link::{DatabaseLinks, PrivateEndpoint, PrivateLink},
};
use astra_operator::{
    export::{Options, select::Selection},
    preview::stage::World,
    resource::Management,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const RESOURCE: &str = "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/a";
const GUID: &str = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";

/// Texts that people write, and that YAML or a terminal could take for something else.
const DESCRIPTIONS: [&str; 16] = [
    "",
    "office",
    "yes",
    "1e3",
    "0777",
    "1:20",
    "null",
    "a: b #c",
    "- x",
    " edge ",
    "two\nlines\r\n",
    "\u{202e}fed\u{1b}[31m\u{e0041}",
    "'\"\\\\u0041",
    "---",
    "日本語 \u{85}\u{2028}",
    "{{ .Values }}",
];

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        8 => select(&DESCRIPTIONS[..]).prop_map(ToOwned::to_owned),
        1 => Just("x".repeat(257)),
        1 => any::<String>(),
    ]
    .boxed()
}

fn entry() -> impl Strategy<Value = Entry> {
    let known = [
        "203.0.113.0/24",
        "203.0.113.9/24",
        "203.0.113.7",
        "203.0.113.7/32",
        "198.51.100.7",
        "10.0.0.0/8",
        "0.0.0.0/0",
        "10.0.0.0/08",
        "010.0.0.1",
        "010.0.0.0/8",
        "999.1.1.1",
        "2001:db8::1",
        "",
        "not an address",
    ];
    // The good ones weigh more, or hardly a list would be whole.
    let address = prop_oneof![4 => select(known[..7].to_vec()), 1 => select(known.to_vec())];
    (address, text(), prop::bool::weighted(0.8)).prop_map(|(address, description, enabled)| Entry {
        address: address.to_owned(),
        description,
        enabled,
    })
}

fn access_list(id: DatabaseId) -> impl Strategy<Value = Option<AccessList>> {
    let list = (any::<bool>(), vec(entry(), 0..5));
    option::weighted(0.8, list).prop_map(move |list| {
        list.map(|(restricted, addresses)| AccessList {
            database_id: id.clone(),
            addresses,
            configurations: Configurations { access_list_enabled: restricted },
        })
    })
}

fn endpoint() -> impl Strategy<Value = PrivateEndpoint> {
    let ids = vec![
        "vpce-0a1",
        "vpce-0b2",
        "VPCE-0A1",
        "vpce-svc-1",
        "100200",
        "300",
        RESOURCE,
        "/SUBSCRIPTIONS/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/A",
        "a.0f7e1a52-5b6f-4a7e-9d1c-3c2b1a0f9e8d",
        "odd/id",
    ];
    let status =
        prop_oneof![6 => Just("Accepted"), 1 => Just("Rejected"), 1 => Just("Pending"), 1 => Just("")];
    (select(ids), text(), status).prop_map(|(id, description, status)| PrivateEndpoint {
        id: id.parse().unwrap(),
        description,
        link_id: format!("link of {id}"),
        status: status.to_owned(),
        created: String::new(),
    })
}

fn link(datacenter: String) -> impl Strategy<Value = PrivateLink> {
    let principals = vec![
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:role/a:b",
        "arn:aws-cn:iam::123456789012:user/x",
        "acme-network",
        "example.com:acme-network",
        GUID,
        "9A1C6AE4-1CF9-4F0B-8D0E-6B0C7FB7A001",
        "*",
        "",
        "odd\nprincipal",
    ];
    let all = (vec(select(principals), 0..4), vec(endpoint(), 0..4), any::<bool>());
    all.prop_map(move |(principals, endpoints, named)| PrivateLink {
        datacenter: datacenter.clone(),
        service_name: if named { "com.amazonaws.vpce.svc".to_owned() } else { String::new() },
        allowed_principals: principals.into_iter().map(ToOwned::to_owned).collect(),
        endpoints,
    })
}

fn peering() -> impl Strategy<Value = Peering> {
    let status = select(vec![
        "active",
        "connected",
        "pending-acceptance",
        "failed",
        "deleting",
        "Conflict Error: RemotePeeringIsDisconnected",
        "",
    ]);
    let account = select(vec!["acme-network", "123456789012", GUID, "Odd Account", ""]);
    let network = select(vec!["hub", "projects/p/global/networks/hub", "vpc-01234567", "Odd Network", ""]);
    (status, account, network).prop_map(|(status, account, network)| Peering {
        connection_id: "connection".to_owned(),
        status: status.to_owned(),
        current_vpc: Vpc::default(),
        other_vpc: Vpc {
            provider: String::new(),
            account: account.to_owned(),
            vpc_id: network.to_owned(),
            cidr_block: "10.1.0.0/16".to_owned(),
        },
    })
}

/// The nth id. Some begin alike, and one is no UUID.
fn id(n: usize) -> DatabaseId {
    let ids = [
        "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01",
        "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02",
        "0a000000-0f1d-4e6a-9c3b-1d2e3f4a5b03",
        "0E123456-0f1d-4e6a-9c3b-1d2e3f4a5b04",
        "12345678-0000-4e6a-9c3b-1d2e3f4a5b05",
        "no-uuid",
    ];
    ids[n].parse().unwrap()
}

fn database(n: usize) -> impl Strategy<Value = Database> {
    let name = prop_oneof![
        6 => select(vec!["orders", "Orders", "orders", "ledger", "orders-us", "staging", "true", "4711"]),
        1 => select(vec!["", " ", "日本語", "a\nb\u{202e}", "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01", "../etc"]),
    ];
    let name = prop_oneof![9 => name.prop_map(ToOwned::to_owned), 1 => Just("n".repeat(300))];
    let cloud = select(vec!["AWS", "AWS", "aws", "AZURE", "GCP", "gcp", "OCI", ""]);
    let tier = select(vec!["serverless", "C10", ""]);
    let others = vec!["HIBERNATED", "PARKED", "MAINTENANCE", "TERMINATING", "TERMINATED", "", "OF_TOMORROW"];
    let status = prop_oneof![4 => Just("ACTIVE"), 1 => select(others)];
    let region = select(vec!["us-east-2", "eu-west-1", "US-EAST-2", "east-2", "", "Odd Region\u{7}"]);
    let regions = vec(region, 1..4);
    (name, cloud, tier, status, regions).prop_map(move |(name, cloud, tier, status, regions)| Database {
        id: id(n),
        org_id: "6d5c1a8e-3b0f-4c57-8f0e-2f6f0a9d1c00".to_owned(),
        info: DatabaseInfo {
            name,
            cloud_provider: cloud.to_owned(),
            tier: tier.to_owned(),
            region: regions[0].to_owned(),
            datacenters: (regions.iter().enumerate())
                .map(|(n_th, region)| Datacenter {
                    id: format!("{}-{}", id(n), n_th + 1).parse().unwrap(),
                    region: (*region).to_owned(),
                    cloud_provider: String::new(),
                    status: DatabaseStatus::default(),
                })
                .collect(),
        },
        status: DatabaseStatus(status.to_owned()),
    })
}

/// A database and all of its network.
type Network = (Database, Option<AccessList>, Vec<PrivateLink>, Option<Peering>);

fn with_network(n: usize) -> BoxedStrategy<Network> {
    database(n)
        .prop_flat_map(|database| {
            let mut datacenters: Vec<String> =
                database.info.datacenters.iter().map(|datacenter| datacenter.id.to_string()).collect();
            datacenters.push("gone-1".to_owned());
            let links: Vec<_> = datacenters.into_iter().map(|id| option::weighted(0.6, link(id))).collect();
            let list = access_list(database.id.clone());
            (Just(database), list, links, option::weighted(0.6, peering()))
        })
        .prop_map(|(database, list, links, peering)| {
            (database, list, links.into_iter().flatten().collect(), peering)
        })
        .boxed()
}

/// An organization.
pub(crate) fn world() -> impl Strategy<Value = World> {
    let all: Vec<_> = (0..6).map(|n| option::weighted(0.7, with_network(n))).collect();
    all.prop_map(|all| {
        let mut world = World { organization: "6d5c1a8e".to_owned(), ..World::default() };
        for (database, list, links, peering) in all.into_iter().flatten() {
            let id = database.id.clone();
            world.access_lists.extend(list.map(|list| (id.clone(), list)));
            if !links.is_empty() {
                world.links.insert(id.clone(), DatabaseLinks { database: id.clone(), datacenters: links });
            }
            let cloud = database.info.cloud_provider.to_ascii_lowercase();
            world.peerings.extend(peering.map(|peering| ((cloud, id), peering)));
            world.databases.push(database);
        }
        world
    })
}

/// The same organization, as Astra might list it another time.
pub(crate) fn turned(world: &World) -> World {
    let mut world = world.clone();
    world.databases.reverse();
    for database in &mut world.databases {
        database.info.datacenters.reverse();
    }
    for list in world.access_lists.values_mut() {
        list.addresses.reverse();
    }
    for links in world.links.values_mut() {
        links.datacenters.reverse();
        for link in &mut links.datacenters {
            link.allowed_principals.reverse();
        }
    }
    world
}

/// How it is exported.
pub(crate) fn options() -> impl Strategy<Value = Options> {
    let management = prop_oneof![2 => Just(None), 1 => Just(Some(Management::Shared)), 1 => Just(Some(Management::Exclusive))];
    let namespace = option::of(Just("data".to_owned()));
    (management, namespace, prop::bool::weighted(0.3)).prop_map(|(management, namespace, by_id)| Options {
        selection: Selection::default(),
        kinds: [].into(),
        namespace,
        by_id,
        management,
    })
}
