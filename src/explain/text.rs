//! An explanation for people at a terminal.

mod astra;

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use k8s_openapi::jiff::Timestamp;

use super::{Explanation, lease::LeaseState, secret::SecretState};
use crate::{
    overview::{
        standing::State as Standing,
        text::{age, shown},
    },
    preview::{
        report::{self, State},
        text::{Detail, step},
    },
    text::printable,
};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// The most entries of one list that are shown; `-o json` has them all.
const MOST: usize = 12;

/// The explanation with its colours, as ANSI sequences: whoever prints it takes them away where there is no terminal.
#[must_use]
pub fn text(explanation: &Explanation, now: Timestamp, calls: bool) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = Page { out: &mut out, now, calls }.write(explanation);
    out
}

struct Page<'a> {
    out: &'a mut String,
    now: Timestamp,
    calls: bool,
}

impl Page<'_> {
    fn write(&mut self, it: &Explanation) -> fmt::Result {
        self.head(it)?;
        self.object(it)?;
        self.credentials(it)?;
        self.conditions(it)?;
        self.astra(it)?;
        self.plan(it)?;
        self.owns(it)?;
        self.events(it)?;
        self.operator(it)?;
        if !it.notes.is_empty() {
            self.section("Not shown")?;
            for note in &it.notes {
                self.line(&printable(note))?;
            }
        }
        self.advice(it)
    }

    fn section(&mut self, title: &str) -> fmt::Result {
        writeln!(self.out, "\n{BOLD}{title}{BOLD:#}")
    }

    fn line(&mut self, text: &str) -> fmt::Result {
        writeln!(self.out, "  {text}")
    }

    /// `3m ago`; nothing for what is no time.
    fn ago(&self, time: &str) -> String {
        time.parse().map_or_else(|_| String::new(), |then| format!("{} ago", age(self.now, then)))
    }

    fn head(&mut self, it: &Explanation) -> fmt::Result {
        let (style, mark, word) = shown(it.standing.state);
        let (namespace, name) = (printable(&it.namespace), printable(&it.name));
        write!(self.out, "{BOLD}{} {namespace}/{name}{BOLD:#}  {style}{mark} {word}{style:#}", it.kind)?;
        if it.ready {
            return writeln!(self.out);
        }
        writeln!(self.out, "  {}", printable(&it.standing.reason))?;
        // What a condition says stands there.
        if it.conditions.iter().any(|condition| condition.message == it.standing.message) {
            return Ok(());
        }
        self.line(&printable(&it.standing.message))
    }

    fn object(&mut self, it: &Explanation) -> fmt::Result {
        let object = &it.object;
        self.section("Object")?;
        let generation = object.generation;
        match object.observed_generation.filter(|observed| *observed >= 0) {
            _ if object.looked_at => {
                self.line(&format!("generation {generation}, which the operator has looked at"))?;
            }
            Some(observed) => self.line(&format!(
                "{YELLOW}generation {generation}; the operator has only looked at {observed}{YELLOW:#}"
            ))?,
            None => self
                .line(&format!("{YELLOW}generation {generation}; no operator has looked at it{YELLOW:#}"))?,
        }
        let management =
            object.management.as_ref().map_or_else(String::new, |it| format!("{}, ", printable(it)));
        let created = self.ago(&object.created);
        self.line(&format!(
            "made {created}; {management}when it is deleted: {}",
            printable(&object.deletion_policy)
        ))?;
        if let Some(since) = &object.deleting_since {
            let ago = self.ago(since);
            self.line(&format!("{YELLOW}its deletion was asked for {ago}{YELLOW:#}"))?;
        }
        if !object.other_finalizers.is_empty() {
            let others = object.other_finalizers.join(", ");
            self.line(&format!(
                "its deletion also waits for the finalizers of others: {}",
                printable(&others)
            ))?;
        }
        for annotation in &object.annotations {
            let (name, value) = (printable(&annotation.name), printable(&annotation.value));
            self.line(&format!("{name}={value}: {}", printable(&annotation.meaning)))?;
        }
        Ok(())
    }

    fn credentials(&mut self, it: &Explanation) -> fmt::Result {
        self.section("Secret")?;
        let style = match it.credentials.state {
            SecretState::Usable => Style::new(),
            SecretState::Wrong => RED,
            SecretState::Unknown => YELLOW,
        };
        let message = it.credentials.message.strip_prefix("Secret ").unwrap_or(&it.credentials.message);
        self.line(&format!("{style}{}{style:#}", printable(message)))
    }

    fn conditions(&mut self, it: &Explanation) -> fmt::Result {
        self.section("Conditions")?;
        if it.conditions.is_empty() {
            return self.line("none yet");
        }
        let width =
            it.conditions.iter().map(|condition| condition.type_.chars().count()).max().unwrap_or_default();
        let mut told: Vec<(&str, &str)> = Vec::new();
        for condition in &it.conditions {
            let ago = self.ago(&condition.since);
            let ago = if ago.is_empty() { ago } else { format!(", for {}", ago.trim_end_matches(" ago")) };
            let line = format!(
                "{:<width$}  {:<5}  {}{DIM}{ago}{DIM:#}",
                printable(&condition.type_),
                printable(&condition.status),
                printable(&condition.meaning),
            );
            self.line(&line)?;
            let words = (condition.reason.as_str(), condition.message.as_str());
            // Stalled and Reconciling say what Ready says.
            if !told.contains(&words) {
                let gap = " ".repeat(width + 9);
                self.line(&format!("{gap}{}: {}", printable(words.0), printable(words.1)))?;
                told.push(words);
            }
        }
        Ok(())
    }

    fn more(&mut self, all: usize) -> fmt::Result {
        if all > MOST { self.line(&format!("  and {} more (-o json shows all)", all - MOST)) } else { Ok(()) }
    }

    fn plan(&mut self, it: &Explanation) -> fmt::Result {
        let Some(plan) = &it.plan else { return Ok(()) };
        let paused = it.standing.state == Standing::Paused;
        self.section(if paused { "Next plan, once the pause ends" } else { "Next plan" })?;
        if !it.beside.is_empty() {
            let line = format!("{DIM}made beside {}{DIM:#}", printable(&it.beside.join(", ")));
            self.line(&line)?;
        }
        let mut round = 1;
        for one in &plan.steps {
            if one.round != round {
                self.line(&format!("{DIM}when Astra shows that:{DIM:#}"))?;
                round = one.round;
            }
            step(self.out, one, Detail { calls: self.calls })?;
        }
        for notice in &plan.notices {
            self.line(&format!("{YELLOW}notice:{YELLOW:#} {}", printable(notice)))?;
        }
        self.outcome(&plan.outcome, plan.steps.is_empty())
    }

    fn outcome(&mut self, outcome: &report::Outcome, idle: bool) -> fmt::Result {
        let (style, word) = match outcome.state {
            State::Ready if idle => (GREEN, "nothing is to be sent"),
            State::Ready => (GREEN, "then it is ready"),
            State::Waiting => (YELLOW, "it waits"),
            State::Blocked => (RED, "blocked"),
            State::Gone => (YELLOW, "then it is gone"),
            State::Paused => (DIM, "paused"),
        };
        self.line(&format!("{style}{word}:{style:#} {}", printable(&outcome.in_words())))
    }

    fn owns(&mut self, it: &Explanation) -> fmt::Result {
        self.section("Owns in Astra")?;
        if it.owns.is_empty() {
            self.line("nothing")?;
        }
        for owned in it.owns.iter().take(MOST) {
            self.line(&printable(owned))?;
        }
        self.more(it.owns.len())?;
        if let Some(announced) = &it.in_flight {
            let ago = self.ago(&announced.since.0.to_string());
            let steps = announced.steps.join("; ");
            self.line(&format!("{YELLOW}announced {ago}, not seen yet:{YELLOW:#} {}", printable(&steps)))?;
        }
        if !it.leaves_alone.is_empty() {
            let all: Vec<&str> = it.leaves_alone.iter().take(MOST).map(String::as_str).collect();
            self.line(&format!("leaves alone what is there of others: {}", printable(&all.join(", "))))?;
            self.more(it.leaves_alone.len())?;
        }
        Ok(())
    }

    fn events(&mut self, it: &Explanation) -> fmt::Result {
        if it.events.is_empty() {
            return Ok(());
        }
        self.section("Events")?;
        let width = it.events.iter().map(|event| event.reason.chars().count()).max().unwrap_or_default();
        for event in &it.events {
            let style = if event.type_ == "Warning" { YELLOW } else { Style::new() };
            let ago = self.ago(&event.time);
            let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
            self.line(&format!(
                "{DIM}{ago:>9}{DIM:#}  {style}{:<width$}{style:#}  {}{times}",
                printable(&event.reason),
                printable(&event.note),
            ))?;
        }
        Ok(())
    }

    fn operator(&mut self, it: &Explanation) -> fmt::Result {
        self.section("Operator")?;
        let operator = &it.operator;
        if let Some(problem) = &operator.problem {
            return self.line(&format!("{YELLOW}{}{YELLOW:#}", printable(problem)));
        }
        let style = if operator.state == LeaseState::Works { GREEN } else { YELLOW };
        self.line(&format!("Lease {}: {style}{}{style:#}", printable(&operator.lease), operator.state))?;
        if let Some(holder) = &operator.holder {
            let renewed = operator.renewed.as_ref().map_or_else(String::new, |time| self.ago(time));
            self.line(&format!("held by {}, renewed {renewed}", printable(holder)))?;
        }
        Ok(())
    }

    fn advice(&mut self, it: &Explanation) -> fmt::Result {
        self.section("What to do now")?;
        for advised in &it.advice {
            self.line(&printable(&advised.text))?;
            if let Some(command) = &advised.command {
                self.line(&format!("  {}", printable(command)))?;
            }
        }
        Ok(())
    }
}
