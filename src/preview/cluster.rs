//! Plans that know the cluster: which objects are there, what they own, and which token each has.

use std::{collections::BTreeMap, sync::Arc};

use kube::Client;
use serde_json::json;

use super::{
    Key, ObjectPlan, Subject,
    applied::{Others, applied},
    needs,
    observe::observe,
    plan,
};
use crate::{
    controller::{KubeError, Scope, credentials::Credentials},
    engine::{Problem, Reason},
    kinds::KINDS,
    organization::Organization,
    overview::read,
    resource::CredentialsRef,
};

/// A kind's objects could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("the {plural} of the cluster could not be listed")]
pub struct Unlisted {
    plural: String,
    source: KubeError,
}

/// All objects that the operator watches, with the specs of these manifests in the place of their own; and the objects
/// that only the manifests have, as if they were made now.
///
/// # Errors
/// When a kind cannot be listed: who is in whose way would not be known.
pub async fn with_cluster(
    client: &Client,
    scope: &Scope,
    manifests: Vec<Subject>,
) -> Result<Vec<Subject>, Unlisted> {
    let mut all: BTreeMap<Key, Subject> = BTreeMap::new();
    for entry in KINDS {
        let namespaces: Vec<Option<&str>> = match scope {
            Scope::Cluster => vec![None],
            Scope::Namespaces(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        };
        for namespace in namespaces {
            let listed = read::list(client, entry, namespace).await;
            let unlisted = |source| Unlisted { plural: (entry.crd)().spec.names.plural, source };
            for value in listed.map_err(unlisted)? {
                let subject = Subject::stored(entry.kind, value);
                all.insert(subject.key(), subject);
            }
        }
    }
    for mut manifest in manifests {
        let key = manifest.key();
        let subject = if let Some(stored) = all.remove(&key) {
            applied(stored, manifest, Others::Stay)
        } else {
            // Younger than all that are there.
            manifest.value["metadata"]["creationTimestamp"] = json!("9999-12-30T00:00:00Z");
            manifest
        };
        all.insert(key, subject);
    }
    Ok(all.into_values().collect())
}

/// Plans each object with the token that its Secret has. An object whose token cannot be had is told to be blocked.
pub async fn plan_with_secrets(subjects: Vec<Subject>, credentials: &Credentials) -> Vec<ObjectPlan> {
    let mut groups: Vec<(Arc<Organization>, Vec<Subject>)> = Vec::new();
    let mut plans = Vec::new();
    for subject in subjects {
        let ((_, namespace, _), from) = (subject.key(), CredentialsRef::of(&subject.value));
        match credentials.organization(&namespace, &from).await {
            Ok(organization) => {
                match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &organization)) {
                    Some((_, group)) => group.push(subject),
                    None => groups.push((organization, vec![subject])),
                }
            }
            Err(problem) => plans.push(blocked(subject, problem)),
        }
    }
    for (organization, group) in groups {
        match observe(organization.client(), &needs(&group)).await {
            Ok(world) => plans.extend(plan(group, &world).await),
            Err(error) => {
                let problem =
                    Problem::new(Reason::AstraUnavailable, format!("Astra could not be read: {error}"));
                plans.extend(group.into_iter().map(|subject| blocked(subject, problem.clone())));
            }
        }
    }
    plans.sort_by(|one, other| {
        let key = |plan: &ObjectPlan| (rank(plan.kind), plan.namespace.clone(), plan.name.clone());
        key(one).cmp(&key(other))
    });
    plans
}

fn rank(kind: &str) -> usize {
    KINDS.iter().position(|entry| entry.kind == kind).unwrap_or(KINDS.len())
}

fn blocked(subject: Subject, problem: Problem) -> ObjectPlan {
    let database = &subject.value["spec"]["database"];
    let database =
        database["name"].as_str().or_else(|| database["id"].as_str()).unwrap_or_default().to_owned();
    subject.blocked(database, problem)
}
