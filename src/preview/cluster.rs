//! Plans that know the cluster: which objects are there, what they own, and which token each has.

use std::{collections::BTreeMap, sync::Arc};

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ListParams},
};
use serde_json::{Value, json};

use super::{ObjectPlan, Subject, needs, observe::observe, plan, rehearse::End};
use crate::{
    controller::{KubeError, Scope, credentials::Credentials, within},
    engine::{Problem, Reason},
    kinds::KINDS,
    organization::Organization,
    resource::CredentialsRef,
};

/// Objects on one page of a list.
const PAGE: u32 = 500;

/// A kind's objects could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("the {plural} of the cluster could not be listed")]
pub struct Unlisted {
    plural: String,
    source: KubeError,
}

/// All objects that the operator watches, with the specs of these manifests in the place of their own; and the objects that only the
/// manifests have, as if they were made now.
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
        let resource = ApiResource {
            group: crate::resource::GROUP.to_owned(),
            version: crate::resource::VERSION.to_owned(),
            api_version: format!("{}/{}", crate::resource::GROUP, crate::resource::VERSION),
            kind: entry.kind.to_owned(),
            plural: (entry.crd)().spec.names.plural,
        };
        let apis: Vec<Api<DynamicObject>> = match scope {
            Scope::Cluster => vec![Api::all_with(client.clone(), &resource)],
            Scope::Namespaces(names) => {
                names.iter().map(|name| Api::namespaced_with(client.clone(), name, &resource)).collect()
            }
        };
        for api in apis {
            let listed = list(&api).await;
            let listed = listed.map_err(|source| Unlisted { plural: resource.plural.clone(), source })?;
            for value in listed {
                let subject = Subject { kind: entry.kind, value, location: None };
                all.insert(key(&subject), subject);
            }
        }
    }
    for mut manifest in manifests {
        let key = key(&manifest);
        let subject = if let Some(stored) = all.remove(&key) {
            applied(stored, manifest)
        } else {
            // Younger than all that are there.
            manifest.value["metadata"]["creationTimestamp"] = json!("9999-12-30T00:00:00Z");
            manifest
        };
        all.insert(key, subject);
    }
    Ok(all.into_values().collect())
}

/// All objects, page by page.
async fn list(api: &Api<DynamicObject>) -> Result<Vec<Value>, KubeError> {
    let mut parameters = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = within(api.list(&parameters)).await?;
        all.extend(page.items.iter().filter_map(|object| serde_json::to_value(object).ok()));
        let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else { return Ok(all) };
        parameters = parameters.continue_token(&token);
    }
}

/// The stored object as it is after `kubectl apply`.
fn applied(mut stored: Subject, manifest: Subject) -> Subject {
    if stored.value["spec"] != manifest.value["spec"] {
        let generation = stored.value["metadata"]["generation"].as_i64().unwrap_or(1);
        stored.value["metadata"]["generation"] = json!(generation + 1);
        stored.value["spec"] = manifest.value["spec"].clone();
    }
    if let Some(given) = manifest.value["metadata"]["annotations"].as_object() {
        let annotations = &mut stored.value["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.extend(given.clone());
        }
    }
    Subject { location: manifest.location, ..stored }
}

/// Plans each object with the token that its Secret has. An object whose token cannot be had is told to be blocked.
pub async fn plan_with_secrets(subjects: Vec<Subject>, credentials: &Credentials) -> Vec<ObjectPlan> {
    let mut groups: Vec<(Arc<Organization>, Vec<Subject>)> = Vec::new();
    let mut plans = Vec::new();
    for subject in subjects {
        let (namespace, from) = credentials_of(&subject.value);
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

/// Kind, namespace, name.
type Key = (&'static str, String, String);

fn key(subject: &Subject) -> Key {
    let text = |field: &str| subject.value["metadata"][field].as_str().unwrap_or_default().to_owned();
    (subject.kind, text("namespace"), text("name"))
}

fn credentials_of(object: &Value) -> (String, CredentialsRef) {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let from = serde_json::from_value(object["spec"]["credentials"].clone()).unwrap_or_default();
    (namespace, from)
}

fn blocked(subject: Subject, problem: Problem) -> ObjectPlan {
    let (kind, namespace, name) = key(&subject);
    let database = &subject.value["spec"]["database"];
    let database = database["name"].as_str().or_else(|| database["id"].as_str()).unwrap_or_default();
    ObjectPlan {
        kind,
        namespace,
        name,
        database: database.to_owned(),
        location: subject.location,
        steps: Vec::new(),
        end: End::Blocked(problem),
        left_alone: Vec::new(),
        notices: Vec::new(),
        after: subject.value,
    }
}
