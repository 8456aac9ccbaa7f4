//! The tree for people at a terminal.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use k8s_openapi::jiff::Timestamp;

use super::{
    DatabaseNode, ObjectNode, Overview, Summary,
    standing::{Standing, State},
};
use crate::text::printable;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
const BLUE: Style = AnsiColor::Blue.on_default();

/// A message goes on in the next line after this many characters.
const WIDTH: usize = 100;

/// The tree with its colours, as ANSI sequences: whoever prints it takes them away where there is no terminal.
#[must_use]
pub fn text(overview: &Overview, now: Timestamp) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write(&mut out, overview, now);
    out
}

fn write(out: &mut String, overview: &Overview, now: Timestamp) -> fmt::Result {
    for note in &overview.notes {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", printable(note))?;
    }
    let place =
        overview.namespace.as_ref().map_or_else(String::new, |name| format!(" in the namespace {name}"));
    if overview.databases.is_empty() && !overview.notes.is_empty() {
        return Ok(());
    }
    if overview.databases.is_empty() {
        let more = if overview.namespace.is_some() { "; all namespaces: -A" } else { "" };
        return writeln!(out, "No objects{place}{more}");
    }
    summary(out, &overview.summary, overview.databases.len(), &place)?;
    let columns = Columns::of(overview);
    for database in &overview.databases {
        writeln!(out)?;
        self::database(out, database)?;
        for (at, object) in database.objects.iter().enumerate() {
            let last = at + 1 == database.objects.len();
            self::object(out, object, last, &columns, now)?;
        }
    }
    Ok(())
}

fn summary(out: &mut String, summary: &Summary, databases: usize, place: &str) -> fmt::Result {
    let Summary { objects, ready, waits, stalled, paused, deleting } = summary;
    let states = [
        (State::Stalled, stalled),
        (State::Waits, waits),
        (State::Deleting, deleting),
        (State::Paused, paused),
        (State::Ready, ready),
    ];
    let states = states.iter().filter(|(_, count)| **count > 0).map(|(state, count)| {
        let (style, _, word) = shown(*state);
        format!("{style}{count} {word}{style:#}")
    });
    writeln!(
        out,
        "{BOLD}{} on {}{BOLD:#}{place}: {}",
        counted(*objects, "object"),
        counted(databases, "database"),
        states.collect::<Vec<_>>().join(", ")
    )
}

/// The widths of what stands in columns.
struct Columns {
    kind: usize,
    name: usize,
}

impl Columns {
    fn of(overview: &Overview) -> Self {
        let objects = || overview.databases.iter().flat_map(|database| &database.objects);
        let width = |of: fn(&ObjectNode) -> usize| objects().map(of).max().unwrap_or_default();
        Self {
            kind: width(|object| object.kind.len()),
            name: width(|object| object.namespace.chars().count() + 1 + object.name.chars().count()),
        }
    }
}

fn database(out: &mut String, database: &DatabaseNode) -> fmt::Result {
    let name = database.name.as_deref().unwrap_or("a database whose name is not known yet");
    write!(out, "{BOLD}{}{BOLD:#}", printable(name))?;
    match &database.id {
        Some(id) => writeln!(out, "  {DIM}{}{DIM:#}", printable(id)),
        None => writeln!(out, "  {DIM}not looked up yet{DIM:#}"),
    }
}

fn object(
    out: &mut String,
    object: &ObjectNode,
    last: bool,
    columns: &Columns,
    now: Timestamp,
) -> fmt::Result {
    let (branch, stem) = if last { ("└─", "  ") } else { ("├─", "│ ") };
    let standing = &object.standing;
    let (style, mark, word) = shown(standing.state);
    let name = format!("{}/{}", printable(&object.namespace), printable(&object.name));
    let line = format!(
        "{DIM}{branch}{DIM:#} {style}{mark} {word:<8}{style:#} {:<kind$}  {name:<width$}  {}",
        object.kind,
        word_on(standing, now),
        kind = columns.kind,
        width = columns.name,
    );
    writeln!(out, "{}", line.trim_end())?;
    let twigs = if object.parts.is_empty() { "  " } else { "│ " };
    if standing.state != State::Ready {
        for line in wrapped(&printable(&standing.message), WIDTH) {
            writeln!(out, "{DIM}{stem} {twigs}{DIM:#}   {line}")?;
        }
    }
    let width = object.parts.iter().map(|part| part.name.chars().count()).max().unwrap_or_default().min(60);
    for (at, part) in object.parts.iter().enumerate() {
        let branch = if at + 1 == object.parts.len() { "└─" } else { "├─" };
        let style = if part.odd { YELLOW } else { DIM };
        let (name, state) = (printable(&part.name), printable(&part.state));
        let line = if name.is_empty() {
            state.to_string()
        } else {
            format!("{name:<width$}  {style}{state}{style:#}")
        };
        writeln!(out, "{DIM}{stem} {branch}{DIM:#} {:<10} {}", part.what, line.trim_end())?;
    }
    Ok(())
}

/// What stands at the end of an object's line.
fn word_on(standing: &Standing, now: Timestamp) -> String {
    let since = standing.since.as_ref().and_then(|since| since.parse().ok());
    let since = since.map_or_else(String::new, |since| format!("{DIM}for {}{DIM:#}", age(now, since)));
    if standing.state == State::Ready {
        return format!("{since}  {}", printable(&standing.message)).trim_start().to_owned();
    }
    let style = if standing.stalled { RED } else { YELLOW };
    format!("{style}{}{style:#} {since}", printable(&standing.reason))
}

/// The colour, the mark and the word of a state.
#[must_use]
pub const fn shown(state: State) -> (Style, &'static str, &'static str) {
    match state {
        State::Ready => (GREEN, "✓", "ready"),
        State::Waits => (YELLOW, "…", "waits"),
        State::Stalled => (RED, "✗", "stalled"),
        State::Paused => (BLUE, "‖", "paused"),
        State::Deleting => (YELLOW, "−", "deleting"),
    }
}

/// How long ago, in the largest unit that tells it: `42s`, `3m`, `5h`, `12d`.
#[must_use]
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.as_second() - then.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A text in lines of at most so many characters, broken between words where there are any.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
