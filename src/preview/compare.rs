//! Two trees of manifests: what would be sent if Astra was as the first says. Neither Astra nor a cluster is asked.
//!
//! The first tree is rehearsed from databases of which nothing is known but their names, until it is at rest. What is then
//! on the stage, and what each object then owns, is where the second tree begins. An object that only the first tree has
//! is deleted, as Argo CD and Flux do when they prune.

use std::collections::{BTreeMap, BTreeSet};

use astra_devops::{
    databases::{Database, DatabaseInfo, DatabaseStatus, Datacenter},
    id::DatabaseId,
};
use serde_json::{Value, json};

use super::{
    Key, ObjectPlan, Subject,
    applied::{Others, applied},
    plan_on,
    rehearse::End,
    stage::World,
};

/// How the id of a database begins that no manifest tells.
const ASSUMED: &str = "00000000-0000-4000-8000-";

/// Plans the second tree on a world that the first has made.
pub async fn compare(base: Vec<Subject>, head: Vec<Subject>) -> Vec<ObjectPlan> {
    let world = assumed(base.iter().chain(&head));
    let (before, mut world) = plan_on(base, world).await;
    // What was asked for once was accepted since: the base is what there is, not what is under way.
    for peering in world.peerings.values_mut() {
        "active".clone_into(&mut peering.status);
    }
    let ids = made_up(&world);
    let mut before: BTreeMap<Key, Subject> = before
        .into_iter()
        .map(|plan| ((plan.kind, plan.namespace, plan.name), Subject::stored(plan.kind, plan.after)))
        .collect();
    let (mut subjects, mut new): (Vec<Subject>, Vec<Subject>) = (Vec::new(), Vec::new());
    for subject in head {
        match before.remove(&subject.key()) {
            Some(earlier) => subjects.push(applied(earlier, subject, Others::Go)),
            None => new.push(subject),
        }
    }
    subjects.extend(before.into_values().map(|subject| pruned(subject, &new)));
    subjects.append(&mut new);
    let (mut plans, _) = plan_on(subjects, world).await;
    for plan in &mut plans {
        named(plan, &ids);
    }
    plans
}

/// An object that is gone from the tree. Under another name it is another object: who only meant to give it a new one has
/// to know.
fn pruned(mut subject: Subject, new: &[Subject]) -> Subject {
    let spec = &subject.value["spec"];
    let database = |spec: &Value| spec["database"].clone();
    let successor = new
        .iter()
        .find(|other| other.kind == subject.kind && database(&other.value["spec"]) == database(spec));
    if let Some(successor) = successor {
        let (kind, namespace, name) = successor.key();
        let end = if spec["deletionPolicy"] == "Delete" {
            "this one has deletionPolicy Delete, so the new one must be there before this one is deleted (Argo CD and Flux do it in this order), or what it owns is taken away and made again"
        } else {
            "this one has deletionPolicy Retain, so all stays in Astra meanwhile"
        };
        subject.notices.push(format!(
            "{kind} {namespace}/{name} is new and about the same database; a new name or namespace is a deletion and a creation: {end}"
        ));
    }
    subject.value["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:00:00Z");
    subject
}

/// The ids that are ours and tell nobody anything, each with the database's name in braces.
fn made_up(world: &World) -> Vec<(String, String)> {
    let assumed = world.databases.iter().filter(|database| database.id.as_str().starts_with(ASSUMED));
    assumed.map(|database| (database.id.to_string(), format!("{{{}}}", database.info.name))).collect()
}

/// Puts names where ids were made up.
fn named(plan: &mut ObjectPlan, ids: &[(String, String)]) {
    for (id, name) in ids {
        if let Some((known, _)) = plan.database.split_once(&format!(" ({id}")) {
            plan.database = known.to_owned();
        }
        let put = |text: &mut String| {
            if text.contains(id.as_str()) {
                *text = text.replace(id.as_str(), name);
            }
        };
        for step in &mut plan.steps {
            put(&mut step.what);
            put(&mut step.why);
            put(&mut step.call.path);
        }
        plan.left_alone.iter_mut().chain(&mut plan.notices).for_each(put);
        match &mut plan.end {
            End::Ready(text) | End::Gone(text) => put(text),
            End::Waits(problem) | End::Blocked(problem) | End::Fails(problem) => put(&mut problem.message),
            End::Paused | End::Endless => {}
        }
    }
}

/// Databases of which only what the manifests say is known: how they are named, and which datacenters they have.
fn assumed<'a>(subjects: impl Iterator<Item = &'a Subject>) -> World {
    let mut databases: BTreeMap<String, Known> = BTreeMap::new();
    for subject in subjects {
        let spec = &subject.value["spec"];
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let (id, name) = (text(&spec["database"]["id"]), text(&spec["database"]["name"]));
        let Some(reference) = id.clone().or_else(|| name.clone()) else { continue };
        let known = databases.entry(reference).or_default();
        known.id = known.id.take().or(id);
        known.name = known.name.take().or(name);
        known.cloud = known.cloud.or_else(|| cloud(spec));
        match (text(&spec["datacenterId"]), text(&spec["region"])) {
            (Some(id), region) => drop(known.datacenters.insert(id, region.unwrap_or_default())),
            (None, region) => known.regions.extend(region),
        }
    }
    let databases =
        databases.into_values().enumerate().filter_map(|(at, known)| known.database(at)).collect();
    World { databases, ..World::default() }
}

/// What manifests tell of a database.
#[derive(Default)]
struct Known {
    id: Option<String>,
    name: Option<String>,
    cloud: Option<&'static str>,
    regions: BTreeSet<String>,
    /// With their regions, where those are told too.
    datacenters: BTreeMap<String, String>,
}

impl Known {
    /// `None` for an id that the schema would have refused.
    fn database(self, at: usize) -> Option<Database> {
        let assumed = format!("{ASSUMED}{at:012}");
        let id: DatabaseId = self.id.as_ref().unwrap_or(&assumed).parse().ok()?;
        let mut all: Vec<(String, String)> = self.datacenters.into_iter().collect();
        for region in self.regions {
            if all.iter().all(|(_, known)| *known != region) {
                all.push((format!("{id}-{}", all.len() + 1), region));
            }
        }
        if all.is_empty() {
            all.push((format!("{id}-1"), String::new()));
        }
        let cloud = self.cloud.unwrap_or("AWS");
        let datacenter = |(id, region): (String, String)| {
            let status = DatabaseStatus::default();
            Some(Datacenter { id: id.parse().ok()?, region, cloud_provider: cloud.to_owned(), status })
        };
        let datacenters: Vec<Datacenter> = all.into_iter().filter_map(datacenter).collect();
        let info = DatabaseInfo {
            name: self.name.unwrap_or_default(),
            cloud_provider: cloud.to_owned(),
            tier: String::new(),
            region: datacenters.first().map(|first| first.region.clone()).unwrap_or_default(),
            datacenters,
        };
        Some(Database { id, org_id: String::new(), info, status: DatabaseStatus("ACTIVE".to_owned()) })
    }
}

/// The cloud that a spec speaks of, if it does.
fn cloud(spec: &Value) -> Option<&'static str> {
    for (field, cloud) in [("aws", "AWS"), ("azure", "AZURE"), ("gcp", "GCP")] {
        if !spec[field].is_null() {
            return Some(cloud);
        }
    }
    let first = |list: &Value, field: Option<&str>| {
        let one = list.as_array()?.first()?;
        field.map_or(one, |field| &one[field]).as_str().map(ToOwned::to_owned)
    };
    let text = first(&spec["allowedPrincipals"], None).or_else(|| first(&spec["endpoints"], Some("id")))?;
    Some(if text.starts_with("arn:") || text.starts_with("vpce-") {
        "AWS"
    } else if text.starts_with('/') || text.len() == 36 {
        "AZURE"
    } else {
        "GCP"
    })
}
