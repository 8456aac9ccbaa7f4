//! Which object is meant: `KIND/NAME` as kubectl takes it, in any case. Pure.

use crate::{
    kinds::{Entry, KINDS},
    resource::GROUP,
};

/// An object that somebody asks about.
#[derive(Clone)]
pub struct Target {
    /// Its kind.
    pub entry: &'static Entry,
    /// Its name.
    pub name: String,
}

/// No object can be meant by that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistaken {
    /// There is no name.
    #[error("{0:?} is no KIND/NAME: write for example aal/orders")]
    Form(String),
    /// There is no such kind.
    #[error("there is no kind {kind:?}, only {kinds}{suggestion}")]
    Kind {
        /// What was written.
        kind: String,
        /// What may have been meant.
        suggestion: String,
        /// All kinds.
        kinds: String,
    },
}

impl Target {
    /// Reads `KIND/NAME`, or `KIND NAME`.
    ///
    /// # Errors
    /// What is wrong, and what may have been meant.
    pub fn parse(words: &[String]) -> Result<Self, Mistaken> {
        let (kind, name) = match words {
            [one] => one.split_once('/').ok_or_else(|| Mistaken::Form(one.clone()))?,
            [kind, name] => (kind.as_str(), name.as_str()),
            _ => return Err(Mistaken::Form(words.join(" "))),
        };
        let mistaken = kind.is_empty() || name.is_empty() || name.contains('/');
        if mistaken {
            return Err(Mistaken::Form(words.join(" ")));
        }
        Ok(Self { entry: self::kind(kind)?, name: name.to_owned() })
    }
}

/// The kind of this name: its kind, plural, singular or short name, also with the group behind it.
fn kind(text: &str) -> Result<&'static Entry, Mistaken> {
    let lower = text.to_ascii_lowercase();
    // As `kubectl get -o name` writes it; a version may be between them.
    let plain = match lower.split_once('.') {
        Some((kind, group)) if group == GROUP || group.ends_with(&format!(".{GROUP}")) => kind,
        _ => &lower,
    };
    let all: Vec<(String, &'static Entry)> =
        KINDS.iter().flat_map(|entry| names(entry).into_iter().map(move |name| (name, entry))).collect();
    if let Some((_, entry)) = all.iter().find(|(name, _)| name == plain) {
        return Ok(entry);
    }
    let suggestion = nearest(plain, all.iter().map(|(name, _)| name.as_str()));
    let list = |entry: &Entry| format!("{} ({})", entry.kind, short_name(entry));
    Err(Mistaken::Kind {
        kind: text.to_owned(),
        suggestion: did_you_mean(suggestion),
        kinds: KINDS.iter().map(list).collect::<Vec<_>>().join(", "),
    })
}

/// All names of a kind, in lower case.
fn names(entry: &Entry) -> Vec<String> {
    let names = (entry.crd)().spec.names;
    let mut all = vec![names.kind.to_ascii_lowercase(), names.plural];
    all.extend(names.singular.filter(|name| !name.is_empty()));
    all.extend(names.short_names.unwrap_or_default());
    all
}

/// What a kind is called at the prompt.
#[must_use]
pub fn short_name(entry: &Entry) -> String {
    let names = (entry.crd)().spec.names;
    names.short_names.and_then(|names| names.into_iter().next()).unwrap_or(names.plural)
}

/// The candidate that `text` is likely to be a slip of the pen for: a third of it may be wrong.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &'a str| {
        let distance = strsim::damerau_levenshtein(text, candidate);
        let part = (candidate.starts_with(text) || candidate.contains(text)) && text.chars().count() > 2;
        (part || distance <= (text.chars().count() / 3).max(1)).then_some((distance, candidate))
    };
    candidates.filter_map(near).min().map(|(_, candidate)| candidate)
}

/// A suggestion as a part of a sentence; nothing without one.
#[must_use]
pub fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(", did you mean {name:?}?"))
}
