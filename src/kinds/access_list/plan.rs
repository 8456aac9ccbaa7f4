//! What to do about a database's access list. Pure.

use astra_devops::access_list::{AddressText, Entry};

use super::{
    AstraAccessList, Step,
    desired::{Access, Desired, Wanted},
    identity,
    observed::{Observed, network, same},
};
use crate::{
    engine::{Goal, Plan, Planned, Problem, Reason, View},
    resource::Management,
};

type Steps = Vec<Planned<Step>>;

/// Compares what shall be with what is.
#[must_use]
pub fn plan(view: &View<'_, AstraAccessList>) -> Plan<Step> {
    let steps = match view.goal {
        Goal::Present(desired) => match desired.management {
            Management::Exclusive => replace(desired, view.observed),
            Management::Shared => match share(desired, view) {
                Ok(steps) => steps,
                Err(problem) if problem.reason.needs_a_person() => return Plan::Blocked(problem),
                Err(problem) => return Plan::Wait(problem),
            },
        },
        Goal::Absent => remove_owned(view, "this object is being deleted with deletionPolicy: Delete"),
    };
    if steps.is_empty() { Plan::Done } else { Plan::Act(steps) }
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
    let wanted = |entry: &Entry| {
        network(&entry.address)
            .is_some_and(|network| desired.entries.iter().any(|wanted| wanted.network == network))
    };
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
        if let Some((peer, identity)) = unlisted(view) {
            return Err(Problem::new(
                Reason::WaitingForPeer,
                format!("access is restricted when {peer} has added {identity}"),
            ));
        }
        return Ok(vec![Planned::new(Step::Restrict, "publicAccess is Listed, and the addresses are there")]);
    }
    Ok(remove_owned(view, "no longer in the spec"))
}

/// An address that another object declares and is about to add.
fn unlisted<'a>(view: &View<'a, AstraAccessList>) -> Option<(&'a str, &'a str)> {
    let busy = view.peers.iter().filter(|peer| !peer.deleting && !peer.stuck && !peer.exclusive);
    let mut wanted = busy.flat_map(|peer| peer.wants.iter().map(move |identity| (peer, identity)));
    let listed = |identity: &str| view.observed.networks().any(|network| self::identity(network) == identity);
    let (peer, identity) = wanted.find(|(_, identity)| !listed(identity))?;
    Some((&peer.name, identity.strip_prefix("address/").unwrap_or(identity)))
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
    let Some(elder) = elder else {
        return Ok(differing()
            .map(|found| Entry { address: found.address.clone(), ..wanted.entry.clone() })
            .collect());
    };
    // Two descriptions of one address are no reason to fight; two switches are a contradiction.
    match differing().find(|found| found.enabled != wanted.entry.enabled) {
        None => Ok(Vec::new()),
        Some(found) => Err(Problem::new(
            Reason::Conflict,
            format!(
                "{} is older and has {} with enabled: {}; nothing is sent for this object until the two agree",
                elder.name, found.address, found.enabled
            ),
        )),
    }
}

fn remove_owned(view: &View<'_, AstraAccessList>, why: &str) -> Steps {
    let wanted = view.wanted();
    (view.observed.entries().iter())
        .filter_map(|entry| {
            let network = network(&entry.address)?;
            let identity = identity(network);
            let remove = !wanted.contains(&identity) && view.may_remove(&identity);
            // The address goes out in the very text that Astra has.
            let address = AddressText::new(&entry.address).filter(|_| remove)?;
            Some(Planned::new(Step::Remove { address, network }, why))
        })
        .collect()
}
