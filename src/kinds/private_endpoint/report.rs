//! What is said about the private side of a datacenter: status, summary, conditions. Pure.

use astra_devops::{
    databases::{Database, Datacenter},
    peering::Provider,
    private_link::{Place, PrivateEndpoint},
};

use super::{
    AstraPrivateEndpoint,
    desired::{Desired, provider},
    endpoint_identity, has_principal,
    matching::{find_in, report},
    principal_identity,
    resource::PrivateEndpointDetails,
};
use crate::engine::{Goal, KindCondition, View};

/// How many things of others are listed at the most.
const LISTED: usize = 50;

/// The kind's part of the status.
#[must_use]
pub fn details(view: &View<'_, AstraPrivateEndpoint>) -> PrivateEndpointDetails {
    let link = view.observed;
    let before = view.details;
    let mine = mine(view);
    let found: Vec<(&str, &PrivateEndpoint)> =
        mine.iter().filter_map(|id| Some((*id, find_in(view, id)?))).collect();
    // What was answered and is not seen yet must not be forgotten: it may be the only record of Astra's id. What is no
    // longer wanted and not there is gone.
    let wanted = view.wanted();
    let unseen = (before.endpoints.iter()).filter(|known| {
        let deleting = matches!(view.goal, Goal::Absent);
        known.astra_id.is_some() && (deleting || wanted.contains(&endpoint_identity(&known.id)))
    });
    let unseen = unseen.filter(|known| !found.iter().any(|(id, _)| known.id.eq_ignore_ascii_case(id)));
    let mut endpoints: Vec<_> =
        found.iter().map(|(id, endpoint)| report(id, endpoint)).chain(unseen.cloned()).collect();
    endpoints.sort_by(|one, other| one.id.cmp(&other.id));

    let is_mine = |principal: &String| {
        let identity = principal_identity(principal);
        wanted.contains(&identity) || view.owned.contains(&identity)
    };
    let (mut allowed, mut unmanaged): (Vec<_>, Vec<_>) =
        link.allowed_principals.iter().cloned().partition(is_mine);
    allowed.sort();
    unmanaged.sort();
    unmanaged.truncate(LISTED);
    let mut others: Vec<String> = (link.endpoints.iter())
        .filter(|endpoint| !found.iter().any(|(_, mine)| mine.id == endpoint.id))
        .map(|endpoint| endpoint.id.to_string())
        .collect();
    others.sort();
    others.truncate(LISTED);

    let place = view.database.and_then(|database| Some((database, datacenter(database, view.place)?)));
    let cloud = place.and_then(|(database, datacenter)| provider(database, datacenter));
    let region = place.map(|(_, datacenter)| datacenter.region.clone()).or_else(|| before.region.clone());
    let service = (!link.service_name.is_empty()).then(|| link.service_name.clone());
    PrivateEndpointDetails {
        provider: cloud.map(|cloud| cloud.to_string()).or_else(|| before.provider.clone()),
        dns_names: region.as_deref().map(|region| dns_names(view.place, region)).unwrap_or_default(),
        region,
        datacenter_id: Some(view.place.datacenter.to_string()),
        service_attachment_uri: (service.as_ref())
            .filter(|_| cloud == Some(Provider::Gcp))
            .map(|service| format!("https://www.googleapis.com/compute/v1/{service}")),
        service_name: service,
        allowed_principals: allowed,
        endpoints,
        unmanaged_principals: unmanaged,
        unmanaged_endpoints: others,
    }
}

/// The endpoints that this object has to do with: those it declares, and those it still owns, each in the words of the
/// spec.
fn mine<'a>(view: &View<'a, AstraPrivateEndpoint>) -> Vec<&'a str> {
    let declared =
        wanted(view).into_iter().flat_map(|desired| &desired.endpoints).map(|wanted| wanted.id.as_str());
    let mut mine: Vec<&str> = declared.collect();
    for id in view.owned.iter().filter_map(|identity| identity.strip_prefix("endpoint/")) {
        if !mine.iter().any(|declared| declared.eq_ignore_ascii_case(id)) {
            let known = view.details.endpoints.iter().find(|known| known.id.eq_ignore_ascii_case(id));
            mine.push(known.map_or(id, |known| known.id.as_str()));
        }
    }
    mine
}

/// In one line, what is there.
#[must_use]
pub fn summary(view: &View<'_, AstraPrivateEndpoint>) -> String {
    let Some(desired) = wanted(view) else { return String::new() };
    let principals = count(desired.principals.len(), "principal", "allowed");
    match desired.endpoints.len() {
        0 => format!("{principals}; no endpoint declared yet, make one from status.serviceName"),
        n => format!("{principals}, {}", count(n, "endpoint", "accepted")),
    }
}

/// `ServiceReady` and `EndpointsReady`, apart, so that a pipeline can stop at the first.
#[must_use]
pub fn conditions(view: &View<'_, AstraPrivateEndpoint>) -> Vec<KindCondition> {
    let Some(desired) = wanted(view) else { return Vec::new() };
    let link = view.observed;
    let missing = desired.principals.iter().filter(|principal| !has_principal(link, principal)).count();
    let service = if missing > 0 {
        (false, "PrincipalsMissing", count(missing, "principal", "not allowed yet"))
    } else if link.service_name.is_empty() {
        (false, "ServiceNameUnknown", "Astra has not made the service yet".to_owned())
    } else {
        (true, "Available", format!("the service name is {}", link.service_name))
    };
    let accepted = (desired.endpoints.iter())
        .filter_map(|wanted| find_in(view, wanted.id.as_str()))
        .filter(|endpoint| endpoint.status.eq_ignore_ascii_case("Accepted"))
        .count();
    let all = desired.endpoints.len();
    let endpoints = match all {
        0 => (true, "NoneDeclared", "no endpoint is declared".to_owned()),
        _ if accepted == all => (true, "Accepted", count(all, "endpoint", "accepted")),
        _ => (false, "NotAccepted", format!("{accepted} of {all} endpoints accepted")),
    };
    [("ServiceReady", service), ("EndpointsReady", endpoints)]
        .map(|(type_, (met, reason, message))| KindCondition { type_, met, reason, message })
        .to_vec()
}

/// The names that a private DNS zone must have, as the vendor's page on private endpoints tells.
fn dns_names(place: &Place, region: &str) -> Vec<String> {
    ["apps", "db"].map(|part| format!("{}-{region}.{part}.astra.datastax.com", place.database)).to_vec()
}

fn datacenter<'a>(database: &'a Database, place: &Place) -> Option<&'a Datacenter> {
    database.info.datacenters.iter().find(|datacenter| datacenter.id == place.datacenter)
}

fn wanted<'a>(view: &View<'a, AstraPrivateEndpoint>) -> Option<&'a Desired> {
    match view.goal {
        Goal::Present(desired) => Some(desired),
        Goal::Absent => None,
    }
}

fn count(n: usize, thing: &str, state: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{plural} {state}")
}
