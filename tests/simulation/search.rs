//! Plays many seeds, and tells of those that fail.

use std::{
    env,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use libtest_mimic::Failed;

use crate::{
    determinism::in_virtual_time,
    scenario::Scenario,
    universe::{End, play},
};

/// How many seeds each run plays.
const SEEDS: u64 = 10_000;

/// A long run tells how far it is each time so many were played.
const STAGE: u64 = 50_000;

/// How many of those that fail are shown.
const SHOWN: usize = 200;

/// How many of them are played twice, and compared.
const TWICE: u64 = 100;

/// The seeds that ever failed. They are played first, for ever.
const CORPUS: &str = include_str!("corpus.txt");

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Plays one seed. A panic in it is a violation like any other.
pub(crate) fn run(seed: u64, told: bool) -> End {
    run_scenario(Scenario::of(seed), told)
}

/// Plays one scenario.
pub(crate) fn run_scenario(scenario: Scenario, told: bool) -> End {
    let seed = scenario.seed;
    in_virtual_time(seed, move || Box::pin(play(scenario, told))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        End { violations: vec![format!("panicked: {}", text.unwrap_or_default())], ..End::default() }
    })
}

/// One seed, with its story.
pub(crate) fn replay(seed: u64) -> Result<(), Failed> {
    // The operator's own log, if it is asked for: RUST_LOG=debug.
    let log = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env());
    let _ = log.without_time().try_init();
    let scenario = Scenario::of(seed);
    println!("{scenario:#?}");
    let end = run(seed, true);
    println!("{}", end.story);
    verdict(seed, &end)
}

fn verdict(seed: u64, end: &End) -> Result<(), Failed> {
    if end.violations.is_empty() {
        return Ok(());
    }
    let violations = end.violations.join("\n  ");
    Err(format!(
        "seed {seed} fails:\n  {violations}\nreplay it with its story: SIMULATION_SEED={seed} cargo test --workspace --test simulation -- --nocapture"
    )
    .into())
}

/// Every seed of this run.
pub(crate) fn seeds() -> Result<(), Failed> {
    let (first, count) =
        (number("SIMULATION_FROM").unwrap_or(0), number("SIMULATION_SEEDS").unwrap_or(SEEDS));
    // Who only asks whether anything is found need not wait for all of it.
    let enough =
        number("SIMULATION_ENOUGH").and_then(|enough| usize::try_from(enough).ok()).unwrap_or(usize::MAX);
    let start = Instant::now();
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let totals = Mutex::new((0_usize, 0_usize, 0_f64, 0_u64));
    let is_enough = |failed: &[(u64, Failed)]| failed.len() >= enough;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count
                        || is_enough(&failed.lock().unwrap_or_else(PoisonError::into_inner))
                    {
                        return;
                    }
                    let end = run(seed, false);
                    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                    totals.0 += end.requests;
                    totals.1 += end.lives;
                    totals.2 += end.lasted.as_secs_f64() / 3600.0;
                    totals.3 += 1;
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Err(failure) = verdict(seed, &end) {
                        failed.push((seed, failure));
                    }
                    let played = seed + 1 - first;
                    if played % STAGE == 0 && played < count {
                        println!("simulation: {played} of {count} seeds, {} failed", failed.len());
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (requests, lives, hours, played) = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "figures: simulation: {played} seeds, {} failed; {hours:.0} virtual hours, {lives} lives of the operator, {requests} requests, in {:.0} s",
        failed.len(),
        start.elapsed().as_secs_f64()
    );
    failed.sort_by_key(|(seed, _)| *seed);
    let words = |failure: &Failed| failure.message().unwrap_or_default().to_owned();
    let Some(first) = failed.first().map(|(_, failure)| words(failure)) else { return Ok(()) };
    let told: Vec<String> = failed
        .iter()
        .take(SHOWN)
        .map(|(seed, failure)| {
            format!("{seed}: {}", words(failure).lines().nth(1).unwrap_or_default().trim())
        })
        .collect();
    Err(format!("{} of {played} seeds fail:\n{}\n{first}", failed.len(), told.join("\n")).into())
}

/// Every seed that ever failed.
pub(crate) fn corpus() -> Result<(), Failed> {
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        if let Some(seed) = line.split_whitespace().next() {
            let seed = seed.parse().map_err(|_| format!("corpus.txt: {line}"))?;
            verdict(seed, &run(seed, false))?;
        }
    }
    Ok(())
}

/// A seed that is played again gives the same bytes.
pub(crate) fn same_seed_same_bytes() -> Result<(), Failed> {
    let first = number("SIMULATION_FROM").unwrap_or(0);
    let differing: Vec<u64> = (first..first + TWICE)
        .filter(|seed| {
            let (one, other) = (run(*seed, false), run(*seed, false));
            one.trace != other.trace || one.violations != other.violations
        })
        .collect();
    println!("figures: simulation: {TWICE} seeds played twice, {} differ", differing.len());
    if differing.is_empty() {
        Ok(())
    } else {
        Err(format!("these seeds differ from run to run: {differing:?}").into())
    }
}
