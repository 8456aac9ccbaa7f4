//! The mutants, as cargo-mutants lists them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::files::FILES;
use crate::toolchain;

/// A change of one place that the tests have to notice.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Mutant {
    /// From the top of the workspace.
    pub(super) file: String,
    /// `FILE:LINE:COLUMN: what is changed`.
    name: String,
    pub(super) genre: Genre,
    /// What is put in the place of the span.
    pub(super) replacement: String,
    pub(super) span: Span,
    /// For a reader.
    #[serde(default)]
    pub(super) diff: String,
    /// Which of those in its file that are described alike.
    #[serde(skip)]
    nth: usize,
}

/// What kind of a change.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Genre {
    /// A function answers this and does nothing.
    FnValue,
    BinaryOperator,
    UnaryOperator,
    /// An arm of a match is not there.
    MatchArm,
    MatchArmGuard,
    /// A field keeps the value of the struct's base.
    StructField,
}

/// Where in the file.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Span {
    pub(super) start: Place,
    pub(super) end: Place,
}

/// Line and column, both from one, in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Mutant {
    /// What is changed, in which function: the same when lines above are added. Those that are described alike are counted.
    pub(super) fn what(&self) -> String {
        let what = self.name.split_once(": ").map_or(self.name.as_str(), |(_, what)| what);
        if self.nth == 0 { what.to_owned() } else { format!("{what} #{}", self.nth + 1) }
    }

    /// File, line and column, and what is changed.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// File and what is changed: how it is argued, and found again.
    pub(super) fn key(&self) -> String {
        format!("{}: {}", self.file, self.what())
    }
}

/// All mutants of the files that are asked for, in the order of the sources.
///
/// # Errors
/// When cargo-mutants is not there, with what to do.
pub(super) fn mutants() -> Result<Vec<Mutant>> {
    let mut command: Command = toolchain::cargo();
    command.args(["mutants", "--list", "--json", "--diff", "--workspace"]);
    command.args(FILES.iter().flat_map(|pattern| ["--file", pattern]));
    let output = command.stderr(Stdio::piped()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!(
            "cargo-mutants lists the mutants, and does not work: cargo install cargo-mutants --locked --version 27.1.0. It said: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mutants =
        serde_json::from_slice(&output.stdout).context("cargo-mutants made a list of another form")?;
    Ok(numbered(mutants))
}

fn numbered(mut mutants: Vec<Mutant>) -> Vec<Mutant> {
    mutants.sort_by(|a, b| {
        let place = |it: &Mutant| (it.span.start.line, it.span.start.column);
        (&a.file, place(a), &a.replacement).cmp(&(&b.file, place(b), &b.replacement))
    });
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for mutant in &mut mutants {
        let before = alike.entry(mutant.key()).or_default();
        mutant.nth = *before;
        *before += 1;
    }
    mutants
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One that replaces `what` (the only such text) in `source`.
    pub(in crate::mutants) fn mutant(genre: Genre, source: &str, what: &str, replacement: &str) -> Mutant {
        let place = |at: usize| {
            let line = source[..at].matches('\n').count() + 1;
            let column = source[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            Place { line, column }
        };
        let start = source.find(what).unwrap();
        Mutant {
            file: "src/a.rs".to_owned(),
            name: format!("src/a.rs:1:1: replace {what} with {replacement}"),
            genre,
            replacement: replacement.to_owned(),
            span: Span { start: place(start), end: place(start + what.len()) },
            diff: String::new(),
            nth: 0,
        }
    }

    #[test]
    fn those_that_are_described_alike_are_counted_in_the_order_of_the_file() {
        let text = "a == b; c == d";
        let mut second = mutant(Genre::BinaryOperator, text, "== d", "!=");
        second.name = "src/a.rs:1:1: replace == b with !=".to_owned();
        let first = mutant(Genre::BinaryOperator, text, "== b", "!=");
        let all = numbered(vec![second, first]);
        assert_eq!(all[0].key(), "src/a.rs: replace == b with !=");
        assert_eq!(all[1].key(), "src/a.rs: replace == b with != #2");
        assert!(all[0].span.start.column < all[1].span.start.column);
    }
}
