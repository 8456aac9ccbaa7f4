//! How long a failover takes when the API server is well, and that nothing is written by two meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    api::{Api, Weather},
    replica::Replica,
    seeds, virtually,
    world::{Settings, World},
};

/// How a leader goes.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Terminated,
    /// Stopped for longer than its lease, then going on.
    Frozen,
    /// The thread of the election gets no time; the rest goes on.
    Starved,
    /// No way to the API server.
    Partitioned,
}

const ENDS: [End; 5] = [End::Killed, End::Terminated, End::Frozen, End::Starved, End::Partitioned];

impl End {
    async fn befall(self, replica: Arc<Replica>, until: Duration) {
        match self {
            Self::Killed => replica.kill(),
            Self::Terminated => replica.terminate(),
            Self::Frozen => {
                replica.gate.shut();
                sleep(until).await;
                replica.gate.open();
            }
            Self::Starved => {
                replica.starved.shut();
                sleep(until).await;
                replica.starved.open();
            }
            Self::Partitioned => {
                replica.link.cut(true);
                sleep(until).await;
                replica.link.cut(false);
            }
        }
    }

    /// The promise.
    const fn within(self) -> Duration {
        match self {
            Self::Terminated => Duration::from_secs(2),
            _ => Duration::from_secs(17),
        }
    }
}

/// Some failovers in one world: how long each took, and what was wrong.
async fn failovers(seed: u64) -> (Vec<(End, Duration)>, usize, Vec<String>, String) {
    let api = Arc::new(Api::default());
    api.weather(Weather { latency: Duration::from_millis(50), ..Weather::default() });
    let settings = Settings {
        replicas: 2 + usize::from(seed % 2 == 1),
        rates: (1.0, 1.0),
        restart: Duration::from_secs(20),
        write: Duration::from_millis(50),
        clock_stands_still: false,
    };
    let world = World::start(api, settings);
    let mut took = Vec::new();
    for _ in 0..5 {
        world.next_leader(None).await;
        // Long enough for the others to be there again and to know who leads.
        sleep(Duration::from_secs(40) + Duration::from_secs(10).mul_f64(fastrand::f64())).await;
        let Some(leader) = world.leader() else {
            world.story.accuse("the leader was lost without a cause".to_owned());
            break;
        };
        let old = leader.live().unwrap().identity;
        let end = ENDS[fastrand::usize(..ENDS.len())];
        world.story.say(&format!("{old}: {end:?}"));
        let until = Duration::from_secs(20) + Duration::from_secs(40).mul_f64(fastrand::f64());
        tokio::spawn(end.befall(leader, until));
        let time = world.next_leader(Some(&old)).await;
        if time > end.within() {
            world.story.accuse(format!("{old} {end:?}: somebody else leads only after {time:?}"));
        }
        took.push((end, time));
        sleep(until).await;
    }
    (took, world.story.counts().1, world.story.accusations(), world.story.text())
}

#[test]
fn a_failover_is_quick_and_never_makes_two_leaders() {
    let mut all = Vec::new();
    let mut writes = 0;
    for seed in seeds(200) {
        let (took, written, wrong, story) = virtually(seed, failovers(seed));
        assert!(wrong.is_empty(), "FAILOVER_SEED={seed}: {wrong:#?}\n{story}");
        all.extend(took);
        writes += written;
    }
    for end in ENDS {
        let took = all.iter().filter(|(one, _)| std::mem::discriminant(one) == std::mem::discriminant(&end));
        let (count, longest) = took.fold((0, Duration::ZERO), |(n, most), (_, t)| (n + 1, most.max(*t)));
        println!("figures: {count} failovers of a leader that was {end:?}: {longest:?} at the most");
    }
    println!("figures: {} failovers and {writes} writes in all", all.len());
}
