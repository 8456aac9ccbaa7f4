//! `/v2/organizations/…/private-link`: services, allowed principals and endpoints. `clusterID` is the database's id.

use astra_devops::Method::{self, Delete, Get, Post, Put};
use serde::Deserialize;
use serde_json::{Value, json};

use super::or_null;
use crate::{
    context::{Context, Reply, Route},
    errors, names, principal,
    state::{Cloud, Database, Endpoint, PrivateLink},
    time,
    wire::Response,
};

const MANAGE: &[&str] = &["db-manage-privateendpoint"];

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    let ["v2", "organizations", rest @ ..] = path else { return None };
    match (method, rest) {
        (Get, ["private-link"]) => or_null(MANAGE, list),
        (Get, ["clusters", _, "private-link"]) => or_null(MANAGE, of_database),
        (Get, ["clusters", _, "datacenters", _, "private-link"]) => or_null(MANAGE, of_datacenter),
        (Post, ["clusters", _, "datacenters", _, "private-link" | "allowed-principals"]) => {
            or_null(MANAGE, allow)
        }
        (Delete, ["clusters", _, "datacenters", _, "allowed-principals"]) => or_null(MANAGE, disallow),
        (Post, ["clusters", _, "datacenters", _, "endpoints"]) => or_null(MANAGE, accept),
        (Get, ["clusters", _, "datacenters", _, "endpoints", _]) => or_null(MANAGE, endpoint),
        (Put, ["clusters", _, "datacenters", _, "endpoints", _]) => or_null(MANAGE, describe),
        (Delete, ["clusters", _, "datacenters", _, "endpoints", _]) => or_null(MANAGE, remove),
        (Get, ["customDomains"]) => or_null(MANAGE, domains),
        (Post, ["customDomains"]) => or_null(MANAGE, set_domains),
        _ => None,
    }
}

const DATABASE: usize = 3;
const DATACENTER: usize = 5;
const ENDPOINT: usize = 7;

fn list(ctx: &mut Context<'_>) -> Reply {
    let configured = ctx.databases().filter(|database| !database.private_links.is_empty());
    let clusters = configured.map(|database| shown_database(ctx.seed, database));
    Ok(Response::json(200, &json!({ "clusters": clusters.collect::<Vec<_>>() })))
}

fn of_database(ctx: &mut Context<'_>) -> Reply {
    let database = ctx.database(ctx.segment(DATABASE))?;
    if database.is_terminated() {
        return Err(errors::not_found(&format!("database {} is terminated", database.id)));
    }
    Ok(Response::json(200, &shown_database(ctx.seed, database)))
}

fn of_datacenter(ctx: &mut Context<'_>) -> Reply {
    let database = ctx.database(ctx.segment(DATABASE))?;
    let link = link(database, ctx.segment(DATACENTER))?;
    Ok(Response::json(200, &shown_link(ctx.seed, database, link)))
}

/// Both paths do the same: they add principals, and the first one makes the service.
fn allow(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        allowed_principals: Vec<String>,
    }
    let body: Body = ctx.body()?;
    let (seed, datacenter) = (ctx.seed, ctx.segment(DATACENTER));
    let database = configurable(ctx)?;
    if body.allowed_principals.is_empty() {
        return Err(errors::bad_request(&["allowedPrincipals: at least one is required".into()]));
    }
    principal::check(database.cloud_provider, &body.allowed_principals)?;
    let at = database.private_links.iter().position(|link| link.datacenter_id == datacenter);
    let at = at.unwrap_or_else(|| {
        database.private_links.push(new_link(datacenter));
        database.private_links.len() - 1
    });
    for principal in body.allowed_principals {
        let known = &mut database.private_links[at].allowed_principals;
        if !known.contains(&principal) {
            known.push(principal);
        }
    }
    let link = &database.private_links[at];
    let service = service(seed, database, link);
    Ok(Response::json(200, &json!({ "serviceName": service, "allowedPrincipals": link.allowed_principals })))
}

fn disallow(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        allowed_principal: String,
    }
    let body: Body = ctx.body()?;
    let link = link_mut(ctx)?;
    let before = link.allowed_principals.len();
    link.allowed_principals.retain(|principal| *principal != body.allowed_principal);
    if link.allowed_principals.len() == before {
        return Err(errors::string(404, &format!("principal {} not found", body.allowed_principal)));
    }
    Ok(Response::empty(204))
}

/// Answers the endpoint itself. An endpoint that is there already is answered as it is, and kept once.
fn accept(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "endpointID")]
        id: String,
        description: Option<String>,
    }
    let body: Body = ctx.body()?;
    let (seed, now, datacenter) = (ctx.seed, ctx.now, ctx.segment(DATACENTER));
    let refused = ctx.state.rejected_endpoints.contains(&body.id);
    let cloud = ctx.database(ctx.segment(DATABASE))?.cloud_provider;
    let link = link_mut(ctx)?;
    if let Some(known) = link.endpoints.iter().find(|known| known.is(&body.id)) {
        return Ok(Response::json(200, &shown_endpoint(seed, datacenter, known)));
    }
    principal::check_endpoint(cloud, &body.id)?;
    let allowed = principal::covers(cloud, &link.allowed_principals, &body.id);
    let kept = names::endpoint(seed, cloud, datacenter, &body.id);
    let endpoint = Endpoint {
        posted_id: (kept != body.id).then_some(body.id),
        endpoint_id: kept,
        description: body.description.unwrap_or_default(),
        link_id: String::new(),
        status: if allowed && !refused { "Accepted" } else { "Rejected" }.into(),
        created: Some(now),
    };
    let shown = shown_endpoint(seed, datacenter, &endpoint);
    link.endpoints.push(endpoint);
    Ok(Response::json(200, &shown))
}

fn endpoint(ctx: &mut Context<'_>) -> Reply {
    let database = ctx.database(ctx.segment(DATABASE))?;
    let (datacenter, id) = (ctx.segment(DATACENTER), ctx.segment(ENDPOINT));
    let link = link(database, datacenter)?;
    let found = link.endpoints.iter().find(|endpoint| endpoint.endpoint_id == id);
    let found = found.ok_or_else(|| errors::string(404, &no_endpoint(id)))?;
    Ok(Response::json(200, &shown_endpoint(ctx.seed, datacenter, found)))
}

fn describe(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    struct Body {
        description: String,
    }
    let body: Body = ctx.body()?;
    let (seed, datacenter, id) = (ctx.seed, ctx.segment(DATACENTER), ctx.segment(ENDPOINT));
    let (link, at) = endpoint_mut(ctx, id)?;
    let endpoint = &mut link.endpoints[at];
    endpoint.description = body.description;
    Ok(Response::json(200, &shown_endpoint(seed, datacenter, endpoint)))
}

fn remove(ctx: &mut Context<'_>) -> Reply {
    let (link, at) = endpoint_mut(ctx, ctx.segment(ENDPOINT))?;
    link.endpoints.remove(at);
    Ok(Response::empty(204))
}

fn domains(ctx: &mut Context<'_>) -> Reply {
    Ok(Response::json(200, &ctx.organization()?.custom_domains))
}

/// Sets the whole set; there is no other way to take one away.
fn set_domains(ctx: &mut Context<'_>) -> Reply {
    let domains: Vec<String> = ctx.body()?;
    ctx.organization()?.custom_domains = domains;
    Ok(Response::empty(202))
}

fn link<'a>(database: &'a Database, datacenter: &str) -> Result<&'a PrivateLink, Response> {
    if database.datacenter(datacenter).is_none() {
        return Err(no_datacenter(database, datacenter));
    }
    let found = database.private_links.iter().find(|link| link.datacenter_id == datacenter);
    found.ok_or_else(not_configured)
}

/// The database, when it and the datacenter that is asked about are there to be changed.
fn configurable<'a>(ctx: &'a mut Context<'_>) -> Result<&'a mut Database, Response> {
    let datacenter = ctx.segment(DATACENTER);
    let database = ctx.changeable(ctx.segment(DATABASE))?;
    if database.datacenter(datacenter).is_none() {
        return Err(no_datacenter(database, datacenter));
    }
    Ok(database)
}

fn link_mut<'a>(ctx: &'a mut Context<'_>) -> Result<&'a mut PrivateLink, Response> {
    let datacenter = ctx.segment(DATACENTER);
    let mut links = configurable(ctx)?.private_links.iter_mut();
    links.find(|link| link.datacenter_id == datacenter).ok_or_else(not_configured)
}

/// The link that has an endpoint, and where in it. A change is told of an unknown one in the documented shape: unlike a
/// read, the generated Go client takes no bare string here.
fn endpoint_mut<'a>(ctx: &'a mut Context<'_>, id: &str) -> Result<(&'a mut PrivateLink, usize), Response> {
    let datacenter = ctx.segment(DATACENTER);
    let unknown = || errors::not_found(&no_endpoint(id));
    let mut links = configurable(ctx)?.private_links.iter_mut();
    let link = links.find(|link| link.datacenter_id == datacenter).ok_or_else(unknown)?;
    let at = link.endpoints.iter().position(|endpoint| endpoint.endpoint_id == id).ok_or_else(unknown)?;
    Ok((link, at))
}

fn new_link(datacenter: &str) -> PrivateLink {
    PrivateLink {
        datacenter_id: datacenter.to_owned(),
        service_name: String::new(),
        allowed_principals: Vec::new(),
        endpoints: Vec::new(),
    }
}

fn not_configured() -> Response {
    errors::string(404, "private link is not configured for this datacenter")
}

fn no_datacenter(database: &Database, datacenter: &str) -> Response {
    errors::not_found(&format!("datacenter {datacenter} not found in database {}", database.id))
}

fn no_endpoint(id: &str) -> String {
    format!("endpoint {id} not found")
}

fn shown_database(seed: u64, database: &Database) -> Value {
    let links = database.private_links.iter().map(|link| shown_link(seed, database, link));
    json!({ "clusterID": database.id, "datacenters": links.collect::<Vec<_>>() })
}

fn shown_link(seed: u64, database: &Database, link: &PrivateLink) -> Value {
    let endpoints = link.endpoints.iter().map(|endpoint| shown_endpoint(seed, &link.datacenter_id, endpoint));
    json!({
        "serviceName": service(seed, database, link),
        "allowedPrincipals": link.allowed_principals,
        "datacenterID": link.datacenter_id,
        "endpoints": endpoints.collect::<Vec<_>>(),
    })
}

fn service(seed: u64, database: &Database, link: &PrivateLink) -> String {
    if !link.service_name.is_empty() {
        return link.service_name.clone();
    }
    let region = database.datacenter(&link.datacenter_id).map_or("", |datacenter| &datacenter.region);
    let cloud: Cloud = database.cloud_provider;
    names::service(seed, cloud, region, &link.datacenter_id)
}

fn shown_endpoint(seed: u64, datacenter: &str, endpoint: &Endpoint) -> Value {
    let link = match endpoint.link_id.as_str() {
        "" => names::uuid(seed, &["link", datacenter, &endpoint.endpoint_id]),
        id => id.to_owned(),
    };
    json!({
        "endpointID": endpoint.endpoint_id,
        "description": endpoint.description,
        "linkID": link,
        "status": endpoint.status,
        "createdDateTime": time::zoneless(endpoint.created),
    })
}
