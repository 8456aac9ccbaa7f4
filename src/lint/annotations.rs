//! The annotations by which a person steers the operator. The API server takes anything there.

use super::{
    Found, IGNORE,
    collection::{Object, ids},
    rules,
};
use crate::{manifest::nearest, resource::annotation};

const PREFIX: &str = "astra.datastax.com/";

/// All that mean something.
const KNOWN: [&str; 5] = [
    annotation::PAUSED,
    annotation::RECONCILE,
    annotation::ALLOW_MASS_REMOVAL,
    annotation::FORCE_FINALIZE,
    IGNORE,
];

pub(super) fn check(object: &Object<'_>, found: &mut Found<'_>) {
    for (name, value) in object.annotations().filter(|(name, _)| name.starts_with(PREFIX)) {
        let field = format!("metadata.annotations[{name}]");
        if let Some(message) = without_effect(name, value) {
            found.of(&rules::ANNOTATION, object, &field, message);
            continue;
        }
        match name {
            annotation::PAUSED if value == "true" => {
                found.of(
                    &rules::PAUSED,
                    object,
                    &field,
                    "nothing is sent to Astra for this object".to_owned(),
                );
            }
            annotation::FORCE_FINALIZE if value == "true" => {
                let message = "every later deletion may leave things behind in Astra";
                found.of(&rules::MOMENTARY, object, &field, message.to_owned());
            }
            annotation::ALLOW_MASS_REMOVAL => {
                let message = format!("a removal of {value} entries is allowed for ever");
                found.of(&rules::MOMENTARY, object, &field, message);
            }
            _ => {}
        }
    }
}

fn without_effect(name: &str, value: &str) -> Option<String> {
    match name {
        annotation::PAUSED | annotation::FORCE_FINALIZE if value != "true" && value != "false" => {
            Some(format!("{value:?} means nothing here: only \"true\" does"))
        }
        annotation::ALLOW_MASS_REMOVAL if value.parse::<u64>().is_err() => {
            Some(format!("{value:?} is no number of entries"))
        }
        IGNORE => {
            let unknown: Vec<&str> =
                ids(value).filter(|id| rules::of(id).is_none_or(|rule| *rule == rules::REFUSED)).collect();
            let known = || rules::RULES.iter().map(|rule| rule.id);
            match unknown[..] {
                [] => None,
                [id] if rules::of(id).is_some() => Some(format!("{id} cannot be silenced")),
                _ => Some(format!(
                    "{} is no rule that can be silenced; they are {} to {}",
                    unknown.join(", "),
                    known().nth(1).unwrap_or_default(),
                    known().next_back().unwrap_or_default()
                )),
            }
        }
        name if KNOWN.contains(&name) => None,
        name => Some(nearest(name, KNOWN.into_iter()).map_or_else(
            || "the operator knows no such annotation".to_owned(),
            |meant| format!("the operator knows no such annotation; did you mean {meant}?"),
        )),
    }
}
