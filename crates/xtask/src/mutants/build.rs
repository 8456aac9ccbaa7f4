//! Builds the copy with all mutants in it, less those that do not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::files::CRATES;
use super::list::Mutant;
use super::plant::{self, Planted};
use super::suites::{SUITES, UNIT};
use crate::terminal::Step;
use crate::tree::Tree;
use crate::{process, toolchain, workspace};

/// After so many rounds there is something else wrong.
const ROUNDS: usize = 40;

/// A program with tests.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Where cargo would run it.
    pub(super) folder: PathBuf,
}

/// What was built.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) programs: Vec<Program>,
    /// The mutants that do not compile, or have no place.
    pub(super) unviable: BTreeSet<usize>,
}

/// Builds the test programs with all mutants, and once more without those that the compiler complains about, until there
/// are none. Of some it may be known already that they do not compile.
pub(super) fn build(mutants: &[Mutant], known: BTreeSet<usize>, step: &Step) -> Result<Built> {
    let mut unviable = known;
    let mut constant = BTreeSet::new();
    for round in 1..=ROUNDS {
        step.note(format!("round {round}, {} do not compile", unviable.len()));
        let (tree, planted) = plant_all(mutants, &mut unviable, &constant)?;
        let messages = match compile(&tree)? {
            Compiled::Programs(mut programs) => {
                // Cargo tells of them in the order in which it came by.
                programs.sort_by(|one, other| one.name.cmp(&other.name));
                return Ok(Built { programs, unviable });
            }
            Compiled::Errors(messages) => messages,
        };
        let before = (unviable.len(), constant.len());
        for message in &messages {
            match blame(message, &planted) {
                Some(guilty) => unviable.extend(guilty),
                None => constant.extend(needed_as_constant(message)),
            }
        }
        if before == (unviable.len(), constant.len()) {
            let words: Vec<_> = messages.iter().filter_map(|message| message["rendered"].as_str()).collect();
            bail!("the copy does not compile, and no mutant is to blame:\n{}", words.join("\n"));
        }
    }
    bail!("after {ROUNDS} rounds there are still mutants that do not compile")
}

/// Brings the copy up to date; in it are all mutants but those of `unviable`, to which those without a place are added.
fn plant_all(
    mutants: &[Mutant],
    unviable: &mut BTreeSet<usize>,
    constant: &BTreeSet<String>,
) -> Result<(Tree, BTreeMap<PathBuf, Planted>)> {
    let root = workspace::root();
    let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in mutants.iter().enumerate().filter(|(number, _)| !unviable.contains(number)) {
        by_file.entry(&mutant.file).or_default().push((number, mutant));
    }
    let mut planted = BTreeMap::new();
    for (file, mutants) in by_file {
        let source =
            std::fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))?;
        let of_file =
            plant::plant(&source, &mutants, constant).with_context(|| format!("cannot read {file}"))?;
        unviable.extend(&of_file.without);
        planted.insert(PathBuf::from(file), of_file);
    }
    let tree = Tree::copy(&root, |file, bytes| {
        let mut bytes = planted.get(file).map_or(bytes, |planted| planted.text.clone().into_bytes());
        if CRATES.iter().any(|(head, _)| Path::new(head) == file) {
            bytes.extend(plant::switch(mutants.len()).into_bytes());
        }
        Ok(bytes)
    })?;
    Ok((tree, planted))
}

enum Compiled {
    Programs(Vec<Program>),
    Errors(Vec<Value>),
}

fn compile(tree: &Tree) -> Result<Compiled> {
    let mut command = toolchain::cargo();
    command.current_dir(tree.folder()).env("CARGO_TARGET_DIR", tree.target());
    command.args(["test", "--workspace", "--no-run", "--message-format", "json", "--lib"]);
    command.args(SUITES.iter().flat_map(|suite| ["--test", suite.target]));
    let (mut errors, mut programs, mut words) = (Vec::new(), Vec::new(), Vec::new());
    let status = process::lines(&mut command, |line| match serde_json::from_str::<Value>(line) {
        Ok(message) => {
            programs.extend(program(&message));
            let mut message = message;
            errors.extend(Some(message["message"].take()).filter(|message| message["level"] == "error"));
        }
        Err(_) => words.push(line.to_owned()),
    })?;
    if status.success() {
        return Ok(Compiled::Programs(programs));
    }
    if errors.is_empty() {
        bail!("the copy cannot be built:\n{}", words.join("\n"));
    }
    Ok(Compiled::Errors(errors))
}

/// The test program that was built, if it is one that is run.
fn program(message: &Value) -> Option<Program> {
    let name = message["target"]["name"].as_str()?;
    let is_unit = message["target"]["kind"][0] != "test" && UNIT.contains(&name);
    let is_suite = message["target"]["kind"][0] == "test" && SUITES.iter().any(|suite| suite.target == name);
    if message["profile"]["test"] != true || !(is_unit || is_suite) {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let name = if is_unit { format!("{name} (unit)") } else { name.to_owned() };
    Some(Program { name, path: message["executable"].as_str()?.into(), folder: manifest.parent()?.into() })
}

/// The mutants that the compiler's message is about.
fn blame<'a>(message: &Value, planted: &'a BTreeMap<PathBuf, Planted>) -> Option<&'a [usize]> {
    let mut spans: Vec<&Value> = message["spans"].as_array().into_iter().flatten().collect();
    spans.extend(
        message["children"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|child| child["spans"].as_array().into_iter().flatten()),
    );
    // What the message is about comes first, and then what it mentions.
    spans.sort_by_key(|span| span["is_primary"] != true);
    spans.into_iter().find_map(|span| {
        let (file, range) = place(span)?;
        planted.get(Path::new(file))?.to_blame(&range)
    })
}

/// Where a span is; for what a macro made, where the macro was called.
fn place(span: &Value) -> Option<(&str, Range<usize>)> {
    let mut span = span;
    while span["expansion"].is_object() {
        span = &span["expansion"]["span"];
    }
    let byte = |name: &str| usize::try_from(span[name].as_u64()?).ok();
    Some((span["file_name"].as_str()?, byte("byte_start")?..byte("byte_end")?))
}

/// The function that a constant calls, of "cannot call non-const associated function `A::new` in constants".
fn needed_as_constant(message: &Value) -> Option<String> {
    if message["code"]["code"] != "E0015" {
        return None;
    }
    let name = message["message"].as_str()?.split('`').nth(1)?;
    name.rsplit("::").next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mutants::list::{Genre, tests::mutant};

    #[test]
    fn the_compiler_says_who_is_to_blame() {
        let source = "fn f() { a && b }";
        let it = mutant(Genre::BinaryOperator, source, "&&", "||");
        let planted = plant::plant(source, &[(3, &it)], &BTreeSet::new()).unwrap();
        let at = planted.text.find("a || b").unwrap();
        let all = BTreeMap::from([(PathBuf::from("src/a.rs"), planted)]);
        let span = |file: &str, at: usize| json!({"file_name": file, "byte_start": at, "byte_end": at + 1, "is_primary": true});
        let message = |span| json!({"level": "error", "spans": [span]});
        assert_eq!(blame(&message(span("src/a.rs", at)), &all), Some([3].as_slice()));
        assert_eq!(blame(&message(span("src/a.rs", 0)), &all), None);
        assert_eq!(blame(&message(span("src/b.rs", at)), &all), None);
        let mut made = span("core/macros.rs", 0);
        made["expansion"] = json!({"span": span("src/a.rs", at)});
        assert_eq!(blame(&message(made), &all), Some([3].as_slice()));
    }

    #[test]
    fn a_function_that_a_constant_calls_stays_constant() {
        let message = |code: &str| json!({"code": {"code": code}, "message": "cannot call non-const associated function `Provider::as_str` in constants"});
        assert_eq!(needed_as_constant(&message("E0015")), Some("as_str".to_owned()));
        assert_eq!(needed_as_constant(&message("E0308")), None);
    }
}
