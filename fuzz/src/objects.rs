//! Objects and statuses as the API server might hand them out: stored under an older schema, or changed by a hand.

use std::fmt::Debug;

use astra_devops::databases::Database;
use astra_operator::{
    engine::{
        Kind, Problem, Reason,
        outcome::{Driven, Outcome},
        timing::Timing,
        verdict::{self, Circumstances, find},
    },
    kinds::{
        AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, access_list::AccessListDetails,
        private_endpoint::PrivateEndpointDetails, vpc_peering::VpcPeeringDetails,
    },
    status::Status,
};
use kube::core::DeserializeGuard;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::world;

/// Decodes an object as the watch does, and takes it as far as it goes without Astra.
fn decode<K: Kind>(data: &[u8]) {
    // What is no JSON, or has no metadata, never leaves the HTTP client.
    let Ok(guard) = serde_json::from_slice::<DeserializeGuard<K>>(data) else { return };
    let object = match guard.0 {
        Ok(object) => object,
        Err(invalid) => {
            assert!(!invalid.error.is_empty());
            return;
        }
    };
    let common = object.common();
    let databases = world::databases();
    let recorded = object.status().and_then(|status| status.database_id.as_deref());
    let _ = astra_operator::engine::resolve::resolve(common.database, recorded, databases.as_slice());
    let details = object.status().map(|status| status.details.clone()).unwrap_or_default();
    let _ = K::names(&details);
    for database in &databases {
        let _ = K::recorded_place(&database.id, &details);
    }
    let _ = astra_operator::controller::reconcile::is_paused(&object);
    let _ = astra_operator::engine::drive::deletion_needs_astra(&object);
    match object.desired() {
        Ok(desired) => {
            let again = object.desired().expect("parsing has no memory");
            assert_eq!(K::wants(&desired), K::wants(&again));
            for database in &databases {
                place::<K>(&desired, database, &details);
            }
        }
        Err(problem) => assert_eq!(problem.reason, Reason::InvalidSpec, "{}", problem.message),
    }
    let text = serde_json::to_vec(&object).expect("what was read can be written");
    serde_json::from_slice::<K>(&text).expect("what was written can be read");
}

fn place<K: Kind>(desired: &K::Desired, database: &Database, details: &K::Details) {
    if let Ok(place) = K::place(desired, database, details) {
        assert!(K::same_place(&place, &place));
    }
}

/// An `AstraAccessList`.
pub(crate) fn access_list(data: &[u8]) {
    decode::<AstraAccessList>(data);
}

/// An `AstraPrivateEndpoint`.
pub(crate) fn private_endpoint(data: &[u8]) {
    decode::<AstraPrivateEndpoint>(data);
}

/// An `AstraVpcPeering`.
pub(crate) fn vpc_peering(data: &[u8]) {
    decode::<AstraVpcPeering>(data);
}

/// The status of each kind, and what is said after it.
pub(crate) fn status(data: &[u8]) {
    judged::<AccessListDetails>(data);
    judged::<PrivateEndpointDetails>(data);
    judged::<VpcPeeringDetails>(data);
}

fn judged<D>(data: &[u8])
where
    D: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned,
{
    let Ok(before) = serde_json::from_slice::<Status<D>>(data) else { return };
    let text = serde_json::to_vec(&before).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<Status<D>>(&text).expect("what was written can be read"), before);
    let now = k8s_openapi::jiff::Timestamp::UNIX_EPOCH;
    let at = Circumstances {
        generation: 3,
        failures: 1,
        stale: 0,
        waits: 1,
        jitter: 0.5,
        now,
        timing: Timing::default(),
    };
    let problem = |reason| Problem::new(reason, String::from_utf8_lossy(data));
    let outcomes = [
        Outcome::Done("all is there".into()),
        Outcome::Waiting(problem(Reason::DatabaseNotReady)),
        Outcome::Blocked(problem(Reason::Conflict)),
        Outcome::Failed(problem(Reason::AstraUnavailable), None),
        Outcome::Sent,
    ];
    for outcome in outcomes {
        for conditions in [None, Some(Vec::new())] {
            let shown = format!("{outcome:?}");
            let kept = match &outcome {
                Outcome::Failed(problem, _) => Outcome::Failed(problem.clone(), None),
                Outcome::Waiting(problem) => Outcome::Waiting(problem.clone()),
                Outcome::Blocked(problem) => Outcome::Blocked(problem.clone()),
                Outcome::Done(summary) => Outcome::Done(summary.clone()),
                _ => Outcome::Sent,
            };
            let driven = Driven { status: before.clone(), outcome: kept, conditions, notice: None };
            let after = verdict::verdict(driven, &before, at).status;
            let said = |type_: &str| find(&after.conditions, type_).is_some();
            if after.conditions != before.conditions {
                assert!(!(said("Stalled") && said("Reconciling")), "{shown}");
                assert!(said("Ready"), "{shown}");
            }
            let own = after.conditions.iter().filter(|c| !before.conditions.contains(c));
            own.for_each(|c| assert!(c.message.chars().count() <= 1001, "{shown}"));
        }
    }
    let paused = verdict::paused(&before, 3, now);
    assert_eq!(paused.conditions.iter().filter(|c| c.type_ == verdict::PAUSED).count(), 1);
    assert!(find(&verdict::without_pause(&paused).conditions, verdict::PAUSED).is_none());
    let _ = json!(paused);
}
