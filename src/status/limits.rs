//! The limits of a status: an object must stay small whatever Astra answers, and the API server must never refuse what
//! the operator writes.
//!
//! Texts for people are cut. What is acted on is never cut, for half an id is another id: an id that is too long is not
//! written at all, and a list of what is owned that is too long is left to the API server to refuse; an announcement
//! that is refused sends nothing.

use schemars::Schema;
use serde_json::{Value, json};

/// The longest text, in characters, as the API server counts them.
pub const TEXT: usize = 1024;
/// The most conditions.
pub const CONDITIONS: usize = 16;
/// The most things that one object owns: what the largest spec declares (1,000 addresses), and what three such specs
/// before it have left to be removed.
pub const OWNED: usize = 4000;
/// The most calls of an announcement that are put into words.
pub const STEPS: usize = 20;
/// The most things of others that are listed.
pub const OTHERS: usize = 50;
/// The most endpoints and principals that are reported: those of the largest spec, and of four before it.
pub const REPORTED: usize = 500;
/// The most names for a private DNS zone.
pub const DNS_NAMES: usize = 8;
/// The largest number: every reader of JSON can hold it exactly.
pub const LARGEST: i64 = (1 << 53) - 1;

/// A part of a status that can be brought within the limits of its schema.
pub trait Bounded {
    /// Brings it within its limits. Twice is the same as once.
    fn bound(&mut self);
}

impl Bounded for () {
    fn bound(&mut self) {}
}

/// The same within its limits.
#[must_use]
pub fn bounded<T: Bounded + Clone>(whole: &T) -> T {
    let mut part = whole.clone();
    part.bound();
    part
}

/// Cuts a text for people, and shows that it was cut.
pub fn cut(text: &mut String, longest: usize) {
    if text.chars().count() > longest
        && let Some((end, _)) = text.char_indices().nth(longest.saturating_sub(1))
    {
        text.truncate(end);
        text.push('…');
    }
}

/// Cuts a list for people, and says how much is missing.
pub fn cut_list(list: &mut Vec<String>, longest: usize) {
    if list.len() > longest {
        let more = list.len() - longest.saturating_sub(1);
        list.truncate(longest.saturating_sub(1));
        list.push(format!("and {more} more"));
    }
}

/// Cuts a list of texts for people, and each of them.
pub fn cut_texts(list: &mut Vec<String>, longest: usize) {
    cut_list(list, longest);
    for text in list {
        cut(text, TEXT);
    }
}

/// Forgets an id that is longer than any known one: half of it would be another one.
pub fn drop_if_longer(id: &mut Option<String>, longest: usize) {
    if id.as_ref().is_some_and(|id| id.chars().count() > longest) {
        *id = None;
    }
}

/// The limits that the Kubernetes API conventions give a condition, and a shorter one for its message.
pub(super) fn of_conditions(schema: &mut Schema) {
    let limits = [
        ("type", json!({ "maxLength": 316 })),
        ("status", json!({ "enum": ["True", "False", "Unknown"] })),
        ("reason", json!({ "minLength": 1, "maxLength": TEXT })),
        ("message", json!({ "maxLength": TEXT })),
        ("observedGeneration", json!({ "minimum": 0, "maximum": LARGEST })),
        ("lastTransitionTime", time()),
    ];
    let Some(properties) = schema.pointer_mut("/items/properties") else { return };
    for (name, more) in limits {
        if let (Some(Value::Object(property)), Value::Object(more)) = (properties.get_mut(name), more) {
            property.extend(more);
        }
    }
}

/// A time that this operator can read. The API server's `date-time` takes `+99:99` for an offset, and an object with that
/// could not be read any more.
pub(super) fn of_time(schema: &mut Schema) {
    if let Value::Object(limits) = time() {
        schema.ensure_object().extend(limits);
    }
}

fn time() -> Value {
    json!({
        "maxLength": 40,
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_only_when_it_is_too_long() {
        for (text, expected) in [("", ""), ("äöü", "äöü"), ("äöüß", "äöüß"), ("äöüßx", "äöü…")]
        {
            let mut text = text.to_owned();
            cut(&mut text, 4);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_list_is_cut_and_says_how_much_is_missing() {
        let list = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        for (n, expected) in [(0, ""), (3, "0,1,2"), (4, "0,1,and 2 more"), (9, "0,1,and 7 more")] {
            let mut list = list(n);
            cut_list(&mut list, 3);
            assert_eq!(list.join(","), expected);
        }
    }

    #[test]
    fn an_id_that_is_too_long_is_forgotten_and_not_cut() {
        for (id, expected) in [(None, None), (Some("abcd"), Some("abcd")), (Some("abcde"), None)] {
            let mut id = id.map(str::to_owned);
            drop_if_longer(&mut id, 4);
            assert_eq!(id.as_deref(), expected);
        }
    }
}
