//! Is anybody held up by others? Objects of one namespace that work, beside very many of another whose token is refused.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::measure::apply;
use super::stage::{Settings, Stage};
use super::world::{self, Kind};
use crate::cargo::Programs;
use crate::terminal::{self, Step};

/// The objects that work.
const GOOD: usize = 10;
/// Those that do not.
const BROKEN: usize = 5_000;
/// They are not to take longer than this many times what they take alone.
const GOAL: f64 = 2.0;
/// And what is shorter than this is no delay: readings are half a second apart.
const GRAIN: Duration = Duration::from_millis(1_500);

const NAMESPACE: &str = "good";
const CROWD: &str = "broken";

/// What was found.
#[derive(Debug)]
pub(super) struct Fairness {
    alone: Duration,
    beside: Duration,
}

/// Measures it.
pub(super) fn measure(settings: &Settings, programs: &Programs) -> Result<Fairness> {
    let kind = Kind::AccessList;
    let step = Step::start(format!("{GOOD} objects beside {BROKEN} broken ones"));
    let mut stage = Stage::start(settings, programs, kind, 3 * GOOD, &[NAMESPACE])?;
    stage.refused_token(CROWD)?;
    stage.start_operator()?;
    // The first ones find connections to be made and nothing read.
    apply(&stage, kind, NAMESPACE, &objects(kind, 0), &step)?;
    stage.counts_when_still()?;
    let alone = apply(&stage, kind, NAMESPACE, &objects(kind, GOOD), &step)?.all;
    let broken: Vec<Value> = (0..BROKEN).map(|n| placed(kind, n, CROWD)).collect();
    step.note("making the broken ones".to_owned());
    stage.proxy.create(&kind.path(CROWD), &broken)?;
    let beside = apply(&stage, kind, NAMESPACE, &objects(kind, 2 * GOOD), &step)?.all;
    stage.no_violations()?;
    step.done(&format!("{:.1} s, and {:.1} s alone", beside.as_secs_f64(), alone.as_secs_f64()));
    Ok(Fairness { alone, beside })
}

fn objects(kind: Kind, from: usize) -> Vec<Value> {
    (from..from + GOOD).map(|n| placed(kind, n, NAMESPACE)).collect()
}

fn placed(kind: Kind, n: usize, namespace: &str) -> Value {
    let mut object = kind.object(n);
    object["metadata"]["namespace"] = json!(namespace);
    object
}

impl Fairness {
    /// Was the goal met?
    pub(super) fn is_met(&self) -> bool {
        self.beside <= self.alone.mul_f64(GOAL).max(GRAIN)
    }

    /// One line for people.
    pub(super) fn text(&self) -> String {
        format!(
            "{GOOD} objects of one namespace are Ready after {:.1} s, and after {:.1} s beside {BROKEN} of another whose token is refused (goal: {GOAL} times as long).",
            self.alone.as_secs_f64(),
            self.beside.as_secs_f64()
        )
    }

    pub(super) fn print(&self) {
        terminal::heading("Fairness");
        terminal::line(&self.text());
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "good": GOOD, "broken": BROKEN, "secret": world::SECRET,
            "alone": self.alone.as_secs_f64(), "beside": self.beside.as_secs_f64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_no_delay_and_three_times_as_long_is_one() {
        let fairness = |alone, beside| Fairness {
            alone: Duration::from_millis(alone),
            beside: Duration::from_millis(beside),
        };
        assert!(fairness(200, 1_400).is_met());
        assert!(fairness(1_000, 2_000).is_met());
        assert!(!fairness(1_000, 2_100).is_met());
    }
}
