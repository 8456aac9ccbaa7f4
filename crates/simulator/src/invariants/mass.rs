//! I12: how much of a list goes in a row of requests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Invariant::I12, Kind, claims::Claims, place::Place, removals::Change, watch::Write};

/// Removals that follow each other within this belong together.
const ROW: SignedDuration = SignedDuration::from_secs(60);

/// So many may always go...
const FEW: usize = 2;
/// ...and so many at the most.
const MANY: usize = 20;

/// Removals from one list that follow each other.
#[derive(Clone)]
struct Row {
    last: Timestamp,
    /// All that was there at any time of it.
    there: BTreeSet<String>,
    /// What was left by the last request.
    left: BTreeSet<String>,
    removed: BTreeSet<String>,
    told: bool,
}

/// The rows of each list. A place may have several: principals are one, endpoints another.
#[derive(Clone, Default)]
pub(super) struct Rows(BTreeMap<(Place, &'static str), Row>);

impl Rows {
    /// Judges one write.
    pub(super) fn judge(
        &mut self,
        write: &Write<'_>,
        claims: &Claims<'_>,
        before: &BTreeSet<String>,
        change: &Change,
    ) -> Vec<Finding> {
        let lists: &[&'static str] = match write.place.kind {
            Kind::AccessList => &["address/"],
            Kind::PrivateEndpoint => &["principal/", "endpoint/"],
            Kind::VpcPeering => &[],
        };
        let judged = lists.iter().filter_map(|list| self.of_list(write, claims, before, change, list));
        judged.collect()
    }

    fn of_list(
        &mut self,
        write: &Write<'_>,
        claims: &Claims<'_>,
        before: &BTreeSet<String>,
        change: &Change,
        list: &'static str,
    ) -> Option<Finding> {
        let of = |all: &BTreeSet<String>| -> BTreeSet<String> {
            all.iter().filter(|identity| identity.starts_with(list)).cloned().collect()
        };
        let (before, gone, made) = (of(before), of(&change.gone), of(&change.made));
        let key = (write.place.clone(), list);
        if claims.allows_mass_removal() {
            self.0.remove(&key);
            return None;
        }
        if gone.is_empty() && made.is_empty() {
            return None;
        }
        // What came by itself meanwhile begins another story.
        let goes_on = self
            .0
            .get(&key)
            .is_some_and(|row| write.now.duration_since(row.last) <= ROW && before.is_subset(&row.left));
        if !goes_on {
            let row = Row {
                last: write.now,
                there: BTreeSet::new(),
                left: BTreeSet::new(),
                removed: BTreeSet::new(),
                told: false,
            };
            self.0.insert(key.clone(), row);
        }
        let row = self.0.get_mut(&key)?;
        row.last = write.now;
        row.left = before.difference(&gone).chain(&made).cloned().collect();
        row.there.extend(before);
        row.removed.extend(gone);
        row.removed.retain(|identity| !made.contains(identity));
        let (removed, there) = (row.removed.len(), row.there.len());
        let too_many = removed > MANY || (removed > FEW && removed * 2 > there);
        if !too_many || std::mem::replace(&mut row.told, true) {
            return None;
        }
        let what = list.trim_end_matches('/');
        Some(Finding::new(
            I12,
            format!(
                "{removed} of {there} ({what}) go in a row, for a generation that was carried out before, and nobody has allowed it"
            ),
        ))
    }
}
