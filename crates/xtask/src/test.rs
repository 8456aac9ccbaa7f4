//! `cargo xtask test`: everything that needs no cluster, then the live tests on a control plane of their own.

mod tally;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use self::tally::Tally;
use crate::cargo::{self, Programs};
use crate::cluster::Cluster;
use crate::process::{self, Scratch};
use crate::{demo, terminal, toolchain};

/// The test files that need a cluster (their tests are ignored without one).
const LIVE: [&str; 3] = ["live", "cel", "conformance"];

/// Run all tests: first those that need nothing, then the live ones on a real API server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask test                            everything
  cargo xtask test --no-live                  what needs no control plane (and no Go)
  cargo xtask test --live-only -- access_list only live tests with access_list in their name
  KUBEBUILDER_ASSETS=DIR cargo xtask test     use etcd and kube-apiserver of DIR; nothing is built with Go")]
pub(crate) struct Args {
    /// Only the tests that need a control plane.
    #[arg(long, conflicts_with = "no_live")]
    live_only: bool,
    /// Only the tests that need no control plane.
    #[arg(long)]
    no_live: bool,
    /// Handed to the test programs: part of the names of the tests to run, or their flags.
    #[arg(last = true)]
    filter: Vec<String>,
}

/// `cargo xtask test`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let start = Instant::now();
    terminal::heading("Build");
    // Everything at once and with the same choice of packages as below, so that nothing is compiled twice.
    let programs = cargo::build("workspace and tests", &["--workspace", "--all-targets"])?;
    let mut tally = Tally::default();
    let mut sound = true;
    if !args.live_only {
        terminal::heading("Tests without a cluster");
        let mut command = test_command();
        command.arg("--").args(&args.filter);
        sound &= run_tests(&mut command, &mut tally)?;
    }
    if !args.no_live {
        terminal::heading("Tests on a real API server");
        sound &= run_live(args, &programs, &mut tally)?;
        // The README's first command is a test too; a choice of tests leaves it out.
        if args.filter.is_empty() {
            terminal::heading("The demo");
            let passes = demo::passes();
            tally.count("demo", passes);
            sound &= passes;
        }
    }
    terminal::heading("Summary");
    // Alone on its line and not indented, for programs to find.
    anstream::println!("{}", tally.closing_line());
    anstream::println!("{}", tally.in_words(start.elapsed()));
    // A test program that died before its result counts as a failure, too; so does a run of no test at all.
    Ok(if sound && tally.passed() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_live(args: &Args, programs: &Programs, tally: &mut Tally) -> Result<bool> {
    let scratch = Scratch::new()?;
    let cluster = Cluster::ready(None, scratch.path(), false)?;
    let kubectl = cluster.kubectl();
    let mut command = test_command();
    for name in LIVE {
        command.args(["--test", name]);
    }
    command
        .args(["--", "--include-ignored"])
        .args(&args.filter)
        // Live tests wait more than they work.
        .env("RUST_TEST_THREADS", "8")
        .env("ASTRA_TEST_KUBECONFIG", kubectl.kubeconfig())
        .env("ASTRA_TEST_KUBECTL", kubectl.program())
        .env("ASTRA_TEST_OPERATOR", programs.operator()?)
        .env("ASTRA_TEST_SIMULATOR", programs.simulator()?);
    // They ran as ignored before, or without a cluster: what counts is this run.
    tally.forget(&LIVE);
    let sound = run_tests(&mut command, tally)?;
    cluster.check()?;
    Ok(sound)
}

fn test_command() -> Command {
    let mut command = toolchain::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    command.args(["--color", if terminal::is_interactive() { "always" } else { "never" }]);
    command
}

/// Shows the tests' own output as it comes, and counts along. Whether cargo was content.
fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<bool> {
    let status = process::lines(command, |line| {
        anstream::println!("{line}");
        tally.see(&anstream::adapter::strip_str(line).to_string());
    })?;
    Ok(status.success())
}
