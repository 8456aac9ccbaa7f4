//! What was measured beside what is wanted: pure.

use super::counts::Astra;
use super::measure::Figures;

/// Objects on one page of the list of databases.
const PAGE: usize = 100;
/// Readings that a convergence may take, beside the pages of one list of databases.
const READS: usize = 10;
/// Readings that a period at rest may take, beside the pages of one list of databases.
const READS_AT_REST: usize = 3;
/// Kubernetes writes from an object's creation until it is Ready: finalizer, announcement, status.
const KUBERNETES_WRITES: usize = 3;

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) found: String,
    /// Empty where there is no goal.
    pub(super) goal: String,
    /// Was it met? `None` where there is no goal.
    pub(super) met: Option<bool>,
    /// Is it a count, which is the same on every machine? Times and memory are not.
    pub(super) is_count: bool,
}

impl Row {
    fn count(what: &'static str, found: usize, most: usize) -> Self {
        Self {
            what,
            found: found.to_string(),
            goal: format!("≤ {most}"),
            met: Some(found <= most),
            is_count: true,
        }
    }

    fn measured(what: &'static str, found: f64, unit: &str, most: Option<f64>) -> Self {
        Self {
            what,
            found: format!("{found:.1} {unit}"),
            goal: most.map(|most| format!("≤ {most:.1} {unit}")).unwrap_or_default(),
            met: most.map(|most| found <= most),
            is_count: false,
        }
    }
}

/// How many pages the list of all databases has. A full last page has to be followed by one more, which is empty.
pub(super) const fn pages(databases: usize) -> usize {
    databases / PAGE + 1
}

/// The table of one measurement. `concurrency` is how many calls the token may have under way.
pub(super) fn rows(figures: &Figures, concurrency: usize) -> Vec<Row> {
    let mut rows = counts(figures);
    rows.extend(times(figures, concurrency));
    rows
}

fn counts(figures: &Figures) -> Vec<Row> {
    let Figures { kind, objects, converge, rest, restart, drift, .. } = figures;
    let (objects, pages) = (*objects, pages(*objects));
    let own = objects * kind.own_reads();
    let shared = |astra: &Astra| astra.reads().saturating_sub(astra.pages);
    let kubernetes = &converge.kubernetes;
    let mut rows = vec![
        Row::count("converge: writes to Astra", converge.astra.writes, objects * kind.writes()),
        // Where Astra has no list of the things, each is read before and after its write.
        Row::count("converge: readings of Astra", shared(&converge.astra), READS + 3 * own),
        Row::count("converge: pages of databases read", converge.astra.pages, 3 * pages),
        Row::count(
            "converge: Kubernetes writes to objects",
            kubernetes.writes() - kubernetes.events(),
            objects * KUBERNETES_WRITES,
        ),
        Row::count("converge: events published", kubernetes.events(), objects * kind.writes()),
        Row::count("converge: Kubernetes reads of objects", kubernetes.gets(), 0),
        Row::count("converge: readings of the Secret", kubernetes.secrets(), READS),
        Row::count("one period at rest: readings of Astra", shared(&rest.astra), READS_AT_REST + own),
        Row::count("one period at rest: pages of databases read", rest.astra.pages, pages),
        Row::count("one period at rest: writes to Astra", rest.astra.writes, 0),
        Row::count("one period at rest: Kubernetes writes", rest.kubernetes.writes(), 0),
        Row::count("restart: writes to Astra", restart.astra.writes, 0),
        Row::count("restart: Kubernetes writes", restart.kubernetes.writes(), 0),
    ];
    rows.extend(drift.iter().map(|drift| Row::count("drift: writes to Astra", drift.writes, drift.things)));
    rows
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn times(figures: &Figures, concurrency: usize) -> Vec<Row> {
    let Figures { kind, objects, settings, converge, rest, restart, drift, idle } = figures;
    let mib = |kib: u64| kib as f64 / 1024.0;
    // What the calls alone take when the limit on them is all that holds them up.
    let calls = (objects * kind.writes()) as f64 * settings.latency.as_secs_f64() / concurrency as f64;
    let memory = match objects {
        ..=1_000 => 25.0,
        _ => 80.0,
    };
    let mut rows = vec![
        Row::measured("converge: making the objects", converge.made.as_secs_f64(), "s", None),
        Row::measured("converge: the first is Ready", converge.first.as_secs_f64(), "s", None),
        Row::measured("converge: all are Ready", converge.all.as_secs_f64(), "s", None),
        Row::measured("converge: the calls alone, at the limit", calls, "s", None),
        Row::measured("converge: processor time", converge.process.processor, "s", None),
        Row::measured("converge: processor time of the API server and etcd", converge.plane, "s", None),
        Row::measured("one period at rest: processor time", rest.processor, "s", None),
        Row::measured("restart: the first call to Astra", restart.first_call.as_secs_f64(), "s", Some(0.3)),
    ];
    let known = (*objects <= 1_000).then_some(2.0);
    rows.extend(
        restart.all.map(|all| Row::measured("restart: all are known", all.as_secs_f64(), "s", known)),
    );
    rows.extend(drift.iter().map(|drift| {
        let most = settings.resync.as_secs_f64();
        Row::measured("drift: all is put right", drift.all.as_secs_f64(), "s", Some(most))
    }));
    rows.push(Row::measured("memory: idle", mib(*idle), "MiB", Some(15.0)));
    rows.push(Row::measured("memory: at rest", mib(rest.process.resident), "MiB", Some(memory)));
    rows.push(Row::measured("memory: the most while converging", mib(converge.process.peak), "MiB", None));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_last_page_is_followed_by_an_empty_one() {
        assert_eq!([0, 99, 100, 1_000, 10_000].map(pages), [1, 1, 2, 11, 101]);
    }

    #[test]
    fn a_goal_is_met_up_to_it_and_not_beyond() {
        assert_eq!(Row::count("x", 3, 3).met, Some(true));
        assert_eq!(Row::count("x", 4, 3).met, Some(false));
        assert_eq!(Row::measured("x", 1.0, "s", None).met, None);
        assert_eq!(Row::measured("x", 2.1, "s", Some(2.0)).met, Some(false));
    }
}
