//! Judges a value by a schema, as the API server does with a custom resource: types, lengths, ranges, enums, required
//! fields and unknown ones. Rules (CEL) and patterns are the API server's alone; a format is looked at for times only.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde_json::Value;

/// All that is wrong with a value, each with its path.
pub(crate) fn refusals(schema: &JSONSchemaProps, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check("", schema, value, &mut found);
    found
}

fn check(path: &str, schema: &JSONSchemaProps, value: &Value, found: &mut Vec<String>) {
    if value.is_null() && schema.nullable == Some(true) {
        return;
    }
    if let Some(allowed) = &schema.enum_
        && !allowed.iter().any(|known| known.0 == *value)
    {
        found.push(format!("{path}: {value} is none of {allowed:?}"));
    }
    match (schema.type_.as_deref(), value) {
        (Some("string"), Value::String(text)) => {
            let length = i64::try_from(text.chars().count()).unwrap();
            within(path, "characters", length, schema.min_length, schema.max_length, found);
            let is_time = text.parse::<k8s_openapi::jiff::Timestamp>().is_ok();
            if schema.format.as_deref() == Some("date-time") && !is_time {
                found.push(format!("{path}: {text:?} is no time"));
            }
        }
        (Some("integer" | "number"), Value::Number(number)) => {
            let number = number.as_f64().unwrap();
            if schema.minimum.is_some_and(|least| number < least)
                || schema.maximum.is_some_and(|most| number > most)
            {
                found.push(format!("{path}: {number} is out of range"));
            }
        }
        (Some("boolean"), Value::Bool(_)) => {}
        (Some("array"), Value::Array(items)) => {
            let length = i64::try_from(items.len()).unwrap();
            within(path, "items", length, schema.min_items, schema.max_items, found);
            let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items else { return };
            for (i, value) in items.iter().enumerate() {
                check(&format!("{path}[{i}]"), item, value, found);
            }
        }
        (Some("object"), Value::Object(fields)) => {
            for name in schema.required.iter().flatten().filter(|name| !fields.contains_key(*name)) {
                found.push(format!("{path}.{name}: is required"));
            }
            for (name, value) in fields {
                match schema.properties.as_ref().and_then(|known| known.get(name)) {
                    Some(schema) => check(&format!("{path}.{name}"), schema, value, found),
                    None => found.push(format!("{path}.{name}: is unknown")),
                }
            }
        }
        (expected, _) => found.push(format!("{path}: {value} is no {expected:?}")),
    }
}

fn within(path: &str, of: &str, n: i64, least: Option<i64>, most: Option<i64>, found: &mut Vec<String>) {
    if least.is_some_and(|least| n < least) || most.is_some_and(|most| n > most) {
        found.push(format!("{path}: {n} {of}"));
    }
}
