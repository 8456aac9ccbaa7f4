//! What the API server says of a change: some fields are for ever.

use kube::core::cel::{ErrorKind, ValidationErrors, validate_compiled};
use serde_json::Value;

use super::known::Known;

/// The rules (CEL) that the change from one sound object to another breaks: each with its field and its message. A kind
/// that is not known has none.
#[must_use]
pub fn refused_change(kind: &str, before: &Value, after: &Value) -> Vec<(String, String)> {
    let Some(known) = Known::of_kind(kind) else { return Vec::new() };
    let broken = validate_compiled(&known.rules, after, Some(before)).err();
    let broken = broken.iter().flat_map(ValidationErrors::as_slice);
    broken
        .filter(|error| error.kind == ErrorKind::ValidationFailure)
        .map(|error| (error.field_path.clone(), error.message.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_for_ever_cannot_change() {
        let list = |spec: Value| {
            json!({
                "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
                "metadata": { "name": "orders", "namespace": "team" }, "spec": spec,
            })
        };
        let of = |name: &str, address: &str| {
            list(json!({ "database": { "name": name }, "addresses": [{ "address": address }] }))
        };
        let before = of("orders", "203.0.113.0/24");
        assert_eq!(refused_change("AstraAccessList", &before, &of("orders", "203.0.112.0/24")), []);
        let refused = refused_change("AstraAccessList", &before, &of("other", "203.0.113.0/24"));
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].0, "spec.database");
        assert_eq!(refused_change("Deployment", &before, &of("other", "203.0.113.0/24")), []);
    }
}
