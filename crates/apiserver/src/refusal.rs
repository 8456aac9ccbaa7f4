//! How the API server says no, in its own words.

use kube::core::{
    Status,
    response::{StatusCause, StatusDetails, StatusSummary},
};
use serde_json::{Value, json};

use crate::resource::Resource;

/// What is answered instead of an object.
pub(crate) type Refusal = Box<Status>;

trait With {
    fn with(self, details: StatusDetails) -> Self;
}

impl With for Refusal {
    fn with(mut self, details: StatusDetails) -> Self {
        self.details = Some(details);
        self
    }
}

/// A field that is wrong: its path, the reason, and the words.
pub(crate) type Cause = (String, &'static str, String);

/// A status as it goes over the wire: kube's type leaves out what every one of them has.
pub(crate) fn to_json(status: &Status) -> Value {
    let mut value = serde_json::to_value(status).unwrap_or_default();
    value["kind"] = json!("Status");
    value["apiVersion"] = json!("v1");
    if value["metadata"].is_null() {
        value["metadata"] = json!({});
    }
    value
}

pub(crate) fn failure(code: u16, reason: &str, message: String) -> Refusal {
    Box::new(Status {
        status: Some(StatusSummary::Failure),
        code,
        message,
        metadata: None,
        reason: reason.to_owned(),
        details: None,
    })
}

fn details(name: &str, group: &str, kind: &str) -> StatusDetails {
    StatusDetails {
        name: name.to_owned(),
        group: group.to_owned(),
        kind: kind.to_owned(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

fn about(resource: &Resource, name: &str, code: u16, reason: &str, message: String) -> Refusal {
    failure(code, reason, message).with(details(name, &resource.group, &resource.plural))
}

pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
    failure(400, "BadRequest", message.into())
}

/// An error that nobody gave a reason to: the real server has some of them.
pub(crate) fn internal(message: impl Into<String>) -> Refusal {
    failure(500, "", message.into())
}

pub(crate) fn not_found(resource: &Resource, name: &str) -> Refusal {
    let message = format!("{} \"{name}\" not found", resource.qualified());
    about(resource, name, 404, "NotFound", message)
}

pub(crate) fn already_exists(resource: &Resource, name: &str, is_going: bool) -> Refusal {
    let why = if is_going { "object is being deleted: " } else { "" };
    let message = format!("{why}{} \"{name}\" already exists", resource.qualified());
    about(resource, name, 409, "AlreadyExists", message)
}

/// Somebody else wrote meanwhile.
pub(crate) fn modified(resource: &Resource, name: &str) -> Refusal {
    conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )
}

fn conflict(resource: &Resource, name: &str, why: &str) -> Refusal {
    let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
    about(resource, name, 409, "Conflict", message)
}

/// A whole object was sent for another one of the same name.
pub(crate) fn another_uid(resource: &Resource, key: &str, name: &str, sent: &str, found: &str) -> Refusal {
    conflict(
        resource,
        name,
        &format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object meta: {found}"
        ),
    )
}

/// A precondition of a deletion does not hold. These speak of the kind where all else speaks of the plural.
pub(crate) fn precondition(resource: &Resource, name: &str, why: &str) -> Refusal {
    let kind = resource.qualified_kind();
    failure(409, "Conflict", format!("Operation cannot be fulfilled on {kind} \"{name}\": {why}"))
        .with(details(name, &resource.group, &resource.kind))
}

pub(crate) fn forbidden(
    resource: &Resource,
    user: &str,
    verb: &str,
    subresource: Option<&str>,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Refusal {
    let what =
        subresource.map_or_else(|| resource.plural.clone(), |sub| format!("{}/{sub}", resource.plural));
    let place = namespace.map_or_else(
        || "at the cluster scope".to_owned(),
        |namespace| format!("in the namespace \"{namespace}\""),
    );
    let object = name.map_or_else(String::new, |name| format!(" \"{name}\""));
    let message = format!(
        "{}{object} is forbidden: User \"{user}\" cannot {verb} resource \"{what}\" in API group \"{}\" {place}",
        resource.qualified(),
        resource.group
    );
    about(resource, name.unwrap_or_default(), 403, "Forbidden", message)
}

/// Nothing new is made in a namespace that goes.
pub(crate) fn terminating(resource: &Resource, namespace: &str, name: &str) -> Refusal {
    let message = format!(
        "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        resource.qualified()
    );
    let mut details = details(name, &resource.group, &resource.plural);
    details.causes = vec![StatusCause {
        reason: "NamespaceTerminating".to_owned(),
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    }];
    failure(403, "Forbidden", message).with(details)
}

/// Fields of an object are wrong. `named` is how the object's type is called here: mostly by its kind, sometimes by
/// its plural.
pub(crate) fn invalid(named: &str, group: &str, name: &str, causes: &[Cause]) -> Refusal {
    let mut said: Vec<String> = Vec::new();
    for (field, _, message) in causes {
        let text = format!("{field}: {message}");
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let text = if let [one] = &said[..] { one.clone() } else { format!("[{}]", said.join(", ")) };
    let full = if group.is_empty() { named.to_owned() } else { format!("{named}.{group}") };
    let mut details = details(name, group, named);
    details.causes = as_causes(causes);
    failure(422, "Invalid", format!("{full} \"{name}\" is invalid: {text}")).with(details)
}

/// A field must stay as it is.
pub(crate) fn immutable(field: &str, sent: &str) -> Cause {
    (field.to_owned(), "FieldValueInvalid", format!("Invalid value: {sent}: field is immutable"))
}

pub(crate) fn version_missing(resource: &Resource, name: &str) -> Refusal {
    let cause = (
        "metadata.resourceVersion".to_owned(),
        "FieldValueInvalid",
        "Invalid value: 0: must be specified for an update".to_owned(),
    );
    invalid(&resource.plural, &resource.group, name, &[cause])
}

/// The list that is asked for has a revision that is not there yet.
pub(crate) fn too_large(asked: u64, current: u64) -> Refusal {
    let mut details = details("", "", "");
    details.causes = vec![StatusCause {
        reason: "ResourceVersionTooLarge".to_owned(),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    }];
    details.retry_after_seconds = 1;
    failure(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}"))
        .with(details)
}

/// What happened since is forgotten.
pub(crate) fn expired(message: impl Into<String>) -> Refusal {
    failure(410, "Expired", message.into())
}

/// A watch starts at a revision that is forgotten.
pub(crate) fn too_old(asked: u64, oldest: u64) -> Refusal {
    expired(format!("too old resource version: {asked} ({oldest})"))
}

pub(crate) fn media_type(accepted: &str) -> Refusal {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted}"
    );
    failure(415, "UnsupportedMediaType", message)
}

pub(crate) fn method_not_allowed() -> Refusal {
    let mut status = failure(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource".to_owned(),
    );
    status.details = Some(details("", "", ""));
    status
}

/// A JSON patch that does not fit the object.
pub(crate) fn patch_does_not_fit() -> Refusal {
    failure(422, "Invalid", "the server rejected our request due to an error in our request".to_owned())
        .with(details("", "", ""))
}

/// A deletion that is done at once is answered with this.
pub(crate) fn deleted(resource: &Resource, name: &str, uid: &str) -> Refusal {
    let mut details = details(name, &resource.group, &resource.plural);
    uid.clone_into(&mut details.uid);
    Box::new(Status::success()).with(details)
}

/// An apply would change what others own.
pub(crate) fn apply_conflict(message: String, causes: &[Cause]) -> Refusal {
    let mut details = details("", "", "");
    details.causes = as_causes(causes);
    failure(409, "Conflict", message).with(details)
}

fn as_causes(causes: &[Cause]) -> Vec<StatusCause> {
    let cause = |(field, reason, message): &Cause| StatusCause {
        reason: (*reason).to_owned(),
        message: message.clone(),
        field: field.clone(),
    };
    causes.iter().map(cause).collect()
}

/// An apply must say who applies.
pub(crate) fn manager_missing() -> Refusal {
    let message = "Required value: is required for apply patch".to_owned();
    let cause = ("fieldManager".to_owned(), "FieldValueRequired", message);
    invalid("PatchOptions", "meta.k8s.io", "", &[cause])
}

/// The options of a list do not fit together.
pub(crate) fn list_options(reason: &'static str, message: &str) -> Refusal {
    let cause = ("resourceVersionMatch".to_owned(), reason, message.to_owned());
    invalid("ListOptions", "meta.k8s.io", "", &[cause])
}

/// For how long to leave the server alone.
pub(crate) fn retry_after(seconds: u32) -> StatusDetails {
    StatusDetails { retry_after_seconds: seconds, ..details("", "", "") }
}

/// There is no such thing at all.
pub(crate) fn no_such_resource() -> Refusal {
    failure(404, "NotFound", "the server could not find the requested resource".to_owned())
        .with(details("", "", ""))
}
