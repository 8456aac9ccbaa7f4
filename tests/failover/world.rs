//! Everything together, and what is told of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    api::{Api, Link},
    replica::Replica,
    watchdog::Write,
};

/// What a world is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) replicas: usize,
    /// The slowest and the fastest clock there may be.
    pub(crate) rates: (f64, f64),
    /// How long until a process that ended is started again, about.
    pub(crate) restart: Duration,
    /// How long a write to the outside takes at the most.
    pub(crate) write: Duration,
    /// Planted: the clock of a process stands still while the process does.
    pub(crate) clock_stands_still: bool,
}

/// Replicas, their API server, and what happened.
pub(crate) struct World {
    pub(crate) api: Arc<Api>,
    pub(crate) replicas: Vec<Arc<Replica>>,
    pub(crate) story: Arc<Story>,
}

impl World {
    /// Starts all replicas, and the watchdog.
    pub(crate) fn start(api: Arc<Api>, settings: Settings) -> Arc<Self> {
        let story = Arc::new(Story::new(settings.rates.0 >= settings.rates.1));
        let replicas: Vec<_> = (1..=settings.replicas)
            .map(|number| {
                let link = Link::new(api.clone());
                Arc::new(Replica::new(number, link, settings, story.clone()))
            })
            .collect();
        for replica in replicas.clone() {
            tokio::spawn(async move { replica.run().await });
        }
        let world = Arc::new(Self { api, replicas, story });
        let watched = world.clone();
        tokio::spawn(async move { watched.watch().await });
        world
    }

    /// Who leads: the one whose fence is open.
    pub(crate) fn leader(&self) -> Option<Arc<Replica>> {
        let leads = |replica: &&Arc<Replica>| {
            replica.live().is_some_and(|live| live.fence.check(Duration::ZERO).is_ok())
        };
        self.replicas.iter().find(leads).cloned()
    }

    /// Waits for a leader other than the process `old`; how long that took.
    pub(crate) async fn next_leader(&self, old: Option<&str>) -> Duration {
        let start = Instant::now();
        loop {
            let next = self.leader().and_then(|replica| replica.live()).map(|live| live.identity);
            if next.is_some_and(|next| Some(&*next) != old) {
                return start.elapsed();
            }
            if start.elapsed() > Duration::from_mins(2) {
                self.story.accuse("nobody leads for two minutes".to_owned());
                return start.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What happened, for people, and what must not have.
pub(crate) struct Story {
    start: Instant,
    told: Mutex<Told>,
    /// With clocks of one speed the writes of two processes must not even overlap.
    writes_must_not_overlap: bool,
}

#[derive(Default)]
struct Told {
    lines: Vec<String>,
    accusations: Vec<String>,
    leaders: Vec<String>,
    writes: Vec<Write>,
    written: usize,
}

impl Story {
    fn new(writes_must_not_overlap: bool) -> Self {
        Self { start: Instant::now(), told: Mutex::default(), writes_must_not_overlap }
    }

    /// Something happened.
    pub(crate) fn say(&self, what: &str) {
        let at = self.start.elapsed().as_secs_f64();
        self.told.lock().unwrap().lines.push(format!("{at:9.3} s  {what}"));
    }

    /// Something happened that must not.
    pub(crate) fn accuse(&self, what: String) {
        self.say(&format!("WRONG: {what}"));
        self.told.lock().unwrap().accusations.push(what);
    }

    /// A process won.
    pub(crate) fn leads(&self, identity: &str) {
        self.say(&format!("{identity} leads"));
        self.told.lock().unwrap().leaders.push(identity.to_owned());
    }

    /// A process begins a write, which may arrive until `end` whatever becomes of the process.
    pub(crate) fn writes(&self, identity: &str, end: Instant) {
        let mut told = self.told.lock().unwrap();
        told.written += 1;
        told.writes.retain(|write| write.end > Instant::now());
        let other = told.writes.iter().find(|write| write.identity != identity);
        let other = other.map(|write| write.identity.clone());
        told.writes.push(Write { identity: identity.to_owned(), end });
        drop(told);
        if let Some(other) = other.filter(|_| self.writes_must_not_overlap) {
            self.accuse(format!("{identity} writes while a write of {other} is under way"));
        }
    }

    /// How often another process took over, and how many writes there were.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let told = self.told.lock().unwrap();
        (told.leaders.len().saturating_sub(1), told.written)
    }

    /// What was wrong; empty when nothing was.
    pub(crate) fn accusations(&self) -> Vec<String> {
        self.told.lock().unwrap().accusations.clone()
    }

    /// All of it, for people.
    pub(crate) fn text(&self) -> String {
        self.told.lock().unwrap().lines.join("\n")
    }
}
