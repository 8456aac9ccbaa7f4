//! A database's access list as a manifest.

use std::collections::BTreeMap;

use astra_devops::access_list::{AccessList, Entry};
use ipnet::Ipv4Net;

use super::{
    Draft,
    document::{self, Address, Spec, Text},
    forms,
};
use crate::{
    kinds::access_list::PublicAccess,
    resource::{DatabaseRef, Management},
};

/// A list that Astra does not have is open, and so is one that is not switched on.
///
/// Without a choice: a list that restricts is Exclusive, because it is the door, and Git is to say who gets in. One that is
/// not switched on is Shared and leaves the switch alone: an object that says Open would open the door again each time
/// somebody shuts it. And a list that is not there gets no object at all, for the same reason.
pub(super) fn draft(reference: &DatabaseRef, list: Option<&AccessList>, choice: Option<Management>) -> Draft {
    let restricted = list.is_some_and(|list| list.configurations.access_list_enabled);
    let all = list.map(|list| list.addresses.as_slice()).unwrap_or_default();
    let Entries { said, left_out, merged, masked } = entries(all);
    let mut draft = Draft { left_out, ..Draft::default() };
    if said.len() > forms::ADDRESSES {
        let what = format!("the list with its {} entries", all.len());
        draft.left_out.push((what, format!("a manifest holds at most {}", forms::ADDRESSES)));
        return draft;
    }
    let whole = draft.left_out.is_empty() && merged.is_empty();
    let can_be_exclusive = whole && exclusive_can_say(restricted, all);
    let management = match choice.unwrap_or(default(restricted)) {
        Management::Exclusive if can_be_exclusive => Management::Exclusive,
        _ => Management::Shared,
    };
    let access = match (restricted, management) {
        (true, Management::Exclusive) if all.is_empty() => Some(PublicAccess::Blocked),
        (true, _) => Some(PublicAccess::Listed),
        (false, Management::Exclusive) => Some(PublicAccess::Open),
        (false, Management::Shared) => None,
    };
    if management == Management::Shared && said.is_empty() {
        if restricted && all.is_empty() {
            let why = "nobody gets in, and only an Exclusive object can say so (publicAccess: Blocked)";
            draft.left_out.push(("the list".to_owned(), why.to_owned()));
        }
        return draft;
    }
    draft.comments = comments(management, access, can_be_exclusive, &said);
    draft.comments.extend(merged.into_iter().chain(masked));
    draft.spec = Some(Spec::AccessList(document::AccessList {
        database: reference.into(),
        management: (management == Management::Shared).then_some(management),
        public_access: access,
        addresses: said,
    }));
    draft
}

const fn default(restricted: bool) -> Management {
    if restricted { Management::Exclusive } else { Management::Shared }
}

/// A restricted list whose entries are all switched off lets nobody in. An Exclusive object says that without entries, so
/// it would take them away.
fn exclusive_can_say(restricted: bool, all: &[Entry]) -> bool {
    !restricted || all.is_empty() || all.iter().any(|entry| entry.enabled)
}

/// What can be said of the entries, and what cannot.
#[derive(Default)]
struct Entries {
    said: Vec<Address>,
    left_out: Vec<(String, String)>,
    /// Entries that are one in a manifest, in words.
    merged: Vec<String>,
    /// Entries that a manifest writes in another way, in words.
    masked: Vec<String>,
}

/// By network, because Astra's order is nobody's promise.
fn entries(all: &[Entry]) -> Entries {
    let mut entries = Entries::default();
    let mut by_network: BTreeMap<Ipv4Net, Vec<(&Entry, String)>> = BTreeMap::new();
    for entry in all {
        match forms::address(&entry.address) {
            Some((network, text)) => by_network.entry(network).or_default().push((entry, text)),
            None => entries.left_out.push((
                format!("address {:?}", entry.address),
                "it is no IPv4 address or network as the API server takes them, so it stays in Astra, and Shared leaves it alone"
                    .to_owned(),
            )),
        }
    }
    for (network, group) in by_network {
        entries.network(network, group);
    }
    entries.left_out.sort();
    entries
}

impl Entries {
    fn network(&mut self, network: Ipv4Net, mut group: Vec<(&Entry, String)>) {
        group.sort_by(|(one, _), (other, _)| one.address.cmp(&other.address));
        let texts: Vec<&str> = group.iter().map(|(entry, _)| entry.address.as_str()).collect();
        let texts = texts.join(" and ");
        let Some((first, text)) = group.first() else { return };
        let same = |other: &Entry| other.description == first.description && other.enabled == first.enabled;
        if !group.iter().all(|(entry, _)| same(entry)) {
            let why = format!(
                "they are one network, {network}, with different descriptions or switches, and a manifest says a network once; make them one in Astra, then export again"
            );
            return self.left_out.push((format!("addresses {texts}"), why));
        }
        if group.iter().any(|(entry, _)| forms::is_padded(&entry.address)) {
            let why = "a zero before a number is read in two ways, so it stays in Astra as it is; write it there without".to_owned();
            return self.left_out.push((format!("address {texts}"), why));
        }
        if first.description.chars().count() > forms::DESCRIPTION {
            let why = format!("its description is longer than {} characters", forms::DESCRIPTION);
            return self.left_out.push((format!("address {texts}"), why));
        }
        if group.len() > 1 {
            self.merged.push(format!(
                "Astra has {texts}, which are one network: said once, and Shared, so that neither is removed."
            ));
        } else if first.address != *text {
            // Nothing is lost here, but a reviewer who compares the two must not wonder.
            let theirs = &first.address;
            self.masked
                .push(format!("Astra has {text} as {theirs}: the bits behind the prefix mean nothing."));
        }
        self.said.push(Address {
            address: text.clone(),
            description: Text(first.description.clone()),
            enabled: (!first.enabled).then_some(false),
        });
    }
}

fn comments(
    management: Management,
    access: Option<PublicAccess>,
    can_be_exclusive: bool,
    said: &[Address],
) -> Vec<String> {
    let mut comments = Vec::new();
    comments.push(match (management, access) {
        (Management::Exclusive, Some(PublicAccess::Open)) => {
            "Everybody gets in, and the operator opens the database again whenever somebody restricts it elsewhere."
        }
        (Management::Exclusive, Some(PublicAccess::Blocked)) => {
            "Nobody gets in from the internet, and the operator removes what is added elsewhere."
        }
        (Management::Exclusive, _) => {
            "Exclusive, the default: the operator removes entries that are added elsewhere. The careful choice is management: Shared."
        }
        (Management::Shared, Some(_)) if !can_be_exclusive => {
            "Shared, because no object can say the whole list: an Exclusive one would take away what this one does not say."
        }
        (Management::Shared, Some(_)) => {
            "Shared: entries that are added elsewhere stay. When nobody else changes the list, management: Exclusive makes it exactly this."
        }
        (Management::Shared, None) => {
            "Access is not restricted in Astra: everybody gets in, and this object leaves it so. publicAccess: Listed restricts it to the list."
        }
    }.to_owned());
    let enabled = |address: &&Address| address.enabled.is_none();
    let restricts = access == Some(PublicAccess::Listed);
    if restricts && said.iter().filter(enabled).any(|address| address.address.ends_with("/0")) {
        comments.push("An entry of the list is the whole internet: it keeps nobody out.".to_owned());
    }
    if restricts && !said.iter().any(|address| address.enabled.is_none()) {
        comments.push("No entry is enabled: nobody gets in through them.".to_owned());
    }
    comments
}
