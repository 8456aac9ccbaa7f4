//! Every field of every spec and status has a limit: no object grows without end, and a rule over it has a bounded cost.

use astra_operator::kinds::KINDS;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use crate::part;

/// The fields below `path` that could be of any size, and how many fields there are at all.
fn unlimited(path: &str, schema: &JSONSchemaProps, found: &mut Vec<String>) -> usize {
    let limited = match schema.type_.as_deref() {
        Some("boolean") => true,
        Some("string") => schema.enum_.is_some() || schema.max_length.is_some(),
        Some("integer" | "number") => schema.minimum.is_some() && schema.maximum.is_some(),
        Some("array") => schema.max_items.is_some() && schema.items.is_some(),
        Some("object") => match (&schema.properties, &schema.additional_properties) {
            (Some(_), None) => true,
            (None, Some(JSONSchemaPropsOrBool::Schema(_))) => schema.max_properties.is_some(),
            _ => false,
        },
        _ => false,
    };
    if !limited || schema.x_kubernetes_preserve_unknown_fields == Some(true) {
        found.push(path.to_owned());
    }
    let mut fields = 1;
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        fields += unlimited(&format!("{path}[]"), item, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &schema.additional_properties {
        fields += unlimited(&format!("{path}{{}}"), value, found);
    }
    for (name, field) in schema.properties.iter().flatten() {
        fields += unlimited(&format!("{path}.{name}"), field, found);
    }
    fields
}

#[test]
fn every_field_has_a_limit() {
    let mut found = Vec::new();
    let mut fields = 0;
    for entry in KINDS {
        for name in ["spec", "status"] {
            let (kind, schema) = part(entry, name);
            fields += unlimited(&format!("{kind} {name}"), &schema, &mut found);
        }
    }
    assert!(found.is_empty(), "without a limit: {found:#?}");
    assert!(fields > 100, "only {fields} fields were looked at");
}

#[test]
fn what_has_no_limit_is_named() {
    for (schema, expected) in [
        (serde_json::json!({ "type": "string" }), true),
        (serde_json::json!({ "type": "string", "pattern": "^a*$" }), true),
        (serde_json::json!({ "type": "string", "maxLength": 3 }), false),
        (serde_json::json!({ "type": "integer", "minimum": 0 }), true),
        (serde_json::json!({ "type": "array", "maxItems": 2, "items": { "type": "string" } }), true),
        (serde_json::json!({ "type": "array", "items": { "type": "boolean" } }), true),
        (serde_json::json!({ "type": "object", "additionalProperties": { "type": "boolean" } }), true),
        (serde_json::json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }), true),
        (serde_json::json!({ "type": "object", "properties": { "a": { "type": "boolean" } } }), false),
    ] {
        let schema_of: JSONSchemaProps = serde_json::from_value(schema.clone()).unwrap();
        let mut found = Vec::new();
        unlimited("x", &schema_of, &mut found);
        assert_eq!(!found.is_empty(), expected, "{schema}: {found:?}");
    }
}
