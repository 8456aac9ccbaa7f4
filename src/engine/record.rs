//! The record that an object's status is: what it owns, where, and what was on its way. Removals rest on it, so it is
//! sealed with a checksum over the object's UID and itself.
//!
//! The threat: a hand, a script or a restored backup changes a field of the status, or copies one object's status to
//! another; the operator would then take away what is not this object's, or forget what is. A record that does not fit
//! its seal is not believed at all: the object starts from what its spec wants and Astra has. It is no defence against
//! somebody who may write statuses and computes the seal: that right belongs to the operator alone.

use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::Kind;
use crate::status::{InFlight, Status};

/// What is sealed. Conditions, times and the observed generation are not: nothing is removed because of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sealed<'a, D> {
    uid: &'a str,
    organization_id: &'a Option<String>,
    database_id: &'a Option<String>,
    owned: &'a [String],
    in_flight: &'a Option<InFlight>,
    applied_generation: Option<i64>,
    details: &'a D,
}

/// Seals what the status records.
pub fn seal<D: Serialize + Default + PartialEq>(uid: &str, status: &mut Status<D>) {
    status.record_checksum = checksum(uid, status);
}

/// May this object's record be believed?
#[must_use]
pub fn is_sound<K: Kind>(object: &K) -> bool {
    let uid = object.meta().uid.as_deref().unwrap_or_default();
    object.status().is_none_or(|status| status.record_checksum == checksum(uid, status))
}

/// `None` for a status that records nothing, as each object's first one.
fn checksum<D: Serialize + Default + PartialEq>(uid: &str, status: &Status<D>) -> Option<String> {
    let Status { organization_id, database_id, owned, in_flight, applied_generation, details, .. } = status;
    let empty = organization_id.is_none()
        && database_id.is_none()
        && owned.is_empty()
        && in_flight.is_none()
        && applied_generation.is_none()
        && *details == D::default();
    if empty {
        return None;
    }
    let sealed = Sealed {
        uid,
        organization_id,
        database_id,
        owned,
        in_flight,
        applied_generation: *applied_generation,
        details,
    };
    // Plain data, which can always be written; were it not so, the record would fit no seal and not be believed.
    let text = serde_json::to_vec(&sealed).unwrap_or_default();
    // 64 bits are enough against accidents, and short enough for people.
    let hash = digest(&SHA256, &text);
    let first = hash.as_ref().first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
    first.map(|number| format!("{number:016x}"))
}

/// What is left of a status whose record is not believed: what is said of the object, and no facts.
#[must_use]
pub fn without_facts<D: Clone + Default>(status: &Status<D>) -> Status<D> {
    Status {
        observed_generation: status.observed_generation,
        conditions: status.conditions.clone(),
        last_change_time: status.last_change_time.clone(),
        last_handled_reconcile_at: status.last_handled_reconcile_at.clone(),
        ..Status::default()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::AstraPrivateEndpoint;

    fn object(status: &Value) -> AstraPrivateEndpoint {
        serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraPrivateEndpoint",
            "metadata": { "name": "x", "uid": "one" },
            "spec": { "database": { "name": "orders" } },
            "status": status,
        }))
        .unwrap()
    }

    /// A sealed status with every field that a record can have, as it is stored.
    fn sealed() -> Value {
        let mut status = object(&json!({
            "observedGeneration": 3,
            "organizationId": "org", "databaseId": "db", "owned": ["endpoint/vpce-1", "principal/p"],
            "appliedGeneration": 2, "datacenterId": "db-1", "serviceName": "com.amazonaws.vpce",
            "endpoints": [{ "id": "vpce-1", "status": "Accepted", "astraId": "vpce-one" }],
        }))
        .status
        .unwrap();
        status.in_flight = Some(InFlight {
            since: Time(Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap()),
            generation: 3,
            steps: vec!["connect endpoint vpce-1".into()],
        });
        seal("one", &mut status);
        serde_json::to_value(&status).unwrap()
    }

    #[test]
    fn what_was_sealed_is_believed_after_it_was_stored() {
        assert!(is_sound(&object(&sealed())));
        assert!(is_sound(&object(&json!({}))));
        assert!(is_sound(&object(&json!({ "observedGeneration": -1 }))), "the default of a new object");
    }

    #[test]
    fn any_change_of_a_recorded_field_is_noticed() {
        let said =
            ["observedGeneration", "conditions", "lastChangeTime", "lastHandledReconcileAt", "databaseName"];
        let status = sealed();
        for (field, value) in status.as_object().unwrap() {
            if said.contains(&field.as_str()) {
                continue;
            }
            let mut without = status.clone();
            without.as_object_mut().unwrap().remove(field);
            assert!(!is_sound(&object(&without)), "without {field}");
            let mut changed = status.clone();
            changed[field] = match value {
                Value::String(text) => json!(format!("{text}0")),
                Value::Number(_) => json!(77),
                Value::Array(items) => json!(items[1..]),
                _ => {
                    let mut changed = value.clone();
                    changed["generation"] = json!(77);
                    changed
                }
            };
            assert!(!is_sound(&object(&changed)), "with {field}: {}", changed[field]);
        }
    }

    #[test]
    fn another_objects_record_is_not_believed() {
        let mut other = object(&sealed());
        other.metadata.uid = Some("two".into());
        assert!(!is_sound(&other));
    }
}
