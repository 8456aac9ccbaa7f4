//! `/v2/organizations/{id}/devops-acl`: from which addresses the DevOps API itself may be called.

use astra_devops::Method::{self, Delete, Get, Patch, Post, Put};
use serde::Deserialize;
use serde_json::{Value, json};

use super::or_forbidden;
use crate::{
    address,
    context::{Context, Handler, Reply, Route},
    errors,
    state::CallerEntry,
    time,
    wire::Response,
};

const READ: &[&str] = &["accesslist-read"];
const WRITE: &[&str] = &["accesslist-write"];

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    let ["v2", "organizations", _, "devops-acl"] = path else { return None };
    let (needs, handle): (_, Handler) = match method {
        Get => (READ, get),
        Post => (WRITE, add),
        Put => (WRITE, replace),
        Patch => (WRITE, update),
        Delete => (WRITE, delete),
    };
    or_forbidden(needs, handle)
}

fn get(ctx: &mut Context<'_>) -> Reply {
    let list =
        entries(ctx)?.as_deref().ok_or_else(|| errors::not_found("DevOps API access list not found"))?;
    Ok(shown(200, list))
}

/// Makes the list, and so the restriction, or adds to it. An address that is there already is a conflict.
fn add(ctx: &mut Context<'_>) -> Reply {
    let new = parse(ctx.now, ctx.body()?)?;
    let list = entries(ctx)?;
    let known = list.iter().flatten().find(|known| new.iter().any(|entry| entry.address == known.address));
    if let Some(known) = known {
        return Err(errors::conflict(&format!("address {} is in the list already", known.address)));
    }
    let list = list.get_or_insert_default();
    list.extend(new);
    Ok(shown(201, list))
}

fn replace(ctx: &mut Context<'_>) -> Reply {
    let new = parse(ctx.now, ctx.body()?)?;
    Ok(shown(200, entries(ctx)?.insert(new)))
}

/// Adds or changes one.
fn update(ctx: &mut Context<'_>) -> Reply {
    let new = parse(ctx.now, vec![ctx.body()?])?;
    let list = entries(ctx)?.as_mut().ok_or_else(|| errors::not_found("DevOps API access list not found"))?;
    for entry in new {
        match list.iter_mut().find(|known| known.address == entry.address) {
            Some(known) => *known = CallerEntry { created_at: known.created_at, ..entry },
            None => list.push(entry),
        }
    }
    Ok(shown(200, list))
}

fn delete(ctx: &mut Context<'_>) -> Reply {
    *entries(ctx)? = None;
    Ok(Response::empty(202))
}

/// The list of the organization in the path, if it is the token's own.
fn entries<'a>(ctx: &'a mut Context<'_>) -> Result<&'a mut Option<Vec<CallerEntry>>, Response> {
    let id = ctx.segment(2);
    if id != ctx.organization {
        return Err(errors::not_found(&format!("organization {id} not found")));
    }
    Ok(&mut ctx.organization()?.devops_acl)
}

#[derive(Deserialize)]
struct Entry {
    address: String,
    #[serde(default)]
    description: String,
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

fn parse(now: jiff::Timestamp, entries: Vec<Entry>) -> Result<Vec<CallerEntry>, Response> {
    let reasons: Vec<_> = entries.iter().filter_map(|entry| address::check(&entry.address).err()).collect();
    if !reasons.is_empty() {
        return Err(errors::bad_request(&reasons));
    }
    let entry = |entry: Entry| CallerEntry {
        address: entry.address,
        description: entry.description,
        enabled: entry.enabled,
        created_at: Some(now),
        last_update_date_time: Some(now),
    };
    Ok(entries.into_iter().map(entry).collect())
}

fn shown(status: u16, list: &[CallerEntry]) -> Response {
    let entry = |entry: &CallerEntry| -> Value {
        json!({
            "address": entry.address,
            "description": entry.description,
            "enabled": entry.enabled,
            "createdAt": time::go(entry.created_at),
            "lastUpdateDateTime": time::go(entry.last_update_date_time),
        })
    };
    Response::json(status, &json!({ "addresses": list.iter().map(entry).collect::<Vec<_>>() }))
}
