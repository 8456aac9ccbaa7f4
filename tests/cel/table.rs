//! One row: what is applied, and what comes of it.

use std::fmt::Debug;

use kube::{
    CustomResourceExt,
    core::cel::{ValidationErrors, validate_cel, validate_cel_update},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: &'static str,
    /// What it is about, for people.
    pub(crate) name: &'static str,
    /// The spec that is there before; none when it is made.
    pub(crate) old: Option<Value>,
    pub(crate) spec: Value,
    pub(crate) verdict: Verdict,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Accepted,
    /// A rule refuses it: the field, and the whole message.
    Rule(&'static str, &'static str),
    /// The schema refuses it: the field, and words of the message.
    Schema(&'static str, &'static str),
}

/// What was found: fields and messages.
pub(crate) type Refusals = Vec<(String, String)>;

/// Judged by the rules, in this process.
pub(crate) fn judge<K>(row: &Row) -> Refusals
where
    K: CustomResourceExt + Serialize + DeserializeOwned,
{
    let new: K = serde_json::from_value(object(row.kind, &row.spec))
        .unwrap_or_else(|error| panic!("{}: {error}", row.name));
    // The rules for making an object hold for changing it, too.
    let mut result = Vec::new();
    result.extend(validate_cel(&new).err());
    if let Some(old) = &row.old {
        let old: K = serde_json::from_value(object(row.kind, old)).unwrap();
        result = validate_cel_update(&new, &old).err().into_iter().collect();
    }
    result
        .iter()
        .flat_map(ValidationErrors::as_slice)
        .map(|error| (error.field_path.clone(), error.message.clone()))
        .collect()
}

/// The whole object.
pub(crate) fn object(kind: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": kind,
        "metadata": { "name": "row", "namespace": "default" },
        "spec": spec,
    })
}

/// What is not as it was expected, for people.
pub(crate) fn differs(row: &Row, expected: &Verdict, found: &Refusals) -> Option<String> {
    let said = |field: &str, met: &dyn Fn(&str) -> bool| {
        found.iter().any(|(at, message)| at == field && met(message))
    };
    let right = match *expected {
        Verdict::Accepted => found.is_empty(),
        Verdict::Rule(field, message) => said(field, &|found| found.ends_with(message)),
        Verdict::Schema(field, words) => said(field, &|found| found.contains(words)),
    };
    (!right).then(|| format!("{} {:?}: expected {expected:?}, found {found:?}", row.kind, row.name))
}

/// `spec.addresses[0].address` as `spec.addresses[].address`.
pub(crate) fn without_indices(field: &str) -> String {
    field.chars().filter(|c| !c.is_ascii_digit()).collect()
}
