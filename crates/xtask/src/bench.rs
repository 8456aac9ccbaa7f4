//! `cargo xtask bench`: what N objects cost, in calls, requests, memory and time, beside what is wanted.
//!
//! Counts are the same on every machine; times and memory are of this one.

mod chart;
mod counts;
mod fair;
mod goals;
mod measure;
mod proxy;
mod report;
mod stage;
mod world;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};

use self::fair::Fairness;
use self::measure::Figures;
use self::report::Origin;
use self::stage::Settings;
use self::world::Kind;
use crate::cargo::{self, Programs};
use crate::{terminal, workspace};

/// How many calls of one token are under way at once, by default of the operator.
const CONCURRENCY: usize = 16;

/// Measure what many objects cost: calls to Astra, requests to Kubernetes, memory, time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench                              100, 1,000 and 10,000 objects of each kind (VPC peerings
                                                 1,000 at most); about an hour
  cargo xtask bench --objects 1000 --kind access-list
  cargo xtask bench --quick                      a few objects, counts alone; fails when one has grown (two minutes)
  cargo xtask bench --write-docs                 and write the tables and curves of docs/performance.md

It runs on a control plane of its own against the simulated DevOps API. Everything is printed, and written as JSON to
target/bench.json. The exit code is 0 unless a count is above its goal.")]
pub(crate) struct Args {
    /// Few objects and a short period, in a build that is there already; counts alone are judged.
    #[arg(long, conflicts_with_all = ["write_docs", "objects"])]
    quick: bool,
    /// How many objects.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100,1000,10000")]
    objects: Vec<usize>,
    /// Which kinds; all of them without it.
    #[arg(long = "kind", value_enum, value_name = "KIND")]
    kinds: Vec<Kind>,
    /// How long each answer of Astra takes, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "50")]
    latency: u64,
    /// The operator's period, in seconds.
    #[arg(long, value_name = "S", default_value = "60")]
    resync: u64,
    /// Programs to measure, in place of those of this tree: a directory with astra-operator and astra-simulator.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Write docs/performance.md and its curves.
    #[arg(long)]
    write_docs: bool,
    /// More arguments for the operator.
    #[arg(last = true)]
    operator: Vec<String>,
}

/// `cargo xtask bench`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    terminal::heading("Build");
    let programs = match &args.programs {
        Some(directory) => Programs::of(directory)?,
        None if args.quick => cargo::build("operator and simulator", &["--workspace", "--bins"])?,
        None => cargo::build("operator and simulator, optimised", &["--release", "--workspace", "--bins"])?,
    };
    if args.quick {
        return Ok(if quick(&programs)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let settings = Settings {
        latency: Duration::from_millis(args.latency),
        resync: Duration::from_secs(args.resync),
        arguments: args.operator.clone(),
    };
    let all_kinds = [Kind::AccessList, Kind::PrivateEndpoint, Kind::VpcPeering];
    let kinds = if args.kinds.is_empty() { &all_kinds[..] } else { &args.kinds };
    terminal::heading("Measure");
    let mut all = Vec::new();
    for kind in kinds {
        for objects in &args.objects {
            if *objects > kind.most() {
                terminal::line(&format!("{objects} × {}: left out, {} at most", kind.name(), kind.most()));
                continue;
            }
            all.push(measure::measure(&settings, &programs, *kind, *objects)?);
        }
    }
    // Of all kinds once; who asks for some of them has other questions.
    let fairness = if args.kinds.is_empty() { Some(fair::measure(&settings, &programs)?) } else { None };
    for figures in &all {
        report::print(figures, CONCURRENCY);
    }
    fairness.iter().for_each(Fairness::print);
    let binary = fs::metadata(programs.operator()?).context("no operator")?.len();
    let origin = Origin::here();
    let json = serde_json::to_string_pretty(&report::json(&all, fairness.as_ref(), &origin, binary))?;
    report::write(&output(), &(json + "\n"))?;
    terminal::line(&format!("written: {}", output().display()));
    if args.write_docs {
        let page = report::page(&all, fairness.as_ref(), CONCURRENCY, &origin, binary);
        report::write_page(&all, &page)?;
    }
    let fair = fairness.is_none_or(|fairness| fairness.is_met());
    Ok(if fair && all.iter().all(within_goals) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn output() -> PathBuf {
    workspace::root().join("target/bench.json")
}

/// Counts alone, of few objects.
pub(crate) fn quick(programs: &Programs) -> Result<bool> {
    const OBJECTS: usize = 150;
    let settings = Settings {
        latency: Duration::from_millis(20),
        // Long enough for all to be Ready within one on a slow machine, or more would have to be read.
        resync: Duration::from_secs(12),
        arguments: Vec::new(),
    };
    terminal::heading("Counts of calls and requests");
    let mut met = true;
    for kind in [Kind::AccessList, Kind::PrivateEndpoint] {
        let figures = measure::measure(&settings, programs, kind, OBJECTS)?;
        if !within_goals(&figures) {
            report::print(&figures, CONCURRENCY);
            met = false;
        }
    }
    Ok(met)
}

/// Is every count within its goal?
fn within_goals(figures: &Figures) -> bool {
    let rows = goals::rows(figures, CONCURRENCY);
    rows.iter().filter(|row| row.is_count).all(|row| row.met != Some(false))
}
