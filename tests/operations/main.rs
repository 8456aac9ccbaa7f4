//! Operations made from the definitions: every field of every spec is set to values that it must take and to values that
//! it must not, as new objects, as changes, on all ways between a sample of states, on random walks, and back again. The
//! API server is real, so is the operator, and the simulator is a program of its own.
//!
//! What must hold: a bad value is refused, or told by the conditions within 5 seconds; a change that is refused changes
//! nothing; a good spec heals what a bad one did; whatever the way to a spec, Astra is as if it had been the first; and
//! nothing panics. `THOROUGH=1` tries every field on every base, and walks ten times as far.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]

mod campaign;
mod fields;
/// What the live tests stand on.
#[path = "../live/harness"]
mod harness {
    #[expect(dead_code, reason = "the live tests use the rest")]
    pub(crate) mod astra;
    #[expect(dead_code, reason = "the live tests use the rest")]
    pub(crate) mod cluster;
    #[expect(dead_code, reason = "the live tests use the rest")]
    pub(crate) mod operator;
    #[expect(dead_code, reason = "the live tests use the rest")]
    pub(crate) mod wait;
}
mod journeys;
mod meanings;
mod remote;
mod scene;
mod subject;
mod tally;
mod theatre;
mod values;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use astra_operator::kinds::{Entry, KINDS};
use futures::StreamExt;
use serde_json::Value;

use campaign::{State, Track};
use fields::Field;
use journeys::Family;
use scene::Base;
use theatre::Theatre;

/// So many objects are operated on at once. More than the operator works on at once, so that it is never idle.
const AT_ONCE: usize = 40;

/// A bad value that is not refused must be told within this time: half of them, for on a machine that does ten other
/// things at once the slowest says little. On a quiet one the slowest is told within one second.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Operations of a run at the least.
const AT_LEAST: usize = 2_000;

/// A kind with all that is operated on.
struct Subjects {
    kind: String,
    fields: Vec<Field>,
    bases: Vec<Base>,
}

impl Subjects {
    fn of(entry: &Entry) -> Self {
        let kind = (entry.crd)().spec.names.kind;
        Self { fields: fields::of(entry), bases: scene::bases(&kind), kind }
    }

    /// Each field with the bases that have it: on one of them, in turn, or on all.
    fn tracks(&self, thorough: bool) -> Vec<Track<'_>> {
        let mut tracks = Vec::new();
        for (i, field) in self.fields.iter().enumerate() {
            let having: Vec<&Base> =
                self.bases.iter().filter(|base| field.get(&base.spec).is_some()).collect();
            assert!(!having.is_empty(), "no base in scene.rs has {field}");
            // What a value means in another cloud is another question.
            let fixed = field.ruled || meanings::of(&field.to_string()).is_some() || !field.is_leaf();
            let chosen: Vec<&Base> = if thorough && !fixed {
                having
            } else {
                vec![having[if fixed { 0 } else { i % having.len() }]]
            };
            tracks.extend(chosen.into_iter().map(|base| Track::new(&self.kind, base, field)));
        }
        tracks
    }

    fn families(&self) -> Vec<Family<'_>> {
        let mut families = Vec::new();
        for base in &self.bases {
            let fields = self.fields.iter().filter(|field| field.get(&base.spec).is_some()).collect();
            families.push(Family { kind: &self.kind, base, fields });
        }
        families
    }

    /// The names of all leaves.
    fn leaves(&self) -> Vec<String> {
        let leaves = self.fields.iter().filter(|field| field.is_leaf());
        leaves.map(|field| format!("{} {field}", self.kind)).collect()
    }
}

/// What Astra has, without what a spec leaves as it finds it: then it depends on the way, and that is meant.
pub(crate) fn masked(mut astra: Value, spec: &Value) -> Value {
    let leaves_switch = spec["management"] == "Shared" && spec["publicAccess"].is_null();
    if leaves_switch && let Some(fields) = astra.as_object_mut() {
        fields.remove("configurations");
    }
    if remote::is_empty(&astra) && leaves_switch { Value::Null } else { astra }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn every_field_takes_what_it_must_and_refuses_the_rest() {
    let thorough = std::env::var_os("THOROUGH").is_some();
    let walks: u64 = if thorough { 20 } else { 2 };
    let start = Instant::now();
    let all: Vec<Subjects> = KINDS.iter().map(Subjects::of).collect();
    let tracks: Vec<Track<'_>> = all.iter().flat_map(|subjects| subjects.tracks(thorough)).collect();
    let families: Vec<Family<'_>> = all.iter().flat_map(Subjects::families).collect();
    let kinds: Vec<String> = all.iter().map(|subjects| subjects.kind.clone()).collect();
    let theatre = Theatre::open(&kinds, databases(&tracks, &families, walks)).await;

    let theatre = &theatre;
    let run = async |track| (track, Track::run(track, theatre).await);
    let results: Vec<(&Track<'_>, Vec<State>)> =
        futures::stream::iter(&tracks).map(run).buffer_unordered(AT_ONCE).collect().await;
    let mut states = BTreeMap::<(&str, &str), Vec<State>>::new();
    for (track, found) in results {
        states.entry((track.kind, track.base.name)).or_default().extend(found);
    }
    println!("{:.1?}: every field on its own\n{}", start.elapsed(), theatre.tally);

    let states = &states;
    let journeys = families.iter().flat_map(|family| (0..=walks).map(move |seed| (family, seed)));
    futures::stream::iter(journeys)
        .for_each_concurrent(AT_ONCE, |(family, seed)| async move {
            match seed.checked_sub(1) {
                None => {
                    let states = states.get(&(family.kind, family.base.name));
                    family.pairs(theatre, states.map(Vec::as_slice).unwrap_or_default()).await;
                }
                Some(seed) => family.walk(theatre, seed).await,
            }
        })
        .await;
    let told = theatre.tally.to_string().replace('\n', "; ");
    println!("figures: schema-driven operations in {:.1?}: {told}", start.elapsed());
    conclude(theatre, &all);
}

/// So many databases of each cloud.
fn databases(tracks: &[Track<'_>], families: &[Family<'_>], walks: u64) -> usize {
    let walks = usize::try_from(walks).unwrap();
    let tracks: usize = tracks.iter().map(Track::needs).sum();
    // One cloud has most of the tracks; all of them is enough for each.
    tracks + families.len() * (1 + walks * (2 + journeys::NEEDS))
}

fn conclude(theatre: &Theatre, all: &[Subjects]) {
    let leaves: Vec<String> = all.iter().flat_map(Subjects::leaves).collect();
    let mut found = theatre.tally.violations(&leaves);
    found.extend(theatre.check_operator());
    if !found.is_empty() {
        println!("--- the end of the operator's log\n{}", theatre.log());
    }
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    assert!(theatre.tally.operations() >= AT_LEAST, "only {} operations", theatre.tally.operations());
    let told = theatre.tally.told_within();
    assert!(told <= TOLD_WITHIN, "half of the bad values were told after more than {told:.1?}");
}
