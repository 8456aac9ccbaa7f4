//! Leader election in virtual time: the elector that really runs, against an API server that is slow, loses requests and
//! answers, and carries out late what nobody waits for any more; with replicas that crash, are stopped and go on, are
//! starved, and have clocks that jump or run too fast.
//!
//! Each seed is a world of its own, the same in every run. `FAILOVER_SEEDS=20000 cargo test --test failover` searches
//! longer; `FAILOVER_SEED=7` runs one and tells its story.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unwrap_in_result,
    reason = "in a test a panic is a verdict; the settings know only of functions that are tests themselves"
)]

mod api;
mod chaos;
mod clock;
mod gate;
mod replica;
mod timing;
mod watchdog;
mod world;

use std::{future::Future, ops::Range};

/// Runs one world in virtual time, with dice of its own.
fn virtually<T>(seed: u64, world: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(world)
}

/// Which seeds to run when `usual` of them are usual.
fn seeds(usual: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("FAILOVER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FAILOVER_SEEDS").unwrap_or(usual),
    }
}
