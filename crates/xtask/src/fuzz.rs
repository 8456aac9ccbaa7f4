//! `cargo xtask fuzz`: lets libFuzzer search for inputs that break a target of `fuzz/`.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{process, terminal, workspace};

/// Search for inputs that break a fuzz target, or each of them in turn.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask fuzz                              every target for 60 s
  cargo xtask fuzz plan_access_list             one of them
  cargo xtask fuzz call_url --seconds 3600      for an hour
  cargo xtask fuzz --list                       what there is

It needs a nightly toolchain and cargo-fuzz. Without them, `cargo test --test fuzz` feeds the targets their corpora and
mutations of them. What libFuzzer finds is in fuzz/artifacts/TARGET; mended, it goes into fuzz/corpus/TARGET.")]
pub(crate) struct Args {
    /// Which; all if none is named.
    targets: Vec<String>,
    /// How long each is searched.
    #[arg(long, value_name = "N", default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Print the targets.
    #[arg(long)]
    list: bool,
}

/// `cargo xtask fuzz`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let all = targets()?;
    if args.list {
        for name in &all {
            terminal::line(name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&all, &args.targets)?;
    check_tools()?;
    let mut broken = Vec::new();
    for name in chosen {
        terminal::heading(name);
        let status = process::status(&mut search(name, args.seconds))?;
        if !status.success() {
            broken.push(name);
        }
    }
    if broken.is_empty() {
        terminal::line("nothing was found");
        return Ok(ExitCode::SUCCESS);
    }
    bail!("{} broke, or could not be built; what broke it is below fuzz/artifacts", broken.join(", "))
}

/// The targets: one program each.
fn targets() -> Result<BTreeSet<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let stem = |entry: fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
    Ok(entries.filter_map(|entry| entry.ok().and_then(stem)).collect())
}

fn choose<'a>(all: &'a BTreeSet<String>, asked: &'a [String]) -> Result<Vec<&'a str>> {
    if let Some(unknown) = asked.iter().find(|name| !all.contains(*name)) {
        let known: Vec<_> = all.iter().map(String::as_str).collect();
        bail!("there is no fuzz target {unknown}; there are {}", known.join(", "));
    }
    let chosen: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
    Ok(all.iter().map(String::as_str).filter(|name| chosen.is_empty() || chosen.contains(name)).collect())
}

/// Through rustup, because the workspace's own toolchain, which runs this, is not the one.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).current_dir(workspace::root());
    // Cargo tells its children which compiler it is; the nightly one must find its own.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}

fn check_tools() -> Result<()> {
    let works = |arguments: &[&str]| {
        let mut command = nightly();
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["--version"]) {
        bail!(
            "libFuzzer needs a nightly toolchain: rustup toolchain install nightly --profile minimal. {WITHOUT}"
        );
    }
    if !works(&["fuzz", "--version"]) {
        bail!("cargo-fuzz is not installed: cargo install cargo-fuzz --locked. {WITHOUT}");
    }
    Ok(())
}

const WITHOUT: &str =
    "Without it, `cargo test --test fuzz` feeds the targets their corpora and mutations of them";

fn search(name: &str, seconds: u32) -> Command {
    let mut command = nightly();
    // What is found is kept apart from the corpus that is committed, which stays small.
    // libFuzzer does not make the folder that it writes into; that it cannot be made, it says itself.
    let found = workspace::root().join("fuzz/target/corpus").join(name);
    let _ = fs::create_dir_all(&found);
    command.args(["fuzz", "run", name, &format!("target/corpus/{name}"), &format!("corpus/{name}"), "--"]);
    command.args([
        &format!("-max_total_time={seconds}"),
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]);
    command.current_dir(workspace::root().join("fuzz"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name() {
        let all = targets().unwrap();
        assert!(all.len() >= 10, "{all:?}");
        assert_eq!(choose(&all, &[]).unwrap().len(), all.len());
        let asked = ["call_url".to_owned(), "call_url".to_owned()];
        assert_eq!(choose(&all, &asked).unwrap(), ["call_url"]);
        let error = choose(&all, &["url".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("no fuzz target url") && error.contains("call_url"), "{error}");
    }

    #[test]
    fn a_search_ends_and_leaves_the_committed_corpus_alone() {
        let command = search("call_url", 7);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert!(words.contains(&"-max_total_time=7".to_owned()), "{words:?}");
        // libFuzzer writes into the first folder.
        let folders: Vec<_> = words.iter().filter(|word| word.contains("corpus/")).collect();
        assert_eq!(folders, ["target/corpus/call_url", "corpus/call_url"]);
    }
}
