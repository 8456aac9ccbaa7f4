//! The fuzz targets of `fuzz/`, without a fuzzer: each is fed its corpus and a fixed number of mutations of it, the same in
//! every run. `FUZZ_MUTATIONS=100000 cargo test --test fuzz` searches longer, `cargo xtask fuzz` searches with libFuzzer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]

mod mutate;
#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is a library for the fuzzer's programs")]
mod targets;

use std::{
    collections::BTreeSet,
    env, fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use libtest_mimic::{Arguments, Failed, Trial};
use mutate::Mutations;
use targets::TARGETS;

/// How many mutations each target is fed in an ordinary run, and in a thorough one.
const MUTATIONS: [usize; 2] = [2_000, 200_000];

fn main() {
    let arguments = Arguments::from_args();
    let mut tests: Vec<Trial> =
        TARGETS.iter().map(|(name, _)| Trial::test(*name, move || feed(name))).collect();
    tests.push(Trial::test("every_target_has_a_program_and_a_corpus", || {
        every_target_has_a_program_and_a_corpus();
        Ok(())
    }));
    libtest_mimic::run(&arguments, tests).exit();
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The corpus of a target, in the order of its files' names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn feed(name: &'static str) -> Result<(), Failed> {
    let thorough = usize::from(env::var_os("THOROUGH").is_some());
    let mutations =
        env::var("FUZZ_MUTATIONS").ok().map_or(MUTATIONS[thorough], |count| count.parse().unwrap());
    let seeds = corpus(name);
    let mutated = Mutations::of(&seeds).take(mutations);
    for input in std::iter::once(Vec::new()).chain(seeds.iter().cloned()).chain(mutated) {
        if catch_unwind(|| targets::run(name, &input)).is_err() {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
            fs::write(&path, &input)?;
            let shown = input.escape_ascii();
            return Err(format!(
                "panicked (see above) on b\"{shown}\"\nkept in {}; when it is mended, move it to fuzz/corpus/{name}/ with a name that says what it was",
                path.display()
            )
            .into());
        }
    }
    Ok(())
}

/// A target that libFuzzer has no program for is fuzzed by nobody, and a program without a target fails when it starts.
fn every_target_has_a_program_and_a_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in &targets {
        assert!(
            manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
        assert!(!corpus(name).is_empty(), "{name} has an empty corpus");
    }
}
