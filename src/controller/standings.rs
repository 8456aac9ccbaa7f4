//! How many objects stand how, from what the watches know.

use std::collections::BTreeMap;

use kube::ResourceExt;

use super::peers::Stores;
use crate::{engine::Kind, metrics::Standing};

impl<K: Kind> Stores<K> {
    /// Counts the objects by what each of their conditions says. One that has no `Ready` yet has it `Unknown`; one that
    /// cannot be read has it `False`.
    #[must_use]
    pub fn standings(&self) -> Vec<(Standing, u64)> {
        let mut counts: BTreeMap<Standing, u64> = BTreeMap::new();
        for guard in self.all() {
            let namespace = guard.namespace().unwrap_or_default();
            let standing = |condition: &str, status: &str, reason: &str| Standing {
                namespace: namespace.clone(),
                condition: condition.to_owned(),
                status: status.to_owned(),
                reason: reason.to_owned(),
            };
            let Ok(object) = &guard.0 else {
                *counts.entry(standing("Ready", "False", "Unreadable")).or_default() += 1;
                continue;
            };
            let conditions = object.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
            if conditions.iter().all(|condition| condition.type_ != "Ready") {
                *counts.entry(standing("Ready", "Unknown", "")).or_default() += 1;
            }
            for condition in conditions {
                let standing = standing(&condition.type_, &condition.status, &condition.reason);
                *counts.entry(standing).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }
}
