//! The addresses of one list.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{
    Found,
    collection::{Object, Objects},
    rules,
};
use crate::kinds::access_list::{Address, PublicAccess};

/// Ranges that no packet on the internet comes from.
const UNROUTED: [(Ipv4Net, &str); 6] = [
    (Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8), "RFC 1918"),
    (Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12), "RFC 1918"),
    (Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16), "RFC 1918"),
    (Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10), "RFC 6598"),
    (Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8), "loopback"),
    (Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16), "link-local"),
];

/// An entry of a list.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) network: Ipv4Net,
    pub(super) index: usize,
    pub(super) address: &'a Address,
}

impl Entry<'_> {
    pub(super) fn field(&self) -> String {
        format!("spec.addresses[{}].address", self.index)
    }
}

/// The entries of a list, so that each comes after those that it lies in.
pub(super) fn entries(addresses: &[Address]) -> Vec<Entry<'_>> {
    let parse = |text: &str| text.parse().or_else(|_| text.parse::<Ipv4Addr>().map(Ipv4Net::from)).ok();
    let entry = |(index, address): (usize, &'_ Address)| Some((index, parse(&address.address)?));
    let mut entries: Vec<Entry<'_>> = (addresses.iter().enumerate())
        .filter_map(entry)
        .map(|(index, network)| Entry { network, index, address: &addresses[index] })
        .collect();
    entries.sort_by_key(|entry| (entry.network.network(), entry.network.prefix_len(), entry.index));
    entries
}

pub(super) fn check(object: &Object<'_>, objects: &Objects<'_>, found: &mut Found<'_>) {
    let Some(spec) = object.list() else { return };
    let entries = entries(&spec.addresses);
    if spec.public_access != Some(PublicAccess::Open) {
        everybody(object, &entries, found);
    }
    overlaps(object, &entries, found);
    // The addresses of a peered network arrive as they are.
    if !objects.beside(object).any(Object::is_peering) {
        for entry in &entries {
            let Some((range, name)) = UNROUTED.iter().find(|(range, _)| range.contains(&entry.network))
            else {
                continue;
            };
            let message = format!(
                "{} is in {range} ({name}), which is not routed on the internet: it lets nobody in",
                entry.address.address
            );
            found.of(&rules::PRIVATE, object, &entry.field(), message);
        }
    }
}

fn everybody(object: &Object<'_>, entries: &[Entry<'_>], found: &mut Found<'_>) {
    let enabled = entries.iter().filter(|entry| entry.address.enabled);
    if let Some(all) = enabled.clone().find(|entry| entry.network.prefix_len() == 0) {
        let message = format!("{} is the whole internet", all.address.address);
        found.of(&rules::EVERYBODY, object, &all.field(), message);
        return;
    }
    let together = Ipv4Net::aggregate(&enabled.map(|entry| entry.network).collect());
    if together.iter().any(|network| network.prefix_len() == 0) {
        let message = "the enabled networks are the whole internet together".to_owned();
        found.of(&rules::EVERYBODY, object, "spec.addresses", message);
    }
}

fn overlaps(object: &Object<'_>, entries: &[Entry<'_>], found: &mut Found<'_>) {
    // The enabled networks that the next one may lie in, the larger before the smaller.
    let mut around: Vec<Entry<'_>> = Vec::new();
    for entry in entries {
        while around.last().is_some_and(|outer| !outer.network.contains(&entry.network)) {
            around.pop();
        }
        if let Some(outer) = around.last() {
            let (inner, outer_text) = (&entry.address.address, &outer.address.address);
            let line = object.loaded.locate(&outer.field()).line;
            let message = if entry.address.enabled {
                format!(
                    "{inner} lies in {outer_text} of line {line}, which is enabled: it lets in nobody more"
                )
            } else {
                format!("{inner} is disabled, and {outer_text} of line {line} lets it in all the same")
            };
            found.of(&rules::OVERLAP, object, &entry.field(), message);
        }
        if entry.address.enabled {
            around.push(*entry);
        }
    }
}
