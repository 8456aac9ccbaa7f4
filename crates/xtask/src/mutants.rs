//! `cargo xtask mutants`: changes the sources in one small place after the other, and demands that a test notices.
//!
//! cargo-mutants lists the changes ([`list`]). To build anew for each would take a minute for each of more than a
//! thousand; so all are put into a copy of the sources, each behind a switch ([`plant`]), and that is built once
//! ([`build`]). A first run of each test tells which mutants it meets ([`probe`]), and a mutant is only shown to those,
//! the quickest first, until one is red.

mod build;
mod files;
mod list;
mod plant;
mod probe;
mod results;
mod suites;

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};

use self::list::Mutant;
use self::probe::{Bench, Probe, Said};
use self::results::{Fate, Fates, Report};
use crate::terminal::{self, Step};
use crate::workspace;

/// Change the code that decides in one place after the other, and see that a test notices each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask mutants                        all
  cargo xtask mutants engine/guard           those with that in their names: file, line, what is changed
  cargo xtask mutants --missed               those that no test noticed the last time
  cargo xtask mutants --list leader          what there is
  cargo xtask mutants --table                what the last runs found

It needs cargo-mutants for the list. The copy is target/planted; your own files are not touched.")]
pub(crate) struct Args {
    /// Only mutants with one of these in their names.
    filters: Vec<String>,
    /// Only those that were missed the last time.
    #[arg(long)]
    missed: bool,
    /// Print the mutants.
    #[arg(long)]
    list: bool,
    /// Print what is known from earlier runs.
    #[arg(long, conflicts_with = "list")]
    table: bool,
    /// How many of them are tried at a time.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Only show mutants to tests that take no longer than so many seconds: for a first look.
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// How many seeds of the simulation are played for those that nothing else notices.
    #[arg(long, value_name = "N", default_value = "1000")]
    seeds: u32,
}

/// `cargo xtask mutants`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mutants = list::mutants()?;
    let mut fates = results::load();
    let chosen = choose(&mutants, &fates, args);
    if args.list {
        for &at in &chosen {
            terminal::line(mutants[at].name());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !args.table {
        if chosen.is_empty() {
            bail!("there is no such mutant");
        }
        let found = hunt(&mutants, &chosen, &fates, args)?;
        fates.extend(found);
        let there: BTreeSet<String> = mutants.iter().map(Mutant::key).collect();
        fates.retain(|key, _| there.contains(key));
        results::save(&fates)?;
    }
    let argued = fs::read_to_string(workspace::root().join(files::ARGUED)).unwrap_or_default();
    let report = Report::new(&mutants, &fates, &argued);
    report.print(true);
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The numbers of the mutants that are asked for.
fn choose(mutants: &[Mutant], fates: &Fates, args: &Args) -> Vec<usize> {
    let is_asked_for = |mutant: &Mutant| {
        let named = |filter: &String| mutant.name().contains(filter) || mutant.key().contains(filter);
        (args.filters.is_empty() || args.filters.iter().any(named))
            && (!args.missed || fates.get(&mutant.key()).is_none_or(Fate::is_missed))
    };
    mutants.iter().enumerate().filter(|(_, mutant)| is_asked_for(mutant)).map(|(at, _)| at).collect()
}

fn hunt(mutants: &[Mutant], chosen: &[usize], before: &Fates, args: &Args) -> Result<Fates> {
    let step = Step::start(format!("{} mutants, built at once", mutants.len()));
    // Who tries all tries these too: the sources have changed since.
    let is_known = |mutant: &Mutant| {
        (args.missed || !args.filters.is_empty()) && before.get(&mutant.key()) == Some(&Fate::Unviable)
    };
    let known = (0..mutants.len()).filter(|&at| is_known(&mutants[at])).collect();
    let built = build::build(mutants, known, &step)?;
    let unviable: Fates = built.unviable.iter().map(|&at| (mutants[at].key(), Fate::Unviable)).collect();
    keep(&unviable)?;
    step.done(&format!("{} do not compile", built.unviable.len()));
    let bench = Bench { programs: built.programs, seeds: args.seeds };
    let jobs = usize::from(args.jobs);
    let step = Step::start("all tests without a mutant");
    let mut probes = bench.measure(jobs, &step)?;
    step.done(&format!("{} green", probes.len()));
    probes.retain(|probe| args.within.is_none_or(|seconds| probe.time.as_secs() <= seconds));
    let step = Step::start(format!("{} mutants", chosen.len()));
    let (done, missed, found) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Fates::new()));
    let results = probe::in_parallel(jobs, chosen.len(), |at| {
        let number = chosen[at];
        let fate =
            if built.unviable.contains(&number) { Fate::Unviable } else { fate(&bench, &probes, number)? };
        let missed = missed.fetch_add(usize::from(fate.is_missed()), Ordering::Relaxed);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        step.note(format!("{done} tried, {missed} missed"));
        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.insert(mutants[number].key(), fate);
        // An hour's work is not to be lost by a key.
        if done % 50 == 0 {
            keep(&found)?;
        }
        Ok(())
    });
    results.into_iter().collect::<Result<()>>()?;
    step.done("");
    Ok(found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Adds these to what is known from earlier runs.
fn keep(found: &Fates) -> Result<()> {
    let mut all = results::load();
    all.extend(found.clone());
    results::save(&all)
}

/// Shows the mutant to the tests that meet it.
fn fate(bench: &Bench, probes: &[Probe], mutant: usize) -> Result<Fate> {
    let batches = probe::batches(probes, mutant);
    if batches.is_empty() {
        return Ok(Fate::Unmet);
    }
    for batch in batches {
        let program = &bench.programs[batch.program].name;
        match bench.ask(mutant, &batch)? {
            Said::Green => {}
            Said::Red(test) => return Ok(Fate::Caught(format!("{program}: {test}"))),
            Said::Hangs => return Ok(Fate::Hangs(format!("{program}: {}", batch.tests.join(" ")))),
        }
    }
    Ok(Fate::Survived)
}

#[cfg(test)]
mod tests {
    use super::list::Genre;
    use super::list::tests::mutant;
    use super::*;

    #[test]
    fn mutants_are_chosen_by_name_and_by_what_became_of_them() {
        let text = "a == b; c && d";
        let mutants = [
            mutant(Genre::BinaryOperator, text, "==", "!="),
            mutant(Genre::BinaryOperator, text, "&&", "||"),
        ];
        let args = |filters: &[&str], missed| Args {
            filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
            missed,
            list: false,
            table: false,
            jobs: 1,
            within: None,
            seeds: 1,
        };
        let none = Fates::new();
        assert_eq!(choose(&mutants, &none, &args(&[], false)), [0, 1]);
        assert_eq!(choose(&mutants, &none, &args(&["&& with"], false)), [1]);
        assert_eq!(choose(&mutants, &none, &args(&["src/a.rs:1"], false)), [0, 1]);
        assert!(choose(&mutants, &none, &args(&["no such"], false)).is_empty());
        let caught = Fates::from([(mutants[0].key(), Fate::Caught("a test".to_owned()))]);
        assert_eq!(choose(&mutants, &caught, &args(&[], true)), [1]);
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        for file in files::SAFETY.iter().chain(files::CRATES.iter().map(|(head, _)| head)) {
            assert!(workspace::root().join(file).exists(), "{file}");
        }
    }
}
