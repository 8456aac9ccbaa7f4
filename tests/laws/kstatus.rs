//! What kstatus, and with it `kubectl wait`, Argo CD, Flux and Helm, wants of conditions.

use astra_operator::engine::verdict;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::lawful::Lawful;

/// Is its condition `Ready` true?
pub(crate) fn is_ready<K: Lawful>(object: &K) -> bool {
    let conditions = object.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
    verdict::find(conditions, "Ready").is_some_and(|ready| ready.status == "True")
}

/// `Ready` is there; `Stalled` and `Reconciling` only when true and never both; the reason is the expected one.
pub(crate) fn as_kstatus_wants<'a>(
    conditions: &'a [Condition],
    expected: &'a str,
) -> impl Iterator<Item = String> + use<'a> {
    let find = |type_| verdict::find(conditions, type_);
    let mut found = Vec::new();
    match find("Ready") {
        None => found.push("there is no condition Ready".to_owned()),
        Some(ready) => {
            if ready.reason != expected {
                found.push(format!("Ready says {}, expected {expected}: {}", ready.reason, ready.message));
            }
            let waits = ["Stalled", "Reconciling"].map(|type_| find(type_).is_some());
            if waits.iter().filter(|there| **there).count() != usize::from(ready.status != "True") {
                found.push(format!("Ready is {}, with Stalled and Reconciling: {waits:?}", ready.status));
            }
        }
    }
    for condition in ["Stalled", "Reconciling"].into_iter().filter_map(find) {
        if condition.status != "True" {
            found.push(format!("{} is there and not True", condition.type_));
        }
    }
    found.into_iter()
}
