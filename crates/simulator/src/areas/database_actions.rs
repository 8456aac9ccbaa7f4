//! `/v2/databases/{id}/…`: terminate, park, unpark, resize, keyspaces, secure connect bundles, password.

use astra_devops::Method::{self, Delete, Post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{datacenters::maintenance, or_null};
use crate::{
    context::{Context, Reply, Route},
    errors, names,
    state::{Database, Datacenter},
    wire::Response,
};

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    let ["v2", "databases", _, rest @ ..] = path else { return None };
    match (method, rest) {
        (Post, ["terminate"]) => or_null(&["org-db-terminate"], terminate),
        (Post, ["park"]) => or_null(&["org-db-suspend"], park),
        (Post, ["unpark"]) => or_null(&["org-db-suspend"], unpark),
        (Post, ["resize"]) => or_null(&["org-db-expand"], resize),
        (Post, ["resetPassword"]) => or_null(&["org-db-passwordreset"], reset_password),
        (Post, ["secureBundleURL"]) => or_null(&["db-cql"], secure_bundle),
        (Post, ["keyspaces", _]) => or_null(&["db-keyspace-create"], add_keyspace),
        (Delete, ["keyspaces", _]) => or_null(&["db-keyspace-drop"], remove_keyspace),
        _ => None,
    }
}

fn terminate(ctx: &mut Context<'_>) -> Reply {
    let id = ctx.segment(2);
    let database = ctx.database(id)?;
    let status = database.status.clone();
    if database.datacenters.len() > 1 {
        return Err(errors::conflict("the database has several regions: terminate the others first"));
    }
    let from = match status.as_str() {
        // A terminated database is still there, and refuses to be terminated again.
        "TERMINATED" => return Err(errors::conflict(&format!("database {id} is terminated already"))),
        "PARKED" => ctx.state.database_mut(id).ok_or_else(|| errors::unknown_database(id))?,
        _ => ctx.changeable(id)?,
    };
    "TERMINATING".clone_into(&mut from.status);
    ctx.schedule.database(ctx.now, ctx.state.database_delay, id, &["TERMINATING", "TERMINATED"]);
    Ok(Response::empty(202))
}

fn park(ctx: &mut Context<'_>) -> Reply {
    change(ctx, "park", "ACTIVE", &["PARKING", "PARKED"])
}

fn unpark(ctx: &mut Context<'_>) -> Reply {
    change(ctx, "unpark", "PARKED", &["UNPARKING", "ACTIVE"])
}

/// Starts a Classic database on its way through several statuses.
fn change(ctx: &mut Context<'_>, what: &str, from: &str, way: &[&'static str]) -> Reply {
    let id = ctx.segment(2);
    let database = ctx.database(id)?;
    if database.is_serverless() {
        return Err(errors::bad_request(&[format!("cannot {what} a serverless database")]));
    }
    if database.status != from {
        return Err(errors::conflict(&format!("cannot {what} database {id} in status {}", database.status)));
    }
    let database = ctx.state.database_mut(id).ok_or_else(|| errors::unknown_database(id))?;
    way.first().copied().unwrap_or_default().clone_into(&mut database.status);
    ctx.schedule.database(ctx.now, ctx.state.database_delay, id, way);
    Ok(Response::empty(202))
}

/// Up only, and by three units a call at the most.
fn resize(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        capacity_units: u32,
    }
    let Body { capacity_units: wanted } = ctx.body()?;
    let id = ctx.segment(2);
    let have = ctx.database(id)?.capacity_units;
    if wanted <= have || wanted > have.saturating_add(3) {
        let text = format!(
            "capacityUnits: {wanted} is not {} to {}",
            have.saturating_add(1),
            have.saturating_add(3)
        );
        return Err(errors::bad_request(&[text]));
    }
    let reply = change(ctx, "resize", "ACTIVE", &["RESIZING", "ACTIVE"])?;
    if let Some(database) = ctx.state.database_mut(id) {
        database.capacity_units = wanted;
    }
    Ok(reply)
}

fn reset_password(ctx: &mut Context<'_>) -> Reply {
    #[derive(Deserialize)]
    struct Body {
        username: String,
        password: String,
    }
    let body: Body = ctx.body()?;
    ctx.changeable(ctx.segment(2))?;
    if body.username.is_empty() || body.password.chars().count() < 6 {
        return Err(errors::bad_request(&[
            "a username and a password of at least 6 characters are required".into(),
        ]));
    }
    Ok(Response::empty(202))
}

/// One object for the first region, or with `all=true` an array.
fn secure_bundle(ctx: &mut Context<'_>) -> Reply {
    let all = ctx.request.parameter("all").is_some_and(|all| all.eq_ignore_ascii_case("true"));
    let id = ctx.segment(2);
    let domains = ctx.organization()?.custom_domains.clone();
    let database = ctx.database(id)?;
    if database.is_terminated() {
        return Err(errors::not_found(&format!("database {id} is terminated")));
    }
    let bundles =
        database.datacenters.iter().map(|datacenter| bundle(ctx.seed, database, datacenter, &domains));
    let bundles: Vec<_> = bundles.collect();
    match bundles.first() {
        Some(first) if !all => Ok(Response::json(200, first)),
        _ => Ok(Response::json(200, &bundles)),
    }
}

/// The key `datcenterID` is misspelt in the real API too.
fn bundle(seed: u64, database: &Database, datacenter: &Datacenter, domains: &[String]) -> Value {
    let id = names::uuid(seed, &["bundle", &datacenter.id]);
    let url = |kind: &str| format!("https://bundles.invalid/{id}/secure-connect-{kind}{}.zip", database.name);
    let host = format!("{}-{}", database.id, datacenter.region);
    let custom = domains.iter().map(|domain| {
        json!({
            "domain": domain,
            "cqlFQDN": format!("{host}.db.{domain}"),
            "apiFQDN": format!("{host}.apps.{domain}"),
            "dashboardFQDN": format!("{host}.dashboard.{domain}"),
            "downloadURL": url(&format!("{domain}-")),
        })
    });
    json!({
        "downloadURL": url(""),
        "downloadURLInternal": url("internal-"),
        "downloadURLMigrationProxy": url("proxy-"),
        "downloadURLMigrationProxyInternal": url("proxy-internal-"),
        "datcenterID": datacenter.id,
        "region": datacenter.region,
        "cloudProvider": database.cloud_provider,
        "customDomainBundles": custom.collect::<Vec<_>>(),
    })
}

fn add_keyspace(ctx: &mut Context<'_>) -> Reply {
    let (id, keyspace) = (ctx.segment(2), ctx.segment(4));
    let database = ctx.changeable(id)?;
    if database.keyspaces.iter().any(|known| known == keyspace) {
        return Err(errors::conflict(&format!("keyspace {keyspace} already exists")));
    }
    database.keyspaces.push(keyspace.to_owned());
    maintenance(ctx, id)?;
    Ok(Response::empty(201))
}

fn remove_keyspace(ctx: &mut Context<'_>) -> Reply {
    let (id, keyspace) = (ctx.segment(2), ctx.segment(4));
    let database = ctx.changeable(id)?;
    let at = database.keyspaces.iter().position(|known| known == keyspace);
    let at = at.ok_or_else(|| errors::not_found(&format!("keyspace {keyspace} not found")))?;
    database.keyspaces.remove(at);
    maintenance(ctx, id)?;
    Ok(Response::empty(202))
}
