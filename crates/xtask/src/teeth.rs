//! `cargo xtask teeth`: plants bugs, one at a time, and demands that the tests find each.
//!
//! Thousands of green seeds prove nothing while nobody knows what would turn them red. So the worst mistakes that this
//! operator could make are kept as data ([`bugs`]), all are made in a copy of the sources ([`crate::tree`]), each behind a switch,
//! and the suite that has to find a bug is run there with that one switched on ([`hunt`]).

mod bug;
mod bugs;
mod hunt;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use self::bug::{Bug, Suite};
use self::hunt::{Finding, Hunter};
use crate::terminal::{self, DIM, GREEN, RED, Step};
use crate::tree::Tree;
use crate::workspace;

/// The widest text that is shown of what a test said.
const WIDEST: usize = 88;

/// Plant bugs in a copy of the sources, and see that the tests find each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask teeth                       every bug
  cargo xtask teeth announces-nothing     one of them
  cargo xtask teeth --list                what there is
  cargo xtask teeth --suite simulation    those that the simulation has to find
  cargo xtask teeth --seeds 200           with fewer seeds

The copy is target/planted/tree; your own files are not touched. All bugs are built at once, each behind a switch.")]
pub(crate) struct Args {
    /// Which; all if none is named.
    bugs: Vec<String>,
    /// Only the bugs that this suite has to find.
    #[arg(long, value_enum)]
    suite: Option<Suite>,
    /// Within how many seeds the simulation has to find a bug.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// End the simulation's search for a bug when so many seeds have found it.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    enough: u32,
    /// Print the bugs.
    #[arg(long)]
    list: bool,
}

/// `cargo xtask teeth`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let chosen = choose(&bugs::all(), args)?;
    if args.list {
        for bug in chosen {
            terminal::line(&format!("{:<36} {DIM}{:<11}{DIM:#}{}", bug.name, bug.suite.name(), bug.danger));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let start = Instant::now();
    // All, whichever are asked for: another choice is no reason to build again.
    let tree = Tree::copy(&workspace::root(), |file, bytes| bug::planted(file, bytes, &bugs::all()))?;
    let hunter = Hunter { tree: &tree, seeds: args.seeds, enough: args.enough };
    let mut results = BTreeMap::new();
    for suite in chosen.iter().map(|bug| bug.suite).collect::<BTreeSet<_>>() {
        terminal::heading(suite.name());
        let step = Step::start("all switched off");
        match hunter.prove(suite, &step)? {
            Finding::Nothing => step.done("green"),
            Finding::Red { first, .. } => bail!("{} is red without any bug: {first}", suite.name()),
            Finding::Hangs => bail!("{} does not end, without any bug", suite.name()),
            Finding::Unclear(words) => bail!("{} cannot be run:\n{words}", suite.name()),
        };
        for bug in chosen.iter().filter(|bug| bug.suite == suite) {
            let step = Step::start(bug.name);
            let finding = hunter.run(suite, Some(bug))?;
            let time = step.done(&finding.in_short());
            results.insert(bug.name, (finding, time));
        }
    }
    terminal::heading("Summary");
    let missed = report(&chosen, &results);
    terminal::line(&format!(
        "{} of {} bugs found in {}",
        chosen.len() - missed,
        chosen.len(),
        terminal::duration(start.elapsed())
    ));
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The bugs that are asked for, in the order of the table.
fn choose(all: &[&'static Bug], args: &Args) -> Result<Vec<&'static Bug>> {
    if let Some(unknown) = args.bugs.iter().find(|name| all.iter().all(|bug| bug.name != **name)) {
        let known: Vec<_> = all.iter().map(|bug| bug.name).collect();
        bail!("there is no bug {unknown}; there are {}", known.join(", "));
    }
    let is_asked_for = |bug: &&&Bug| {
        (args.bugs.is_empty() || args.bugs.iter().any(|name| name == bug.name))
            && args.suite.is_none_or(|suite| suite == bug.suite)
    };
    let chosen: Vec<_> = all.iter().filter(is_asked_for).copied().collect();
    if chosen.is_empty() {
        bail!("none of these bugs is for that suite");
    }
    Ok(chosen)
}

/// One line for each bug, and how many were not found.
fn report(chosen: &[&Bug], results: &BTreeMap<&str, (Finding, Duration)>) -> usize {
    let mut missed = 0;
    for bug in chosen {
        let Some((finding, time)) = results.get(bug.name) else { continue };
        let head = format!("{:<36} {:<11}", bug.name, bug.suite.name());
        let time = terminal::duration(*time);
        match finding {
            Finding::Red { failing, of, first } => {
                let of = of.map_or_else(String::new, |of| format!(" of {of}"));
                let count = format!("{failing}{of}");
                let first = shortened(first);
                terminal::line(&format!(
                    "{GREEN}found{GREEN:#}  {head} {count:>12}  {DIM}{time:>12}  {first}{DIM:#}"
                ));
            }
            Finding::Hangs => {
                terminal::line(&format!(
                    "{GREEN}found{GREEN:#}  {head} {:>12}  {DIM}{time:>12}  it does not end{DIM:#}",
                    ""
                ));
            }
            Finding::Nothing => {
                missed += 1;
                terminal::line(&format!("{RED}missed{RED:#} {head} {:>12}  {time:>12}  {}", "", bug.danger));
            }
            Finding::Unclear(words) => {
                missed += 1;
                terminal::line(&format!("{RED}broken{RED:#} {head}: it says nothing"));
                terminal::block(words);
            }
        }
    }
    missed
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(WIDEST).collect();
    if text.chars().count() > WIDEST {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn args(bugs: &[&str], suite: Option<Suite>) -> Args {
        Args {
            bugs: bugs.iter().map(|name| (*name).to_owned()).collect(),
            suite,
            seeds: 1,
            enough: 1,
            list: false,
        }
    }

    /// So that who changes the code hears at once that a bug can no longer be planted there.
    #[test]
    fn every_bug_can_be_planted_in_the_sources() {
        let mut sources = BTreeMap::new();
        for bug in bugs::all() {
            let read = || fs::read_to_string(workspace::root().join(bug.file)).unwrap();
            let source = sources.entry(bug.file).or_insert_with(read);
            let product = source.split("\n#[cfg(test)]\nmod tests").next().unwrap();
            assert!(product.contains(bug.find), "{} is not planted in the product", bug.name);
            *source = bug.plant(source).unwrap();
            assert!(source.contains(&format!("{:?}", bug.name)), "{} has no switch", bug.name);
        }
    }

    #[test]
    fn there_are_enough_bugs_and_each_has_its_own_name() {
        let all = bugs::all();
        let names: BTreeSet<_> = all.iter().map(|bug| bug.name).collect();
        assert_eq!(names.len(), all.len());
        let by_simulation =
            all.iter().filter(|bug| matches!(bug.suite, Suite::Simulation | Suite::Perils)).count();
        assert!(by_simulation >= 25, "only {by_simulation}");
    }

    #[test]
    fn bugs_are_chosen_by_name_and_suite() {
        let all = bugs::all();
        assert_eq!(choose(&all, &args(&[], None)).unwrap().len(), all.len());
        let one = all[3].name;
        let chosen = choose(&all, &args(&[one], None)).unwrap();
        assert_eq!(chosen.iter().map(|bug| bug.name).collect::<Vec<_>>(), [one]);
        let only = choose(&all, &args(&[], Some(Suite::Unit))).unwrap();
        assert!(!only.is_empty() && only.iter().all(|bug| bug.suite == Suite::Unit));
        let error = choose(&all, &args(&["no-such-bug"], None)).unwrap_err().to_string();
        assert!(error.contains("no bug no-such-bug") && error.contains(one), "{error}");
    }

    #[test]
    fn what_was_missed_is_counted() {
        let chosen: Vec<_> = bugs::all().into_iter().take(3).collect();
        let red = Finding::Red { failing: 7, of: Some(1000), first: "x".repeat(200) };
        let findings = [red, Finding::Nothing, Finding::Unclear("error: no such test".into())];
        let results = chosen.iter().map(|bug| bug.name).zip(findings.map(|f| (f, Duration::ZERO))).collect();
        assert_eq!(report(&chosen, &results), 2);
        assert_eq!(shortened(&"x".repeat(200)).chars().count(), WIDEST + 1);
        assert_eq!(shortened("short"), "short");
    }
}
