//! The check of one object, as the API server would do it, and then as the operator would read it.

use kube::core::cel::{ErrorKind, ValidationErrors, validate_compiled};
use serde_json::{Value, json};

use super::{
    known::Known,
    metadata, schema,
    tree::{Mistake, Node},
};

/// All that is wrong with an object; if nothing is, the object with its defaults.
pub(crate) fn check(known: &Known, root: &Node, namespace: &str) -> Result<Value, Vec<Mistake>> {
    let mut mistakes = schema::check(&known.schema, &known.patterns, root);
    metadata::check(root, &mut mistakes);
    let mut value = root.value();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    schema::fill(&known.schema, &mut value);
    if let Some(metadata) = value.get_mut("metadata").filter(|metadata| metadata.is_object())
        && metadata["namespace"].as_str().unwrap_or_default().is_empty()
    {
        metadata["namespace"] = json!(namespace);
    }
    let is_sound = mistakes.is_empty();
    let broken = rules(known, root, &value, is_sound).into_iter().filter(|rule| !spoilt(rule, &mistakes));
    let broken: Vec<Mistake> = broken.collect();
    mistakes.extend(broken);
    if let Err(problem) = (known.desired)(&value) {
        let (field, message) = problem.message.split_once(": ").unwrap_or(("spec", &problem.message));
        // The rules say the same of most of it, and better. Without a field, the object does not even fit its type: if
        // anything else is wrong, that is why.
        let is_told = field.is_empty() && !mistakes.is_empty()
            || mistakes.iter().any(|told| is_within(&told.field, field) || is_within(field, &told.field));
        if !is_told {
            let (field, message) = (field.to_owned(), message.to_owned());
            mistakes.push(Mistake { at: root.locate(&field), field, message });
        }
    }
    mistakes.sort_by(|one, other| (one.at, &one.field).cmp(&(other.at, &other.field)));
    if mistakes.is_empty() { Ok(value) } else { Err(mistakes) }
}

/// The rules (CEL) that an object breaks. A rule may stumble over what the schema has refused already: that says nothing
/// new, but of a sound object it must be told, or the check would be weaker than the API server's.
fn rules(known: &Known, root: &Node, value: &Value, is_sound: bool) -> Vec<Mistake> {
    let broken = validate_compiled(&known.rules, value, None).err();
    let broken = broken.iter().flat_map(ValidationErrors::as_slice);
    broken
        .filter(|error| is_sound || error.kind == ErrorKind::ValidationFailure)
        .map(|error| Mistake {
            at: root.locate(&error.field_path),
            field: error.field_path.clone(),
            message: error.message.clone(),
        })
        .collect()
}

/// Does a rule complain of what another mistake brings about? A misspelt or missing field right below is the cause of much.
fn spoilt(rule: &Mistake, mistakes: &[Mistake]) -> bool {
    mistakes.iter().any(|mistake| {
        let inside = mistake.field.strip_prefix(rule.field.as_str());
        inside.is_some_and(|rest| rest.trim_start_matches('.').find(['.', '[']).is_none())
    })
}

/// Is the one field the other, or in it?
fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
