//! What the API server takes in a field: the schemas' patterns and rules, for one value at a time, so that one odd value
//! does not keep the rest from being exported. A test holds each against the rule itself.

use std::net::Ipv4Addr;

use astra_devops::peering::Provider;
use ipnet::Ipv4Net;

use crate::{kinds::access_list::observed, text::is_unprintable};

pub use crate::kinds::private_endpoint::desired::is_guid as guid;

/// The longest description that a manifest holds, in characters.
pub const DESCRIPTION: usize = 256;
/// The most entries that one access list's manifest holds.
pub const ADDRESSES: usize = 1000;
/// The most principals, and the most endpoints, that one private endpoint's manifest holds.
pub const ENDPOINTS: usize = 100;

/// A name by which a manifest can name a database. One with characters that show nothing is better named by its id.
#[must_use]
pub fn database_name(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.contains(is_unprintable)
}

/// The address as a manifest can say it, if it can: Astra's own text where that will do, else the network that it is.
#[must_use]
pub fn address(text: &str) -> Option<(Ipv4Net, String)> {
    let network = observed::network(text)?;
    let canonical = network.to_string();
    let exact = text == canonical || text.parse::<Ipv4Addr>().is_ok();
    Some((network, if exact { text.to_owned() } else { canonical }))
}

/// Is a number of the address written with a zero before it? Some read that as octal, and nobody knows what Astra does.
#[must_use]
pub fn is_padded(address: &str) -> bool {
    let numbers = address.split(['.', '/']);
    numbers.into_iter().any(|number| number.len() > 1 && number.starts_with('0'))
}

/// May it stand in `allowedPrincipals` of a database on this cloud?
#[must_use]
pub fn principal(provider: Option<Provider>, text: &str) -> bool {
    if !(1..=256).contains(&text.chars().count()) {
        return false;
    }
    match provider {
        Some(Provider::Aws) => arn(text),
        Some(Provider::Azure) => guid(text),
        Some(Provider::Gcp) => project(text) && !text.starts_with("arn:") && !guid(text),
        None => arn(text) || guid(text) || project(text),
    }
}

/// May it stand in `endpoints` of a database on this cloud?
#[must_use]
pub fn endpoint(provider: Option<Provider>, text: &str) -> bool {
    if !(1..=512).contains(&text.chars().count()) {
        return false;
    }
    match provider {
        Some(Provider::Aws) => vpce(text),
        Some(Provider::Azure) => resource_id(text),
        Some(Provider::Gcp) => digits(text),
        None => vpce(text) || resource_id(text) || digits(text),
    }
}

/// A Google Cloud project's id: `^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`.
#[must_use]
pub fn project(text: &str) -> bool {
    let (domain, id) = text.rsplit_once(':').map_or((None, text), |(domain, id)| (Some(domain), id));
    let in_domain = |c: char| lower(c) || matches!(c, '.' | '-');
    domain.is_none_or(|domain| !domain.is_empty() && domain.chars().all(in_domain))
        && (6..=30).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.ends_with(lower)
        && id.chars().all(|c| lower(c) || c == '-')
}

/// A Google Cloud network's name: `^[a-z]([-a-z0-9]*[a-z0-9])?$`, at most 63.
#[must_use]
pub fn gcp_network(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(lower)
        && text.chars().all(|c| lower(c) || c == '-')
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// `^arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/.+|user/.+)$`, where `.` is no newline.
fn arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, "iam", "", account, who] = parts[..] else { return false };
    let named =
        |prefix: &str| who.strip_prefix(prefix).is_some_and(|name| !name.is_empty() && !name.contains('\n'));
    arn == "arn"
        && partition
            .strip_prefix("aws")
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        && account.len() == 12
        && digits(account)
        && (who == "root" || named("role/") || named("user/"))
}

/// `^vpce-[0-9a-zA-Z-]+$`, and no endpoint service.
fn vpce(text: &str) -> bool {
    let id = text.strip_prefix("vpce-").unwrap_or_default();
    !id.is_empty() && !id.starts_with("svc-") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `/subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/privateEndpoints/NAME`.
fn resource_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let ["", subscriptions, subscription, groups, group, providers, network, endpoints, name] = parts[..]
    else {
        return false;
    };
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    same(subscriptions, "subscriptions")
        && subscription.len() == 36
        && subscription.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && same(groups, "resourceGroups")
        && !group.is_empty()
        && same(providers, "providers")
        && same(network, "Microsoft.Network")
        && same(endpoints, "privateEndpoints")
        && !name.is_empty()
}
