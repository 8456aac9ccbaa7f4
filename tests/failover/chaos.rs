//! Everything goes wrong at once. Whatever happens, no two processes may write at the same time, nobody writes after
//! its deadline, and when all is well again somebody leads.

use std::{fmt::Debug, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::sleep;

use crate::{
    api::{Api, Weather},
    replica::Replica,
    seeds, virtually,
    world::{Settings, World},
};

/// What can happen, on some replica or to the Lease.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Killed,
    Terminated,
    Frozen(Duration),
    Starved(Duration),
    Partitioned(Duration),
    ClockSet(SignedDuration),
    ServerDown(Duration),
    Storm(Weather, Duration),
    Edited(Edit),
    Deleted,
}

/// What somebody does to the Lease by hand.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Touched,
    Emptied,
    Foreign,
    /// The name of a replica that is alive.
    Misnamed(usize),
    Renewed(SignedDuration),
    /// Not to one second: without a holder that would be what a release writes, and gives the lease away.
    Shortened,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn up_to(seconds: u64) -> Duration {
    Duration::from_secs(seconds).mul_f64(fastrand::f64())
}

fn mishap() -> Mishap {
    let jump = if fastrand::bool() { HOUR } else { -HOUR };
    match fastrand::u8(0..13) {
        0 | 1 => Mishap::Killed,
        2 => Mishap::Terminated,
        3 | 4 => Mishap::Frozen(up_to(60)),
        5 => Mishap::Starved(up_to(40)),
        6 | 7 => Mishap::Partitioned(up_to(40)),
        8 => Mishap::ClockSet(jump),
        9 => Mishap::ServerDown(up_to(30)),
        10 => {
            let latency = up_to(6);
            Mishap::Storm(Weather { latency, faults: fastrand::u8(10..80), down: false }, up_to(60))
        }
        11 => Mishap::Edited(match fastrand::u8(0..6) {
            0 => Edit::Touched,
            1 => Edit::Emptied,
            2 => Edit::Foreign,
            3 => Edit::Misnamed(fastrand::usize(0..3)),
            4 => Edit::Renewed(jump),
            _ => Edit::Shortened,
        }),
        _ => Mishap::Deleted,
    }
}

impl Mishap {
    async fn befall(self, world: Arc<World>, replica: Arc<Replica>) {
        match self {
            Self::Killed => replica.kill(),
            Self::Terminated => replica.terminate(),
            Self::Frozen(time) => {
                replica.gate.shut();
                sleep(time).await;
                replica.gate.open();
            }
            Self::Starved(time) => {
                replica.starved.shut();
                sleep(time).await;
                replica.starved.open();
            }
            Self::Partitioned(time) => {
                replica.link.cut(true);
                sleep(time).await;
                replica.link.cut(false);
            }
            Self::ClockSet(by) => replica.clock.jump(by),
            Self::ServerDown(time) => {
                world.api.weather(Weather { down: true, ..Weather::default() });
                sleep(time).await;
                world.api.weather(FAIR);
            }
            Self::Storm(weather, time) => {
                world.api.weather(weather);
                sleep(time).await;
                world.api.weather(FAIR);
            }
            Self::Edited(edit) => edit.make(&world),
            Self::Deleted => world.api.delete(),
        }
    }
}

impl Edit {
    fn make(self, world: &World) {
        let name = |number: usize| world.replicas.get(number)?.live().map(|live| live.identity);
        world.api.edit(|lease| {
            let spec = lease.spec.get_or_insert_default();
            match self {
                Self::Touched => {
                    lease.metadata.labels = Some([("seen".to_owned(), "yes".to_owned())].into());
                }
                Self::Emptied => spec.holder_identity = None,
                Self::Foreign => spec.holder_identity = Some("somebody".to_owned()),
                Self::Misnamed(number) => {
                    spec.holder_identity = name(number).or(spec.holder_identity.take());
                }
                Self::Renewed(by) => {
                    let at = spec.renew_time.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
                    spec.renew_time = Some(MicroTime(at + by));
                }
                Self::Shortened => spec.lease_duration_seconds = Some(2),
            }
        });
    }
}

const FAIR: Weather = Weather { latency: Duration::from_millis(20), faults: 0, down: false };

const USUAL: Settings = Settings {
    replicas: 3,
    rates: (1.0, 1.0),
    restart: Duration::from_secs(3),
    write: Duration::from_secs(10),
    clock_stands_still: false,
};

/// What came of one world.
struct Outcome {
    failovers: usize,
    writes: usize,
    wrong: Vec<String>,
    story: String,
}

async fn chaos(settings: Settings, api: Arc<Api>) -> Outcome {
    api.weather(FAIR);
    let world = World::start(api, settings);
    for _ in 0..16 {
        sleep(up_to(20)).await;
        let anybody = world.replicas[fastrand::usize(..world.replicas.len())].clone();
        // Most of what is worth seeing happens to the leader.
        let replica = world.leader().filter(|_| fastrand::u8(0..4) > 0).unwrap_or(anybody);
        let mishap = mishap();
        world.story.say(&format!("{} {mishap:?}", replica.number));
        tokio::spawn(mishap.befall(world.clone(), replica));
    }
    // Every mishap is over, and those whose lease was lost are there again.
    sleep(Duration::from_mins(2)).await;
    let settled = world.leader().and_then(|leader| leader.live()).map(|live| live.identity);
    sleep(Duration::from_secs(30)).await;
    let still = world.leader().and_then(|leader| leader.live()).map(|live| live.identity);
    if settled.is_none() || settled != still {
        world.story.accuse(format!("all is well again, and {settled:?} led and then {still:?}"));
    }
    let (failovers, writes) = world.story.counts();
    Outcome { failovers, writes, wrong: world.story.accusations(), story: world.story.text() }
}

fn search(name: &str, usual: u64, settings: impl Fn(u64) -> Settings) {
    let (mut failovers, mut writes, seeds) = (0, 0, seeds(usual));
    for seed in seeds.clone() {
        let outcome = virtually(seed, async { chaos(settings(seed), Arc::default()).await });
        let Outcome { wrong, story, .. } = outcome;
        assert!(wrong.is_empty(), "FAILOVER_SEED={seed}: {wrong:#?}\n{story}");
        failovers += outcome.failovers;
        writes += outcome.writes;
        if seeds.end - seeds.start == 1 {
            println!("{story}");
        }
    }
    println!(
        "figures: failover: {name}: {seeds:?} seeds, {failovers} failovers, {writes} writes, none by two at once"
    );
}

#[test]
fn no_two_write_at_once_whatever_happens() {
    search("clocks of one speed", 300, |seed| Settings { replicas: 2 + usize::from(seed % 2 == 0), ..USUAL });
}

#[test]
fn clocks_may_differ_in_speed_by_two_fifths() {
    search("clocks of different speed", 200, |_| Settings { rates: (1.0, 1.4), ..USUAL });
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in 0..10 {
        let story = || virtually(seed, async { chaos(USUAL, Arc::default()).await }).story;
        assert_eq!(story(), story(), "FAILOVER_SEED={seed}");
    }
}

/// A world with a planted bug: how many worlds it takes until it is found.
fn finds(what: impl Debug, settings: Settings, api: impl Fn() -> Arc<Api>) {
    let found = (0..100).find(|seed| {
        let outcome = virtually(*seed, async { chaos(settings, api()).await });
        !outcome.wrong.is_empty()
    });
    println!("{what:?} is found in world {found:?}");
    assert!(found.is_some(), "{what:?} is never found: what looks for two leaders does not see them");
}

#[test]
fn writes_without_a_version_are_found() {
    finds("a server that ignores versions", USUAL, || Arc::new(Api::default()).ignoring_versions());
}

#[test]
fn a_clock_that_stands_still_is_found() {
    let settings = Settings { clock_stands_still: true, ..USUAL };
    finds("a clock that stands still while its process does", settings, Arc::default);
}

#[test]
fn clocks_that_differ_too_much_are_found() {
    let settings = Settings { rates: (0.5, 2.0), ..USUAL };
    finds("a clock that is four times as fast as another", settings, Arc::default);
}
