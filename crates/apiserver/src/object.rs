//! An object on its way in: what the server makes of a body before it compares or stores it, and what it refuses.

use k8s_openapi::ByteString;
use kube::core::cel::{ValidationError, ValidationErrors, validate_compiled};
use serde_json::{Map, Value, json};

use crate::{
    refusal::{self, Cause, Refusal},
    resource::{NAMESPACES, Resource, SECRETS},
};

/// The fields of metadata that are kept. Who owns which field is kept apart, and not shown.
const METADATA: [&str; 12] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
];
/// Kept too.
const OWNERS: &str = "ownerReferences";

/// Unknown fields go, defaults come, and what is empty in metadata is as if it were not there.
pub(crate) fn normalise(resource: &Resource, object: Value) -> Value {
    let Value::Object(mut map) = object else { return object };
    let mut metadata = map.remove("metadata").unwrap_or_default();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata
            .retain(|name, value| (METADATA.contains(&name.as_str()) || name == OWNERS) && !is_empty(value));
    } else {
        metadata = json!({});
    }
    let (version, kind) = (map.remove("apiVersion"), map.remove("kind"));
    let mut body = Value::Object(map);
    resource.schema.prune(&mut body);
    resource.schema.default(&mut body);
    if !resource.custom {
        built_in(resource, &mut body);
    }
    body["metadata"] = metadata;
    body["apiVersion"] = version.unwrap_or_else(|| json!(resource.api_version()));
    body["kind"] = kind.unwrap_or_else(|| json!(resource.kind));
    body
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Built-in kinds are typed: nulls are as nothing, and some fields are always there.
fn built_in(resource: &Resource, body: &mut Value) {
    without_nulls(body);
    match resource.plural.as_str() {
        SECRETS => {
            if let Some(Value::Object(texts)) =
                body.as_object_mut().and_then(|body| body.remove("stringData"))
            {
                for (key, text) in texts {
                    let bytes = ByteString(text.as_str().unwrap_or_default().as_bytes().to_vec());
                    body["data"][key] = serde_json::to_value(bytes).unwrap_or_default();
                }
            }
            if body["data"].as_object().is_some_and(Map::is_empty) {
                body.as_object_mut().map(|body| body.remove("data"));
            }
            if body["type"].is_null() {
                body["type"] = json!("Opaque");
            }
        }
        "events" => {
            for (name, value) in [
                ("deprecatedSource", json!({})),
                ("deprecatedFirstTimestamp", Value::Null),
                ("deprecatedLastTimestamp", Value::Null),
            ] {
                if body[name].is_null() {
                    body[name] = value;
                }
            }
        }
        NAMESPACES if body["status"].is_null() => {
            body["spec"] = json!({ "finalizers": ["kubernetes"] });
            body["status"] = json!({ "phase": "Active" });
        }
        _ => {}
    }
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, value| !value.is_null());
        map.values_mut().for_each(without_nulls);
    }
}

/// Refuses a name that none can have.
pub(crate) fn check_name(resource: &Resource, name: &str) -> Result<(), Refusal> {
    let wrong = if name.is_empty() {
        let message = "Required value: name or generateName is required".to_owned();
        vec![
            ("metadata.name".to_owned(), "FieldValueRequired", message),
            (
                "<nil>".to_owned(),
                "FieldValueInvalid",
                "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation".to_owned(),
            ),
        ]
    } else if is_subdomain(name) {
        return Ok(());
    } else {
        let message = format!(
            "Invalid value: {}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            json!(name)
        );
        vec![("metadata.name".to_owned(), "FieldValueInvalid", message)]
    };
    Err(invalid(resource, name, &wrong))
}

fn is_subdomain(name: &str) -> bool {
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 253
        && name.split('.').all(|label| {
            let bytes = label.as_bytes();
            alphanumeric(bytes.first())
                && alphanumeric(bytes.last())
                && bytes.iter().all(|byte| alphanumeric(Some(byte)) || *byte == b'-')
        })
}

pub(crate) fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Refusal {
    refusal::invalid(&resource.kind, resource.internal_group(), name, causes)
}

/// What may not be changed in metadata by a patch, or by a whole object.
pub(crate) fn check_metadata(
    resource: &Resource,
    name: &str,
    old: &Value,
    new: &Value,
) -> Result<(), Refusal> {
    let mut causes: Vec<Cause> = ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"]
        .into_iter()
        .filter(|field| old[field] != new[field])
        .map(|field| refusal::immutable(&format!("metadata.{field}"), &new[field].to_string()))
        .collect();
    if !old["deletionTimestamp"].is_null() {
        let known = old["finalizers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let sent = new["finalizers"].as_array().into_iter().flatten();
        let added: Vec<String> =
            sent.filter(|finalizer| !known.contains(finalizer)).map(Value::to_string).collect();
        if !added.is_empty() {
            let message = format!(
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            causes.push(("metadata.finalizers".to_owned(), "FieldValueForbidden", message));
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    // The real server checks metadata twice, and lists what it finds as often.
    causes.extend(causes.clone());
    Err(invalid(resource, name, &causes))
}

/// The rules of the definition (CEL), and the few of the built-in kinds that an operator can break. What the schema
/// itself demands is not judged here.
pub(crate) fn check_content(
    resource: &Resource,
    name: &str,
    new: &Value,
    old: Option<&Value>,
    rules: bool,
) -> Result<(), Refusal> {
    let causes = match (rules.then(|| resource.rules()).flatten(), resource.plural.as_str()) {
        (Some(compiled), _) => {
            // A null is as nothing to the rules of a real server; kube's validator takes it for a value.
            let bare = |object: &Value| {
                let mut object = object.clone();
                without_nulls(&mut object);
                object
            };
            let (new, old) = (bare(new), old.map(bare));
            let broken = validate_compiled(compiled, &new, old.as_ref()).err();
            let broken = broken.iter().flat_map(ValidationErrors::as_slice);
            let cause = |error: &ValidationError| {
                // Of a single value, the value is told.
                let value =
                    at(&new, &error.field_path).filter(|value| !value.is_object() && !value.is_array());
                let value = value.map_or_else(String::new, |value| format!("{value}: "));
                let message = format!("Invalid value: {value}{}", error.message);
                (error.field_path.clone(), "FieldValueInvalid", message)
            };
            broken.map(cause).collect()
        }
        (_, "events") => event(new, old),
        (_, "leases") => lease(new),
        _ => Vec::new(),
    };
    if causes.is_empty() { Ok(()) } else { Err(invalid(resource, name, &causes)) }
}

/// What is at `spec.addresses[0].address`.
fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(['.', '[']).try_fold(object, |value, part| match part.strip_suffix(']') {
        Some(index) => value.get(index.parse::<usize>().ok()?),
        None => value.get(part),
    })
}

/// The longest note of an event, in bytes.
const LONGEST_NOTE: usize = 1024;

fn event(new: &Value, old: Option<&Value>) -> Vec<Cause> {
    let wrong = |field: &str, message: &str| {
        (field.to_owned(), "FieldValueInvalid", format!("Invalid value: {message}"))
    };
    if let Some(old) = old {
        // Only the series may change; the fields go by their old names.
        return [("action", "action"), ("reason", "reason"), ("note", "message"), ("type", "type")]
            .into_iter()
            .filter(|(field, _)| old[field] != new[field])
            .map(|(field, named)| refusal::immutable(named, &new[field].to_string()))
            .collect();
    }
    let mut causes = Vec::new();
    for field in ["reportingController", "reportingInstance", "action", "reason"] {
        if new[field].as_str().unwrap_or_default().is_empty() {
            causes.push((field.to_owned(), "FieldValueRequired", "Required value".to_owned()));
        }
    }
    if new["note"].as_str().is_some_and(|note| note.len() > LONGEST_NOTE) {
        causes.push(wrong("message", "\"\": can have at most 1024 characters"));
    }
    let type_ = new["type"].as_str().unwrap_or_default();
    if type_ != "Normal" && type_ != "Warning" {
        causes.push(wrong("type", &format!("\"\": has invalid value: {type_}")));
    }
    causes
}

fn lease(new: &Value) -> Vec<Cause> {
    ["leaseDurationSeconds", "leaseTransitions"]
        .into_iter()
        .filter_map(|field| {
            let value = new["spec"][field].as_i64()?;
            let (least, demand) = if field == "leaseTransitions" {
                (0, "must be greater than or equal to 0")
            } else {
                (1, "must be greater than 0")
            };
            let message = format!("Invalid value: {value}: {demand}");
            (value < least).then(|| (format!("spec.{field}"), "FieldValueInvalid", message))
        })
        .collect()
}

/// The part of an object that counts for its generation.
pub(crate) fn same_content(old: &Value, new: &Value) -> bool {
    let content = |object: &Value| {
        let fields = object.as_object().into_iter().flat_map(Map::iter);
        fields
            .filter(|(name, _)| *name != "metadata" && *name != "status")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    content(old) == content(new)
}
