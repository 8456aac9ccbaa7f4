//! What a cloud calls an allowed principal and an endpoint: the forms that are taken, and who an endpoint belongs to.

use crate::{errors, state::Cloud, wire::Response};

/// Are these principals of the database's cloud? Google Cloud's mistake is answered as users of the real service saw it.
pub(crate) fn check(cloud: Cloud, principals: &[String]) -> Result<(), Response> {
    let wrong: Vec<_> = principals.iter().filter(|principal| !is_principal(cloud, principal)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let expected = match cloud {
        Cloud::Gcp => return Err(errors::string(500, "error occurred trying to add principals in Gcp")),
        Cloud::Aws => "an ARN such as arn:aws:iam::123456789012:root",
        Cloud::Azure => "a subscription id",
    };
    let reason = |principal: &String| format!("allowedPrincipals: {principal:?} is not {expected}");
    Err(errors::bad_request(&wrong.into_iter().map(reason).collect::<Vec<_>>()))
}

/// Is this an endpoint's id in the database's cloud?
pub(crate) fn check_endpoint(cloud: Cloud, id: &str) -> Result<(), Response> {
    let (valid, expected) = match cloud {
        Cloud::Aws => (id.starts_with("vpce-"), "a VPC endpoint id (vpce-…)"),
        Cloud::Azure => {
            (subscription(id).is_some() && !id.ends_with('/'), "a resource id (/subscriptions/…)")
        }
        Cloud::Gcp => {
            (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()), "a PSC connection id (digits)")
        }
    };
    if valid { Ok(()) } else { Err(errors::bad_request(&[format!("endpointID: {id:?} is not {expected}")])) }
}

/// May this endpoint connect? Only Azure's ids tell whose they are; of the others it is known only that nobody may.
pub(crate) fn covers(cloud: Cloud, principals: &[String], endpoint: &str) -> bool {
    match (cloud, subscription(endpoint)) {
        (Cloud::Azure, Some(owner)) => {
            principals.iter().any(|principal| principal.eq_ignore_ascii_case(owner))
        }
        _ => !principals.is_empty(),
    }
}

fn subscription(resource: &str) -> Option<&str> {
    let mut parts = resource.strip_prefix('/')?.split('/');
    let is_subscription = parts.next()?.eq_ignore_ascii_case("subscriptions");
    parts.next().filter(|id| is_subscription && !id.is_empty())
}

fn is_principal(cloud: Cloud, text: &str) -> bool {
    match cloud {
        Cloud::Aws => is_arn(text),
        Cloud::Azure => is_guid(text),
        Cloud::Gcp => is_project(text),
    }
}

/// The documents ask for `…:root`; their examples also have roles and users.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, whom] = parts.as_slice() else { return false };
    let known = *whom == "root" || whom.starts_with("role/") || whom.starts_with("user/");
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && known
}

pub(crate) fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

pub(crate) fn is_project(text: &str) -> bool {
    (6..=30).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit())
}
