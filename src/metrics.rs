//! What can be counted and timed from outside, in the form of `OpenMetrics`. `docs/metrics.md` tells each, and what to do
//! about it.
//!
//! Labels are bounded: kinds, namespaces, reasons, paths without ids. No name of an object, no address, no token.

mod calls;
mod held_back;
mod objects;

use std::{fmt, sync::Mutex};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

pub use calls::Measured;
use held_back::HeldBack;
pub use objects::Standing;
use objects::{Objects, Source};

/// What [`Metrics::text`] is, for the header `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds. A look at an object takes as long as its calls; one that joins others waits for them.
const LOOKS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Seconds. Calls end after 30 s at the most.
const CALLS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Look {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Step {
    kind: &'static str,
    step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// All that is counted. One for the process.
pub struct Metrics {
    registry: Registry,
    looks: Family<Look, Counter>,
    look_times: Times<OfKind>,
    looking: Family<OfKind, Gauge>,
    waiting: Family<OfKind, Gauge>,
    steps: Family<Step, Counter>,
    drift: Family<OfKind, Counter>,
    calls: calls::Families,
    leading: Gauge,
    held_back: HeldBack,
    objects: Objects,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("astra_operator"),
            looks: Family::default(),
            look_times: Family::new_with_constructor(|| Histogram::new(LOOKS)),
            looking: Family::default(),
            waiting: Family::default(),
            held_back: HeldBack::default(),
            steps: Family::default(),
            drift: Family::default(),
            calls: calls::Families::default(),
            leading: Gauge::default(),
            objects: Objects::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(Build { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "The version that runs", build);
        registry.register(
            "leading",
            "1 while this replica works, 0 while it waits for the Lease",
            self.leading.clone(),
        );
        registry.register("reconciles", "Looks at objects, by how they ended", self.looks.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "How long a look at an object took, with its calls",
            Unit::Seconds,
            self.look_times.clone(),
        );
        registry.register("reconciles_running", "Looks under way", self.looking.clone());
        registry.register(
            "queue_depth",
            "Objects that are to be looked at and wait for their turn",
            self.waiting.clone(),
        );
        registry.register(
            "steps",
            "Changes sent to Astra and carried out, by the reason of their event",
            self.steps.clone(),
        );
        registry.register(
            "drift_corrected",
            "Looks at objects that were Ready and had not changed, in which Astra was put right",
            self.drift.clone(),
        );
        self.calls.register(registry);
        registry.register_collector(Box::new(self.held_back.clone()));
        registry.register_collector(Box::new(self.objects.clone()));
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    /// Does this replica work, or wait?
    pub fn set_leading(&self, leading: bool) {
        self.leading.set(leading.into());
    }

    /// A look at an object of this kind begins; it ends when what is returned is dropped.
    #[must_use]
    pub fn looking(&self, kind: &'static str) -> Looking<'_> {
        self.looking.get_or_create(&OfKind { kind }).inc();
        Looking { metrics: self, kind, since: Instant::now() }
    }

    /// An object of this kind waits for its turn, until what is returned is dropped.
    #[must_use]
    pub fn waiting(&self, kind: &'static str) -> Waiting {
        let gauge = self.waiting.get_or_create(&OfKind { kind }).clone();
        gauge.inc();
        Waiting(gauge)
    }

    /// How a look ended.
    pub fn looked(&self, kind: &'static str, result: &'static str) {
        self.looks.get_or_create(&Look { kind, result }).inc();
    }

    /// A change was carried out. `step` is the reason of its event.
    pub fn step(&self, kind: &'static str, step: &'static str) {
        self.steps.get_or_create(&Step { kind, step }).inc();
    }

    /// Astra was put right for an object that was Ready and had not changed.
    pub fn drift(&self, kind: &'static str) {
        self.drift.get_or_create(&OfKind { kind }).inc();
    }

    /// Who knows how many calls were held back, because Astra is down, is asked at each scrape.
    pub fn count_held_back(&self, count: impl Fn() -> u64 + Send + Sync + 'static) {
        self.held_back.ask(count);
    }

    /// Who knows the objects of a kind is asked at each scrape.
    pub fn count_objects(
        &self,
        kind: &'static str,
        count: impl Fn() -> Vec<(Standing, u64)> + Send + Sync + 'static,
    ) {
        self.objects.add(Source { kind, count: Box::new(count) });
    }
}

/// An object that waits for its turn.
#[derive(Debug)]
pub struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A look under way.
#[derive(Debug)]
pub struct Looking<'a> {
    metrics: &'a Metrics,
    kind: &'static str,
    since: Instant,
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let of = OfKind { kind: self.kind };
        self.metrics.looking.get_or_create(&of).dec();
        self.metrics.look_times.get_or_create(&of).observe(self.since.elapsed().as_secs_f64());
    }
}

/// What a mutex guards here is whole at every moment: a panic elsewhere is no reason to lose it.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::needless_raw_string_hashes, reason = "expect-test writes its texts so")]
mod tests {
    use std::{path::Path, time::Duration};

    use expect_test::expect;

    use super::*;

    /// With something counted in each.
    async fn counted() -> Metrics {
        let metrics = Metrics::default();
        metrics.set_leading(true);
        drop(metrics.waiting("AstraAccessList"));
        let looking = metrics.looking("AstraAccessList");
        tokio::time::advance(Duration::from_millis(300)).await;
        drop(looking);
        metrics.looked("AstraAccessList", "done");
        metrics.step("AstraAccessList", "AccessListReplaced");
        metrics.drift("AstraAccessList");
        metrics.calls.count(
            "GET",
            "/v2/access-lists".to_owned(),
            "200".to_owned(),
            Duration::from_millis(30),
        );
        let standing = |status: &str, reason: &str| Standing {
            namespace: "team".to_owned(),
            condition: "Ready".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
        };
        metrics.count_held_back(|| 7);
        metrics.count_objects("AstraAccessList", move || {
            vec![(standing("True", "UpToDate"), 2), (standing("False", "Conflict"), 1)]
        });
        metrics
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_counted_as_long_as_it_waits() {
        let metrics = Metrics::default();
        let depth = |metrics: &Metrics| {
            let text = metrics.text();
            let line = text.lines().find(|line| line.starts_with("astra_operator_queue_depth{"));
            line.map(ToOwned::to_owned)
        };
        assert_eq!(depth(&metrics), None);
        let two = [metrics.waiting("AstraAccessList"), metrics.waiting("AstraAccessList")];
        let told = |n: u8| Some(format!("astra_operator_queue_depth{{kind=\"AstraAccessList\"}} {n}"));
        assert_eq!(depth(&metrics), told(2));
        drop(two);
        assert_eq!(depth(&metrics), told(0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_told() {
        let metrics = counted().await;
        let still = metrics.looking("AstraAccessList");
        let text: Vec<String> = metrics
            .text()
            .lines()
            .filter(|line| !line.contains("_bucket{") && !line.contains("astra_operator_build"))
            .map(ToOwned::to_owned)
            .collect();
        drop(still);
        expect![[r##"
            # HELP astra_operator_leading 1 while this replica works, 0 while it waits for the Lease.
            # TYPE astra_operator_leading gauge
            astra_operator_leading 1
            # HELP astra_operator_reconciles Looks at objects, by how they ended.
            # TYPE astra_operator_reconciles counter
            astra_operator_reconciles_total{kind="AstraAccessList",result="done"} 1
            # HELP astra_operator_reconcile_duration_seconds How long a look at an object took, with its calls.
            # TYPE astra_operator_reconcile_duration_seconds histogram
            # UNIT astra_operator_reconcile_duration_seconds seconds
            astra_operator_reconcile_duration_seconds_sum{kind="AstraAccessList"} 0.3
            astra_operator_reconcile_duration_seconds_count{kind="AstraAccessList"} 1
            # HELP astra_operator_reconciles_running Looks under way.
            # TYPE astra_operator_reconciles_running gauge
            astra_operator_reconciles_running{kind="AstraAccessList"} 1
            # HELP astra_operator_queue_depth Objects that are to be looked at and wait for their turn.
            # TYPE astra_operator_queue_depth gauge
            astra_operator_queue_depth{kind="AstraAccessList"} 0
            # HELP astra_operator_steps Changes sent to Astra and carried out, by the reason of their event.
            # TYPE astra_operator_steps counter
            astra_operator_steps_total{kind="AstraAccessList",step="AccessListReplaced"} 1
            # HELP astra_operator_drift_corrected Looks at objects that were Ready and had not changed, in which Astra was put right.
            # TYPE astra_operator_drift_corrected counter
            astra_operator_drift_corrected_total{kind="AstraAccessList"} 1
            # HELP astra_operator_devops_requests Calls to the Astra DevOps API, by the status code of the answer; none: no whole answer came.
            # TYPE astra_operator_devops_requests counter
            astra_operator_devops_requests_total{method="GET",path="/v2/access-lists",code="200"} 1
            # HELP astra_operator_devops_request_duration_seconds How long a call to the Astra DevOps API took.
            # TYPE astra_operator_devops_request_duration_seconds histogram
            # UNIT astra_operator_devops_request_duration_seconds seconds
            astra_operator_devops_request_duration_seconds_sum{method="GET",path="/v2/access-lists"} 0.03
            astra_operator_devops_request_duration_seconds_count{method="GET",path="/v2/access-lists"} 1
            # HELP astra_operator_devops_calls_held_back Calls to the Astra DevOps API that were not sent because it had failed several times in a row
            # TYPE astra_operator_devops_calls_held_back counter
            astra_operator_devops_calls_held_back_total 7
            # HELP astra_operator_objects Objects, by what their conditions say; one that was never looked at has Ready Unknown
            # TYPE astra_operator_objects gauge
            astra_operator_objects{kind="AstraAccessList",namespace="team",condition="Ready",status="True",reason="UpToDate"} 2
            astra_operator_objects{kind="AstraAccessList",namespace="team",condition="Ready",status="False",reason="Conflict"} 1
            # EOF
        "##]].assert_eq(&(text.join("\n") + "\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_page_tells_each_and_no_other() {
        let page =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
        let text = counted().await.text();
        let mut names: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .map(|line| match line.split_once(' ').unwrap() {
                (name, "counter") => format!("{name}_total"),
                (name, "info") => format!("{name}_info"),
                (name, _) => name.to_owned(),
            })
            .collect();
        names.sort();
        let mut told: Vec<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `astra_operator_")?.split('`').next())
            .map(|name| format!("astra_operator_{name}"))
            .collect();
        told.sort();
        assert_eq!(told, names);
    }
}
