//! A report, written for people, scripts, code scanning, and GitHub.

mod github;
mod human;
mod json;
mod sarif;

use std::io;

use clap::ValueEnum;

use super::Report;
use crate::text::printable_json;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people, with the lines, and with colours on a terminal
    #[default]
    Human,
    /// For scripts
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
}

impl Output {
    /// Writes a report.
    pub fn write(self, report: &Report, out: &mut impl io::Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(report, out),
            Self::Json => document(&json::document(report), out),
            Self::Sarif => document(&sarif::document(report), out),
            Self::Github => github::write(report, out),
        }
    }
}

fn document(document: &serde_json::Value, out: &mut impl io::Write) -> io::Result<()> {
    // Line by line: what a manifest says shall not reach a terminal as it is, and the ends of lines are our own.
    for line in serde_json::to_string_pretty(document)?.lines() {
        writeln!(out, "{}", printable_json(line))?;
    }
    Ok(())
}

/// `1 error`, `2 errors`.
fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// What was looked at and what was found, in one line.
fn summary(report: &Report) -> String {
    use super::Severity::{Error, Note, Warning};
    let counts = [Error, Warning, Note].map(|severity| (report.count(severity), severity));
    let found: Vec<String> = (counts.iter())
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| plural(*count, severity.as_str()))
        .collect();
    let found = if found.is_empty() { "nothing to complain of".to_owned() } else { found.join(", ") };
    let skipped = match report.skipped.values().sum::<usize>() {
        0 => String::new(),
        skipped => format!(", {skipped} of other kinds skipped"),
    };
    let silenced = match report.silenced {
        0 => String::new(),
        silenced => format!(", {silenced} silenced"),
    };
    format!("{found}; {} read without a mistake{skipped}{silenced}", plural(report.objects, "object"))
}
