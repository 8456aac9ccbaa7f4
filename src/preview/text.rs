//! A plan for people at a terminal.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use super::{
    change::{Action, Change},
    danger::Danger,
    report::{Object, Report, State, Step, Summary},
};
use crate::text::printable;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The calls too, and the objects for which there is nothing to do.
    pub calls: bool,
}

/// The plan with its colours, as ANSI sequences: whoever prints it takes them away where there is no terminal.
#[must_use]
pub fn text(report: &Report, detail: Detail) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write(&mut out, report, detail);
    out
}

fn write(out: &mut String, report: &Report, detail: Detail) -> fmt::Result {
    for error in &report.errors {
        writeln!(out, "{RED}error:{RED:#} {}", printable(error))?;
    }
    if !report.errors.is_empty() {
        writeln!(out)?;
    }
    for object in report.objects.iter().filter(|object| detail.calls || !object.is_quiet()) {
        self::object(out, object, detail)?;
        writeln!(out)?;
    }
    for note in &report.notes {
        writeln!(out, "{DIM}note: {}{DIM:#}", printable(note))?;
    }
    if !report.skipped.is_empty() {
        let skipped: Vec<String> =
            report.skipped.iter().map(|(kind, count)| format!("{count} {}", printable(kind))).collect();
        writeln!(out, "{DIM}note: skipped {}{DIM:#}", skipped.join(", "))?;
    }
    summary(out, report)
}

fn object(out: &mut String, object: &Object, detail: Detail) -> fmt::Result {
    write!(
        out,
        "{BOLD}{} {}/{}{BOLD:#}",
        object.kind,
        printable(&object.namespace),
        printable(&object.name)
    )?;
    if !object.database.is_empty() {
        write!(out, "  {DIM}database {}{DIM:#}", printable(&object.database))?;
    }
    if let Some(location) = &object.location {
        write!(out, "  {DIM}{}{DIM:#}", printable(location))?;
    }
    writeln!(out)?;
    let mut round = 1;
    for step in &object.steps {
        if step.round != round {
            writeln!(out, "  {DIM}when Astra shows that:{DIM:#}")?;
            round = step.round;
        }
        self::step(out, step, detail)?;
    }
    if !object.leaves_alone.is_empty() {
        let alone: Vec<String> = object.leaves_alone.iter().map(|one| printable(one).to_string()).collect();
        writeln!(out, "  {DIM}leaves alone: {}{DIM:#}", alone.join(", "))?;
    }
    for notice in &object.notices {
        writeln!(out, "  {YELLOW}notice:{YELLOW:#} {}", printable(notice))?;
    }
    let (style, word) = match object.outcome.state {
        State::Ready => (GREEN, "ready"),
        State::Waiting => (YELLOW, "waits"),
        State::Blocked => (RED, "blocked"),
        State::Gone => (YELLOW, "gone"),
        State::Paused => (DIM, "paused"),
    };
    writeln!(out, "  {style}{word}:{style:#} {}", printable(&object.outcome.in_words()))
}

/// One step, with its dangers, its reason and what it changes.
pub(crate) fn step(out: &mut String, step: &Step, detail: Detail) -> fmt::Result {
    write!(out, "  - {}", printable(&step.summary))?;
    for danger in &step.dangers {
        let denied = if step.denied.contains(danger) { ": refused by --deny" } else { "" };
        write!(out, "  {RED}! {}{denied}{RED:#}", words(*danger))?;
    }
    writeln!(out, "\n    {DIM}because: {}{DIM:#}", printable(&step.reason))?;
    for change in &step.changes {
        let style = match change.action {
            Action::Add => GREEN,
            Action::Change => YELLOW,
            Action::Remove => RED,
        };
        writeln!(out, "    {style}{}{style:#}", printable(&line(change)))?;
    }
    if detail.calls {
        writeln!(out, "    {DIM}{} {}{DIM:#}", step.call.method, printable(&step.call.target))?;
        if let Some(body) = &step.call.body {
            writeln!(out, "    {DIM}{}{DIM:#}", printable(&body.to_string()))?;
        }
    }
    Ok(())
}

/// `+ address 203.0.113.0/24 "office"`, `~ public access: open to everybody → restricted to the list`.
#[must_use]
pub fn line(change: &Change) -> String {
    let Change { action, what, name, before, after } = change;
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = if name.is_empty() { String::new() } else { format!(" {name}") };
    let line = match action {
        Action::Add => format!("+ {what}{name} {}", of(after)),
        Action::Remove => format!("- {what}{name} {}", of(before)),
        Action::Change => {
            let or = |text: String| if text.is_empty() { "\"\"".to_owned() } else { text };
            format!("~ {what}{name}: {} → {}", or(of(before)), or(of(after)))
        }
    };
    line.trim_end().to_owned()
}

/// What a danger is, in a few words.
#[must_use]
pub const fn words(danger: Danger) -> &'static str {
    match danger {
        Danger::Widen => "widens access",
        Danger::Narrow => "narrows access",
        Danger::Empty => "empties the list",
        Danger::Remove => "disconnects",
    }
}

fn summary(out: &mut String, report: &Report) -> fmt::Result {
    let Summary {
        objects,
        changed,
        unchanged,
        waiting,
        blocked,
        calls,
        to_add,
        to_change,
        to_remove,
        dangers,
        denied,
        errors,
    } = &report.summary;
    if *errors == 0 && *calls == 0 && *blocked == 0 && *waiting == 0 {
        return writeln!(
            out,
            "{BOLD}{GREEN}Nothing to do.{GREEN:#}{BOLD:#} {}: all is as they say.",
            count(*objects, "object")
        );
    }
    writeln!(
        out,
        "{BOLD}Plan:{BOLD:#} {}: {changed} with changes, {unchanged} without. {}: {GREEN}{to_add} to add{GREEN:#}, {YELLOW}{to_change} to change{YELLOW:#}, {RED}{to_remove} to remove{RED:#}.",
        count(*objects, "object"),
        count(*calls, "call"),
    )?;
    for (style, number, what) in
        [(YELLOW, waiting, "waits for somebody else"), (RED, blocked, "cannot be carried out as it is")]
    {
        if *number > 0 {
            writeln!(out, "{style}{number}{style:#} {what}.")?;
        }
    }
    if !dangers.is_empty() {
        let all: Vec<String> =
            dangers.iter().map(|(danger, number)| format!("{} {number} ×", words(*danger))).collect();
        writeln!(out, "{RED}Look twice:{RED:#} {}.", all.join(", "))?;
    }
    if *denied > 0 {
        writeln!(out, "{RED}--deny refuses {}.{RED:#}", count(*denied, "step"))?;
    }
    if *errors > 0 {
        writeln!(out, "{RED}{}{RED:#}: what is wrong there is not in this plan.", count(*errors, "error"))?;
    }
    Ok(())
}

/// `1 object`, `2 objects`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
