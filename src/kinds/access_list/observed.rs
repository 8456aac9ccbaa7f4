//! A database's access list as Astra has it.

use std::{collections::BTreeMap, net::Ipv4Addr};

use astra_devops::access_list::{AccessList, AddressText, Entry};
use ipnet::Ipv4Net;

use super::resource::PublicAccess;

/// What Astra has: a list, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    list: Option<AccessList>,
    /// The places of the entries for each network. A list is compared entry by entry with one that may be as long.
    by_network: BTreeMap<Ipv4Net, Vec<usize>>,
}

impl Observed {
    /// Wraps what was read.
    #[must_use]
    pub fn new(list: Option<AccessList>) -> Self {
        let mut by_network: BTreeMap<Ipv4Net, Vec<usize>> = BTreeMap::new();
        for (at, entry) in list.iter().flat_map(|list| &list.addresses).enumerate() {
            if let Some(network) = network(&entry.address) {
                by_network.entry(network).or_default().push(at);
            }
        }
        Self { list, by_network }
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.list.as_ref().map(|list| list.addresses.as_slice()).unwrap_or_default()
    }

    /// The entries that let somebody in, were access restricted to the list.
    pub fn enabled(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.enabled)
    }

    /// The first entry for a network.
    #[must_use]
    pub fn find(&self, wanted: Ipv4Net) -> Option<&Entry> {
        self.all(wanted).next()
    }

    /// The entries for a network. Astra compares texts, so `203.0.113.7` and `203.0.113.7/32` may both be there, and
    /// each lets in by itself.
    pub fn all(&self, wanted: Ipv4Net) -> impl Iterator<Item = &Entry> {
        let places = self.by_network.get(&wanted).into_iter().flatten();
        places.filter_map(|at| self.entries().get(*at))
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
        self.list.as_ref().is_some_and(|list| list.configurations.access_list_enabled)
    }

    /// Is the whole internet an enabled entry? Then the restriction keeps nobody out.
    #[must_use]
    pub fn lists_everybody(&self) -> bool {
        self.enabled().any(|entry| network(&entry.address).is_some_and(|network| network.prefix_len() == 0))
    }

    /// Who gets in from the internet.
    #[must_use]
    pub fn public_access(&self) -> PublicAccess {
        if !self.is_restricted() || self.lists_everybody() {
            PublicAccess::Open
        } else if self.enabled().next().is_none() {
            PublicAccess::Blocked
        } else {
            PublicAccess::Listed
        }
    }
}

/// The network that an address in Astra's text is; bits behind the prefix, set by a hand, do not matter.
///
/// What no removal could name (`10.0.0.0/08`) is no address either: it would be owned, and never taken away.
#[must_use]
pub fn network(text: &str) -> Option<Ipv4Net> {
    AddressText::new(text)?;
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

#[cfg(test)]
mod tests {
    use astra_devops::access_list::Configurations;

    use super::*;

    fn entry(address: &str, description: &str, enabled: bool) -> Entry {
        Entry { address: address.into(), description: description.into(), enabled }
    }

    fn list(restricted: bool, addresses: &[Entry]) -> Observed {
        Observed::new(Some(AccessList {
            database_id: "8fbcfe1d".parse().unwrap(),
            addresses: addresses.to_vec(),
            configurations: Configurations { access_list_enabled: restricted },
        }))
    }

    #[test]
    fn addresses_compare_by_network() {
        for (text, expected) in [
            ("203.0.113.7", Some("203.0.113.7/32")),
            ("203.0.113.7/32", Some("203.0.113.7/32")),
            ("203.0.113.7/24", Some("203.0.113.0/24")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("203.0.113.0/33", None),
            ("203.0.113.0/024", None),
            ("10.0.0.0/08", None),
            ("203.0.113", None),
            ("2001:db8::1", None),
            ("", None),
        ] {
            assert_eq!(network(text).map(|network| network.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn who_gets_in_follows_from_the_switch_and_the_enabled_entries() {
        let on = entry("203.0.113.7", "", true);
        let off = entry("203.0.113.8", "", false);
        for (observed, expected) in [
            (Observed::new(None), PublicAccess::Open),
            (list(false, &[]), PublicAccess::Open),
            (list(false, std::slice::from_ref(&on)), PublicAccess::Open),
            (list(true, &[]), PublicAccess::Blocked),
            (list(true, std::slice::from_ref(&off)), PublicAccess::Blocked),
            (list(true, &[off, on]), PublicAccess::Listed),
        ] {
            assert_eq!(observed.public_access(), expected, "{observed:?}");
        }
    }

    #[test]
    fn an_entry_is_there_when_all_its_texts_are_as_wanted() {
        let wanted = entry("203.0.113.7", "office", false);
        for (entries, has, has_exactly) in [
            (vec![], false, false),
            (vec![entry("203.0.113.7", "office", false)], true, true),
            (vec![entry("203.0.113.7/32", "office", false)], true, true),
            (vec![entry("203.0.113.7/32", "office", true)], false, false),
            (vec![entry("203.0.113.7/32", "other", false)], false, false),
            (
                vec![entry("203.0.113.7", "office", false), entry("203.0.113.7/32", "office", true)],
                false,
                false,
            ),
            (
                vec![entry("203.0.113.7", "office", false), entry("203.0.113.7/32", "office", false)],
                true,
                false,
            ),
            (vec![entry("203.0.113.7", "office", false), entry("203.0.113.8", "", true)], true, false),
        ] {
            let observed = list(true, &entries);
            let found = (observed.has(&wanted), observed.has_exactly(std::slice::from_ref(&wanted)));
            assert_eq!(found, (has, has_exactly), "{entries:?}");
        }
    }
}
