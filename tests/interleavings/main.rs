//! No older than: whatever the order in which looks, writes and readings begin, overtake each other and end, nobody is shown
//! what was before its own last write, before anybody's write to the same database that it was told of, or before the
//! moment that it asked for.
//!
//! The order is drawn from a seed, and the same seed gives the same order: all time is virtual, and at each step the seed
//! decides which of those that could go on does (`schedule.rs`). What is shown carries the number of writes that
//! it knows of, so that what is too old cannot be overlooked.
//!
//! ```text
//! cargo test --workspace --test interleavings
//! INTERLEAVING=4711 cargo test --workspace --test interleavings      one seed
//! ```
#![expect(clippy::unwrap_used, reason = "in a test a panic is a verdict")]

mod astra;
mod object;
mod schedule;

use std::{sync::Arc, time::Duration};

use astra_devops::{Client, Token};
use astra_operator::organization::Organization;
use futures::FutureExt;

use crate::{astra::Astra, object::Object, schedule::Dice};

/// Seeds of an ordinary run.
const SEEDS: u64 = 3_000;

/// What a seed has shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    looks: usize,
    writes: usize,
    readings: usize,
    /// Looks that were put off, because a crowd waited.
    put_off: usize,
}

/// Plays one seed.
fn play(seed: u64) -> Shown {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // The pauses of a client whose calls failed are random too.
    fastrand::seed(seed);
    runtime.unwrap().block_on(async {
        let dice = Dice::new(seed);
        let astra = Arc::new(Astra::new(dice.clone()));
        // A crowd in some of them: then readings are put off.
        let (databases, objects) =
            if dice.one_in(4) { (40, 120) } else { (dice.up_to(3) + 1, dice.up_to(8) + 2) };
        let pace = Duration::from_millis([0, 20, 500][dice.up_to(3)]);
        let client = Client::new(astra.clone(), Token::new("AstraCS:interleavings").unwrap(), 4);
        let organization = Arc::new(Organization::new(client, pace));
        let tasks = (0..objects).map(|n| {
            let object = Object::new(n % databases, organization.clone(), astra.clone(), dice.clone());
            object.live(2 + dice.up_to(4)).boxed_local()
        });
        let told = schedule::run(tasks.collect(), &dice).await;
        Shown {
            looks: told.iter().map(|told| told.looks).sum(),
            put_off: told.iter().map(|told| told.put_off).sum(),
            writes: astra.writes(),
            readings: astra.readings(),
        }
    })
}

#[test]
fn nobody_is_shown_what_was_before_its_last_write() {
    if let Ok(seed) = std::env::var("INTERLEAVING") {
        println!("{:?}", play(seed.parse().unwrap()));
        return;
    }
    let mut all = Shown::default();
    for seed in 0..SEEDS {
        let shown = std::panic::catch_unwind(|| play(seed));
        let Ok(shown) = shown else { panic!("seed {seed}; play it again with INTERLEAVING={seed}") };
        all.looks += shown.looks;
        all.writes += shown.writes;
        all.readings += shown.readings;
        all.put_off += shown.put_off;
    }
    println!("figures: interleavings: {SEEDS} orders: {all:?}");
    // What never happened was not tested.
    assert!(all.readings * 3 < all.looks, "readings are shared: {all:?}");
    assert!(all.put_off > 1_000 && all.writes > 10_000, "{all:?}");
}

#[test]
fn the_same_seed_gives_the_same_order() {
    for seed in [1, 2, 3, 5, 8, 13] {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
}
