//! What an object is after its manifest was applied over what was there: the API server keeps its metadata and its status,
//! and refuses what must not change.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Subject;
use crate::{
    engine::{Problem, Reason},
    manifest,
    resource::annotation,
};

/// The fields of a spec that change what the operator may do, and nothing in Astra.
const POLICIES: [&str; 4] = ["deletionPolicy", "management", "credentials.secretName", "credentials.key"];

/// The annotations by which a person steers the operator.
const STEERING: [&str; 4] =
    [annotation::PAUSED, annotation::RECONCILE, annotation::ALLOW_MASS_REMOVAL, annotation::FORCE_FINALIZE];

/// What becomes of annotations that the manifest does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They are somebody else's: in a cluster, not all comes from manifests.
    Stay,
    /// They were in the earlier manifest, and are no more.
    Go,
}

/// The stored object under a new spec and with the new annotations. A change that the API server would refuse is not made:
/// the object goes on as it is, and is told to be blocked.
pub(super) fn applied(stored: Subject, manifest: Subject, others: Others) -> Subject {
    let Subject { kind, value: before, .. } = stored;
    let location = manifest.location;
    if let Some(problem) = refused(kind, &before, &manifest.value) {
        return Subject { location, refused: Some(problem), ..Subject::stored(kind, before) };
    }
    let mut after = before.clone();
    if after["spec"] != manifest.value["spec"] {
        let generation = after["metadata"]["generation"].as_i64().unwrap_or(1);
        after["metadata"]["generation"] = json!(generation + 1);
        after["spec"] = manifest.value["spec"].clone();
    }
    let mut annotations = match (others, before["metadata"]["annotations"].as_object()) {
        (Others::Stay, Some(known)) => known.clone(),
        _ => Map::new(),
    };
    annotations.extend(manifest.value["metadata"]["annotations"].as_object().cloned().unwrap_or_default());
    after["metadata"]["annotations"] = annotations.into();
    let notices = notices(&before, &after);
    Subject { location, notices, ..Subject::stored(kind, after) }
}

/// What the API server would say of this change, although the object is sound by itself.
fn refused(kind: &str, before: &Value, after: &Value) -> Option<Problem> {
    let found = manifest::refused_change(kind, before, after);
    let told: Vec<String> = found
        .into_iter()
        .map(|(field, message)| {
            let change = difference(at(before, &field), at(after, &field));
            // Some rules name their field themselves.
            let message = message.strip_prefix(&field).map_or(message.as_str(), str::trim_start);
            format!("{field}: {message} ({change})")
        })
        .collect();
    (!told.is_empty()).then(|| {
        let why = told.join("; ");
        Problem::new(
            Reason::InvalidSpec,
            format!("the API server will refuse this change, and the object stays as it is: {why}"),
        )
    })
}

/// Changes for which nothing is sent, and which decide what is sent later.
fn notices(before: &Value, after: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for field in POLICIES {
        let field = format!("spec.{field}");
        let (was, is) = (at(before, &field), at(after, &field));
        if was != is {
            told.push(format!("{field} changes: {} → {}", shown(was), shown(is)));
        }
    }
    for name in STEERING {
        let of = |value: &Value| value["metadata"]["annotations"][name].clone();
        let (was, is) = (of(before), of(after));
        if was != is {
            told.push(format!("the annotation {name} changes: {} → {}", shown(&was), shown(&is)));
        }
    }
    told
}

/// The field of a path without lists: `spec.database.name`.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, field| &value[field])
}

/// `name: orders → ledger`: of two maps, only what differs.
fn difference(was: &Value, is: &Value) -> String {
    let (Some(fields), Some(others)) = (was.as_object(), is.as_object()) else {
        return format!("{} → {}", shown(was), shown(is));
    };
    let names: BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
    let differing = names.into_iter().filter(|name| was[name.as_str()] != is[name.as_str()]);
    let told: Vec<String> = differing
        .map(|name| format!("{name}: {}", difference(&was[name.as_str()], &is[name.as_str()])))
        .collect();
    told.join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
