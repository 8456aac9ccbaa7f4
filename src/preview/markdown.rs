//! A plan as a comment on a pull request: the summary and what is dangerous at first sight, the rest folded.

use std::fmt::{self, Write as _};

use super::{
    change::Action,
    report::{Object, Report, State},
    text::{count, line, words},
};
use crate::text::printable;

/// GitHub takes 65,536 characters, GitLab a million: what is longer than this is cut between two objects, and that is said.
const LONGEST: usize = 60_000;

/// The plan in Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    let summary = &report.summary;
    writeln!(out, "### Astra plan\n")?;
    if summary.calls == 0 && !report.has_errors() && summary.waiting == 0 {
        let what = count(summary.objects, "object");
        writeln!(out, "Nothing to do in Astra, of {what}.\n")?;
    } else {
        writeln!(
            out,
            "**Of {} {} with changes**, {}: {} to add, {} to change, {} to remove. {} waiting, {} that cannot be carried out.\n",
            count(summary.objects, "object"),
            summary.changed,
            count(summary.calls, "call"),
            summary.to_add,
            summary.to_change,
            summary.to_remove,
            summary.waiting,
            summary.blocked
        )?;
    }
    for (danger, number) in &summary.dangers {
        writeln!(out, "- :warning: **{}** {number} ×", words(*danger))?;
    }
    if summary.denied > 0 {
        writeln!(out, "- :no_entry: `--deny` refuses {}", count(summary.denied, "step"))?;
    }
    for error in &report.errors {
        writeln!(out, "- :x: {}", escaped(error))?;
    }
    writeln!(out)?;
    let told: Vec<&Object> = report.objects.iter().filter(|object| !object.is_quiet()).collect();
    for (at, object) in told.iter().enumerate() {
        let mut part = String::new();
        self::object(&mut part, object)?;
        if out.chars().count() + part.chars().count() > LONGEST {
            writeln!(
                out,
                "\n{} more objects are not shown: run `astra-operator plan` to see them.",
                told.len() - at
            )?;
            break;
        }
        out.push_str(&part);
    }
    if !report.skipped.is_empty() {
        let skipped: usize = report.skipped.values().sum();
        writeln!(out, "\n_{} of other kinds skipped_", count(skipped, "object"))?;
    }
    for note in &report.notes {
        writeln!(out, "\n_{}_", escaped(note))?;
    }
    Ok(())
}

fn object(out: &mut String, object: &Object) -> fmt::Result {
    let dangers: Vec<&str> =
        object.steps.iter().flat_map(|step| &step.dangers).map(|danger| words(*danger)).collect();
    let marked = if dangers.is_empty() { "" } else { " :warning:" };
    let open = if dangers.is_empty() && object.outcome.state != State::Blocked { "" } else { " open" };
    writeln!(
        out,
        "<details{open}><summary><b>{}</b> {}/{} ({}){marked}</summary>\n",
        object.kind,
        html(&object.namespace),
        html(&object.name),
        html(&object.database)
    )?;
    for (at, step) in object.steps.iter().enumerate() {
        let later = at > 0 && object.steps[at - 1].round != step.round;
        let when = if later { "when Astra shows that: " } else { "" };
        let dangers: String = step
            .dangers
            .iter()
            .fold(String::new(), |text, danger| format!("{text} — **{}**", words(*danger)));
        let denied = if step.denied.is_empty() { "" } else { " :no_entry:" };
        writeln!(
            out,
            "{}. {when}{}{dangers}{denied}  \n   {}\n",
            at + 1,
            escaped(&step.summary),
            escaped(&step.reason)
        )?;
        let fence = "```";
        writeln!(out, "   {fence}diff")?;
        for change in &step.changes {
            let line = line(change);
            // The highlighting of `diff` knows `!` for what changes.
            let shown = if change.action == Action::Change { line.replacen('~', "!", 1) } else { line };
            writeln!(out, "   {}", printable(&shown).to_string().replace("```", "'''"))?;
        }
        writeln!(out, "   {fence}\n")?;
    }
    let state = match object.outcome.state {
        State::Ready => "ready",
        State::Waiting => "waits",
        State::Blocked => "**blocked**",
        State::Gone => "gone",
        State::Paused => "paused",
    };
    writeln!(out, "Then {state}: {}", escaped(&object.outcome.in_words()))?;
    if !object.leaves_alone.is_empty() {
        writeln!(out, "\nLeaves alone: {}", escaped(&object.leaves_alone.join(", ")))?;
    }
    for notice in &object.notices {
        writeln!(out, "\n:information_source: {}", escaped(notice))?;
    }
    writeln!(out, "\n</details>\n")
}

/// Text of others that shall be shown as it is: a description in Astra must not become a link or a picture.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in html(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn html(text: &str) -> String {
    printable(text).to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
