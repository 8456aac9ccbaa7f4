//! `/v2/peering/provider/{cloud}/database/{id}`: one peering of a Classic database with a network of the same cloud.

use astra_devops::{
    Method::{self, Delete, Get, Post},
    peering::{Peering, Vpc},
};
use serde_json::{Map, Value};

use super::or_forbidden;
use crate::{
    address,
    context::{Context, Reply, Route},
    errors, names,
    principal::{is_guid, is_project},
    schedule::Change,
    state::{Cloud, Database},
    wire::Response,
};

const READ: &[&str] = &["org-db-readpeering", "org-db-addpeering"];
const WRITE: &[&str] = &["org-db-addpeering"];

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        (Get, ["v2", "peering", "provider", _, "database", _]) => or_forbidden(READ, get),
        (Post, ["v2", "peering", "provider", _, "database", _]) => or_forbidden(WRITE, create),
        (Delete, ["v2", "peering", "provider", _, "database", _]) => or_forbidden(WRITE, delete),
        _ => None,
    }
}

fn get(ctx: &mut Context<'_>) -> Reply {
    let cloud = cloud(ctx)?;
    let database = ctx.database(ctx.segment(5))?;
    let peering = database.peering.as_ref().filter(|_| database.cloud_provider == cloud);
    Ok(Response::json(200, peering.ok_or_else(absent)?))
}

fn create(ctx: &mut Context<'_>) -> Reply {
    let (cloud, id, seed, now) = (cloud(ctx)?, ctx.segment(5), ctx.seed, ctx.now);
    let body: Map<String, Value> = ctx.body()?;
    let step = ctx.state.peering_delay;
    let database = ctx.changeable(id)?;
    if database.is_serverless() {
        return Err(errors::string(400, "VPC peering only applies to Classic databases"));
    }
    if database.cloud_provider != cloud {
        let text =
            format!("the database is on {}, not on {}", database.cloud_provider.as_str(), cloud.as_str());
        return Err(errors::string(400, &text));
    }
    let other = theirs(seed, cloud, &body)?;
    if let Some(known) = &database.peering {
        return Err(errors::string(409, &format!("a peering exists already, in status {}", known.status)));
    }
    // An Azure peering is made by Astra on both sides; on the others the customer has to accept it, which the simulator
    // does in the customer's place.
    let first = if cloud == Cloud::Azure { "provisioning" } else { "pending-acceptance" };
    let peering = Peering {
        connection_id: names::uuid(seed, &["peering", id, &other.account, &other.vpc_id, &now.to_string()]),
        status: first.into(),
        current_vpc: ours(seed, database),
        other_vpc: other,
    };
    let change = Change::Peering {
        database: id.into(),
        connection: peering.connection_id.clone(),
        from: first,
        to: Some("active"),
    };
    let response = Response::json(201, &peering);
    database.peering = Some(peering);
    ctx.schedule.add(now, step, change);
    Ok(response)
}

/// The peering is seen as `deleting` for a while, then it is gone.
fn delete(ctx: &mut Context<'_>) -> Reply {
    let (cloud, id) = (cloud(ctx)?, ctx.segment(5));
    let database = ctx.changeable(id)?;
    let on_cloud = database.cloud_provider == cloud;
    let peering = database.peering.as_mut().filter(|_| on_cloud).ok_or_else(absent)?;
    if peering.status == "deleting" {
        return Ok(Response::empty(204));
    }
    "deleting".clone_into(&mut peering.status);
    let connection = peering.connection_id.clone();
    let change = Change::Peering { database: id.into(), connection, from: "deleting", to: None };
    ctx.schedule.add(ctx.now, ctx.state.peering_delay, change);
    Ok(Response::empty(204))
}

fn cloud(ctx: &Context<'_>) -> Result<Cloud, Response> {
    let name = ctx.segment(3);
    Cloud::parse(name).ok_or_else(|| errors::bad_request(&[format!("unknown provider {name}")]))
}

fn absent() -> Response {
    errors::not_found("peering connection not found")
}

/// The service's side, made up.
fn ours(seed: u64, database: &Database) -> Vpc {
    let parts = ["vpc", database.id.as_str()];
    let short = names::hex(seed, &parts, 17);
    let (account, vpc_id) = match database.cloud_provider {
        Cloud::Aws => (names::account(seed, &parts), format!("vpc-{short}")),
        Cloud::Azure => (names::uuid(seed, &parts), format!("astra-{short}")),
        Cloud::Gcp => (format!("astra-{}", names::hex(seed, &parts, 8)), format!("astra-{short}")),
    };
    let cidr_block = names::network(seed, &parts);
    Vpc { provider: provider(database.cloud_provider), account, vpc_id, cidr_block }
}

/// The customer's side, from the request. That account and network are found in these fields is an inference.
fn theirs(seed: u64, cloud: Cloud, body: &Map<String, Value>) -> Result<Vpc, Response> {
    let mut reasons = Vec::new();
    let mut field = |name: &str, expected: &str, valid: fn(&str) -> bool| {
        let text = body.get(name).and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            reasons.push(format!("{name} is required"));
        } else if !valid(text) {
            reasons.push(format!("{name}: {text:?} is not {expected}"));
        }
        text.to_owned()
    };
    let any = |_: &str| true;
    let (account, vpc_id, cidr_block) = match cloud {
        Cloud::Aws => {
            field("region", "a region", any);
            (
                field("accountId", "an account id of 12 digits", is_account),
                field("vpcId", "a VPC id (vpc-…)", is_vpc),
                field("cidrBlock", "an IPv4 network", |text| address::check(text).is_ok()),
            )
        }
        Cloud::Azure => {
            field("tenantId", "a GUID", is_guid);
            field("resourceGroupName", "a resource group", any);
            (
                field("subscriptionId", "a GUID", is_guid),
                field("virtualNetworkName", "a virtual network", any),
                String::new(),
            )
        }
        Cloud::Gcp => (
            field("projectId", "a project id", is_project),
            field("vpcNetworkName", "a VPC network", any),
            String::new(),
        ),
    };
    if !reasons.is_empty() {
        return Err(errors::bad_request(&reasons));
    }
    // Azure and Google Cloud tell the network's addresses; the simulator has to make them up.
    let made_up = || names::network(seed, &["theirs", &account, &vpc_id]);
    let cidr_block = if cidr_block.is_empty() { made_up() } else { cidr_block };
    Ok(Vpc { provider: provider(cloud), account, vpc_id, cidr_block })
}

fn provider(cloud: Cloud) -> String {
    cloud.as_str().to_ascii_lowercase()
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_vpc(text: &str) -> bool {
    let id = text.strip_prefix("vpc-").unwrap_or_default();
    matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
