//! The whole operator in a world that goes wrong, thousands of times: the controllers that really run, stock kube
//! included, in virtual time, over the API server in memory and the simulator of Astra. A seed decides what people do,
//! what goes wrong and when; the same seed gives the same bytes.
//!
//! ```text
//! cargo test --workspace --test simulation                          each run's seeds, the corpus, the crash sweep
//! SIMULATION_SEEDS=1000000 cargo test --workspace --test simulation many more
//! SIMULATION_SEED=4711 cargo test --workspace --test simulation     one seed, with its story
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is a verdict; the settings know only of functions that are tests themselves"
)]

#[path = "../laws/case.rs"]
#[expect(dead_code, reason = "the laws draw their cases by proptest, and have some of their own")]
mod case;
mod clock;
mod determinism;
mod fuse;
#[path = "../laws/kinds/mod.rs"]
mod kinds;
#[path = "../laws/kstatus.rs"]
mod kstatus;
#[path = "../laws/lawful.rs"]
#[expect(dead_code, reason = "the laws judge single writes too; here the invariants do")]
mod lawful;
mod manifests;
mod perils;
mod play;
mod process;
mod scenario;
mod search;
mod story;
mod sweep;
mod universe;
mod weather;
#[path = "../laws/world.rs"]
mod world;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let tests = match search::number("SIMULATION_SEED") {
        Some(seed) => vec![Trial::test(format!("seed {seed}"), move || search::replay(seed))],
        None => vec![
            Trial::test("seeds", search::seeds),
            Trial::test("corpus", search::corpus),
            Trial::test("same_seed_same_bytes", search::same_seed_same_bytes),
            Trial::test("perils", perils::all),
            Trial::test("crashes", sweep::crashes),
        ],
    };
    libtest_mimic::run(&arguments, tests).exit();
}
