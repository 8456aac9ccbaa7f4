//! One measurement: N objects of a kind, from nothing to Ready, at rest, through a restart, and back after drift.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::counts::{Astra, Kubernetes, Process};
use super::stage::{Settings, Stage};
use super::world::{Kind, NAMESPACE};
use crate::cargo::Programs;
use crate::terminal::Step;
use crate::wait;

/// How many things are changed behind the operator's back.
const DRIFTS: usize = 20;

/// What N objects of a kind cost.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) kind: Kind,
    pub(super) objects: usize,
    pub(super) settings: Settings,
    /// Resident memory without objects, in KiB.
    pub(super) idle: u64,
    pub(super) converge: Converge,
    pub(super) rest: Rest,
    pub(super) restart: Restart,
    pub(super) drift: Option<Drift>,
}

/// From nothing to Ready.
#[derive(Debug)]
pub(super) struct Converge {
    /// How long making the objects took.
    pub(super) made: Duration,
    /// From the first object's creation until the first was Ready.
    pub(super) first: Duration,
    /// From the first object's creation until all were Ready.
    pub(super) all: Duration,
    pub(super) astra: Astra,
    pub(super) kubernetes: Kubernetes,
    pub(super) process: Process,
    /// Processor time of the API server and etcd until all were Ready, in seconds.
    pub(super) plane: f64,
}

/// One period in which nothing happens.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) astra: Astra,
    pub(super) kubernetes: Kubernetes,
    pub(super) process: Process,
    /// Processor time that the period took, in seconds.
    pub(super) processor: f64,
}

/// A restart with nothing changed.
#[derive(Debug)]
pub(super) struct Restart {
    /// From the start to the first call to Astra.
    pub(super) first_call: Duration,
    /// From the start until all objects were looked at.
    pub(super) all: Option<Duration>,
    pub(super) astra: Astra,
    pub(super) kubernetes: Kubernetes,
}

/// Things changed behind the operator's back, all at one moment.
#[derive(Debug)]
pub(super) struct Drift {
    pub(super) things: usize,
    /// Until the last was put right.
    pub(super) all: Duration,
    pub(super) writes: usize,
}

/// Measures `objects` objects of `kind`.
pub(super) fn measure(
    settings: &Settings,
    programs: &Programs,
    kind: Kind,
    objects: usize,
) -> Result<Figures> {
    let step = Step::start(format!("{} × {}", objects, kind.name()));
    step.note("control plane".to_owned());
    let mut stage = Stage::start(settings, programs, kind, objects, &[NAMESPACE])?;
    stage.start_operator()?;
    let idle = settled(&stage)?;
    stage.counts()?;
    let converge = converge(&mut stage, kind, objects, &step)?;
    step.note("at rest".to_owned());
    let rest = rest(&mut stage, settings)?;
    step.note("restart".to_owned());
    let restart = restart(&mut stage, objects)?;
    step.note("drift".to_owned());
    let drift = drift(&mut stage, settings, kind, objects)?;
    stage.no_violations()?;
    step.done(&format!("Ready after {:.1} s", converge.all.as_secs_f64()));
    Ok(Figures { kind, objects, settings: settings.clone(), idle, converge, rest, restart, drift })
}

/// Resident memory when it has stopped growing.
fn settled(stage: &Stage<'_>) -> Result<u64> {
    let mut last = 0;
    wait::until("the memory to settle", Duration::from_secs(30), Duration::from_millis(500), || {
        let before = std::mem::replace(&mut last, stage.process()?.resident);
        Ok((before == last).then_some(last))
    })
}

fn converge(stage: &mut Stage<'_>, kind: Kind, count: usize, step: &Step) -> Result<Converge> {
    let objects: Vec<Value> = (0..count).map(|n| kind.object(n)).collect();
    let before = stage.plane_processor()?;
    let Applied { made, first, all } = apply(stage, kind, NAMESPACE, &objects, step)?;
    let plane = stage.plane_processor()? - before;
    let (astra, kubernetes) = stage.counts_when_still()?;
    Ok(Converge { made, first, all, astra, kubernetes, process: stage.process()?, plane })
}

/// How long it took, from the first object's creation.
pub(super) struct Applied {
    /// Until all were made.
    pub(super) made: Duration,
    /// Until the first was Ready.
    pub(super) first: Duration,
    /// Until all were.
    pub(super) all: Duration,
}

/// Makes objects as fast as the API server takes them, and waits until all are Ready.
pub(super) fn apply(
    stage: &Stage<'_>,
    kind: Kind,
    namespace: &str,
    objects: &[Value],
    step: &Step,
) -> Result<Applied> {
    let (count, path) = (objects.len(), kind.path(namespace));
    let events = stage.proxy.ready(kind, namespace)?;
    let names: HashSet<&str> =
        objects.iter().filter_map(|object| object["metadata"]["name"].as_str()).collect();
    let limit = Duration::from_mins(2) + Duration::from_millis(100) * u32::try_from(count)?;
    let start = Instant::now();
    let mut ready: HashMap<String, Duration> = HashMap::new();
    let made = thread::scope(|scope| {
        let making = scope.spawn(|| {
            stage.proxy.create(&path, objects)?;
            anyhow::Ok(start.elapsed())
        });
        while ready.len() < count {
            match events.recv_timeout(Duration::from_secs(1)) {
                Ok((name, at)) if names.contains(name.as_str()) => {
                    ready.entry(name).or_insert(at.saturating_duration_since(start));
                    step.note(format!("{} of {count} Ready", ready.len()));
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => stage.check()?,
                Err(RecvTimeoutError::Disconnected) => bail!("the watch of the objects has ended"),
            }
            if start.elapsed() > limit {
                bail!("{} of {count} objects were Ready after {} s", ready.len(), limit.as_secs());
            }
        }
        making.join().map_err(|_| anyhow::anyhow!("the maker of the objects panicked"))?
    })?;
    let times = || ready.values().copied();
    let (first, all) = (times().min().context("no object")?, times().max().context("no object")?);
    Ok(Applied { made, first, all })
}

fn rest(stage: &mut Stage<'_>, settings: &Settings) -> Result<Rest> {
    stage.counts()?;
    let before = stage.process()?;
    // This is what is measured: a period in which nothing happens.
    thread::sleep(settings.resync);
    let (astra, kubernetes) = stage.counts()?;
    let process = stage.process()?;
    stage.check()?;
    Ok(Rest { astra, kubernetes, process, processor: process.processor - before.processor })
}

fn restart(stage: &mut Stage<'_>, count: usize) -> Result<Restart> {
    stage.stop_operator();
    stage.counts()?;
    let start = stage.start_operator()?;
    let first_call =
        wait::until("a call to Astra", Duration::from_mins(1), Duration::from_millis(2), || {
            stage.check()?;
            Ok((!stage.simulator.journal()?.is_empty()).then(|| start.elapsed()))
        })?;
    // An operator of before it said so never does.
    let all =
        wait::until("all objects to be known", Duration::from_mins(2), Duration::from_millis(10), || {
            Ok(looked_at(&stage.log()?).filter(|known| *known >= count).map(|_| start.elapsed()))
        });
    let (astra, kubernetes) = stage.counts_when_still()?;
    Ok(Restart { first_call, all: all.ok(), astra, kubernetes })
}

/// How many objects the operator says it has looked at since its start, of one kind with any.
fn looked_at(log: &str) -> Option<usize> {
    let line = log.lines().filter(|line| line.contains("all objects that were there at the start"));
    let counts = line.filter_map(|line| {
        let number = line.split("objects=").nth(1)?;
        number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    counts.max()
}

fn drift(stage: &mut Stage<'_>, settings: &Settings, kind: Kind, count: usize) -> Result<Option<Drift>> {
    let things = DRIFTS.min(count);
    // Spread over all of them.
    let events: Option<Vec<Value>> = (0..things).map(|n| kind.drift(n * count / things)).collect();
    let Some(events) = events else { return Ok(None) };
    stage.counts()?;
    let start = Instant::now();
    for event in &events {
        stage.simulator.event(event)?;
    }
    let limit = settings.resync * 3 + Duration::from_mins(1);
    let all = wait::until("the drift to be put right", limit, Duration::from_millis(100), || {
        stage.check()?;
        let writes = stage.simulator.journal()?.iter().filter(|request| request.is_write()).count();
        Ok((writes >= things).then(|| start.elapsed()))
    })?;
    let (astra, _) = stage.counts_when_still()?;
    Ok(Some(Drift { things, all, writes: astra.writes }))
}

impl Figures {
    /// Everything, for programs. Times in seconds, memory in KiB.
    pub(super) fn json(&self) -> Value {
        let Self { kind, objects, settings, idle, converge, rest, restart, drift } = self;
        json!({
            "kind": kind.name(), "objects": objects, "databases": objects,
            "latency": settings.latency.as_secs_f64(), "resync": settings.resync.as_secs_f64(),
            "idleResident": idle,
            "converge": {
                "made": converge.made.as_secs_f64(), "firstReady": converge.first.as_secs_f64(),
                "allReady": converge.all.as_secs_f64(), "astra": converge.astra.json(),
                "kubernetes": converge.kubernetes.json(), "resident": converge.process.resident,
                "peak": converge.process.peak, "processor": converge.process.processor,
                "controlPlaneProcessor": converge.plane,
            },
            "rest": {
                "astra": rest.astra.json(), "kubernetes": rest.kubernetes.json(),
                "resident": rest.process.resident, "processor": rest.processor,
            },
            "restart": {
                "firstCall": restart.first_call.as_secs_f64(), "allKnown": restart.all.map(|all| all.as_secs_f64()),
                "astra": restart.astra.json(), "kubernetes": restart.kubernetes.json(),
            },
            "drift": drift.as_ref().map(|drift| json!({
                "things": drift.things, "putRight": drift.all.as_secs_f64(), "writes": drift.writes,
            })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_own_word_on_a_restart_is_read() {
        let line = "INFO all objects that were there at the start have been looked at kind=AstraAccessList objects=1000 seconds=1.5";
        assert_eq!(looked_at(&format!("INFO started\n{}\n{line}", line.replace("1000", "0"))), Some(1000));
        assert_eq!(looked_at("INFO started"), None);
    }
}
