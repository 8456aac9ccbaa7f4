//! The API, one file an area.

#![allow(clippy::unnecessary_wraps, reason = "all handlers have one signature, those that cannot fail too")]

mod access_list;
mod database_actions;
mod databases;
mod datacenters;
mod devops_acl;
mod organization;
mod peering;
mod private_link;
mod regions;

use astra_devops::Method;

use crate::{
    context::{Area, Context, Reply, Route},
    errors,
    wire::{Request, Response},
};

/// All areas. The first that knows a request answers it.
const AREAS: &[Area] = &[
    databases::route,
    database_actions::route,
    datacenters::route,
    access_list::route,
    private_link::route,
    peering::route,
    devops_acl::route,
    organization::route,
    regions::route,
];

const METHODS: &[Method] = &[Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

/// Which operation a request asks for; otherwise 404 or 405, in text as a router says it.
pub(crate) fn find(request: &Request, path: &[&str]) -> Result<Route, Response> {
    let with = |method| AREAS.iter().find_map(|area| area(method, path));
    match with(request.method) {
        Some(route) => Ok(route),
        None if METHODS.iter().any(|method| with(*method).is_some()) => {
            Err(Response::text(405, "405 method not allowed"))
        }
        None => Err(Response::text(404, "404 page not found")),
    }
}

/// An operation whose area knows no 403: without the permission, it is 401 and `null`.
const fn or_null(needs: &'static [&'static str], handle: fn(&mut Context<'_>) -> Reply) -> Option<Route> {
    Some(Route { needs, denied: errors::null, handle })
}

/// An operation whose area answers 403 with an `errors` object.
const fn or_forbidden(
    needs: &'static [&'static str],
    handle: fn(&mut Context<'_>) -> Reply,
) -> Option<Route> {
    Some(Route { needs, denied: || errors::forbidden("insufficient permissions"), handle })
}

/// An operation whose area answers 403 with a bare string.
const fn or_403(needs: &'static [&'static str], handle: fn(&mut Context<'_>) -> Reply) -> Option<Route> {
    Some(Route { needs, denied: || errors::string(403, "forbidden: insufficient permissions"), handle })
}
