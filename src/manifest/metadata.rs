//! What the API server demands of the metadata of any object. A definition says nothing of it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::{Value, json};

use super::tree::{Mistake, Node};

/// All annotations of an object together, in bytes.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

/// The schema of a whole object, from that of its definition.
pub(crate) fn whole(mut defined: JSONSchemaProps) -> JSONSchemaProps {
    let properties = defined.properties.get_or_insert_default();
    for (name, schema) in [
        ("apiVersion", json!({ "type": "string" })),
        ("kind", json!({ "type": "string" })),
        ("metadata", metadata()),
        // What is applied has no status to speak of: the API server drops it.
        ("status", json!({ "x-kubernetes-preserve-unknown-fields": true })),
    ] {
        // All of these are schemas: the tests see to it.
        properties.insert(name.to_owned(), serde_json::from_value(schema).unwrap_or_default());
    }
    defined
}

/// The types of the fields of `ObjectMeta` of `meta/v1`.
fn metadata() -> Value {
    let text = || json!({ "type": "string" });
    let texts = || json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let anything = || json!({ "x-kubernetes-preserve-unknown-fields": true });
    json!({ "type": "object", "properties": {
        "name": text(), "generateName": text(), "namespace": text(), "uid": text(), "resourceVersion": text(),
        "selfLink": text(), "creationTimestamp": text(), "deletionTimestamp": text(),
        "generation": { "type": "integer" }, "deletionGracePeriodSeconds": { "type": "integer" },
        "labels": texts(), "annotations": texts(),
        "finalizers": { "type": "array", "items": { "type": "string" } },
        "ownerReferences": { "type": "array", "items": anything() }, "managedFields": anything(),
    } })
}

/// Looks at names, labels and annotations.
pub(crate) fn check(root: &Node, mistakes: &mut Vec<Mistake>) {
    let nothing = Node { at: root.at, tree: super::tree::Tree::Null };
    let metadata = root.get("metadata").unwrap_or(&nothing);
    let mut wrong = |field: String, message: String| {
        mistakes.push(Mistake { at: root.locate(&field), field, message });
    };
    match metadata.get("name").and_then(Node::text) {
        Some(name) if is_subdomain(name) => {}
        Some(name) if !name.is_empty() => {
            let rule =
                "small letters, digits, - and ., beginning and ending with a letter or digit, at most 253";
            wrong("metadata.name".to_owned(), format!("{name:?} cannot be a name: {rule}"));
        }
        // Of another type: the schema has told that.
        None if metadata.get("name").is_some_and(|name| !name.value().is_null()) => {}
        _ if metadata.get("generateName").is_some() => {
            let message = "is required: with generateName each apply would make another object";
            wrong("metadata.name".to_owned(), message.to_owned());
        }
        _ => wrong("metadata.name".to_owned(), "is required".to_owned()),
    }
    if let Some(namespace) = metadata.get("namespace").and_then(Node::text)
        && !namespace.is_empty()
        && !(is_label(namespace) && namespace.len() <= 63)
    {
        let rule = "small letters, digits and -, beginning and ending with a letter or digit, at most 63";
        wrong("metadata.namespace".to_owned(), format!("{namespace:?} cannot be a namespace: {rule}"));
    }
    for (map, rule) in [("labels", true), ("annotations", false)] {
        let fields = metadata.get(map).map(Node::fields).unwrap_or_default();
        for field in fields {
            // Annotations may have capitals in their prefix, labels may not.
            let name = if rule { field.name.clone() } else { field.name.to_lowercase() };
            let path = || format!("metadata.{map}[{}]", field.name);
            if !is_qualified(&name) {
                wrong(
                    path(),
                    "cannot be a key: [prefix/]name, of letters, digits, -, _ and ., at most 63".to_owned(),
                );
            }
            if rule && field.value.text().is_some_and(|value| !value.is_empty() && !is_name(value)) {
                let message = "cannot be a label's value: letters, digits, -, _ and ., at most 63";
                wrong(path(), message.to_owned());
            }
        }
        let size: usize =
            fields.iter().map(|field| field.name.len() + field.value.text().map_or(0, str::len)).sum();
        if !rule && size > LARGEST_ANNOTATIONS {
            let message = format!("are {size} bytes together; at most {LARGEST_ANNOTATIONS} are taken");
            wrong("metadata.annotations".to_owned(), message);
        }
    }
}

/// A part of a DNS name.
fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || c == '-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.'))
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_objects_schema_has_types_for_its_metadata() {
        let whole = whole(JSONSchemaProps::default());
        let metadata = &whole.properties.unwrap()["metadata"];
        let fields = metadata.properties.as_ref().unwrap();
        assert_eq!(fields.len(), 15);
        assert_eq!(fields["name"].type_.as_deref(), Some("string"));
        assert!(fields["annotations"].additional_properties.is_some());
    }
}
