//! Commands exist, with the flags that they are given, and speak of fields and conditions that there are.

use std::fs;

use astra_operator::{
    cli::Cli,
    kinds::{Entry, KINDS},
};
use clap::CommandFactory;
use regex::Regex;
use serde_json::Value;

use crate::{
    page::{pages, root},
    shell,
};

/// What `kubectl` is asked to do in the documentation, and the built one can.
const KUBECTL: [&str; 13] = [
    "annotate", "apply", "create", "delete", "describe", "explain", "get", "label", "patch", "rollout",
    "run", "scale", "wait",
];

/// What `cargo` is asked to do besides `xtask`.
const CARGO: [&str; 5] = ["bench", "clippy", "fmt", "install", "test"];

/// The conditions that all kinds have, and one of definitions.
const CONDITIONS: [&str; 5] = ["Ready", "Reconciling", "Stalled", "Paused", "Established"];

/// All commands of the documentation, each with its place.
pub(crate) fn commands() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for page in pages() {
        for (line, script) in page.scripts() {
            let found = shell::commands(&script)
                .unwrap_or_else(|error| panic!("{}, from line {line}: {error}\n{script}", page.name()));
            all.extend(found.into_iter().map(|command| {
                let place = format!("{}, line {}: ", page.name(), line + command.line);
                (place + &command.words.join(" "), command.words)
            }));
        }
    }
    all
}

#[test]
fn every_command_exists() {
    let mut checked = 0;
    for (at, words) in commands() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        checked += 1;
        match words[..] {
            ["astra-operator", ..] => {
                Cli::command().try_get_matches_from(&words).unwrap_or_else(|e| panic!("{at}: {e}"));
            }
            ["cargo", "xtask", ref rest @ ..] => xtask(rest).unwrap_or_else(|e| panic!("{at}: {e}")),
            ["cargo", verb, ..] => assert!(CARGO.contains(&verb), "{at}"),
            ["kubectl", verb, ref rest @ ..] => {
                assert!(KUBECTL.contains(&verb), "{at}: no such verb, or flags before it");
                kubectl(rest).unwrap_or_else(|e| panic!("{at}: {e}"));
            }
            _ => checked -= 1,
        }
    }
    println!("figures: {checked} commands in the documentation exist");
    assert!(checked > 150, "only {checked} commands were found");
}

/// Are the fields and conditions there that a command asks for, of each kind that it names?
fn kubectl(words: &[&str]) -> Result<(), String> {
    let field = Regex::new(r"\.((?:status|spec)(?:\.[a-zA-Z]+|\[[^\]]*\])+)").map_err(|e| e.to_string())?;
    let kinds = words
        .iter()
        .filter(|word| !word.starts_with('-'))
        .flat_map(|word| word.split(','))
        .filter_map(|word| entry(word.split('/').next().unwrap_or_default()));
    for entry in kinds {
        for found in words.iter().flat_map(|word| field.captures_iter(word)) {
            has_field(entry, &found[1])?;
        }
        for condition in words.iter().filter_map(|word| word.strip_prefix("--for=condition=")) {
            let mut known = CONDITIONS.iter().copied().chain(entry.conditions.iter().map(|(name, _)| *name));
            if !known.any(|known| known == condition) {
                return Err(format!("{} has no condition {condition}", entry.kind));
            }
        }
    }
    Ok(())
}

/// The kind that goes by this name for `kubectl`.
fn entry(name: &str) -> Option<&'static Entry> {
    KINDS.iter().find(|entry| {
        let names = (entry.crd)().spec.names;
        names.plural == name || names.short_names.is_some_and(|short| short.iter().any(|short| short == name))
    })
}

fn has_field(entry: &Entry, path: &str) -> Result<(), String> {
    let definition = serde_json::to_value((entry.crd)()).map_err(|error| error.to_string())?;
    let mut schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let step = Regex::new(r"\[[^\]]*\]|[a-zA-Z]+").map_err(|error| error.to_string())?;
    for part in step.find_iter(path) {
        schema = match part.as_str() {
            index if index.starts_with('[') => &schema["items"],
            name => &schema["properties"][name],
        };
        if schema == &Value::Null {
            return Err(format!("{} has no field {path}, from {:?} on", entry.kind, part.as_str()));
        }
    }
    Ok(())
}

#[test]
fn a_field_or_condition_that_there_is_not_is_noticed() {
    for wrong in [
        "get ape orders -o jsonpath={.status.dnsName}",
        "get ape orders -o jsonpath={.status.endpoints[0].state}",
        "get aal orders -o jsonpath={.status.serviceName}",
        "wait --for=condition=ServiceReady aal/orders",
        "wait --for=condition=Redy ape,aal --all",
    ] {
        let words: Vec<&str> = wrong.split(' ').collect();
        assert!(kubectl(&words).is_err(), "{wrong}");
    }
    assert_eq!(
        kubectl(&["ape", r#"jsonpath={.items[*].status.conditions[?(@.type=="Ready")].message}"#]),
        Ok(())
    );
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
