//! Counts what was done and what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// The counts of a run.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    operations: BTreeMap<&'static str, usize>,
    refused: usize,
    /// Invalid values that were taken and told by the conditions: how long that took.
    reported: Vec<Duration>,
    ready: usize,
    rollbacks: usize,
    compared: usize,
    valid: BTreeSet<String>,
    invalid: BTreeSet<String>,
    violations: Vec<String>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap()
    }

    /// An operation was sent to the API server.
    pub(crate) fn operation(&self, verb: &'static str) {
        *self.lock().operations.entry(verb).or_default() += 1;
    }

    /// The API server refused it.
    pub(crate) fn refused(&self) {
        self.lock().refused += 1;
    }

    /// An invalid value was taken, and told by the conditions after this long.
    pub(crate) fn reported(&self, after: Duration) {
        self.lock().reported.push(after);
    }

    /// An object became Ready.
    pub(crate) fn ready(&self) {
        self.lock().ready += 1;
    }

    /// An object was brought back to a good spec after a bad one.
    pub(crate) fn rolled_back(&self) {
        self.lock().rollbacks += 1;
    }

    /// The state in Astra was compared with that of the same spec on a fresh database.
    pub(crate) fn compared(&self) {
        self.lock().compared += 1;
    }

    /// A valid value of a field was Ready.
    pub(crate) fn worked(&self, field: String) {
        self.lock().valid.insert(field);
    }

    /// An invalid value of a field was refused or told.
    pub(crate) fn caught(&self, field: String) {
        self.lock().invalid.insert(field);
    }

    /// Something that must not be.
    pub(crate) fn violation(&self, what: String) {
        // At once, too: a run that is cut short shall have told.
        println!("violation: {what}");
        self.lock().violations.push(what);
    }

    /// How many operations were sent.
    pub(crate) fn operations(&self) -> usize {
        self.lock().operations.values().sum()
    }

    /// All that must not be, with fields of which no value worked or no bad value was caught.
    pub(crate) fn violations(&self, fields: &[String]) -> Vec<String> {
        let counts = self.lock();
        let mut found = counts.violations.clone();
        for field in fields {
            if !counts.valid.contains(field) {
                found.push(format!("{field}: no value of it was ever Ready"));
            }
            if !counts.invalid.contains(field) {
                found.push(format!("{field}: no bad value of it was ever caught"));
            }
        }
        found
    }

    /// How long the report of an invalid value took: half of them were told within this time.
    pub(crate) fn told_within(&self) -> Duration {
        let mut all = self.lock().reported.clone();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.lock();
        let verbs: Vec<_> = counts.operations.iter().map(|(verb, count)| format!("{count} {verb}")).collect();
        let all: usize = counts.operations.values().sum();
        let slowest = counts.reported.iter().max().copied().unwrap_or_default();
        writeln!(f, "{all} operations: {}", verbs.join(", "))?;
        writeln!(f, "{} refused by the API server", counts.refused)?;
        writeln!(f, "{} told by conditions, the slowest after {slowest:.1?}", counts.reported.len())?;
        writeln!(f, "{} times Ready, {} rollbacks", counts.ready, counts.rollbacks)?;
        writeln!(f, "{} states in Astra compared with those of a fresh database", counts.compared)?;
        write!(
            f,
            "{} fields with a valid value, {} with an invalid one",
            counts.valid.len(),
            counts.invalid.len()
        )
    }
}
