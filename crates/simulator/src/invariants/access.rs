//! I1 to I5 on access lists: who gets in before and after, and how a request says it.

use std::collections::BTreeSet;

use astra_devops::Method;

use super::{
    Finding,
    Invariant::{I1, I2, I3, I4, I5},
    Version,
    claims::{Claims, networks},
    place::{entries, in_body, is_restricted, let_in, listed, of_address},
    ranges::Ranges,
    watch::Write,
};
use crate::{address, state::Database};

/// Judges one write to an access list.
pub(super) fn judge(write: &Write<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = unnamed(write).into_iter().collect();
    if let (Some(before), Some(after)) = (write.before, write.after) {
        match &write.claims {
            None => found.extend(blind(write, before, after)),
            Some(claims) => {
                found.extend(switched(write, claims, before, after));
                found.extend(widened(claims, before, after));
                found.extend(locked_out(write, claims, before, after));
            }
        }
    }
    found
}

/// Does a `DELETE` name exactly one address, in query and body?
fn unnamed(write: &Write<'_>) -> Option<Finding> {
    if write.request.method != Method::Delete {
        return None;
    }
    let mut named = write.request.parameters("addresses");
    named.retain(|address| !address.is_empty());
    let [address] = named.as_slice() else {
        return Some(match named.len() {
            0 => Finding::new(
                I1,
                "no address in the query: the whole list goes, and public access is not restricted any more",
            ),
            several => Finding::new(
                I5,
                format!("{several} addresses in the query: Astra removes the first of them only"),
            ),
        });
    };
    let body = in_body(&write.request.body);
    (body.as_deref() != Some(std::slice::from_ref(address))).then(|| {
        let body = body.map_or_else(|| "nothing".to_owned(), |body| format!("{body:?}"));
        Finding::new(
            I5,
            format!("the query names {address}, the body {body}: who reads the other one does else"),
        )
    })
}

/// I2, as far as it can be judged without knowing what is declared.
fn blind(write: &Write<'_>, before: &Database, after: &Database) -> Option<Finding> {
    let on = !is_restricted(before) && is_restricted(after);
    let with_addresses = write.request.method == Method::Put && in_body(&write.request.body).is_some();
    let lists = write.reads.lists(write.token, write.place);
    (on && !with_addresses && lists.iter().all(Vec::is_empty)).then(|| {
        Finding::new(
            I2,
            "access is restricted to a list in which no GET has shown an entry: it locks everybody out",
        )
    })
}

/// I2: the switch, and the empty list.
fn switched(write: &Write<'_>, claims: &Claims<'_>, before: &Database, after: &Database) -> Vec<Finding> {
    let mut found = Vec::new();
    let (was, is) = (is_restricted(before), is_restricted(after));
    if was && !is && !claims.writers().any(|version| version.restricted == Some(false)) {
        found.push(Finding::new(I2, "the restriction is switched off, which no declaration says"));
    }
    let wants_none = |version: &Version| version.exclusive && version.wants.is_empty();
    let emptied = !entries(before).is_empty() && entries(after).is_empty();
    if write.request.method == Method::Put && emptied && !claims.writers().any(wants_none) {
        found.push(Finding::new(I2, "the list is replaced by an empty one, which no declaration says"));
    }
    if !was && is {
        let by = |version: &Version| version.restricted == Some(true) && is_confirmed(write, version, after);
        if !claims.writers().any(|version| version.restricted == Some(true)) {
            found.push(Finding::new(I2, "access is restricted, which no declaration says"));
        } else if !claims.writers().any(by) {
            let why = "access is restricted before the wanted addresses were seen in the list: whoever is missing is locked out";
            found.push(Finding::new(I2, why));
        }
    }
    found
}

/// Are the addresses that a declaration wants in the same PUT, or in a reading that came before?
fn is_confirmed(write: &Write<'_>, version: &Version, after: &Database) -> bool {
    let wanted = Ranges::of(networks(version, true));
    if write.request.method == Method::Put && in_body(&write.request.body).is_some() {
        return wanted.minus(&listed(after)).is_empty();
    }
    write.reads.lists(write.token, write.place).iter().any(|list| {
        let on = list.iter().filter(|(_, on)| *on);
        let shown = on.filter_map(|(identity, _)| address::network(identity.strip_prefix("address/")?));
        wanted.minus(&Ranges::of(shown)).is_empty()
    }) || wanted.is_empty()
}

/// I3: who gets in and did not, though nobody said so; now, or when access is restricted one day.
fn widened(claims: &Claims<'_>, before: &Database, after: &Database) -> Option<Finding> {
    let wanted = claims.lets_in();
    let now = let_in(after).minus(&let_in(before)).minus(&wanted);
    if !now.is_empty() {
        return Some(Finding::new(I3, format!("it lets in {}, which no declaration does", now.sample())));
    }
    let later = listed(after).minus(&listed(before)).minus(&wanted);
    (!later.is_empty()).then(|| {
        let text = later.sample();
        Finding::new(
            I3,
            format!("it lists {text}, which no declaration does: the restriction will not keep them out"),
        )
    })
}

/// Whom the last readings showed to be let in, but for what this very request takes away. A person may have taken the
/// entry away since: that is not the sender's doing.
fn seen(write: &Write<'_>, before: &Database, after: &Database) -> Ranges {
    let on = |database: &Database| -> BTreeSet<String> {
        let enabled = entries(database).iter().filter(|entry| entry.enabled);
        enabled.filter_map(|entry| of_address(&entry.address)).collect()
    };
    let (was, is) = (on(before), on(after));
    let lists = write.reads.lists(write.token, write.place).into_iter().flatten();
    let stays = |identity: &String| is.contains(identity) || !was.contains(identity);
    let shown = lists.filter(|(identity, on)| *on && stays(identity));
    Ranges::of(shown.filter_map(|(identity, _)| address::network(identity.strip_prefix("address/")?)))
}

/// I4: who got in, is wanted throughout, and does not get in any more.
fn locked_out(
    write: &Write<'_>,
    claims: &Claims<'_>,
    before: &Database,
    after: &Database,
) -> Option<Finding> {
    let lost = let_in(before).minus(&let_in(after));
    if lost.is_empty() {
        return None;
    }
    let out = lost.intersection(&claims.lets_in_throughout(write.state)).minus(&seen(write, before, after));
    (!out.is_empty()).then(|| {
        Finding::new(I4, format!("it locks out {}, who got in and are declared all the time", out.sample()))
    })
}
