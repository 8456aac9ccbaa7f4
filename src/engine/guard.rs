//! The guard against mass removals: taking away most of what is there must come from a person's own edit.
//!
//! The threat: a backup of the cluster is restored, a status is tampered with, somebody else fills or empties a list, or
//! the operator itself has a bug; the comparison then says "remove nearly all of it", and a production database locks
//! everybody out within a second. What comes from the object's own new generation a person has asked for. Anything else
//! of that size stops, and asks.

use super::{Counts, Kind, Planned, Problem, Reason, View};
use crate::resource::annotation;

/// More removals than this are many, however much there is.
const MOST: usize = 20;

/// Fewer than this are few, even if they are most of what is there: a hand's addition to a short list is taken back
/// without asking, or a private database would stay open to it until somebody looks.
const FEW: usize = 3;

/// What the guard makes of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling<S> {
    /// It may be carried out as it is.
    Pass(Vec<Planned<S>>),
    /// Only these steps may, which take nothing away; the removals wait.
    Only(Vec<Planned<S>>),
    /// Nothing of it may, and there is nothing to add meanwhile.
    Stop(Problem),
}

/// What the guard has to know beside the plan.
#[derive(Clone, Copy, Debug)]
pub struct Licence {
    /// Was this very generation fully carried out before? Then whatever is to be removed now is not its doing.
    pub applied: bool,
    /// The number of removals that a person has allowed by annotation.
    pub allowed: Option<usize>,
}

/// Lets a plan pass, or holds its removals back.
#[must_use]
pub fn rule<K: Kind>(view: &View<'_, K>, steps: Vec<Planned<K::Step>>, licence: Licence) -> Ruling<K::Step> {
    let mut removals = Counts::new();
    for (list, removed) in steps.iter().map(|planned| K::removes(view, &planned.step)) {
        *removals.entry(list).or_default() += removed;
    }
    let there = K::there(view);
    let mass = removals
        .iter()
        .map(|(list, removed)| (*removed, there.get(list).copied().unwrap_or_default()))
        .find(|(removed, there)| is_mass(*removed, *there));
    let total = removals.values().sum();
    let Some((removed, there)) = mass.filter(|_| licence.applied && licence.allowed != Some(total)) else {
        return Ruling::Pass(steps);
    };
    let additions = K::additions(view);
    if additions.is_empty() { Ruling::Stop(question(removed, there, total)) } else { Ruling::Only(additions) }
}

/// More than half of what is there, or many.
const fn is_mass(removed: usize, there: usize) -> bool {
    removed > MOST || (removed >= FEW && removed * 2 > there)
}

fn question(removed: usize, there: usize, total: usize) -> Problem {
    Problem::new(
        Reason::MassRemoval,
        format!(
            "{removed} of the {there} entries in Astra would be removed, although this generation of the spec was carried out before: somebody else changed Astra, or an older state was restored. Nothing is removed. Look at what is there; to have them removed, annotate the object with {}={total}; to keep them, put them into the spec",
            annotation::ALLOW_MASS_REMOVAL
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_a_list_is_more_than_half_of_it_or_more_than_twenty() {
        for (removed, there, expected) in [
            (0, 0, false),
            (1, 1, false),
            (2, 2, false),
            (2, 3, false),
            (3, 3, true),
            (3, 5, true),
            (3, 6, false),
            (4, 6, true),
            (20, 40, false),
            (21, 40, true),
            (21, 1000, true),
            (20, 1000, false),
        ] {
            assert_eq!(is_mass(removed, there), expected, "{removed} of {there}");
        }
    }
}
