//! What is in Astra when a case begins.

use astra_simulator::state::{
    ACME, AccessList, AddressEntry, Cloud, Database, Datacenter, PrivateLink, database_id,
};

/// A database of acme's without anything in its network.
pub(crate) fn database(number: &str, name: &str, cloud: u8, tier: &str, regions: u8) -> Database {
    let id = database_id(number);
    let datacenter = |n: u8| Datacenter {
        id: format!("{id}-{n}"),
        region: format!("region-{n}"),
        status: "ACTIVE".into(),
    };
    Database {
        name: name.into(),
        organization: ACME.into(),
        cloud_provider: [Cloud::Aws, Cloud::Azure, Cloud::Gcp][usize::from(cloud)],
        tier: tier.into(),
        status: "ACTIVE".into(),
        datacenters: (1..=regions).map(datacenter).collect(),
        keyspaces: vec!["default_keyspace".into()],
        capacity_units: 1,
        db_type: None,
        created: None,
        access_list: None,
        private_links: Vec::new(),
        peering: None,
        id,
    }
}

/// Another database, whose network is none of anybody's business.
pub(crate) fn bystander(cloud: u8) -> Database {
    let mut database = database("02", "bystander", cloud, "C10", 1);
    let entry = AddressEntry {
        address: "203.0.113.0/24".into(),
        description: "theirs".into(),
        enabled: true,
        last_update_date_time: None,
    };
    database.access_list = Some(AccessList { addresses: vec![entry], access_list_enabled: true });
    database.private_links.push(PrivateLink {
        datacenter_id: format!("{}-1", database.id),
        service_name: String::new(),
        allowed_principals: vec!["theirs".into()],
        endpoints: Vec::new(),
    });
    database
}
