//! Objects that are in each other's way.

use std::collections::BTreeMap;

use super::{
    Found,
    addresses::{Entry, entries},
    collection::{Database, Object, Objects, Spec, Token},
    rules,
};
use crate::resource::Management;

pub(super) fn check(objects: &Objects<'_>, found: &mut Found<'_>) {
    twice(objects, found);
    for group in objects.groups() {
        conflicts(&group, found);
        overlaps(&group, found);
    }
    mixed(objects, found);
}

fn twice(objects: &Objects<'_>, found: &mut Found<'_>) {
    let mut seen: BTreeMap<String, &Object<'_>> = BTreeMap::new();
    for object in objects.all() {
        if let Some(first) = seen.get(&object.name()) {
            let message = "is declared already".to_owned();
            found.between(&rules::TWICE, (object, "metadata.name"), (first, "metadata.name"), message);
        } else {
            seen.insert(object.name(), object);
        }
    }
}

/// What one object of its kind may claim as a whole.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    List,
    /// By the region, or else by the datacenter's id. Which region an object without either means, only Astra knows.
    Endpoint(Option<String>, Option<&'a str>),
    Peering,
}

fn place<'a>(object: &'a Object<'_>) -> (Place<'a>, bool) {
    let is_exclusive = |management| management == Management::Exclusive;
    match &object.spec {
        Spec::List(spec) => (Place::List, is_exclusive(spec.management)),
        Spec::Endpoint(spec) => {
            let region = spec.region.as_ref().map(|region| region.to_lowercase());
            let datacenter = spec.datacenter_id.as_deref().filter(|_| region.is_none());
            (Place::Endpoint(region, datacenter), is_exclusive(spec.management))
        }
        Spec::Peering(_) => (Place::Peering, true),
    }
}

/// Each object is compared with one Exclusive one at its place, so that a hundred of them are told of once each.
fn conflicts(group: &[&Object<'_>], found: &mut Found<'_>) {
    let mut places: BTreeMap<Place<'_>, Vec<(&Object<'_>, bool)>> = BTreeMap::new();
    for object in group {
        let (place, is_exclusive) = place(object);
        let objects = places.entry(place).or_default();
        // The same object once more is told by another rule.
        if !objects.iter().any(|(other, _)| other.name() == object.name()) {
            objects.push((object, is_exclusive));
        }
    }
    for (place, objects) in &places {
        let Some((claimant, _)) = objects.iter().find(|(_, is_exclusive)| *is_exclusive) else { continue };
        let others = objects.iter().filter(|(object, _)| !std::ptr::eq(*object, *claimant));
        for (object, is_exclusive) in others {
            let other = claimant.name();
            let (field, message) = match (place, is_exclusive) {
                (Place::Peering, _) => (
                    "spec.database",
                    format!("{other} is for the same database: one of the two will do nothing"),
                ),
                (_, true) => (
                    "spec.database",
                    format!("{other} is Exclusive for the same database too: one of the two will do nothing"),
                ),
                (_, false) => (
                    "spec.management",
                    format!(
                        "{other} is Exclusive for the same database: it and this one cannot both be done"
                    ),
                ),
            };
            found.between(&rules::CONFLICT, (object, field), (claimant, "spec.database"), message);
        }
    }
}

/// The networks of all lists of a database, so that each comes after those that it lies in.
fn overlaps(group: &[&Object<'_>], found: &mut Found<'_>) {
    let lists = group.iter().filter_map(|object| Some((*object, object.list()?)));
    // An Exclusive one beside others is told of as a conflict.
    let shared = lists.filter(|(_, spec)| spec.management == Management::Shared);
    let mut all: Vec<(&Object<'_>, Entry<'_>)> = shared
        .flat_map(|(object, spec)| entries(&spec.addresses).into_iter().map(move |entry| (object, entry)))
        .collect();
    // The sort is stable: of the same network, the object that was read first comes first.
    all.sort_by_key(|(_, entry)| (entry.network.network(), entry.network.prefix_len()));
    let mut around: Vec<(&Object<'_>, Entry<'_>)> = Vec::new();
    for (object, entry) in all {
        while around.last().is_some_and(|(_, outer)| !outer.network.contains(&entry.network)) {
            around.pop();
        }
        let counts = |outer: &Entry<'_>| outer.network == entry.network || outer.address.enabled;
        let elsewhere =
            (around.iter().rev()).find(|(other, outer)| counts(outer) && !std::ptr::eq(*other, object));
        if let Some((other, outer)) = elsewhere {
            tell((object, entry), (other, *outer), found);
        }
        around.push((object, entry));
    }
}

fn tell(
    (object, entry): (&Object<'_>, Entry<'_>),
    (other, outer): (&Object<'_>, Entry<'_>),
    found: &mut Found<'_>,
) {
    let (network, name) = (&entry.address.address, other.name());
    let is_same = entry.network == outer.network;
    let (rule, message) = match (is_same, entry.address.enabled == outer.address.enabled) {
        (true, false) => {
            let word = |enabled| if enabled { "enabled" } else { "disabled" };
            let (here, there) = (word(entry.address.enabled), word(outer.address.enabled));
            (&rules::DISAGREEMENT, format!("{network} is {here} here, and {there} in {name}"))
        }
        (true, true) => (
            &rules::OVERLAP_ACROSS,
            format!("{network} is in {name} too: it stays until neither declares it"),
        ),
        (false, _) => {
            let outer = &outer.address.address;
            (&rules::OVERLAP_ACROSS, format!("{network} lies in {outer} of {name}, which is enabled"))
        }
    };
    found.between(rule, (object, &entry.field()), (other, &outer.field()), message);
}

/// Said once for each token, at the first object that names its database.
fn mixed(objects: &Objects<'_>, found: &mut Found<'_>) {
    let mut seen: BTreeMap<&Token, (Option<&Object<'_>>, Option<&Object<'_>>)> = BTreeMap::new();
    for object in objects.all() {
        let (by_name, by_id) = seen.entry(&object.token).or_default();
        match &object.database {
            Database::Name(..) => by_name.get_or_insert(object),
            Database::Id(_) => by_id.get_or_insert(object),
        };
    }
    for (by_name, by_id) in seen.into_values() {
        if let (Some(by_name), Some(by_id)) = (by_name, by_id) {
            let message =
                format!("{} names its database by the id: nothing is compared between the two", by_id.name());
            let (here, there) = ((by_name, "spec.database.name"), (by_id, "spec.database.id"));
            found.between(&rules::MIXED, here, there, message);
        }
    }
}
