//! What a reviewer must not overlook in a step. Pure.

use std::{collections::BTreeSet, net::Ipv4Addr};

use astra_devops::{databases::Database, id::DatabaseId};
use clap::ValueEnum;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::stage::World;

/// A class of dangerous steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub enum Danger {
    /// Somebody gets in from the internet who did not
    Widen,
    /// Somebody who got in from the internet does not any more
    Narrow,
    /// An access list that let somebody in lets in nobody
    Empty,
    /// A private endpoint is disconnected, or a peering deleted
    Remove,
}

impl Danger {
    /// Its name, as `--deny` takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Widen => "widen",
            Self::Narrow => "narrow",
            Self::Empty => "empty",
            Self::Remove => "remove",
        }
    }
}

/// What is dangerous about coming from one world to the other.
#[must_use]
pub fn of(before: &World, after: &World) -> Vec<Danger> {
    let mut found = BTreeSet::new();
    for database in &before.databases {
        let (was, is) = (let_in(before, &database.id), let_in(after, &database.id));
        if !is_within(&is, &was) {
            found.insert(Danger::Widen);
        }
        if !is_within(&was, &is) {
            found.insert(Danger::Narrow);
        }
        if !was.is_empty() && is.is_empty() || loses_all_entries(before, after, &database.id) {
            found.insert(Danger::Empty);
        }
        if endpoints(before, database).difference(&endpoints(after, database)).next().is_some() {
            found.insert(Danger::Remove);
        }
    }
    if before.peerings.keys().any(|peering| !after.peerings.contains_key(peering)) {
        found.insert(Danger::Remove);
    }
    found.into_iter().collect()
}

/// The networks that get in from the internet, joined where they can be.
fn let_in(world: &World, database: &DatabaseId) -> Vec<Ipv4Net> {
    let everybody = || vec![Ipv4Net::default()];
    let Some(list) = world.access_lists.get(database) else { return everybody() };
    if !list.configurations.access_list_enabled {
        return everybody();
    }
    let enabled = list.addresses.iter().filter(|entry| entry.enabled);
    Ipv4Net::aggregate(&enabled.filter_map(|entry| network(&entry.address)).collect())
}

/// Does everybody of the first get in by the second? Both are joined, so a network that is covered is covered by one.
fn is_within(networks: &[Ipv4Net], all: &[Ipv4Net]) -> bool {
    networks.iter().all(|network| all.iter().any(|other| other.contains(network)))
}

fn network(text: &str) -> Option<Ipv4Net> {
    let address = text.parse::<Ipv4Addr>().map(Ipv4Net::from).ok();
    address.or_else(|| text.parse::<Ipv4Net>().ok()).map(|network| network.trunc())
}

fn loses_all_entries(before: &World, after: &World, database: &DatabaseId) -> bool {
    let count = |world: &World| world.access_lists.get(database).map_or(0, |list| list.addresses.len());
    count(before) > 0 && count(after) == 0
}

fn endpoints<'a>(world: &'a World, database: &Database) -> BTreeSet<(&'a str, &'a str)> {
    let links = world.links.get(&database.id).into_iter().flat_map(|links| &links.datacenters);
    links
        .flat_map(|link| {
            link.endpoints.iter().map(|endpoint| (link.datacenter.as_str(), endpoint.id.as_str()))
        })
        .collect()
}
