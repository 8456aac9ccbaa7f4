//! What differs between two worlds, thing by thing, in the words of people. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::stage::World;

/// Something appears, becomes another, or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It was not there.
    Add,
    /// It is there, and becomes another.
    Change,
    /// It goes.
    Remove,
}

/// One thing in Astra that changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// How.
    pub action: Action,
    /// What: `address`, `public access`, `principal`, `endpoint`, `peering`.
    pub what: &'static str,
    /// Which, in Astra's text; empty where there is but one.
    pub name: String,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What it takes to come from one world to the other, in a stable order.
#[must_use]
pub fn between(before: &World, after: &World) -> Vec<Change> {
    let (before, after) = (things(before), things(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let change = |key: Key| {
        let (was, is) = (before.get(&key).cloned(), after.get(&key).cloned());
        let action = match (&was, &is) {
            (None, Some(_)) => Action::Add,
            (Some(_), None) => Action::Remove,
            (Some(was), Some(is)) if was != is => Action::Change,
            _ => return None,
        };
        let (_, what, name) = key;
        Some(Change { action, what, name, before: was, after: is })
    };
    let mut all: Vec<Change> = keys.into_iter().filter_map(change).collect();
    all.sort();
    all
}

/// Database (and datacenter), what, which.
type Key = (String, &'static str, String);

fn things(world: &World) -> BTreeMap<Key, String> {
    let mut all = BTreeMap::new();
    for database in &world.databases {
        let id = &database.id;
        let list = world.access_lists.get(id);
        let restricted = list.is_some_and(|list| list.configurations.access_list_enabled);
        let access = if restricted { "restricted to the list" } else { "open to everybody" };
        all.insert((id.to_string(), "public access", String::new()), access.to_owned());
        for entry in list.iter().flat_map(|list| &list.addresses) {
            let key = (id.to_string(), "address", entry.address.clone());
            all.insert(key, described(&entry.description, (!entry.enabled).then_some("switched off")));
        }
        for link in world.links.get(id).iter().flat_map(|links| &links.datacenters) {
            let place = format!("{id} {}", link.datacenter);
            for principal in &link.allowed_principals {
                all.insert((place.clone(), "principal", principal.clone()), "allowed".to_owned());
            }
            for endpoint in &link.endpoints {
                let key = (place.clone(), "endpoint", endpoint.id.to_string());
                all.insert(key, described(&endpoint.description, None));
            }
        }
    }
    for ((provider, database), peering) in &world.peerings {
        let side = &peering.other_vpc;
        let key =
            (database.to_string(), "peering", format!("{provider} {} of {}", side.vpc_id, side.account));
        all.insert(key, peering.status.clone());
    }
    all
}

fn described(description: &str, state: Option<&str>) -> String {
    let quoted = (!description.is_empty()).then(|| format!("{description:?}"));
    let parts: Vec<String> = quoted.into_iter().chain(state.map(ToOwned::to_owned)).collect();
    parts.join(", ")
}
