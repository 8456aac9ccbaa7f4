//! What headers and bodies say.

use http::request::Parts;
use serde_json::Value;

use crate::{
    patch::Sort,
    read::Form,
    refusal::{self, Refusal},
    request::Query,
    resource::Resource,
    state::Author,
    write::Preconditions,
};

fn header<'a>(parts: &'a Parts, name: &str) -> &'a str {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// In which form the answer is asked for.
pub(crate) fn form(parts: &Parts) -> Form {
    Form::of(header(parts, "accept"))
}

/// Who writes: fields are owned under the name in the query, or else the program's.
pub(crate) fn author(user: &str, parts: &Parts, query: &Query) -> Author {
    let agent = header(parts, "user-agent").split('/').next().unwrap_or_default();
    let manager = query.get("fieldManager").or(Some(agent).filter(|agent| !agent.is_empty()));
    Author { user: user.into(), manager: manager.unwrap_or("unknown").to_owned() }
}

/// A whole object, in a body.
pub(crate) fn object(resource: &Resource, parts: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    let kind = header(parts, "content-type");
    if !kind.is_empty() && !kind.starts_with("application/json") {
        return Err(refusal::media_type(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    let unrecognized = |why: String| {
        refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): {why}",
            resource.kind
        ))
    };
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| unrecognized(format!("couldn't get version/kind; json parse error: {error}")))?;
    check_type(resource, &body)?;
    Ok(body)
}

/// Built-in objects need not say what they are; others must, and it must be right.
fn check_type(resource: &Resource, body: &Value) -> Result<(), Refusal> {
    let sent = |field: &str| body[field].as_str().unwrap_or_default();
    let (version, kind) = (sent("apiVersion"), sent("kind"));
    if !resource.custom && version.is_empty() && kind.is_empty() {
        return Ok(());
    }
    if version != resource.api_version() {
        return Err(refusal::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            resource.api_version()
        )));
    }
    if kind != resource.kind {
        let message = format!("Invalid value: {}: must be {}", body["kind"], resource.kind);
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        let cause = ("kind".to_owned(), "FieldValueInvalid", message);
        return Err(refusal::invalid(kind, &resource.group, name, &[cause]));
    }
    Ok(())
}

/// Which sort of patch the body is.
pub(crate) fn sort(parts: &Parts, query: &Query) -> Result<Sort, Refusal> {
    match header(parts, "content-type").split(';').next().unwrap_or_default() {
        "application/merge-patch+json" => Ok(Sort::Merge),
        "application/json-patch+json" => Ok(Sort::Json),
        "application/apply-patch+yaml" if query.get("fieldManager").is_none() => {
            Err(refusal::manager_missing())
        }
        "application/apply-patch+yaml" => Ok(Sort::Apply { force: query.is("force") }),
        _ => Err(refusal::media_type(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )),
    }
}

/// What a deletion depends on, by the options in its body.
pub(crate) fn preconditions(body: &[u8]) -> Result<Preconditions, Refusal> {
    if body.is_empty() {
        return Ok(Preconditions::default());
    }
    let options: Value = serde_json::from_slice(body)
        .map_err(|error| refusal::bad_request(format!("unable to decode options: {error}")))?;
    let text = |field: &str| options["preconditions"][field].as_str().map(str::to_owned);
    Ok(Preconditions { uid: text("uid"), version: text("resourceVersion") })
}
