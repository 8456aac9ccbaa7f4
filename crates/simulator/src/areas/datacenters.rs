//! `/v2/databases/{id}/datacenters`: the regions of a database.

use astra_devops::Method::{self, Get, Post};
use serde::Deserialize;

use super::{
    databases::{shown_datacenter, supported},
    or_null,
};
use crate::{
    context::{Context, Reply, Route},
    errors,
    schedule::Change,
    state::{Database, Datacenter},
    wire::Response,
};

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        (Get, ["v2", "databases", _, "datacenters"]) => or_null(&["org-db-view"], list),
        (Post, ["v2", "databases", _, "datacenters"]) => or_null(&["db-manage-region"], add),
        (Post, ["v2", "databases", _, "datacenters", _, "terminate"]) => {
            or_null(&["db-manage-region"], terminate)
        }
        _ => None,
    }
}

/// Only the active ones, unless `all=true`.
fn list(ctx: &mut Context<'_>) -> Reply {
    let all = ctx.request.parameter("all").is_some_and(|all| all.eq_ignore_ascii_case("true"));
    let database = ctx.database(ctx.segment(2))?;
    let found = database.datacenters.iter().enumerate();
    let found = found.filter(|(_, datacenter)| all || datacenter.status == "ACTIVE");
    let found = found.map(|(i, datacenter)| shown_datacenter(database, i, datacenter));
    Ok(Response::json(200, &found.collect::<Vec<_>>()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    tier: Option<String>,
    cloud_provider: Option<String>,
    region: Option<String>,
}

/// Takes an array. The database is in MAINTENANCE until the new regions are there.
fn add(ctx: &mut Context<'_>) -> Reply {
    let regions: Vec<Add> = ctx.body()?;
    let id = ctx.segment(2);
    let database = ctx.changeable(id)?;
    if regions.is_empty() {
        return Err(errors::bad_request(&["at least one datacenter is required".into()]));
    }
    let mut added: Vec<Datacenter> = Vec::new();
    for new in regions {
        let region = new.region.unwrap_or_default();
        let tier = new.tier.unwrap_or_else(|| database.tier.clone());
        let cloud = supported(&tier, &new.cloud_provider.unwrap_or_default(), &region)?;
        if cloud != database.cloud_provider {
            let text = format!(
                "{} regions cannot be added to a database on {}",
                cloud.as_str(),
                database.cloud_provider.as_str()
            );
            return Err(errors::bad_request(&[text]));
        }
        if database.datacenters.iter().chain(&added).any(|known| known.region == region) {
            return Err(errors::conflict(&format!("database {id} already has region {region}")));
        }
        let datacenter = format!("{id}-{}", next_number(database, added.len()));
        added.push(Datacenter { id: datacenter, region, status: "INITIALIZING".into() });
    }
    let new: Vec<_> = added.iter().map(|datacenter| datacenter.id.clone()).collect();
    database.datacenters.extend(added);
    maintenance(ctx, id)?;
    for datacenter in new {
        let change = Change::DatacenterReady { database: id.into(), datacenter };
        ctx.schedule.add(ctx.now, ctx.state.database_delay, change);
    }
    Ok(Response::empty(201))
}

/// A number is not used again after its region is gone.
fn next_number(database: &Database, more: usize) -> usize {
    let number = |datacenter: &Datacenter| datacenter.id.rsplit('-').next()?.parse::<usize>().ok();
    database.datacenters.iter().filter_map(number).max().unwrap_or_default().saturating_add(more + 1)
}

fn terminate(ctx: &mut Context<'_>) -> Reply {
    let (id, datacenter) = (ctx.segment(2), ctx.segment(4));
    let database = ctx.changeable(id)?;
    match database.datacenters.iter().position(|known| known.id == datacenter) {
        None => {
            return Err(errors::not_found(&format!("datacenter {datacenter} not found in database {id}")));
        }
        Some(0) => {
            return Err(errors::conflict(
                "the first region cannot be removed without terminating the database",
            ));
        }
        Some(at) => "TERMINATING".clone_into(&mut database.datacenters[at].status),
    }
    maintenance(ctx, id)?;
    let change = Change::DatacenterGone { database: id.into(), datacenter: datacenter.into() };
    ctx.schedule.add(ctx.now, ctx.state.database_delay, change);
    Ok(Response::empty(202))
}

/// The database is busy for a while.
pub(super) fn maintenance(ctx: &mut Context<'_>, id: &str) -> Result<(), Response> {
    "MAINTENANCE".clone_into(&mut ctx.changeable(id)?.status);
    ctx.schedule.database(ctx.now, ctx.state.database_delay, id, &["MAINTENANCE", "ACTIVE"]);
    Ok(())
}
