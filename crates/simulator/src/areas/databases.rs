//! `/v2/databases`: listing, looking, creating.

use astra_devops::Method::{self, Get, Post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{or_null, regions};
use crate::{
    context::{Context, Reply, Route},
    errors::{self, UNSUPPORTED_PROVIDER, UNSUPPORTED_REGION, UNSUPPORTED_TIER},
    names,
    state::{Cloud, Database, Datacenter},
    time,
    wire::Response,
};

const VIEW: &[&str] = &["org-db-view"];
const CREATE: &[&str] = &["org-db-create"];

/// How many databases a page has when nothing is asked, and at the most.
const PAGE: (usize, usize) = (25, 100);

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        (Get, ["v2", "databases"]) => or_null(VIEW, list),
        (Post, ["v2", "databases"]) => or_null(CREATE, create),
        (Get, ["v2", "databases", _]) => or_null(VIEW, get),
        _ => None,
    }
}

/// One page. A limit beyond the bound is cut, not refused, and unknown filters are ignored: the real clients send both.
fn list(ctx: &mut Context<'_>) -> Reply {
    let asked = |name: &str| ctx.request.parameter(name).unwrap_or_default();
    let limit = asked("limit").parse().ok().filter(|limit| *limit > 0).unwrap_or(PAGE.0).min(PAGE.1);
    let (include, provider) = (asked("include"), Cloud::parse(&asked("provider")));
    let after = asked("starting_after");
    // The page starts behind that database even when a filter hides it: it may have been terminated in between.
    let skip = match ctx.databases().position(|database| database.id == after) {
        Some(at) => at + 1,
        None if after.is_empty() => 0,
        None => return Err(errors::bad_request(&[format!("starting_after: no database {after:?}")])),
    };
    let page = ctx.databases().skip(skip);
    let page = page.filter(|database| provider.is_none_or(|cloud| cloud == database.cloud_provider));
    let page = page.filter(|database| is_included(&include, &database.status)).take(limit);
    Ok(Response::json(200, &page.map(shown).collect::<Vec<_>>()))
}

fn is_included(include: &str, status: &str) -> bool {
    match include.to_ascii_lowercase().as_str() {
        "all" => true,
        "" | "nonterminated" | "non_terminated" => status != "TERMINATED",
        one if STATUSES.iter().any(|known| known.eq_ignore_ascii_case(one)) => {
            status.eq_ignore_ascii_case(one)
        }
        _ => status != "TERMINATED",
    }
}

/// The statuses of the published specification.
const STATUSES: &[&str] = &[
    "ACTIVE",
    "PENDING",
    "PREPARING",
    "PREPARED",
    "INITIALIZING",
    "PARKED",
    "PARKING",
    "UNPARKING",
    "TERMINATED",
    "TERMINATING",
    "RESIZING",
    "ERROR",
    "MAINTENANCE",
    "SUSPENDED",
    "UNKNOWN",
];

fn get(ctx: &mut Context<'_>) -> Reply {
    Ok(Response::json(200, &shown(ctx.database(ctx.segment(2))?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: Option<String>,
    cloud_provider: Option<String>,
    tier: Option<String>,
    region: Option<String>,
    #[serde(default)]
    capacity_units: Option<u32>,
    keyspace: Option<String>,
    db_type: Option<String>,
}

/// 201 with nothing but a `location` in lower case, as it is on the wire: one client reads it only so.
fn create(ctx: &mut Context<'_>) -> Reply {
    let body: Create = ctx.body()?;
    let missing = [("name", &body.name), ("cloudProvider", &body.cloud_provider), ("region", &body.region)];
    let missing: Vec<_> = missing
        .iter()
        .filter(|(_, value)| value.as_deref().is_none_or(str::is_empty))
        .map(|(field, _)| format!("{field} is required"))
        .collect();
    if !missing.is_empty() {
        return Err(errors::bad_request(&missing));
    }
    let tier = body.tier.unwrap_or_else(|| "serverless".into());
    let region = body.region.unwrap_or_default();
    let cloud = supported(&tier, &body.cloud_provider.unwrap_or_default(), &region)?;
    // Counted on past ids that are there: a state that was put may have fewer databases than were made.
    let mut made =
        (ctx.state.databases.len()..).map(|n| names::uuid(ctx.seed, &["database", &n.to_string()]));
    let is_free = |id: &String| ctx.state.databases.iter().all(|known| known.id != *id);
    let id = made.find(is_free).unwrap_or_default();
    let database = Database {
        name: body.name.unwrap_or_default(),
        organization: ctx.organization.to_owned(),
        cloud_provider: cloud,
        tier,
        status: "PENDING".into(),
        datacenters: vec![Datacenter { id: format!("{id}-1"), region, status: "ACTIVE".into() }],
        keyspaces: vec![
            body.keyspace.filter(|name| !name.is_empty()).unwrap_or_else(|| "default_keyspace".into()),
        ],
        capacity_units: body.capacity_units.unwrap_or(1),
        db_type: body.db_type,
        created: Some(ctx.now),
        access_list: None,
        private_links: Vec::new(),
        peering: None,
        id,
    };
    let response = Response::empty(201).header("location", &database.id);
    ctx.schedule.database(
        ctx.now,
        ctx.state.database_delay,
        &database.id,
        &["PENDING", "INITIALIZING", "ACTIVE"],
    );
    ctx.state.databases.push(database);
    Ok(response)
}

/// The cloud, if cloud, tier and region go together; 422 with all that does not.
pub(super) fn supported(tier: &str, cloud: &str, region: &str) -> Result<Cloud, Response> {
    let mut wrong = Vec::new();
    if !regions::has_tier(tier) {
        wrong.push((UNSUPPORTED_TIER, "unsupported database tier".into()));
    }
    let cloud = Cloud::parse(cloud);
    if cloud.is_none() {
        wrong.push((UNSUPPORTED_PROVIDER, "unsupported cloud provider".into()));
    }
    if !cloud.is_some_and(|cloud| regions::has(cloud, region)) {
        wrong.push((UNSUPPORTED_REGION, "unsupported region".into()));
    }
    match cloud {
        Some(cloud) if wrong.is_empty() => Ok(cloud),
        _ => Err(errors::errors(422, &wrong)),
    }
}

/// A database as it is answered. `storage` and the datacenters' ids are always there: clients crash without them.
fn shown(database: &Database) -> Value {
    let first = database.datacenters.first();
    let region = first.map_or("", |datacenter| &datacenter.region);
    let keyspace = database.keyspaces.first();
    let additional = database.keyspaces.get(1..).unwrap_or_default();
    let host = format!("https://{}-{region}.apps.astra.datastax.com", database.id);
    let datacenters = database.datacenters.iter().enumerate();
    let datacenters: Vec<_> =
        datacenters.map(|(i, datacenter)| shown_datacenter(database, i, datacenter)).collect();
    json!({
        "id": database.id,
        "orgId": database.organization,
        "ownerId": names::uuid(0, &["owner", &database.organization]),
        "info": {
            "name": database.name,
            "keyspace": keyspace,
            "keyspaces": database.keyspaces,
            "additionalKeyspaces": additional,
            "cloudProvider": database.cloud_provider,
            "tier": database.tier,
            "capacityUnits": database.capacity_units,
            "region": region,
            "dbType": database.db_type,
            "datacenters": datacenters,
        },
        "creationTime": time::rfc3339(database.created),
        "terminationTime": time::rfc3339(None),
        "status": database.status,
        "storage": {
            "nodeCount": 3, "replicationFactor": 1, "totalStorage": 10, "usedStorage": 0, "displayStorage": 10,
        },
        "availableActions": actions(database),
        "message": "",
        "cqlshUrl": format!("{host}/cqlsh"),
        "grafanaUrl": format!("https://{}.dashboard.astra.datastax.com/d/cloud/dse-cluster-condensed", database.id),
        "graphqlUrl": format!("{host}/api/graphql"),
        "dataEndpointUrl": format!("{host}/api/rest"),
    })
}

fn actions(database: &Database) -> &'static [&'static str] {
    match (database.status.as_str(), database.is_serverless()) {
        ("ACTIVE", true) => &["getCreds", "terminate", "addKeyspace", "removeKeyspace", "addDatacenters"],
        ("ACTIVE", false) => &["park", "getCreds", "resetPassword", "terminate", "addKeyspace", "resize"],
        ("PARKED", _) => &["unpark", "terminate"],
        _ => &[],
    }
}

/// A datacenter, in a database's `info` and in the list of datacenters.
pub(super) fn shown_datacenter(database: &Database, i: usize, datacenter: &Datacenter) -> Value {
    json!({
        "id": datacenter.id,
        "name": format!("dc-{}", i + 1),
        "tier": database.tier,
        "status": datacenter.status,
        "cloudProvider": database.cloud_provider,
        "region": datacenter.region,
        "regionZone": regions::zone(database.cloud_provider, &datacenter.region),
        "regionClassification": "standard",
        "capacityUnits": database.capacity_units,
        "requestedNodeCount": 3,
        "secureBundleUrl": "",
        "secureBundleInternalUrl": "",
        "secureBundleMigrationProxyUrl": "",
        "secureBundleMigrationProxyInternalUrl": "",
        "streamingTenant": {},
    })
}
