//! What to do about a database's access list. Pure.

use std::collections::BTreeSet;

use astra_devops::access_list::{AddressText, Entry};
use ipnet::Ipv4Net;

use super::{
    AstraAccessList, Step,
    desired::{Access, Desired, Wanted},
    identity,
    observed::{Observed, network, same},
};
use crate::{
    engine::{Goal, Peer, Plan, Planned, Problem, Reason, View},
    resource::Management,
};

type Steps = Vec<Planned<Step>>;

/// Compares what shall be with what is.
#[must_use]
pub fn plan(view: &View<'_, AstraAccessList>) -> Plan<Step> {
    let steps = match view.goal {
        Goal::Present(desired) => match desired.management {
            Management::Exclusive => Ok(replace(desired, view.observed)),
            Management::Shared => share(desired, view),
        },
        Goal::Absent => remove_owned(view, "this object is being deleted with deletionPolicy: Delete"),
    };
    match steps {
        Ok(steps) if steps.is_empty() => Plan::Done,
        Ok(steps) => Plan::Act(steps),
        Err(problem) if problem.reason.needs_a_person() => Plan::Blocked(problem),
        Err(problem) => Plan::Wait(problem),
    }
}

/// Exclusive: one call sets addresses and switch together, so there is no moment in which the one is there without
/// the other.
fn replace(desired: &Desired, observed: &Observed) -> Steps {
    let restricted = desired.access != Access::Open;
    let entries: Vec<Entry> = desired.entries.iter().map(|wanted| wanted.entry.clone()).collect();
    if observed.is_restricted() == restricted && observed.has_exactly(&entries) {
        return Steps::new();
    }
    let change = change(desired, observed, restricted);
    vec![Planned::new(
        Step::Replace { entries, restricted, change },
        "the list in Astra is not what the spec says",
    )]
}

/// What a replacement changes, for people: `+` added, `~` changed, `-` removed, and the switch.
fn change(desired: &Desired, observed: &Observed, restricted: bool) -> String {
    let networks: BTreeSet<Ipv4Net> = desired.entries.iter().map(|wanted| wanted.network).collect();
    let wanted = |entry: &Entry| network(&entry.address).is_some_and(|network| networks.contains(&network));
    let mut parts: Vec<String> = (desired.entries.iter())
        .filter_map(|wanted| match observed.find(wanted.network) {
            None => Some(format!("+{}", wanted.entry.address)),
            Some(found) if !same(found, &wanted.entry) => Some(format!("~{}", wanted.entry.address)),
            Some(_) => None,
        })
        .collect();
    parts.extend(
        observed.entries().iter().filter(|entry| !wanted(entry)).map(|entry| format!("-{}", entry.address)),
    );
    if parts.len() > 20 {
        let more = parts.len() - 20;
        parts.truncate(20);
        parts.push(format!("and {more} more"));
    }
    if observed.is_restricted() != restricted {
        parts.push(if restricted { "access restricted".into() } else { "access opened to everybody".into() });
    }
    parts.join(" ")
}

/// What can be done while removals wait: missing addresses are added, and when that is seen, access is restricted.
#[must_use]
pub fn additions(view: &View<'_, AstraAccessList>) -> Steps {
    let Goal::Present(desired) = view.goal else { return Steps::new() };
    let steps = match desired.management {
        Management::Shared => share(desired, view).unwrap_or_default(),
        Management::Exclusive => {
            let differs = |wanted: &&Wanted| !view.observed.has(&wanted.entry);
            let entries: Vec<Entry> =
                desired.entries.iter().filter(differs).map(|wanted| wanted.entry.clone()).collect();
            if !entries.is_empty() {
                vec![Planned::new(Step::Add { entries }, "in the spec, and missing or different in Astra")]
            } else if desired.access != Access::Open && !view.observed.is_restricted() {
                vec![Planned::new(Step::Restrict, "the spec restricts access to the list")]
            } else {
                Steps::new()
            }
        }
    };
    steps.into_iter().filter(|planned| !matches!(planned.step, Step::Remove { .. })).collect()
}

/// Shared: what is missing is added; when that is seen, access is restricted if the spec says so; when that is seen
/// too, what this object owns and no longer wants is removed.
fn share(desired: &Desired, view: &View<'_, AstraAccessList>) -> Result<Steps, Problem> {
    let mut entries = Vec::new();
    let mut awaited = None;
    for wanted in &desired.entries {
        match missing(wanted, view) {
            Ok(missing) => entries.extend(missing),
            Err(problem) if problem.reason == Reason::WaitingForPeer => awaited = Some(problem),
            Err(problem) => return Err(problem),
        }
    }
    if !entries.is_empty() {
        return Ok(vec![Planned::new(
            Step::Add { entries },
            "in the spec, and missing or different in Astra",
        )]);
    }
    if let Some(problem) = awaited {
        return Err(problem);
    }
    if desired.access == Access::Listed && !view.observed.is_restricted() {
        // While access is not restricted, another object's clients get in without being listed: they must not be locked
        // out in the moment between this call and that object's own.
        if let Some((peer, network)) = unlisted(view) {
            return Err(Problem::new(
                Reason::WaitingForPeer,
                format!("access is restricted when {peer} has added {network}"),
            ));
        }
        return Ok(vec![Planned::new(Step::Restrict, "publicAccess is Listed, and the addresses are there")]);
    }
    remove_owned(view, "no longer in the spec")
}

/// An address that another object declares and is about to add, or to switch on.
fn unlisted<'a>(view: &View<'a, AstraAccessList>) -> Option<(&'a str, Ipv4Net)> {
    let mut wanted = admitted_by_peers(view);
    wanted
        .find(|(_, network)| !lets_in(view.observed, *network))
        .map(|(peer, network)| (peer.name.as_str(), network))
}

/// The networks that other objects want to let in, and are about to add where they are not there yet.
fn admitted_by_peers<'a>(view: &View<'a, AstraAccessList>) -> impl Iterator<Item = (&'a Peer, Ipv4Net)> {
    let busy = view.peers.iter().filter(|peer| is_busy(peer));
    let admitted =
        busy.flat_map(|peer| peer.wants.difference(&peer.disables).map(move |identity| (peer, identity)));
    admitted.filter_map(|(peer, identity)| Some((peer, identity.strip_prefix("address/")?.parse().ok()?)))
}

/// Has the list an entry for this very network, and is it switched on?
fn lets_in(observed: &Observed, network: Ipv4Net) -> bool {
    observed.all(network).any(|entry| entry.enabled)
}

/// What to send for one address: itself if it is not there, else each entry for it that differs. One of two texts that
/// still lets in would make a switched-off address a lie.
fn missing(wanted: &Wanted, view: &View<'_, AstraAccessList>) -> Result<Vec<Entry>, Problem> {
    if view.observed.find(wanted.network).is_none() {
        // It may want the entry switched off: what this object adds in the meantime would let somebody in.
        return match view.elder_at_work(&identity(wanted.network)) {
            None => Ok(vec![wanted.entry.clone()]),
            Some(elder) => Err(Problem::new(
                Reason::WaitingForPeer,
                format!(
                    "{} is added by {}, which is older and declares it too",
                    wanted.entry.address, elder.name
                ),
            )),
        };
    }
    let differing = || view.observed.all(wanted.network).filter(|found| !same(found, &wanted.entry));
    let elder = view.peers.iter().find(|peer| peer.older && peer.claims(&identity(wanted.network)));
    let ours = || {
        let entry = |found: &Entry| Entry { address: found.address.clone(), ..wanted.entry.clone() };
        Ok(differing().map(entry).collect())
    };
    let Some(elder) = elder else { return ours() };
    // Two descriptions of one address are no reason to fight; two switches are a contradiction.
    let Some(found) = differing().find(|found| found.enabled != wanted.entry.enabled) else {
        return Ok(Vec::new());
    };
    let agrees = elder.disables.contains(&identity(wanted.network)) != wanted.entry.enabled;
    match (agrees, elder.stuck) {
        // Both want it so, and the older one has to leave everything to others.
        (true, true) => ours(),
        (true, false) => Err(Problem::new(
            Reason::WaitingForPeer,
            format!("{} is changed by {}, which is older and declares it too", found.address, elder.name),
        )),
        (false, _) => Err(Problem::new(
            Reason::Conflict,
            format!(
                "{} is older and wants {} with enabled: {}; nothing is sent for this object until the two agree",
                elder.name, found.address, !wanted.entry.enabled
            ),
        )),
    }
}

fn remove_owned(view: &View<'_, AstraAccessList>, why: &str) -> Result<Steps, Problem> {
    let wanted = view.wanted();
    let (mut steps, mut awaited) = (Steps::new(), None);
    for entry in view.observed.entries() {
        let Some(network) = network(&entry.address) else { continue };
        let identity = identity(network);
        // The address goes out in the very text that Astra has.
        let Some(address) = AddressText::new(&entry.address) else { continue };
        if wanted.contains(&identity) || !view.may_remove(&identity) {
            continue;
        }
        match about_to_let_in(view, network) {
            None => steps.push(Planned::new(Step::Remove { address, network }, why)),
            Some(peer) => awaited = Some((peer, entry.address.clone())),
        }
    }
    match awaited {
        Some((peer, address)) if steps.is_empty() => Err(Problem::new(
            Reason::WaitingForPeer,
            format!("{address} is removed when {peer} has added what it declares of the same addresses"),
        )),
        _ => Ok(steps),
    }
}

/// The object that declares some of these addresses, as a larger or a smaller network, and is about to add them. Its
/// clients must not be locked out in between.
fn about_to_let_in<'a>(view: &View<'a, AstraAccessList>, network: Ipv4Net) -> Option<&'a str> {
    let overlaps = |other: Ipv4Net| other.contains(&network) || network.contains(&other);
    let found =
        admitted_by_peers(view).find(|(_, other)| overlaps(*other) && !lets_in(view.observed, *other));
    found.map(|(peer, _)| peer.name.as_str())
}

/// Will it send something for what it declares, by itself?
const fn is_busy(peer: &Peer) -> bool {
    !peer.deleting && !peer.stuck && !peer.exclusive
}
