//! `cargo xtask test`: everything that needs no cluster, then the live tests on a control plane of their own.

mod canary;
mod passed;
mod tally;

use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result};

use self::canary::Canary;
use self::passed::Passed;
use self::tally::Tally;
use crate::cargo::{self, Programs};
use crate::cluster::Cluster;
use crate::control_plane::Binaries;
use crate::process::{self, Scratch};
use crate::{demo, deployment_tools, terminal, toolchain, workspace};

/// The test files that need a cluster (their tests are ignored without one).
const LIVE: [&str; 8] =
    ["live", "cel", "operations", "conformance", "outages", "cluster_commands", "deployment", "docs"];

/// Run all tests: first those that need nothing, then the live ones on a real API server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask test                            everything
  cargo xtask test --no-live                  what needs no control plane (and no Go)
  cargo xtask test --thorough                 search far longer, where a test searches
  cargo xtask test --live-only -- access_list only live tests with access_list in their name
  KUBEBUILDER_ASSETS=DIR cargo xtask test     use etcd and kube-apiserver of DIR; nothing is built with Go")]
pub(crate) struct Args {
    /// Only the tests that need a control plane.
    #[arg(long, conflicts_with = "no_live")]
    live_only: bool,
    /// Only the tests that need no control plane.
    #[arg(long)]
    no_live: bool,
    /// Search far longer in tests that draw their cases: THOROUGH is set for them.
    #[arg(long)]
    thorough: bool,
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
    let mut canary = Canary::of_sources(&workspace::root())?;
    let mut sound = true;
    if !args.live_only {
        terminal::heading("Tests without a cluster");
        let mut command = test_command(args);
        command.args(["--", SHOW]).args(&args.filter);
        sound &= run_tests(&mut command, &mut tally, &mut canary)?;
    }
    if !args.no_live {
        terminal::heading("Tests on a real API server");
        sound &= run_live(args, &programs, &mut tally, &mut canary)?;
        // The README's first command is a test too; a choice of tests leaves it out.
        if args.filter.is_empty() {
            terminal::heading("The demo");
            let passes = demo::passes();
            tally.count("demo", passes);
            sound &= passes;
        }
    }
    terminal::heading("Summary");
    sound &= judge(&canary, &mut tally);
    // Alone on its line and not indented, for programs to find.
    anstream::println!("{}", tally.closing_line());
    anstream::println!("{}", tally.in_words(start.elapsed()));
    // A test program that died before its result counts as a failure, too; so does a run of no test at all.
    Ok(if sound && tally.passed() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The canary is a test, too.
fn judge(canary: &Canary, tally: &mut Tally) -> bool {
    let hits: Vec<&str> = canary.hits().collect();
    tally.count("canary", hits.is_empty());
    if hits.is_empty() {
        terminal::line(&format!("no token was shown: {}", canary.in_words()));
    } else {
        terminal::failure(&format!("a token was shown:\n{}", hits.join("\n")));
    }
    hits.is_empty()
}

fn run_live(args: &Args, programs: &Programs, tally: &mut Tally, canary: &mut Canary) -> Result<bool> {
    let scratch = Scratch::new()?;
    let cluster = Cluster::ready(None, scratch.path(), false)?;
    let kubectl = cluster.kubectl();
    // What programs put out that tests start, and nobody else sees.
    let output = scratch.path().join("output");
    fs::create_dir(&output).context("cannot make a directory for the output of programs")?;
    let tools = deployment_tools::for_tests()?;
    let mut command = test_command(args);
    for name in LIVE.iter().filter(|name| tools.is_some() || **name != "deployment") {
        command.args(["--test", name]);
    }
    command
        .args(["--", SHOW, "--include-ignored"])
        .args(&args.filter)
        // Live tests wait more than they work.
        .env("RUST_TEST_THREADS", "8")
        .env("ASTRA_TEST_KUBECONFIG", kubectl.kubeconfig())
        .env("ASTRA_TEST_KUBECTL", kubectl.program())
        .env("ASTRA_TEST_OUTPUT", &output)
        // Some tests break a control plane, and start one of their own for that.
        .env("ASTRA_TEST_CONTROL_PLANE_BIN", Binaries::find_or_build()?.directory())
        .env("ASTRA_TEST_DEPLOYMENT_TOOLS", tools.unwrap_or_default())
        .env("ASTRA_TEST_OPERATOR", programs.operator()?)
        .env("ASTRA_TEST_SIMULATOR", programs.simulator()?);
    // They ran as ignored before, or without a cluster: what counts is this run.
    tally.forget(&LIVE);
    let sound = run_tests(&mut command, tally, canary)?;
    cluster.check()?;
    canary.look_into(&output)?;
    for shown in SHOWN {
        let get = ["get", shown, "--all-namespaces", "--output", "yaml", "--show-managed-fields"];
        let text = match kubectl.output(&get) {
            // A choice of tests may have installed no definitions.
            Err(error) if error.to_string().contains("doesn't have a resource type") => continue,
            text => text?,
        };
        canary.look(&format!("kubectl get {shown}"), text.as_bytes());
    }
    Ok(sound)
}

/// What anybody may read who may not read Secrets, and the operator writes.
const SHOWN: [&str; 3] = ["astra", "events.events.k8s.io", "leases.coordination.k8s.io"];

/// Has test programs print also what tests that passed have written.
const SHOW: &str = "--show-output";

/// Where the cases of property tests begin; cargo sets it where nobody has (`.cargo/config.toml`).
const SEED: &str = "PROPTEST_RNG_SEED";

fn test_command(args: &Args) -> Command {
    let mut command = toolchain::cargo();
    if args.thorough {
        command.env("THOROUGH", "1").env("LAWS_CASES", "20");
        // Other cases each time; what they found is found again with the number.
        if let Ok(seed) = getrandom::u32() {
            terminal::line(&format!("{SEED}={seed}"));
            command.env(SEED, seed.to_string());
        }
    }
    command.args(["test", "--workspace", "--no-fail-fast"]);
    command.args(["--color", if terminal::is_interactive() { "always" } else { "never" }]);
    command
}

/// Shows the tests' own output as it comes, and counts along. Whether cargo was content.
///
/// What tests that passed have written is for the canary alone, but for their figures.
fn run_tests(command: &mut Command, tally: &mut Tally, canary: &mut Canary) -> Result<bool> {
    let mut passed = Passed::default();
    let mut from = String::new();
    let status = process::lines(command, |line| {
        let plain = anstream::adapter::strip_str(line).to_string();
        // Each program and each test is announced by a line.
        if let Some(name) = plain.trim_start().strip_prefix("Running ").or(plain.strip_prefix("---- ")) {
            name.clone_into(&mut from);
        }
        canary.look(&format!("output of {from}"), plain.as_bytes());
        if passed.is_told_by(&plain) {
            if let Some(figures) = passed::figures(&plain) {
                terminal::line(figures);
            }
            return;
        }
        anstream::println!("{line}");
        tally.see(&plain);
    })?;
    Ok(status.success())
}
