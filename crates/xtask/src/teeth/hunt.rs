//! Runs a suite in the copy, and reads its verdict.

use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::bug::{Bug, SWITCH, Suite};
use crate::process::{self, Ended};
use crate::terminal::Step;
use crate::toolchain;
use crate::tree::Tree;

/// How much is shown of what a program said that came to no verdict.
const LAST_WORDS: usize = 30;

/// No suite takes as long as this without a bug. With one it may wait for ever for what the bug has taken away.
const PATIENCE: Duration = Duration::from_mins(15);

/// Runs suites in the copy.
#[derive(Debug)]
pub(super) struct Hunter<'a> {
    pub(super) tree: &'a Tree,
    /// How many seeds the simulation plays at the most.
    pub(super) seeds: u32,
    /// So many that fail end its search.
    pub(super) enough: u32,
}

/// What a suite made of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Green.
    Nothing,
    /// Red, by the verdict of tests: so many failed (of so many seeds), and this is what the first one said.
    Red { failing: usize, of: Option<usize>, first: String },
    /// It did not end: whoever waits for it looks for the reason.
    Hangs,
    /// No verdict: it does not compile, or died before one.
    Unclear(String),
}

impl Finding {
    /// In a few words, for the line of a step.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Nothing => "NOT found".to_owned(),
            Self::Red { failing, of: Some(seeds), .. } => format!("found by {failing} of {seeds}"),
            Self::Red { failing, of: None, .. } => format!("found by {failing} tests"),
            Self::Hangs => "found: it does not end".to_owned(),
            Self::Unclear(_) => "no verdict".to_owned(),
        }
    }
}

impl Hunter<'_> {
    /// Builds the suite, and runs it without a bug. What is red anyway finds nothing.
    pub(super) fn prove(&self, suite: Suite, step: &Step) -> Result<Finding> {
        step.note("building".to_owned());
        // Apart, because a mistake that does not compile is not one that a test has found.
        let mut words = Vec::new();
        let mut command = self.cargo(suite, &["--no-run"]);
        if !process::lines(&mut command, |line| words.push(line.to_owned()))?.success() {
            return Ok(Finding::Unclear(words.join("\n")));
        }
        step.note("testing".to_owned());
        self.run(suite, None)
    }

    /// Runs the suite, with this bug or with none.
    pub(super) fn run(&self, suite: Suite, bug: Option<&Bug>) -> Result<Finding> {
        let mut command = self.cargo(suite, &["--no-fail-fast"]);
        command.arg("--").args(suite.arguments()).env(SWITCH, bug.map_or("", |bug| bug.name));
        let mut words = Vec::new();
        let see = |line: &str| {
            words.push(line.to_owned());
            ControlFlow::Continue(())
        };
        Ok(match process::lines_within(&mut command, PATIENCE, see)? {
            Ended::Itself(status) => read(status.success(), &words),
            Ended::TooLong | Ended::Enough => Finding::Hangs,
        })
    }

    /// `cargo test` in the copy.
    fn cargo(&self, suite: Suite, flags: &[&str]) -> Command {
        let mut command = toolchain::cargo();
        command.current_dir(self.tree.folder()).env("CARGO_TARGET_DIR", self.tree.target());
        command.args(["test", "--workspace", "--color", "never", "--quiet"]).args(suite.target()).args(flags);
        command.env("SIMULATION_SEEDS", self.seeds.to_string());
        command.env("SIMULATION_ENOUGH", self.enough.to_string());
        command
    }
}

/// The verdict, from what a test program said.
fn read(green: bool, words: &[String]) -> Finding {
    if green {
        return Finding::Nothing;
    }
    if let Some(finding) = words.iter().enumerate().find_map(|(at, line)| seeds(line, words.get(at + 1))) {
        return finding;
    }
    let failed: Vec<(usize, &str)> =
        words.iter().enumerate().filter_map(|(at, line)| Some((at, test(line)?))).collect();
    match failed.first() {
        Some((at, test)) => {
            let said = words[at + 1..].iter().map(|line| line.trim()).find(|line| is_said(line));
            let first = format!("{test}: {}", said.unwrap_or_default());
            Finding::Red { failing: failed.len(), of: None, first }
        }
        None => Finding::Unclear(words[words.len().saturating_sub(LAST_WORDS)..].join("\n")),
    }
}

/// The test that failed, of the line above its output.
fn test(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" ----")?.split_whitespace().next()
}

/// Does the line say more than that a test failed?
fn is_said(line: &str) -> bool {
    !line.is_empty() && !line.starts_with("thread '") && !line.ends_with(" fails:")
}

/// `37 of 1000 seeds fail:` (or `perils`), and below it the first of them with what was violated.
fn seeds(line: &str, next: Option<&String>) -> Option<Finding> {
    let (failing, of) = line.trim().strip_suffix(" fail:")?.split_once(" of ")?;
    let (of, what) = of.split_once(' ')?;
    // The test's own words come after the name of what failed.
    let failing = failing.rsplit(' ').next()?.parse().ok()?;
    let first =
        next.map(|line| format!("{} {}", what.trim_end_matches('s'), line.trim())).unwrap_or_default();
    Some(Finding::Red { failing, of: Some(of.parse().ok()?), first })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn the_first_seed_that_fails_is_told() {
        let text = "running 1 test\nsimulation: 1000 seeds, 37 failed; 9 virtual hours\n\nfailures:\n\n---- seeds ----\n37 of 1000 seeds fail:\n4: removed what is not owned\n9: other\nseed 4 fails:\n";
        let red = Finding::Red {
            failing: 37,
            of: Some(1000),
            first: "seed 4: removed what is not owned".to_owned(),
        };
        assert_eq!(read(false, &lines(text)), red);
        assert_eq!(read(true, &lines(text)), Finding::Nothing, "cargo has the last word");
    }

    #[test]
    fn tests_that_failed_are_counted() {
        let text = "running 9 tests\n....F\nfailures:\n\n---- retry::tests::a_post stdout ----\nassertion failed\n\n---- b stdout ----\n";
        let first = "retry::tests::a_post: assertion failed".to_owned();
        assert_eq!(read(false, &lines(text)), Finding::Red { failing: 2, of: None, first });
    }

    #[test]
    fn who_came_to_no_verdict_has_found_nothing() {
        let Finding::Unclear(words) = read(false, &lines("error: process didn't exit: signal 9")) else {
            panic!("a verdict");
        };
        assert_eq!(words, "error: process didn't exit: signal 9");
    }
}
