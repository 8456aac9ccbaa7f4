//! Commands exist, with the flags that they are given.

use std::fs;

use astra_operator::cli::Cli;
use clap::CommandFactory;

use crate::page::{pages, root};

/// What `kubectl` is asked to do in the documentation, and the built one can.
const KUBECTL: [&str; 10] =
    ["annotate", "apply", "create", "delete", "describe", "explain", "get", "label", "rollout", "wait"];

/// What `cargo` is asked to do besides `xtask`.
const CARGO: [&str; 4] = ["clippy", "fmt", "install", "test"];

#[test]
fn every_command_exists() {
    let mut commands = 0;
    for page in pages() {
        for (line, command) in page.commands() {
            for part in command.split(" | ") {
                let at = || format!("{}, line {line}: {part}", page.name());
                // `NAME=value cargo …` sets a variable.
                let words: Vec<&str> = part
                    .split_whitespace()
                    .skip_while(|word| word.contains('=') && !word.starts_with('-'))
                    .collect();
                match words[..] {
                    ["astra-operator", ..] => {
                        commands += 1;
                        Cli::command()
                            .try_get_matches_from(&words)
                            .unwrap_or_else(|e| panic!("{}: {e}", at()));
                    }
                    ["cargo", "xtask", ref rest @ ..] => {
                        commands += 1;
                        xtask(rest).unwrap_or_else(|error| panic!("{}: {error}", at()));
                    }
                    ["cargo", verb, ..] => assert!(CARGO.contains(&verb), "{}", at()),
                    ["kubectl", verb, ..] => {
                        commands += 1;
                        assert!(KUBECTL.contains(&verb), "{}: no such verb, or flags before it", at());
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(commands > 25, "only {commands} commands were found");
}

/// Has `cargo xtask` this subcommand with these flags? Read from its source: its program may not be built.
fn xtask(words: &[&str]) -> Result<(), String> {
    let source = |name: &str| {
        fs::read_to_string(root().join("crates/xtask/src").join(name)).map_err(|e| format!("{name}: {e}"))
    };
    let (subcommand, rest) = words.split_first().ok_or("no subcommand")?;
    let commands = source("main.rs")?;
    let listed = commands.split_once("enum Command {").ok_or("main.rs has no `enum Command`")?.1;
    let listed = listed.split_once('}').ok_or("`enum Command` has no end")?.0;
    let known: Vec<String> =
        listed.lines().filter_map(|line| Some(kebab(line.trim().split_once('(')?.0))).collect();
    if !known.iter().any(|known| known == subcommand) {
        return Err(format!("no such subcommand, there are {}", known.join(", ")));
    }
    let module = source(&format!("{}.rs", subcommand.replace('-', "_")))?;
    let flags: Vec<String> = module
        .split("#[arg(long")
        .skip(1)
        .filter_map(|after| after.split_once("]\n")?.1.trim_start().split_once(':'))
        .map(|(field, _)| format!("--{}", field.replace('_', "-")))
        .collect();
    let given = rest.iter().take_while(|word| **word != "--").filter(|word| word.starts_with('-'));
    match given.into_iter().find(|flag| !flags.iter().any(|known| known == *flag)) {
        Some(flag) => Err(format!("no such flag: {flag}; there are {}", flags.join(", "))),
        None => Ok(()),
    }
}

/// `ControlPlane` as `control-plane`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}
