//! A datacenter's private link as a manifest.

use std::collections::{BTreeMap, BTreeSet};

use astra_devops::{
    databases::{Database, Datacenter},
    peering::Provider,
    private_link::{PrivateEndpoint, PrivateLink},
};

use super::{
    Draft,
    document::{self, Endpoint, Spec, Text},
    forms,
};
use crate::{
    kinds::private_endpoint::desired,
    resource::{DatabaseRef, DeletionPolicy, Management},
};

type LeftOut = Vec<(String, String)>;

/// Shared unless chosen otherwise, which is also the kind's default: an endpoint that somebody connects elsewhere carries
/// somebody's traffic, and only an allowed principal can have made it.
pub(super) fn draft(
    reference: &DatabaseRef,
    database: &Database,
    datacenter: &Datacenter,
    link: &PrivateLink,
    choice: Option<Management>,
) -> Draft {
    let provider = desired::provider(database, datacenter);
    let mut draft = Draft::default();
    let principals = principals(provider, link, &mut draft.left_out);
    let endpoints = endpoints(provider, link, &mut draft.left_out);
    let counts = [("principals", principals.len()), ("endpoints", endpoints.len())];
    for (what, count) in counts.into_iter().filter(|(_, count)| *count > forms::ENDPOINTS) {
        let why = format!("a manifest holds at most {}", forms::ENDPOINTS);
        draft.left_out.push((format!("the private link with its {count} {what}"), why));
    }
    let too_many = counts.iter().any(|(_, count)| *count > forms::ENDPOINTS);
    if too_many || (principals.is_empty() && endpoints.is_empty()) {
        return draft;
    }
    let exclusive = choice == Some(Management::Exclusive) && draft.left_out.is_empty();
    draft.comments = comments(datacenter, link, choice, exclusive);
    let (region, datacenter_id) = region(database, datacenter);
    draft.spec = Some(Spec::PrivateEndpoint(document::PrivateEndpoint {
        database: reference.into(),
        region,
        datacenter_id,
        management: exclusive.then_some(Management::Exclusive),
        // The default is Delete. What carries production traffic must not go because a manifest moved.
        deletion_policy: DeletionPolicy::Retain,
        allowed_principals: principals,
        endpoints,
    }));
    draft
}

/// The region, also where the database has only one: another may come. The datacenter where two have one region.
fn region(database: &Database, datacenter: &Datacenter) -> (Option<String>, Option<String>) {
    let region = &datacenter.region;
    let same = |other: &&Datacenter| other.region.eq_ignore_ascii_case(region);
    let alone = database.info.datacenters.iter().filter(same).count() == 1;
    if alone && (1..=64).contains(&region.chars().count()) {
        (Some(region.clone()), None)
    } else {
        (None, Some(datacenter.id.to_string()))
    }
}

/// Each once: subscriptions of Azure do not care for case.
fn principals(provider: Option<Provider>, link: &PrivateLink, left_out: &mut LeftOut) -> Vec<String> {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let sorted: BTreeSet<&String> = link.allowed_principals.iter().collect();
    for principal in sorted {
        if forms::principal(provider, principal) {
            let key = if forms::guid(principal) { principal.to_ascii_lowercase() } else { principal.clone() };
            said.entry(key).or_insert_with(|| principal.clone());
        } else {
            let why = "no manifest can name such a principal, so it stays allowed in Astra, and Shared leaves it alone";
            left_out.push((format!("principal {principal:?}"), why.to_owned()));
        }
    }
    said.into_values().collect()
}

fn endpoints(provider: Option<Provider>, link: &PrivateLink, left_out: &mut LeftOut) -> Vec<Endpoint> {
    let mut said: BTreeMap<String, Endpoint> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    // In Astra's order: of two ids that differ in case only, the operator takes the first, also where that cannot be said.
    for endpoint in &link.endpoints {
        let id = endpoint.id.as_str();
        let key = id.to_ascii_lowercase();
        let twice = || "Astra has it twice, or another id that differs in case only".to_owned();
        let first = seen.insert(key.clone());
        let why = cannot_say(provider, endpoint).or_else(|| (!first).then(twice));
        if let Some(why) = why {
            left_out.push((format!("endpoint {id}"), why));
            continue;
        }
        let description = Text(endpoint.description.clone());
        said.insert(key, Endpoint { id: Text(id.to_owned()), description });
    }
    left_out.sort();
    said.into_values().collect()
}

/// Why no manifest can say this endpoint, if so.
fn cannot_say(provider: Option<Provider>, endpoint: &PrivateEndpoint) -> Option<String> {
    let id = endpoint.id.as_str();
    if endpoint.status.eq_ignore_ascii_case("Rejected") {
        return Some("Astra has rejected it: remove it there, and make it anew in the cloud".to_owned());
    }
    if provider == Some(Provider::Azure) && !id.starts_with('/') {
        return Some(
            "Astra keeps an id of its own and does not tell the Azure resource id, by which a manifest names it; it stays connected, and Shared leaves it alone. Declared by its resource id it would be connected once more"
                .to_owned(),
        );
    }
    if !forms::endpoint(provider, id) {
        return Some(
            "no manifest can name such an id, so it stays connected, and Shared leaves it alone".to_owned(),
        );
    }
    let long = endpoint.description.chars().count() > forms::DESCRIPTION;
    long.then(|| format!("its description is longer than {} characters", forms::DESCRIPTION))
}

fn comments(
    datacenter: &Datacenter,
    link: &PrivateLink,
    choice: Option<Management>,
    exclusive: bool,
) -> Vec<String> {
    let mut comments = vec![format!("Datacenter {} in {}.", datacenter.id, datacenter.region)];
    if !link.service_name.is_empty() {
        comments.push(format!("Service name {}.", link.service_name));
    }
    for endpoint in &link.endpoints {
        if !endpoint.link_id.is_empty() {
            comments
                .push(format!("Endpoint {}: link {}, {}.", endpoint.id, endpoint.link_id, endpoint.status));
        }
    }
    // Astra promises no order.
    comments[1..].sort();
    comments.push("deletionPolicy: Retain keeps all of it in Astra when this object is deleted.".to_owned());
    comments.push(if exclusive {
        "Exclusive: the operator disconnects what is connected elsewhere. The careful choice is Shared, the default.".to_owned()
    } else {
        "Shared, the default: what is allowed or connected elsewhere is left alone.".to_owned()
    });
    if choice == Some(Management::Exclusive) && !exclusive {
        comments.push("Not Exclusive as asked for: that would take away what is left out.".to_owned());
    }
    comments
}
