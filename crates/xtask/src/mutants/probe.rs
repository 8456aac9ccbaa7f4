//! Runs single tests: first to learn which mutants each of them meets and how long it takes, then to ask whether it
//! notices one.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::build::Program;
use super::plant::{MET, ON};
use super::suites::{SETTINGS, SUITES};
use crate::process::{self, Ended, Scratch};
use crate::terminal::Step;
use crate::workspace;

/// However short a test is without a mutant.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much longer than without a mutant a test may take, for what else the machine has to do, and for what a mutant
/// merely slows.
const FACTOR: u32 = 8;

/// A test, and what is known of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Probe {
    /// Which of the programs.
    pub(super) program: usize,
    pub(super) test: String,
    /// How long it takes.
    pub(super) time: Duration,
    /// The mutants that it meets. Those that it does not meet it cannot notice.
    pub(super) met: BTreeSet<usize>,
}

/// What was learned of which programs.
type Known = (Vec<(PathBuf, SystemTime)>, Vec<Probe>);

/// What a run of tests said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing is wrong.
    Green,
    /// This test failed, or the program did.
    Red(String),
    /// They did not come to an end.
    Hangs,
}

/// What there is to be run.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) programs: Vec<Program>,
    pub(super) seeds: u32,
}

impl Bench {
    fn command(&self, program: usize) -> Command {
        let program = &self.programs[program];
        let mut command = Command::new(&program.path);
        command.current_dir(&program.folder).envs(SETTINGS.iter().copied());
        // As cargo does: golden files are found by it.
        command.env("CARGO_MANIFEST_DIR", &program.folder);
        command.env("SIMULATION_SEEDS", self.seeds.to_string());
        command
    }

    /// All tests, each run once alone without a mutant; of an earlier run, if the programs are the same.
    ///
    /// # Errors
    /// When one of them is red: it would notice everything.
    pub(super) fn measure(&self, jobs: usize, step: &Step) -> Result<Vec<Probe>> {
        let known = workspace::root().join("target/planted/probes.json");
        let built = self.built()?;
        let read = || -> Option<Known> { serde_json::from_slice(&fs::read(&known).ok()?).ok() };
        if let Some((_, probes)) = read().filter(|(of, _)| *of == built) {
            return Ok(probes);
        }
        let probes = self.measure_anew(jobs, step)?;
        let text = serde_json::to_vec(&(built, &probes)).context("cannot write down what tests meet")?;
        fs::write(&known, text).context("cannot keep what tests meet in target/planted")?;
        Ok(probes)
    }

    /// The programs, and when each was built.
    fn built(&self) -> Result<Vec<(PathBuf, SystemTime)>> {
        let when = |program: &Program| Ok((program.path.clone(), fs::metadata(&program.path)?.modified()?));
        self.programs.iter().map(when).collect::<std::io::Result<_>>().context("a test program is gone")
    }

    fn measure_anew(&self, jobs: usize, step: &Step) -> Result<Vec<Probe>> {
        let mut all = Vec::new();
        for program in 0..self.programs.len() {
            all.extend(self.tests(program)?.into_iter().map(|test| (program, test)));
        }
        let scratch = Scratch::new()?;
        let probes = in_parallel(jobs, all.len(), |at| {
            step.note(format!("{at} of {} tests", all.len()));
            let (program, test) = &all[at];
            let met = scratch.path().join(at.to_string());
            let start = Instant::now();
            let mut command = self.command(*program);
            command.env(MET, &met);
            let said = listen(command.args(["--exact", test]), Duration::from_mins(10))?;
            if said != Said::Green {
                bail!(
                    "{}: {test} is not green without a mutant: {said:?}; run it in the copy, target/planted/tree",
                    self.programs[*program].name
                );
            }
            let time = start.elapsed();
            // Who meets none writes no file.
            let numbers = fs::read_to_string(&met).unwrap_or_default();
            let met =
                numbers.lines().map(str::parse).collect::<Result<_, _>>().context("a number was cut")?;
            Ok(Probe { program: *program, test: test.clone(), time, met })
        });
        probes.into_iter().collect()
    }

    fn tests(&self, program: usize) -> Result<Vec<String>> {
        let output = self.command(program).args(["--list", "--format", "terse"]).output();
        let output = output.with_context(|| format!("cannot run {}", self.programs[program].name))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let suite = SUITES.iter().find(|suite| suite.target == self.programs[program].name);
        let without = suite.map_or(&[][..], |suite| suite.without);
        let tests = text.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(tests.filter(|test| !without.contains(test)).map(ToOwned::to_owned).collect())
    }

    /// What these tests of one program say to this mutant.
    pub(super) fn ask(&self, mutant: usize, batch: &Batch<'_>) -> Result<Said> {
        let mut command = self.command(batch.program);
        command.env(ON, mutant.to_string()).arg("--exact").args(&batch.tests);
        listen(&mut command, PATIENCE + batch.time * FACTOR)
    }
}

/// Tests of one program that are run together.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) program: usize,
    pub(super) tests: Vec<&'a str>,
    pub(super) time: Duration,
}

/// A test that takes longer is run alone.
const SHORT: Duration = Duration::from_millis(500);

/// The tests that meet the mutant, the quickest first.
pub(super) fn batches(probes: &[Probe], mutant: usize) -> Vec<Batch<'_>> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for probe in probes.iter().filter(|probe| probe.met.contains(&mutant)) {
        let with = |batch: &&mut Batch<'_>| batch.program == probe.program && batch.time < SHORT * 4;
        match batches.iter_mut().find(with).filter(|_| probe.time < SHORT) {
            Some(batch) => {
                batch.tests.push(&probe.test);
                batch.time += probe.time;
            }
            None => {
                batches.push(Batch { program: probe.program, tests: vec![&probe.test], time: probe.time });
            }
        }
    }
    batches.sort_by_key(|batch| batch.time);
    batches
}

/// Runs the command until a test of it fails.
fn listen(command: &mut Command, limit: Duration) -> Result<Said> {
    let mut red = None;
    let ended = process::lines_within(command, limit, |line| {
        red = red.take().or_else(|| failed(line));
        if red.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(match (ended, red) {
        (Ended::TooLong, _) => Said::Hangs,
        (_, Some(test)) => Said::Red(test),
        (Ended::Itself(status), None) if !status.success() => Said::Red(format!("the program ({status})")),
        (Ended::Itself(_) | Ended::Enough, None) => Said::Green,
    })
}

/// The test that failed, of the line that says so.
fn failed(line: &str) -> Option<String> {
    let test = line.strip_prefix("test ")?.strip_suffix("FAILED")?;
    Some(test.trim_end().trim_end_matches(" ...").to_owned())
}

/// `work` for each number below `count`, so many at a time.
pub(super) fn in_parallel<T: Send>(jobs: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let result = work(at);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(program: usize, test: &str, millis: u64, met: &[usize]) -> Probe {
        let met = met.iter().copied().collect();
        Probe { program, test: test.to_owned(), time: Duration::from_millis(millis), met }
    }

    #[test]
    fn quick_tests_that_meet_a_mutant_are_asked_together_and_first() {
        let probes = [
            probe(1, "slow", 9_000, &[1, 2]),
            probe(0, "a", 10, &[1]),
            probe(0, "b", 10, &[2]),
            probe(0, "c", 10, &[1, 2]),
            probe(1, "d", 5, &[1]),
        ];
        let of = |mutant| -> Vec<(usize, Vec<&str>)> {
            batches(&probes, mutant).into_iter().map(|batch| (batch.program, batch.tests)).collect()
        };
        assert_eq!(of(1), [(1, vec!["d"]), (0, vec!["a", "c"]), (1, vec!["slow"])]);
        assert_eq!(of(2), [(0, vec!["b", "c"]), (1, vec!["slow"])]);
        assert!(of(3).is_empty());
    }

    #[test]
    fn the_first_test_that_fails_is_enough() {
        let say = |script: &str| {
            let mut command = Command::new("sh");
            listen(command.args(["-c", script]), Duration::from_millis(700)).unwrap()
        };
        assert_eq!(say("echo 'test a::b ... ok'"), Said::Green);
        assert_eq!(say("echo 'test a::b ... FAILED'; sleep 60"), Said::Red("a::b".to_owned()));
        assert_eq!(say("exit 101"), Said::Red("the program (exit status: 101)".to_owned()));
        assert_eq!(say("sleep 60"), Said::Hangs);
    }

    #[test]
    fn parallel_results_are_in_order() {
        assert_eq!(in_parallel(3, 50, |at| at * 2), (0..50).map(|at| at * 2).collect::<Vec<_>>());
    }
}
