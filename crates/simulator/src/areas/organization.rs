//! `/v2/currentOrg`: whose token it is.

use astra_devops::Method::{self, Get};
use serde_json::json;

use super::or_null;
use crate::{
    context::{Context, Reply, Route},
    wire::Response,
};

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        // Every token may ask this.
        (Get, ["v2", "currentOrg"]) => or_null(&[], current),
        _ => None,
    }
}

fn current(ctx: &mut Context<'_>) -> Reply {
    Ok(Response::json(200, &json!({ "id": ctx.organization })))
}
