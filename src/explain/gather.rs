//! Reads all that an explanation stands on: `get` and `list` in the cluster, `GET` from Astra, and nothing else. What may
//! not be read is noted, and the rest is told.

use std::{sync::Arc, time::Duration};

use astra_devops::{Client as Astra, Transport};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::Value;

use super::{
    Facts, astra, events, lease,
    secret::{self, Credentials},
    target::{Target, did_you_mean, nearest, short_name},
};
use crate::{
    controller::within,
    engine::{
        Problem, Reason,
        outcome::{self, Outcome},
    },
    kinds::Entry,
    overview::{read, refused::Asked, standing},
    preview::{self, ObjectPlan, Subject, observe::observe, stage::World},
    resource::{CredentialsRef, annotation},
};

/// All of Astra's answers together may take this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Calls to Astra at once.
const CALLS: usize = 8;

/// What is asked, and who is asked.
pub struct Question {
    /// The cluster; its own retries are off.
    pub client: Client,
    /// The object.
    pub target: Target,
    /// Its namespace.
    pub namespace: String,
    /// The way to Astra.
    pub transport: Arc<dyn Transport>,
    /// The namespaces that the operator watches; all when there is none.
    pub watched: Vec<String>,
    /// Namespace and name of the operator's Lease.
    pub lease: (String, String),
}

/// Nothing can be explained. The text says why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

/// Reads all of it.
///
/// # Errors
/// When the object itself cannot be read.
pub async fn gather(question: &Question) -> Result<Facts, Unanswered> {
    let Question { client, target: Target { entry, .. }, namespace, transport, lease, watched } = question;
    let object = object(question).await?;
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    let from = CredentialsRef::of(&object);
    let ((credentials, token), events, operator, peers) = futures::join!(
        secret::read(client, namespace, &from),
        events::read(client, namespace, uid),
        lease::read(client, lease, Timestamp::now()),
        peers(client, entry, namespace, watched),
    );
    let (peers, mut notes) = peers;
    let events = events.unwrap_or_else(|note| {
        notes.push(note);
        Vec::new()
    });
    let mut facts = Facts {
        kind: entry.kind,
        own_conditions: entry.conditions,
        short_name: short_name(entry),
        credentials,
        world: None,
        astra_failed: None,
        plan: None,
        beside: Vec::new(),
        events,
        operator,
        notes,
        object,
    };
    if let Some(token) = token {
        let astra = Astra::new(transport.clone(), token, CALLS);
        match observed(&astra, entry, &facts.object).await {
            Ok(world) => {
                let (plan, beside) = plan(entry, &facts.object, &peers, &facts.credentials, &world).await;
                facts = Facts { plan, beside, world: Some(world), ..facts };
            }
            Err(problem) => facts.astra_failed = Some(problem),
        }
    }
    Ok(facts)
}

async fn object(
    Question { client, target: Target { entry, name }, namespace, .. }: &Question,
) -> Result<Value, Unanswered> {
    let api = read::api(client, entry, Some(namespace));
    match within(api.get(name)).await {
        Ok(object) => Ok(read::value(entry, object)),
        Err(error) if error.is_not_found() => Err(missing(client, entry, namespace, name).await),
        Err(error) => {
            let resource = read::qualified(entry);
            let asked =
                Asked { verb: "get", resource: &resource, name: Some(name), namespace: Some(namespace) };
            Err(Unanswered(asked.refused(&error)))
        }
    }
}

/// Why there is no such object, and which may have been meant.
async fn missing(client: &Client, entry: &Entry, namespace: &str, name: &str) -> Unanswered {
    let here = match read::list(client, entry, Some(namespace)).await {
        Ok(here) => here,
        // Then it is the definition that is missing.
        Err(error) if error.is_not_found() => {
            return Unanswered(read::refusal("list", entry, Some(namespace), &error));
        }
        Err(_) => Vec::new(),
    };
    let there_is_none = format!("there is no {} {name:?} in the namespace {namespace}", entry.kind);
    let names: Vec<&str> = here.iter().filter_map(|object| object["metadata"]["name"].as_str()).collect();
    let suggestion = did_you_mean(nearest(name, names.iter().copied()));
    if !suggestion.is_empty() {
        return Unanswered(format!("{there_is_none}{suggestion}"));
    }
    // Most often it is the namespace that was forgotten.
    let everywhere = read::list(client, entry, None).await.unwrap_or_default();
    let elsewhere: Vec<&str> = everywhere
        .iter()
        .filter(|object| object["metadata"]["name"] == name)
        .filter_map(|object| object["metadata"]["namespace"].as_str())
        .collect();
    let hint = match (&elsewhere[..], &names[..]) {
        ([], []) => "; there is none of this kind. All objects: astra-operator status -A".to_owned(),
        ([], names) => format!("; there are {}", listed(names)),
        (elsewhere, _) => format!(
            "; there is one of this name in {}: give -n {}",
            listed(elsewhere),
            elsewhere.first().copied().unwrap_or_default()
        ),
    };
    Unanswered(format!("{there_is_none}{hint}"))
}

/// Some names, and how many more there are.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

/// All objects of the kind that the operator sees and that may be read: in the watched namespaces, or else in all, or else
/// in this one.
async fn peers(
    client: &Client,
    entry: &Entry,
    namespace: &str,
    watched: &[String],
) -> (Vec<Value>, Vec<String>) {
    if !watched.is_empty() {
        return in_namespaces(client, entry, watched).await;
    }
    match read::list(client, entry, None).await {
        Ok(all) => (all, Vec::new()),
        Err(error) => {
            let refused = read::refusal("list", entry, None, &error);
            let (here, mut notes) = in_namespaces(client, entry, &[namespace.to_owned()]).await;
            notes.insert(
                0,
                format!("{refused}; objects of other namespaces on this database take no part in the plan"),
            );
            (here, notes)
        }
    }
}

async fn in_namespaces(client: &Client, entry: &Entry, namespaces: &[String]) -> (Vec<Value>, Vec<String>) {
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for namespace in namespaces {
        match read::list(client, entry, Some(namespace)).await {
            Ok(objects) => all.extend(objects),
            Err(error) => {
                let refused = read::refusal("list", entry, Some(namespace), &error);
                notes.push(format!("{refused}; its other objects take no part in the plan"));
            }
        }
    }
    (all, notes)
}

/// What Astra has, as far as the object needs it.
async fn observed(astra: &Astra, entry: &Entry, object: &Value) -> Result<World, Problem> {
    let needs = preview::needs(&[subject(entry, object)]);
    let Ok(read) = tokio::time::timeout(PATIENCE, observe(astra, &needs)).await else {
        let message = format!("Astra did not answer within {} s", PATIENCE.as_secs());
        return Err(Problem::new(Reason::AstraUnavailable, message));
    };
    read.map_err(|error| match outcome::failed(&error, "reading from Astra") {
        Outcome::Failed(problem, _) => problem,
        // A failed call is nothing else; should that change, the error's own words remain.
        _ => Problem::new(Reason::AstraUnavailable, error.to_string()),
    })
}

/// What the operator would do next, and beside whom.
async fn plan(
    entry: &Entry,
    object: &Value,
    all: &[Value],
    credentials: &Credentials,
    world: &World,
) -> (Option<ObjectPlan>, Vec<String>) {
    // What would come when the pause ends is what a person wants to know.
    let mut unpaused = object.clone();
    if let Some(annotations) = unpaused["metadata"]["annotations"].as_object_mut() {
        annotations.remove(annotation::PAUSED);
    }
    let database = astra::database(object, world).ok();
    let is_about = |other: &&Value| {
        let names = preview::references(other);
        database.is_some_and(|database| {
            names
                .iter()
                .any(|name| *name == database.info.name || name.eq_ignore_ascii_case(database.id.as_str()))
        })
    };
    let uid = &object["metadata"]["uid"];
    let beside: Vec<&Value> =
        all.iter().filter(|other| other["metadata"]["uid"] != *uid).filter(is_about).collect();
    let mut subjects = vec![subject(entry, &unpaused)];
    subjects.extend(beside.iter().map(|other| subject(entry, &as_peer(other, object, credentials))));
    let text = |value: &Value, field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text(object, "namespace"), text(object, "name"));
    let plans = preview::plan(subjects, world).await;
    let own = plans.into_iter().find(|plan| plan.namespace == namespace && plan.name == name);
    let beside = beside.iter().map(|other| format!("{}/{}", text(other, "namespace"), text(other, "name")));
    (own, beside.collect())
}

/// Another object, as it takes part. One whose own token does not work can do nothing, and on the stage, where no token
/// is looked at, it must not do anything either: it is paused there, which the engine takes for the same.
fn as_peer(other: &Value, object: &Value, credentials: &Credentials) -> Value {
    let mut peer = other.clone();
    let from = CredentialsRef::of(other);
    let same = from.secret_name == credentials.secret_name
        && from.key == credentials.key
        && other["metadata"]["namespace"] == object["metadata"]["namespace"];
    let standing = standing::Standing::of(other);
    let powerless =
        standing.stalled && Reason::parse(&standing.reason).is_some_and(Reason::is_about_credentials);
    if powerless && !same {
        peer["metadata"]["annotations"][annotation::PAUSED] = "true".into();
    }
    peer
}

fn subject(entry: &Entry, object: &Value) -> Subject {
    Subject::stored(entry.kind, object.clone())
}
