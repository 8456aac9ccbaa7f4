//! Who is calling, and may they? 401 comes in two shapes: an errors object for a token that is none or not known, and
//! the bare `null` for one that lacks a permission (on the paths that do not know 403).

use crate::{
    address,
    context::Route,
    errors::{self, INVALID_TOKEN_FORMAT, UNKNOWN_TOKEN},
    state::{Permissions, State},
    wire::{Request, Response},
};

/// The caller's organization.
pub(crate) fn check(state: &State, request: &Request, route: &Route) -> Result<String, Response> {
    let token = request.authorization.as_deref().and_then(bearer).unwrap_or_default();
    let entry = state.tokens.iter().find(|entry| entry.token == token).ok_or_else(|| unknown(token))?;
    lets_in(state, &entry.organization)?;
    if Permissions::new(entry.role.as_deref(), &entry.permissions).any(route.needs) {
        Ok(entry.organization.clone())
    } else {
        Err((route.denied)())
    }
}

/// The token in `Authorization: Bearer …`; the scheme is read in any case, as RFC 9110 says.
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unknown(token: &str) -> Response {
    if is_well_formed(token) {
        let message = "Resource not found: token with identifier: auth-manager returned 404";
        errors::errors(401, &[(UNKNOWN_TOKEN, message.into())])
    } else {
        errors::errors(401, &[(INVALID_TOKEN_FORMAT, "invalid token format".into())])
    }
}

/// `AstraCS:`, the client's id of 24 characters, and 64 hexadecimal digits.
fn is_well_formed(token: &str) -> bool {
    let parts: Vec<&str> = token.split(':').collect();
    let [scheme, client, secret] = parts.as_slice() else { return false };
    *scheme == "AstraCS"
        && client.len() == 24
        && client.bytes().all(|b| b.is_ascii_alphanumeric())
        && secret.len() == 64
        && secret.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The organization's DevOps API access list, when the state says where callers come from.
fn lets_in(state: &State, organization: &str) -> Result<(), Response> {
    let Some(caller) = state.caller_address else { return Ok(()) };
    let found = state.organizations.iter().find(|found| found.id == organization);
    let Some(entries) = found.and_then(|organization| organization.devops_acl.as_ref()) else {
        return Ok(());
    };
    if entries.iter().any(|entry| entry.enabled && address::contains(&entry.address, caller)) {
        Ok(())
    } else {
        Err(errors::forbidden(&format!(
            "address {caller} is not in the organization's DevOps API access list"
        )))
    }
}
