//! All sequences, by what they are about.

mod builtin;
mod deletions;
mod lists;
mod objects;
mod patches;
mod rights;
mod statuses;
mod watches;

use crate::sequence::Sequence;

/// The groups, with their names.
pub(crate) fn all() -> Vec<(&'static str, Vec<Sequence>)> {
    vec![
        ("objects", objects::sequences()),
        ("patches", patches::sequences()),
        ("statuses", statuses::sequences()),
        ("deletions", deletions::sequences()),
        ("lists", lists::sequences()),
        ("watches", watches::sequences()),
        ("builtin", builtin::sequences()),
        ("rights", rights::sequences()),
    ]
}
