//! Advice on manifests, from the manifests alone: what the API server would refuse, and what it would take and somebody
//! will be sorry for.
//!
//! Every piece of advice has a rule with a stable id ([`rules::RULES`], and `docs/lint.md`). It can be silenced for one
//! object by the annotation [`IGNORE`], or for all by `--ignore`.

mod across;
mod addresses;
mod annotations;
mod collection;
mod endpoints;
pub mod excerpt;
mod lists;
pub mod output;
pub mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::manifest::{self, Collection, Finding, Location, Sources, Unreadable};
use collection::{Object, Objects};
use rules::Rule;

/// The annotation that silences advice for its object: ids with commas between them.
pub const IGNORE: &str = "astra.datastax.com/lint-ignore";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The API server refuses it, or the operator will stop at it.
    Error,
    /// It will be done, and is probably not meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// In small letters, as compilers and SARIF have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One piece of advice.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Which rule.
    pub rule: &'static Rule,
    /// Where.
    pub location: Location,
    /// Which object, `KIND NAMESPACE/NAME`, if that could be read.
    pub object: Option<String>,
    /// Which field; empty if it is about the whole document.
    pub field: String,
    /// What is found.
    pub message: String,
    /// Another object that has part in it, and where it is.
    pub related: Option<(Location, String)>,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// In the order of files, lines and columns.
    pub advice: Vec<Advice>,
    /// How many objects of our kinds were read without a mistake.
    pub objects: usize,
    /// How many of other kinds there were, by `apiVersion kind`.
    pub skipped: BTreeMap<String, usize>,
    /// How much advice was silenced.
    pub silenced: usize,
    /// The texts that the advice is about, by file.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

impl Report {
    /// How much advice there is of one severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.advice.iter().filter(|advice| advice.rule.severity == severity).count()
    }

    /// Was there no object at all, of whatever kind?
    #[must_use]
    pub fn is_of_nothing(&self) -> bool {
        self.objects == 0 && self.advice.is_empty() && self.skipped.is_empty()
    }
}

/// Reads manifests and looks for all that is wrong with them. Rules that are in `ignored` say nothing.
///
/// # Errors
/// When something cannot be read at all.
pub fn lint(sources: &Sources, ignored: &BTreeSet<&'static str>) -> Result<Report, Unreadable> {
    Ok(judge(manifest::load(sources)?, ignored))
}

/// The same for one text, of which `file` is the name.
#[must_use]
pub fn lint_text(file: &str, text: &str, namespace: &str, ignored: &BTreeSet<&'static str>) -> Report {
    judge(manifest::load_text(file, text, namespace), ignored)
}

fn judge(read: Collection, ignored: &BTreeSet<&'static str>) -> Report {
    let objects = Objects::new(&read.objects);
    let mut found = Found { ignored, advice: Vec::new(), silenced: 0 };
    for error in read.errors {
        found.error(error);
    }
    for object in objects.all() {
        annotations::check(object, &mut found);
        addresses::check(object, &objects, &mut found);
        lists::check(object, &objects, &mut found);
    }
    endpoints::check(&objects, &mut found);
    across::check(&objects, &mut found);
    let Found { mut advice, silenced, .. } = found;
    advice.sort_by(|one, other| {
        let key = |advice: &Advice| (advice.location.clone(), advice.rule.id);
        key(one).cmp(&key(other))
    });
    let mut texts = read.texts;
    texts.retain(|file, _| advice.iter().any(|advice| advice.location.file == *file));
    Report { advice, objects: read.objects.len(), skipped: read.skipped, silenced, texts }
}

/// What was found so far.
struct Found<'a> {
    ignored: &'a BTreeSet<&'static str>,
    advice: Vec<Advice>,
    silenced: usize,
}

impl Found<'_> {
    /// A manifest that the API server would refuse: this cannot be silenced.
    fn error(&mut self, finding: Finding) {
        let Finding { location, object, field, message } = finding;
        self.advice.push(Advice { rule: &rules::REFUSED, location, object, field, message, related: None });
    }

    /// Advice on a field of an object.
    fn of(&mut self, rule: &'static Rule, object: &Object<'_>, field: &str, message: String) {
        self.push(rule, object, field, message, None);
    }

    /// Advice on a field of an object, in which another one has part.
    fn between(
        &mut self,
        rule: &'static Rule,
        (object, field): (&Object<'_>, &str),
        (other, other_field): (&Object<'_>, &str),
        message: String,
    ) {
        self.push(rule, object, field, message, Some((other, other_field)));
    }

    fn push(
        &mut self,
        rule: &'static Rule,
        object: &Object<'_>,
        field: &str,
        message: String,
        other: Option<(&Object<'_>, &str)>,
    ) {
        if self.ignored.contains(rule.id)
            || object.silences(rule)
            || other.is_some_and(|(other, _)| other.silences(rule))
        {
            self.silenced += 1;
            return;
        }
        self.advice.push(Advice {
            rule,
            location: object.loaded.locate(field),
            object: Some(object.name()),
            field: field.to_owned(),
            message,
            related: other.map(|(other, field)| (other.loaded.locate(field), other.name())),
        });
    }
}
