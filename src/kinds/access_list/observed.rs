//! A database's access list as Astra has it.

use std::net::Ipv4Addr;

use astra_devops::access_list::{AccessList, Entry};
use ipnet::Ipv4Net;

use super::resource::PublicAccess;

/// What Astra has: a list, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed(Option<AccessList>);

impl Observed {
    /// Wraps what was read.
    #[must_use]
    pub const fn new(list: Option<AccessList>) -> Self {
        Self(list)
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.0.as_ref().map(|list| list.addresses.as_slice()).unwrap_or_default()
    }

    /// The entries that let somebody in, were access restricted to the list.
    pub fn enabled(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.enabled)
    }

    /// The networks of its entries.
    pub fn networks(&self) -> impl Iterator<Item = Ipv4Net> {
        self.entries().iter().filter_map(|entry| network(&entry.address))
    }

    /// The first entry for a network.
    #[must_use]
    pub fn find(&self, wanted: Ipv4Net) -> Option<&Entry> {
        self.all(wanted).next()
    }

    /// The entries for a network. Astra compares texts, so `203.0.113.7` and `203.0.113.7/32` may both be there, and
    /// each lets in by itself.
    pub fn all(&self, wanted: Ipv4Net) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(move |entry| network(&entry.address) == Some(wanted))
    }

    /// Is this entry there, with this description and switch, in all texts that it is there in?
    #[must_use]
    pub fn has(&self, wanted: &Entry) -> bool {
        network(&wanted.address).is_some_and(|network| {
            self.find(network).is_some() && self.all(network).all(|found| same(found, wanted))
        })
    }

    /// Are there exactly these entries, in any order?
    #[must_use]
    pub fn has_exactly(&self, wanted: &[Entry]) -> bool {
        self.entries().len() == wanted.len() && wanted.iter().all(|entry| self.has(entry))
    }

    /// Is access restricted to the list? One that Astra does not have restricts nothing.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.0.as_ref().is_some_and(|list| list.configurations.access_list_enabled)
    }

    /// Who gets in from the internet.
    #[must_use]
    pub fn public_access(&self) -> PublicAccess {
        if !self.is_restricted() {
            PublicAccess::Open
        } else if self.enabled().next().is_none() {
            PublicAccess::Blocked
        } else {
            PublicAccess::Listed
        }
    }
}

/// The network that an address in Astra's text is; bits behind the prefix, set by a hand, do not matter.
#[must_use]
pub fn network(text: &str) -> Option<Ipv4Net> {
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(Ipv4Net::from(address)),
        Err(_) => text.parse::<Ipv4Net>().ok().map(|network| network.trunc()),
    }
}

/// Same description and switch; the text of the address may differ.
#[must_use]
pub fn same(one: &Entry, other: &Entry) -> bool {
    one.description == other.description && one.enabled == other.enabled
}
