//! What to do about the private side of a datacenter. Pure.

use std::collections::BTreeSet;

use super::{
    AstraPrivateEndpoint, Step,
    desired::{Desired, Wanted},
    endpoint_identity, has_principal,
    matching::find_in,
    principal_identity,
};
use crate::{
    engine::{Goal, Plan, Planned, Problem, Reason, View},
    resource::Management,
};

type Steps = Vec<Planned<Step>>;

/// Compares what shall be with what is: first what is missing, then, when that was seen, what is too much, then what
/// others have to do.
#[must_use]
pub fn plan(view: &View<'_, AstraPrivateEndpoint>) -> Plan<Step> {
    if let Goal::Present(desired) = view.goal
        && let Some(problem) = without_service(desired, view)
    {
        return if problem.reason.needs_a_person() { Plan::Blocked(problem) } else { Plan::Wait(problem) };
    }
    let steps = match view.goal {
        Goal::Present(desired) => {
            let additions = additions(desired, view);
            if additions.is_empty() { removals(view, desired.management) } else { additions }
        }
        Goal::Absent => removals(view, Management::Shared),
    };
    match (steps.is_empty(), view.goal) {
        (false, _) => Plan::Act(steps),
        (true, Goal::Present(desired)) => judge(desired, view),
        (true, Goal::Absent) => Plan::Done,
    }
}

/// Endpoints are declared for a datacenter that has no private link, and this object makes none: Astra makes it with the
/// first principal, and answers every call about an endpoint with 404 until then.
fn without_service(desired: &Desired, view: &View<'_, AstraPrivateEndpoint>) -> Option<Problem> {
    let link = view.observed;
    let there =
        !link.service_name.is_empty() || !link.allowed_principals.is_empty() || !link.endpoints.is_empty();
    if there || !desired.principals.is_empty() || desired.endpoints.is_empty() {
        return None;
    }
    let allows = |identity: &String| identity.starts_with("principal/");
    let maker = view.peers.iter().find(|peer| !peer.deleting && !peer.stuck && peer.wants.iter().any(allows));
    Some(match maker {
        Some(peer) => Problem::new(
            Reason::WaitingForPeer,
            format!("endpoints are connected when {} has allowed a principal", peer.name),
        ),
        None => Problem::invalid(
            "spec.allowedPrincipals",
            "this datacenter has no private link yet, and Astra makes it with the first allowed principal: add the principal that the endpoints belong to",
        ),
    })
}

/// What is missing.
#[must_use]
pub fn additions(desired: &Desired, view: &View<'_, AstraPrivateEndpoint>) -> Steps {
    let mut steps = Steps::new();
    let missing: Vec<String> = desired
        .principals
        .iter()
        .filter(|principal| !has_principal(view.observed, principal))
        .cloned()
        .collect();
    if !missing.is_empty() {
        steps.push(Planned::new(
            Step::Allow { principals: missing },
            "in spec.allowedPrincipals, and not allowed in Astra",
        ));
    }
    let each = desired.endpoints.iter().enumerate();
    steps.extend(each.filter_map(|(i, wanted)| endpoint(wanted, &desired.endpoints[..i], view)));
    steps
}

fn endpoint(
    wanted: &Wanted,
    before: &[Wanted],
    view: &View<'_, AstraPrivateEndpoint>,
) -> Option<Planned<Step>> {
    let description = wanted.description.clone();
    let Some(found) = find_in(view, wanted.id.as_str()) else {
        // Two objects that declare one endpoint must not both connect it: that call is not known to be safe to repeat.
        let maker = view.maker(&endpoint_identity(wanted.id.as_str()));
        let step = Step::Accept { id: wanted.id.clone(), description };
        return maker.is_none().then(|| Planned::new(step, "in spec.endpoints, and not connected in Astra"));
    };
    // Where two objects declare one endpoint, the older one's words stand: they must not fight over a description.
    let identity = endpoint_identity(wanted.id.as_str());
    let elder = view.peers.iter().any(|peer| peer.older && peer.claims(&identity));
    // A status that was changed by a hand may lead two declared endpoints to one in Astra. The first one's words stand, or
    // the two would be sent in turn for ever.
    let taken = || {
        let same =
            |other: &Wanted| find_in(view, other.id.as_str()).is_some_and(|other| other.id == found.id);
        before.iter().any(same)
    };
    let step = Step::Describe { id: found.id.clone(), description };
    (found.description != wanted.description && !elder && !taken())
        .then(|| Planned::new(step, "the description in Astra is another"))
}

/// Endpoints first: a principal whose endpoint is still connected is not taken away under it.
fn removals(view: &View<'_, AstraPrivateEndpoint>, management: Management) -> Steps {
    let exclusive = management == Management::Exclusive;
    let wanted = view.wanted();
    let why = match (view.goal, exclusive) {
        (Goal::Absent, _) => "this object is being deleted with deletionPolicy: Delete",
        (Goal::Present(_), true) => "not in the spec, and management is Exclusive",
        (Goal::Present(_), false) => "no longer in the spec",
    };
    let mut steps = Steps::new();
    let kept: BTreeSet<_> = (wanted.iter())
        .filter_map(|identity| find_in(view, identity.strip_prefix("endpoint/")?))
        .map(|endpoint| &endpoint.id)
        .collect();
    let owned: BTreeSet<_> = (view.owned.iter())
        .filter(|identity| !wanted.contains(*identity) && !view.claimed_by_peer(identity))
        .filter_map(|identity| find_in(view, identity.strip_prefix("endpoint/")?))
        .map(|endpoint| &endpoint.id)
        .collect();
    for endpoint in &view.observed.endpoints {
        let id = &endpoint.id;
        // Whatever a status says that was changed by a hand: what is there under a declared id is declared.
        let declared = wanted.contains(&endpoint_identity(id.as_str()));
        if !declared && !kept.contains(id) && (exclusive || owned.contains(id)) {
            steps.push(Planned::new(Step::Disconnect { id: id.clone() }, why));
        }
    }
    for principal in &view.observed.allowed_principals {
        let identity = principal_identity(principal);
        if !wanted.contains(&identity) && (exclusive || view.may_remove(&identity)) {
            steps.push(Planned::new(Step::Disallow { principal: principal.clone() }, why));
        }
    }
    steps
}

/// All is sent and seen; are the endpoints accepted?
fn judge(desired: &Desired, view: &View<'_, AstraPrivateEndpoint>) -> Plan<Step> {
    let mut pending = Vec::new();
    for wanted in &desired.endpoints {
        let Some(found) = find_in(view, wanted.id.as_str()) else {
            return Plan::Wait(Problem::new(Reason::WaitingForPeer, awaited(wanted, view)));
        };
        if found.status.eq_ignore_ascii_case("Rejected") {
            return Plan::Blocked(Problem::new(
                Reason::EndpointRejected,
                format!(
                    "Astra has endpoint {} as Rejected: check that its account is an allowed principal, make the endpoint again in the cloud, and put the new id into spec.endpoints",
                    wanted.id
                ),
            ));
        }
        if !found.status.eq_ignore_ascii_case("Accepted") {
            pending.push(format!("{} is {:?}", wanted.id, found.status));
        }
    }
    if pending.is_empty() {
        return Plan::Done;
    }
    let message = format!("waiting for Astra to accept {}: {}", plural(pending.len()), pending.join(", "));
    Plan::Wait(Problem::new(Reason::EndpointPending, message))
}

/// Why an endpoint that is wanted is not there, and yet is not asked for.
fn awaited(wanted: &Wanted, view: &View<'_, AstraPrivateEndpoint>) -> String {
    let identity = endpoint_identity(wanted.id.as_str());
    match view.maker(&identity) {
        Some(peer) if peer.older && peer.wants.contains(&identity) => {
            format!(
                "endpoint {} is connected by {}, which is older and declares it too",
                wanted.id, peer.name
            )
        }
        Some(peer) => format!(
            "endpoint {} was asked for by {}, and it is not known yet whether it was connected",
            wanted.id, peer.name
        ),
        None => format!("endpoint {} is connected by another object", wanted.id),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "an endpoint" } else { "endpoints" }
}
