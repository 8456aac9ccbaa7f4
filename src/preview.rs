//! What the operator would do, before it does it: the engine that runs is driven on a stage, and its calls are noted.
//!
//! ```text
//! observe (GET only) ─► World ─► for each database: Stage ─► rehearse ─► steps, changes, dangers, end ─► text, markdown, JSON
//! ```
//!
//! Nothing here decides what is to be done: that is [`crate::engine`], in the very code that `run` uses. What it cannot
//! know is what happens between the plan and the run, and what Astra refuses; `docs/adr/0018` says more.

mod applied;
pub mod change;
pub mod cluster;
pub mod compare;
pub mod danger;
pub mod markdown;
pub mod observe;
pub mod rehearse;
pub mod report;
pub mod stage;
pub mod text;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use astra_devops::databases::Database;
use futures::{FutureExt, future::BoxFuture};
use kube::ResourceExt;
use serde_json::{Value, json};

use self::{
    rehearse::{End, Rehearsed, Step, rehearse},
    stage::{Stage, World},
};
use crate::{
    engine::{Kind, Problem},
    kinds::KINDS,
    organization::needs::Needs,
    resource::{DatabaseRef, FINALIZER},
};

/// Something that is to be planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Its kind, as it is registered.
    pub kind: &'static str,
    /// The whole object. What the API server would add and is missing is assumed: see [`Subject::of_manifest`].
    pub value: Value,
    /// Where it is written, for people.
    pub location: Option<String>,
    /// Why the API server would not take what the manifest says, so that the object stays as it is.
    pub refused: Option<Problem>,
    /// What a person should know of it before anything is planned.
    pub notices: Vec<String>,
}

impl Subject {
    /// An object as a cluster has it.
    #[must_use]
    pub fn stored(kind: &'static str, value: Value) -> Self {
        Self { kind, value, location: None, refused: None, notices: Vec::new() }
    }

    /// An object that is in no cluster yet: it owns nothing, and nobody knows its age.
    #[must_use]
    pub fn of_manifest(kind: &'static str, mut value: Value, location: Option<String>) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&value["metadata"]["namespace"]), text(&value["metadata"]["name"]));
        let mut assumed = json!({
            "uid": format!("manifest/{namespace}/{name}"),
            "generation": 1,
            "resourceVersion": "1",
            "finalizers": [FINALIZER],
            "creationTimestamp": "1970-01-01T00:00:00Z",
        });
        if let (Some(assumed), Some(given)) = (assumed.as_object_mut(), value["metadata"].as_object()) {
            assumed.extend(given.clone());
        }
        value["metadata"] = assumed;
        Self { location, ..Self::stored(kind, value) }
    }

    /// Which object it is.
    pub(crate) fn key(&self) -> Key {
        let text = |field: &str| self.value["metadata"][field].as_str().unwrap_or_default().to_owned();
        (self.kind, text("namespace"), text("name"))
    }

    /// The plan of an object for which nothing can be sent.
    pub(crate) fn blocked(self, database: String, problem: Problem) -> ObjectPlan {
        let (kind, namespace, name) = self.key();
        ObjectPlan {
            kind,
            namespace,
            name,
            database,
            location: self.location,
            steps: Vec::new(),
            end: End::Blocked(problem),
            left_alone: Vec::new(),
            notices: self.notices,
            after: self.value,
        }
    }
}

/// Kind, namespace, name.
pub(crate) type Key = (&'static str, String, String);

/// What would come of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPlan {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it is written, for people.
    pub location: Option<String>,
    /// Its database, as it is known: the name and the id, or what the spec says.
    pub database: String,
    /// What would be sent, in order.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
    /// What is there, is not this object's, and is left alone.
    pub left_alone: Vec<String>,
    /// What a person should know beside that.
    pub notices: Vec<String>,
    /// The object as it would be in the end.
    pub after: Value,
}

/// What has to be read from Astra for these.
#[must_use]
pub fn needs(subjects: &[Subject]) -> Needs {
    let mut needs = Needs::default();
    for subject in subjects {
        let Some(entry) = KINDS.iter().find(|entry| entry.kind == subject.kind) else { continue };
        let references = references(&subject.value);
        (entry.needs)(&mut needs, &references);
        needs.databases.extend(references.into_iter().filter(|text| looks_like_an_id(text)));
    }
    needs
}

/// Plans all of them on this world. They come back by kind, namespace and name.
pub async fn plan(subjects: Vec<Subject>, world: &World) -> Vec<ObjectPlan> {
    plan_on(subjects, world.clone()).await.0
}

/// The same, and what the world is then.
pub(crate) async fn plan_on(mut subjects: Vec<Subject>, mut world: World) -> (Vec<ObjectPlan>, World) {
    let mut plans = Vec::with_capacity(subjects.len());
    for entry in KINDS {
        let of_kind: Vec<Subject>;
        (of_kind, subjects) = subjects.into_iter().partition(|subject| subject.kind == entry.kind);
        let (mut done, parts) = (entry.rehearse)(of_kind, &world).await;
        for part in parts {
            world.take(part);
        }
        done.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        plans.append(&mut done);
    }
    (plans, world)
}

/// The plans of the objects of one kind, and what the parts of the world are then that they are about.
pub type Planned = (Vec<ObjectPlan>, Vec<World>);

/// Plans the objects of one kind.
#[must_use]
pub fn of_kind<K: Kind>(subjects: Vec<Subject>, world: &World) -> BoxFuture<'_, Planned> {
    async move {
        let index = Index::of(world);
        let (mut plans, mut parts) = (Vec::new(), Vec::new());
        let mut groups: BTreeMap<String, Vec<(Subject, K)>> = BTreeMap::new();
        for subject in subjects {
            match serde_json::from_value::<K>(subject.value.clone()) {
                Ok(object) => {
                    groups.entry(index.group(&subject.value)).or_default().push((subject, object));
                }
                Err(error) => plans.push(subject.blocked(String::new(), Problem::invalid("spec", error))),
            }
        }
        for (_, group) in groups {
            let references = group.iter().flat_map(|(subject, _)| references(&subject.value)).collect();
            let stage = Arc::new(Stage::new(index.part(&references)));
            let (subjects, objects): (Vec<Subject>, Vec<K>) = group.into_iter().unzip();
            let done = rehearse(objects, &stage).await;
            plans.extend(done.into_iter().map(|rehearsed| told(rehearsed, &subjects, &index)));
            parts.push(stage.world());
        }
        (plans, parts)
    }
    .boxed()
}

fn told<K: Kind>(rehearsed: Rehearsed<K>, subjects: &[Subject], index: &Index<'_>) -> ObjectPlan {
    let object = &rehearsed.object;
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let key = (K::KIND, namespace.clone(), name.clone());
    let subject = subjects.iter().find(|subject| subject.key() == key);
    let refused = subject.and_then(|subject| subject.refused.clone());
    let mut notices = subject.map(|subject| subject.notices.clone()).unwrap_or_default();
    notices.extend(rehearsed.notices);
    ObjectPlan {
        kind: K::KIND,
        location: subject.and_then(|subject| subject.location.clone()),
        database: database(object, index),
        steps: rehearsed.steps,
        end: refused.map_or(rehearsed.end, End::Blocked),
        left_alone: rehearsed.left_alone,
        notices,
        after: serde_json::to_value(object).unwrap_or_default(),
        namespace,
        name,
    }
}

fn database<K: Kind>(object: &K, index: &Index<'_>) -> String {
    let DatabaseRef { id, name } = object.common().database;
    let status = object.status();
    let recorded = status.and_then(|status| status.database_id.clone()).or_else(|| id.clone());
    match recorded.as_ref().and_then(|id| index.by_id(id)) {
        Some(database) if database.info.name.is_empty() => database.id.to_string(),
        Some(database) => format!("{} ({})", database.info.name, database.id),
        None => name.clone().or(recorded).unwrap_or_default(),
    }
}

/// By which ids and names an object names its database.
pub(crate) fn references(object: &Value) -> BTreeSet<String> {
    let all = [
        &object["spec"]["database"]["id"],
        &object["spec"]["database"]["name"],
        &object["status"]["databaseId"],
    ];
    all.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn looks_like_an_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The databases of a world, by id and name.
struct Index<'a> {
    world: &'a World,
    by_reference: HashMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(world: &'a World) -> Self {
        let mut by_reference: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, database) in world.databases.iter().enumerate() {
            by_reference.entry(database.id.as_str().to_ascii_lowercase()).or_default().push(at);
            by_reference.entry(database.info.name.clone()).or_default().push(at);
        }
        Self { world, by_reference }
    }

    fn find(&self, reference: &str) -> &[usize] {
        let found = self.by_reference.get(reference);
        let found = found.or_else(|| self.by_reference.get(&reference.to_ascii_lowercase()));
        found.map(Vec::as_slice).unwrap_or_default()
    }

    fn by_id(&self, id: &str) -> Option<&'a Database> {
        let mut found = self.find(id).iter().map(|at| &self.world.databases[*at]);
        found.find(|database| database.id.as_str().eq_ignore_ascii_case(id))
    }

    /// All that these references can mean.
    fn find_all(&self, references: &BTreeSet<String>) -> BTreeSet<usize> {
        references.iter().flat_map(|reference| self.find(reference)).copied().collect()
    }

    /// Objects of one group may be about one database; what is in different groups cannot be in each other's way.
    fn group(&self, object: &Value) -> String {
        let references = references(object);
        let found = self.find_all(&references);
        match found.iter().collect::<Vec<_>>()[..] {
            [one] => self.world.databases[*one].id.to_string(),
            _ => references.into_iter().collect::<Vec<_>>().join(" "),
        }
    }

    /// The part of the world that these references can mean.
    fn part(&self, references: &BTreeSet<String>) -> World {
        let found = self.find_all(references);
        let databases: Vec<_> = found.iter().map(|at| self.world.databases[*at].clone()).collect();
        let mut part = World { organization: self.world.organization.clone(), ..World::default() };
        for database in &databases {
            let id = &database.id;
            part.access_lists.extend(self.world.access_lists.get(id).map(|list| (id.clone(), list.clone())));
            part.links.extend(self.world.links.get(id).map(|links| (id.clone(), links.clone())));
            for provider in ["aws", "azure", "gcp"] {
                let key = (provider.to_owned(), id.clone());
                part.peerings
                    .extend(self.world.peerings.get(&key).map(|peering| (key.clone(), peering.clone())));
            }
        }
        part.databases = databases;
        part
    }
}
