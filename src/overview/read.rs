//! Reads the objects of all kinds. A kind that may not be read is told, and the others are shown.

use std::collections::BTreeMap;

use futures::future::join_all;
use kube::{
    Api, Client,
    api::{ApiResource, ListParams},
    core::DynamicObject,
};
use serde_json::{Value, json};

use super::refused::Asked;
use crate::{
    controller::{KubeError, within},
    kinds::{Entry, KINDS},
    resource::{GROUP, VERSION},
};

/// Objects in one answer of the API server.
const PAGE: u32 = 500;

/// What was seen of the cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The objects: by the place of their kind in [`KINDS`], namespace and name.
    pub objects: BTreeMap<(usize, String, String), Value>,
    /// Why a kind could not be read, by its place in [`KINDS`].
    pub refused: BTreeMap<usize, String>,
}

impl Seen {
    /// Could no kind be read at all?
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.refused.len() == KINDS.len()
    }

    /// What could not be read, and why; what is the same for several kinds once.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for note in self.refused.values() {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        notes
    }

    /// Notes what there is of a kind.
    pub fn put(&mut self, kind: usize, objects: impl IntoIterator<Item = Value>) {
        for object in objects {
            self.objects.insert(key(kind, &object), object);
        }
    }
}

/// Where an object is kept.
#[must_use]
pub fn key(kind: usize, object: &Value) -> (usize, String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (kind, text("namespace"), text("name"))
}

/// All objects in one namespace, or in all.
pub async fn all(client: &Client, namespace: Option<&str>) -> Seen {
    let lists = join_all(KINDS.iter().map(|entry| list(client, entry, namespace))).await;
    let mut seen = Seen::default();
    for (kind, list) in lists.into_iter().enumerate() {
        match list {
            Ok(objects) => seen.put(kind, objects),
            Err(error) => {
                seen.refused.insert(kind, refusal("list", &KINDS[kind], namespace, &error));
            }
        }
    }
    seen
}

/// The objects of one kind, page by page.
///
/// # Errors
/// The first page that is not given.
pub async fn list(client: &Client, entry: &Entry, namespace: Option<&str>) -> Result<Vec<Value>, KubeError> {
    let api = api(client, entry, namespace);
    let mut objects = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = within(api.list(&params)).await?;
        objects.extend(page.items.into_iter().map(|object| value(entry, object)));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// The objects of a kind, in one namespace or in all.
#[must_use]
pub fn api(client: &Client, entry: &Entry, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = resource(entry);
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

fn resource(entry: &Entry) -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        api_version: format!("{GROUP}/{VERSION}"),
        kind: entry.kind.to_owned(),
        plural: (entry.crd)().spec.names.plural,
    }
}

/// What is asked when objects of this kind are listed or watched, for the words of a refusal.
#[must_use]
pub fn refusal(verb: &str, entry: &Entry, namespace: Option<&str>, error: &KubeError) -> String {
    let resource = qualified(entry);
    Asked { verb, resource: &resource, name: None, namespace }.refused(error)
}

/// The kind's resource as in the rule of a role, with its group.
#[must_use]
pub fn qualified(entry: &Entry) -> String {
    format!("{}.{GROUP}", (entry.crd)().spec.names.plural)
}

/// The whole object. In lists its own kind may be left out.
#[must_use]
pub fn value(entry: &Entry, mut object: DynamicObject) -> Value {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(object).unwrap_or_default();
    value["apiVersion"] = json!(format!("{GROUP}/{VERSION}"));
    value["kind"] = json!(entry.kind);
    value
}
