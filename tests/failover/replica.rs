//! A replica: one process after the other on one machine, each with the elector that really runs, and work that writes
//! to the outside while its fence lets it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use astra_operator::leader::{Times, elector::Elector, fence::Fence};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use crate::{
    api::{Link, Wire},
    clock::MachineClock,
    gate::Gate,
    world::{Settings, Story},
};

/// How long a write to the outside may take: what the fence is asked for.
pub(crate) const WRITE: Duration = Duration::from_secs(10);

/// One machine and what runs on it.
pub(crate) struct Replica {
    pub(crate) number: usize,
    pub(crate) clock: Arc<MachineClock>,
    pub(crate) link: Arc<Link>,
    /// The whole process is stopped.
    pub(crate) gate: Arc<Gate>,
    /// Only the thread of the election gets no time.
    pub(crate) starved: Gate,
    kill: Notify,
    terminate: Notify,
    process: Mutex<Option<Live>>,
    settings: Settings,
    story: Arc<Story>,
}

/// A process that lives.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) identity: String,
    pub(crate) fence: Fence,
}

impl Replica {
    pub(crate) fn new(number: usize, link: Link, settings: Settings, story: Arc<Story>) -> Self {
        let gate = Arc::new(Gate::default());
        let boot = Duration::from_secs(fastrand::u64(1..1_000_000));
        let (slow, fast) = settings.rates;
        let rate = slow + (fast - slow) * fastrand::f64();
        let stands_still = settings.clock_stands_still.then(|| gate.clone());
        Self {
            number,
            clock: Arc::new(MachineClock::new(boot, rate, stands_still)),
            link: Arc::new(link),
            gate,
            starved: Gate::default(),
            kill: Notify::new(),
            terminate: Notify::new(),
            process: Mutex::default(),
            settings,
            story,
        }
    }

    /// The process that runs now.
    pub(crate) fn live(&self) -> Option<Live> {
        self.process.lock().unwrap().clone()
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        self.kill.notify_waiters();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.terminate.notify_waiters();
    }

    /// One process after the other, for ever.
    pub(crate) async fn run(&self) {
        for life in 1.. {
            let identity = format!("{}_{life}", self.number);
            let fence = Fence::new(self.clock.clone(), Times::default());
            *self.process.lock().unwrap() = Some(Live { identity: identity.clone(), fence: fence.clone() });
            let end = tokio::select! {
                biased;
                () = self.kill.notified() => "was killed".to_owned(),
                end = self.gate.through(self.process(&identity, fence)) => end,
            };
            *self.process.lock().unwrap() = None;
            self.story.say(&format!("{identity} {end}"));
            // What a dead process was stopped by does not stop its successor.
            self.gate.open();
            self.starved.open();
            sleep(self.settings.restart.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    async fn process(&self, identity: &str, fence: Fence) -> String {
        let wire = Wire(self.link.clone());
        let clock = self.clock.clone();
        let mut elector = Elector::new(wire, clock, Times::default(), identity.to_owned(), fence.clone());
        let stopping = AtomicBool::new(false);
        let idle = Notify::new();
        let election = async {
            let told = self.terminate.notified();
            tokio::pin!(told);
            tokio::select! {
                biased;
                () = &mut told => return "ended as a candidate".to_owned(),
                won = elector.campaign() => won.unwrap(),
            }
            self.story.leads(identity);
            let finished = async {
                told.await;
                stopping.store(true, Ordering::Relaxed);
                idle.notified().await;
            };
            tokio::select! {
                biased;
                () = finished => {}
                lost = elector.keep() => return format!("lost the lease: {lost}"),
            }
            elector.release().await;
            "gave the lease back".to_owned()
        };
        tokio::select! {
            biased;
            end = self.starved.through(election) => end,
            () = self.work(identity, &fence, &stopping, &idle) => unreachable!("work never ends"),
        }
    }

    /// Writes again and again, as long as the fence lets it, until told to stop.
    async fn work(&self, identity: &str, fence: &Fence, stopping: &AtomicBool, idle: &Notify) {
        loop {
            if stopping.load(Ordering::Relaxed) {
                idle.notify_one();
            } else if fence.check(WRITE).is_ok() {
                let end = Instant::now() + self.settings.write.mul_f64(fastrand::f64());
                self.story.writes(identity, end);
                tokio::time::sleep_until(end).await;
            }
            sleep(Duration::from_millis(fastrand::u64(5..100))).await;
        }
    }
}
