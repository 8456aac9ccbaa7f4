//! `/v2/access-lists`, `/v2/databases/{id}/access-list` and `/v2/access-list/…`.

use astra_devops::Method::{self, Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use super::or_403;
use crate::{
    address,
    context::{Context, Reply, Route},
    errors,
    state::{AccessList, AddressEntry, Database},
    time,
    wire::Response,
};

const READ: &[&str] = &["accesslist-read"];
const WRITE: &[&str] = &["accesslist-write"];

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        (Get, ["v2", "access-lists"]) => or_403(READ, list),
        (Get, ["v2", "databases", _, "access-list"]) => or_403(READ, get),
        (Post, ["v2", "databases", _, "access-list"]) => or_403(WRITE, add),
        (Put, ["v2", "databases", _, "access-list"]) => or_403(WRITE, replace),
        (Patch, ["v2", "databases", _, "access-list"]) => or_403(WRITE, update),
        (Delete, ["v2", "databases", _, "access-list"]) => or_403(WRITE, delete),
        (Post, ["v2", "access-list", "validate"]) => or_403(READ, validate),
        (Get | Post, ["v2", "access-list", "template"]) => or_403(READ, template),
        _ => None,
    }
}

fn list(ctx: &mut Context<'_>) -> Reply {
    let lists = ctx.databases().filter_map(|database| Some(shown(database, database.access_list.as_ref()?)));
    Ok(Response::json(200, &lists.collect::<Vec<_>>()))
}

fn get(ctx: &mut Context<'_>) -> Reply {
    let database = ctx.database(ctx.segment(2))?;
    // No list is a 404 with a string: clients tell it by that from a database that is unknown.
    let list = database.access_list.as_ref().ok_or_else(absent)?;
    Ok(Response::json(200, &shown(database, list)))
}

fn add(ctx: &mut Context<'_>) -> Reply {
    let entries = entries(ctx, &ctx.body::<Value>()?)?;
    let list = ctx.changeable(ctx.segment(2))?.access_list.get_or_insert_default();
    for entry in entries {
        upsert(list, entry);
    }
    Ok(Response::empty(204))
}

fn replace(ctx: &mut Context<'_>) -> Reply {
    let (addresses, enabled) = request(ctx)?;
    let list = ctx.changeable(ctx.segment(2))?.access_list.get_or_insert_default();
    list.addresses = addresses.unwrap_or_default();
    list.access_list_enabled = enabled.unwrap_or(list.access_list_enabled);
    Ok(Response::empty(204))
}

/// Changes only what the body carries.
fn update(ctx: &mut Context<'_>) -> Reply {
    let (addresses, enabled) = request(ctx)?;
    let list = ctx.changeable(ctx.segment(2))?.access_list.as_mut().ok_or_else(nothing_to_change)?;
    for entry in addresses.into_iter().flatten() {
        upsert(list, entry);
    }
    list.access_list_enabled = enabled.unwrap_or(list.access_list_enabled);
    Ok(Response::empty(204))
}

/// Takes the first address of the query away. Without one there, the whole list goes and access is public again, also
/// when a body carries addresses: bodies are not looked at.
fn delete(ctx: &mut Context<'_>) -> Reply {
    let first = ctx.request.parameter("addresses").filter(|address| !address.is_empty());
    let normalize = ctx.state.normalize_addresses;
    let database = ctx.changeable(ctx.segment(2))?;
    let list = database.access_list.as_mut().ok_or_else(nothing_to_change)?;
    match first {
        Some(address) => {
            let address = address::stored(&address, normalize);
            list.addresses.retain(|entry| entry.address != address);
        }
        None => database.access_list = None,
    }
    Ok(Response::empty(204))
}

fn validate(ctx: &mut Context<'_>) -> Reply {
    // The documented operation has no body; with one, it is looked at.
    let body: Value = if ctx.request.body.is_empty() { Value::Null } else { ctx.body()? };
    let list = if body.is_object() { body.get("addresses") } else { Some(&body) };
    let list = list.filter(|list| !list.is_null());
    let failures = list.and_then(|list| parse(list, false).err()).unwrap_or_default();
    Ok(Response::json(200, &json!({ "valid": failures.is_empty(), "validationFailures": failures })))
}

fn template(_: &mut Context<'_>) -> Reply {
    let address = json!({ "address": "0.0.0.0/0", "enabled": true, "description": "an example" });
    let configurations = json!({ "accessListEnabled": true });
    Ok(Response::json(200, &json!({ "addresses": [address], "configurations": configurations })))
}

/// What a read says.
fn absent() -> Response {
    errors::string(404, "access list not found")
}

/// What a change says: the documented shape, which clients expect of everything but a read.
fn nothing_to_change() -> Response {
    errors::not_found("access list not found")
}

fn shown(database: &Database, list: &AccessList) -> Value {
    let addresses = list.addresses.iter().map(|entry| {
        json!({
            "address": entry.address,
            "description": entry.description,
            "enabled": entry.enabled,
            "lastUpdateDateTime": time::go(entry.last_update_date_time),
        })
    });
    json!({
        "organizationId": database.organization,
        "databaseId": database.id,
        "addresses": addresses.collect::<Vec<_>>(),
        "configurations": { "accessListEnabled": list.access_list_enabled },
    })
}

/// An entry with a known address is changed in its place, so that the order stays; another comes last.
fn upsert(list: &mut AccessList, entry: AddressEntry) {
    match list.addresses.iter_mut().find(|known| known.address == entry.address) {
        Some(known) => *known = entry,
        None => list.addresses.push(entry),
    }
}

/// A PUT's or PATCH's body: `{addresses?, configurations?}`, or the bare array that one of the clients sends.
fn request(ctx: &Context<'_>) -> Result<(Option<Vec<AddressEntry>>, Option<bool>), Response> {
    let body: Value = ctx.body()?;
    if !body.is_object() {
        return Ok((Some(entries(ctx, &body)?), None));
    }
    let addresses = body.get("addresses").filter(|list| !list.is_null());
    let addresses = addresses.map(|list| entries(ctx, list)).transpose()?;
    let enabled = match body.get("configurations").filter(|configurations| !configurations.is_null()) {
        Some(configurations) => {
            let enabled = configurations.get("accessListEnabled").and_then(Value::as_bool);
            Some(enabled.ok_or_else(|| {
                errors::bad_request(&[
                    "configurations.accessListEnabled is required and must be a boolean".into()
                ])
            })?)
        }
        None => None,
    };
    Ok((addresses, enabled))
}

/// The entries of a request, or 400 with all that is wrong with them.
fn entries(ctx: &Context<'_>, list: &Value) -> Result<Vec<AddressEntry>, Response> {
    let mut entries =
        parse(list, ctx.state.normalize_addresses).map_err(|reasons| errors::bad_request(&reasons))?;
    for entry in &mut entries {
        entry.last_update_date_time = Some(ctx.now);
    }
    Ok(entries)
}

fn parse(list: &Value, normalize: bool) -> Result<Vec<AddressEntry>, Vec<String>> {
    let Some(list) = list.as_array() else {
        return Err(vec!["the addresses must be an array".into()]);
    };
    let (mut entries, mut reasons) = (Vec::<AddressEntry>::new(), Vec::new());
    for (i, entry) in list.iter().enumerate() {
        match parse_entry(i, entry, normalize) {
            Ok(entry) if entries.iter().any(|known| known.address == entry.address) => {
                reasons.push(format!("addresses[{i}]: {} is there twice", entry.address));
            }
            Ok(entry) => entries.push(entry),
            Err(more) => reasons.extend(more),
        }
    }
    if reasons.is_empty() { Ok(entries) } else { Err(reasons) }
}

fn parse_entry(i: usize, entry: &Value, normalize: bool) -> Result<AddressEntry, Vec<String>> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
    let (address, description) = (text("address"), text("description"));
    let enabled = entry.get("enabled").and_then(Value::as_bool);
    let missing = [
        ("address", address.is_none()),
        ("description", description.is_none()),
        ("enabled", enabled.is_none()),
    ];
    let mut reasons: Vec<_> = missing
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(field, _)| format!("addresses[{i}].{field} is required"))
        .collect();
    if let Some(Err(reason)) = address.as_deref().map(address::check) {
        reasons.push(format!("addresses[{i}]: {reason}"));
    }
    match (address, description, enabled) {
        (Some(address), Some(description), Some(enabled)) if reasons.is_empty() => Ok(AddressEntry {
            address: address::stored(&address, normalize),
            description,
            enabled,
            last_update_date_time: None,
        }),
        _ => Err(reasons),
    }
}
