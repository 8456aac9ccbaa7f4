//! Which endpoint in Astra is which in the spec. On Azure, Astra keeps another id than the one that was sent.

use astra_devops::private_link::{PrivateEndpoint, PrivateLink};

use super::{
    AstraPrivateEndpoint,
    desired::is_guid,
    endpoint_identity,
    resource::{EndpointReport, PrivateEndpointDetails},
};
use crate::engine::View;

/// Finds the endpoint that the spec calls `id`: by the same id, or by the one that Astra answered.
///
/// An endpoint that was asked for (`announced`), and whose answer was lost in a crash, is also known by the form that
/// Astra is known to make of an Azure resource id. Without an announcement that form proves nothing: endpoints of one
/// name in two resource groups have it, and one of them may be somebody else's.
#[must_use]
pub fn find<'a>(
    link: &'a PrivateLink,
    id: &str,
    details: &PrivateEndpointDetails,
    announced: bool,
) -> Option<&'a PrivateEndpoint> {
    let endpoints = &link.endpoints;
    // First, because a status can be changed by a hand, and the same id cannot be anything else.
    if let Some(found) = endpoints.iter().find(|endpoint| endpoint.id.as_str().eq_ignore_ascii_case(id)) {
        return Some(found);
    }
    if let Some(astra_id) = recorded(details, id)
        && let Some(found) = endpoints.iter().find(|endpoint| endpoint.id.as_str() == astra_id)
    {
        return Some(found);
    }
    if !announced || details.endpoints.iter().any(|known| known.id.eq_ignore_ascii_case(id)) {
        return None;
    }
    let of_another = |endpoint: &PrivateEndpoint| {
        details.endpoints.iter().any(|known| known.astra_id.as_deref() == Some(endpoint.id.as_str()))
    };
    let made =
        endpoints.iter().filter(|endpoint| is_made_from(endpoint.id.as_str(), id) && !of_another(endpoint));
    let mut made: Vec<_> = made.collect();
    // Two of one name cannot be told apart: neither is taken for ours.
    if made.len() == 1 { made.pop() } else { None }
}

/// Finds an endpoint of the object that is looked at: by what it knows itself, else by what another object that declares
/// the same endpoint knows.
#[must_use]
pub fn find_in<'a>(view: &View<'a, AstraPrivateEndpoint>, id: &str) -> Option<&'a PrivateEndpoint> {
    let identity = endpoint_identity(id);
    let names = || view.peers.iter().flat_map(|peer| &peer.names);
    let of_another = |endpoint: &&PrivateEndpoint| {
        names().any(|(other, name)| *other != identity && name == endpoint.id.as_str())
    };
    // Whatever the status of another object says: the same id is the same endpoint.
    let same = |endpoint: &PrivateEndpoint| endpoint.id.as_str().eq_ignore_ascii_case(id);
    let known = find(view.observed, id, view.details, view.owned.contains(&identity));
    known.filter(|endpoint| same(endpoint) || !of_another(endpoint)).or_else(|| {
        let (_, name) = names().find(|(of, _)| **of == identity)?;
        view.observed.endpoints.iter().find(|endpoint| endpoint.id.as_str() == name)
    })
}

/// Keeps what Astra answered for an endpoint of the spec.
pub fn remember(details: &mut PrivateEndpointDetails, id: &str, endpoint: &PrivateEndpoint) {
    let report = report(id, endpoint);
    match details.endpoints.iter_mut().find(|known| known.id.eq_ignore_ascii_case(id)) {
        Some(known) => *known = report,
        None => details.endpoints.push(report),
    }
}

/// One endpoint of the spec as Astra has it.
#[must_use]
pub fn report(id: &str, endpoint: &PrivateEndpoint) -> EndpointReport {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    EndpointReport {
        id: id.to_owned(),
        astra_id: text(endpoint.id.as_str()).filter(|astra_id| astra_id != id),
        link_id: text(&endpoint.link_id),
        status: text(&endpoint.status),
        created: text(&endpoint.created),
    }
}

fn recorded<'a>(details: &'a PrivateEndpointDetails, id: &str) -> Option<&'a str> {
    details.endpoints.iter().find(|known| known.id.eq_ignore_ascii_case(id))?.astra_id.as_deref()
}

/// `NAME.GUID`, where NAME is the last part of the Azure resource id. With or without a path before it.
fn is_made_from(astra_id: &str, id: &str) -> bool {
    let (Some((_, name)), true) = (id.rsplit_once('/'), id.starts_with('/')) else { return false };
    let made = astra_id.rsplit('/').next().unwrap_or_default();
    // `get` and not slicing: remote text may have a character across that place.
    let Some((start, rest)) = made.get(..name.len()).zip(made.get(name.len()..)) else { return false };
    start.eq_ignore_ascii_case(name) && rest.strip_prefix(['.', '-', '_']).is_some_and(is_guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/astra";
    const MADE: &str = "astra.0f7e1a52-5b6f-4a7e-9d1c-3c2b1a0f9e8d";

    fn link(ids: &[&str]) -> PrivateLink {
        let endpoint = |id: &&str| PrivateEndpoint {
            id: id.parse().unwrap(),
            description: String::new(),
            link_id: String::new(),
            status: "Accepted".into(),
            created: String::new(),
        };
        PrivateLink { endpoints: ids.iter().map(endpoint).collect(), ..PrivateLink::default() }
    }

    fn found(ids: &[&str], id: &str, details: &PrivateEndpointDetails, announced: bool) -> Option<String> {
        find(&link(ids), id, details, announced).map(|endpoint| endpoint.id.to_string())
    }

    #[test]
    fn finds_by_the_answered_id_the_same_id_or_when_announced_by_the_made_one() {
        let unknown = PrivateEndpointDetails::default();
        let other = MADE.replace("astra", "other");
        let mut known = PrivateEndpointDetails::default();
        remember(&mut known, SENT, &link(&["strange-id"]).endpoints[0]);
        let mut of_another = PrivateEndpointDetails::default();
        remember(&mut of_another, &SENT.replace("/net/", "/other/"), &link(&[MADE]).endpoints[0]);
        for (ids, id, details, announced, expected) in [
            (&["vpce-1", "vpce-2"][..], "vpce-2", &unknown, false, Some("vpce-2")),
            (&["vpce-1"], "vpce-11", &unknown, true, None),
            (&[SENT], &SENT.to_uppercase(), &unknown, false, Some(SENT)),
            (&[MADE, other.as_str()], SENT, &unknown, true, Some(MADE)),
            // One of this name that nobody asked for may be somebody else's.
            (&[MADE], SENT, &unknown, false, None),
            (&["astra.not-a-guid"], SENT, &unknown, true, None),
            (&["strange-id", MADE], SENT, &known, true, Some("strange-id")),
            (&["strange-id"], &SENT.to_uppercase(), &known, false, Some("strange-id")),
            // A status that was changed by a hand does not lead away from the endpoint itself.
            (&["strange-id", SENT], SENT, &known, false, Some(SENT)),
            // What was answered is gone: another one of the name is another endpoint.
            (&[MADE], SENT, &known, true, None),
            (&[MADE], SENT, &of_another, true, None),
            // Remote text may have a character across the place where the name would end.
            (&["asträ.0f7e1a52-5b6f-4a7e-9d1c-3c2b1a0f9e8d"], SENT, &unknown, true, None),
        ] {
            let found = found(ids, id, details, announced);
            assert_eq!(found.as_deref(), expected, "{id} among {ids:?}, announced: {announced}");
        }
    }

    #[test]
    fn two_of_one_name_are_not_guessed_between() {
        let second = "astra.11111111-5b6f-4a7e-9d1c-3c2b1a0f9e8d";
        assert_eq!(found(&[MADE, second], SENT, &PrivateEndpointDetails::default(), true), None);
    }
}
