//! The shapes in which the DevOps API says no. There are several, on purpose: the real service has them all.

use serde_json::{Value, json};

use crate::wire::Response;

/// `invalid token format`, as users of the real service have seen it.
pub const INVALID_TOKEN_FORMAT: i64 = 340_012;
/// The token is not known, as users of the real service have seen it.
pub const UNKNOWN_TOKEN: i64 = 340_018;
/// `unsupported database tier`, with 422.
pub const UNSUPPORTED_TIER: i64 = 2_000_011;
/// `unsupported cloud provider`, with 422.
pub const UNSUPPORTED_PROVIDER: i64 = 2_000_012;
/// `unsupported region`, with 422.
pub const UNSUPPORTED_REGION: i64 = 2_000_013;

// The numbers below are made up: only those above are known.
const BAD_REQUEST: i64 = 2_000_400;
const FORBIDDEN: i64 = 2_000_403;
const NOT_FOUND: i64 = 2_000_404;
const CONFLICT: i64 = 2_000_409;

/// The documented shape: `{"errors":[{"ID":…,"message":…}]}`.
#[must_use]
pub fn errors(status: u16, errors: &[(i64, String)]) -> Response {
    let errors: Vec<Value> =
        errors.iter().map(|(id, message)| json!({ "ID": id, "message": message })).collect();
    Response::json(status, &json!({ "errors": errors }))
}

/// The other usual shape, on private link, access list and peering paths: a bare JSON string.
#[must_use]
pub fn string(status: u16, message: &str) -> Response {
    Response::json(status, &message)
}

/// 401 with the body `null`: the permission is missing. This is all the real service says.
#[must_use]
pub fn null() -> Response {
    Response::json(401, &Value::Null)
}

/// 400, with every reason.
#[must_use]
pub fn bad_request(reasons: &[String]) -> Response {
    errors(400, &reasons.iter().map(|reason| (BAD_REQUEST, reason.clone())).collect::<Vec<_>>())
}

/// 403 in the documented shape.
#[must_use]
pub fn forbidden(message: &str) -> Response {
    errors(403, &[(FORBIDDEN, message.to_owned())])
}

/// 404 in the documented shape: the database itself is unknown.
#[must_use]
pub fn unknown_database(id: &str) -> Response {
    not_found(&format!("database {id} not found"))
}

/// 404 in the documented shape.
#[must_use]
pub fn not_found(message: &str) -> Response {
    errors(404, &[(NOT_FOUND, message.to_owned())])
}

/// 409 in the documented shape.
#[must_use]
pub fn conflict(message: &str) -> Response {
    errors(409, &[(CONFLICT, message.to_owned())])
}
