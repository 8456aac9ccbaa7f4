//! A status is written by the operator, and can be written by others: by a person with `kubectl edit --subresource`, by a
//! restore from a backup, by a broken disk. Each field of it is deleted, cut, replaced by another text and by what belongs
//! to others, between two looks and just before a deletion; so are the finalizers.
//!
//! Whatever was done: nothing of others is removed from Astra, the object heals or tells, and it goes only when nothing
//! of it is left, or nothing is left that says that there was.

use std::{collections::BTreeSet, time::Duration};

use astra_operator::{controller::object::has_finalizer, kinds::KINDS};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    case::{Action, Case, Thing, Wish},
    checker,
    fuse::Fuse,
    kstatus::is_ready,
    lawful::{Lawful, Things},
    stage::{Stage, in_virtual_time},
};

/// How long the operator gets to see what was done: the settle time, and a resync.
const LOOKS: Duration = Duration::from_secs(150);

/// One thing done to an object behind the operator's back.
#[derive(Clone, Debug)]
struct Tampering {
    /// A JSON pointer into the object.
    at: String,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Removed,
    /// Replaced by this.
    Replaced(Value),
    /// Replaced by what the other object has there.
    Exchanged,
}

/// What comes of it where it is not all that could be wished: how the complaint begins and ends. Each must be met, or it is
/// struck out here.
const KNOWN: &[(&str, &str)] = &[
    // On Azure only the record tells which endpoint in Astra is the object's. When it is not believed, and the object is
    // deleted before the next look, the endpoint stays: it could be anybody's of that name. An event tells.
    ("it is gone, and endpoint//subscriptions/", "is left"),
];

/// Every tampering with a part of the status that its schema knows and the API server would take.
fn with_schema(at: &str, schema: &JSONSchemaProps, now: &Value, found: &mut Vec<Tampering>) {
    let mut add = |how| found.push(Tampering { at: at.to_owned(), how });
    add(How::Removed);
    add(How::Exchanged);
    let replaced = |value| How::Replaced(value);
    match (schema.type_.as_deref(), now) {
        (Some("string"), _) if schema.enum_.is_some() => {
            let values = schema.enum_.iter().flatten().filter(|value| !value.0.is_null());
            values.for_each(|value| add(replaced(value.0.clone())));
        }
        (Some("string"), _) if schema.format.as_deref() == Some("date-time") => {
            for time in ["1970-01-01T00:00:00Z", "2399-12-31T23:59:59Z"] {
                add(replaced(json!(time)));
            }
        }
        (Some("string"), now) => {
            let text = now.as_str().unwrap_or_default();
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            for text in [half.as_str(), "", "corrupted", "../..", "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02"] {
                add(replaced(json!(text)));
            }
        }
        (Some("integer"), _) => [0, 1, 1_000_000].iter().for_each(|number| add(replaced(json!(number)))),
        (Some("array"), now) => {
            add(replaced(json!([])));
            if let (Some(JSONSchemaPropsOrArray::Schema(item)), Some(first)) = (&schema.items, now.get(0)) {
                with_schema(&format!("{at}/0"), item, first, found);
            }
        }
        (Some("object"), now) => {
            for (name, field) in schema.properties.iter().flatten() {
                let value = now.get(name).unwrap_or(&Value::Null);
                with_schema(&format!("{at}/{name}"), field, value, found);
            }
        }
        other => panic!("{at} is of type {other:?}"),
    }
}

/// Does it, as far as there is a place for it.
fn tamper(object: &mut Value, other: &Value, tampering: &Tampering) {
    let (parent, name) = tampering.at.rsplit_once('/').unwrap();
    let new = match &tampering.how {
        How::Removed => Value::Null,
        How::Replaced(value) => value.clone(),
        How::Exchanged => other.pointer(&tampering.at).cloned().unwrap_or_default(),
    };
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) if new.is_null() => drop(fields.remove(name)),
        Some(Value::Object(fields)) => drop(fields.insert(name.to_owned(), new)),
        Some(Value::Array(items)) => match name.parse().ok().filter(|at: &usize| *at < items.len()) {
            Some(at) if new.is_null() => drop(items.remove(at)),
            Some(at) => items[at] = new,
            None => {}
        },
        _ => {}
    }
}

fn wish(ids: [u8; 2]) -> Wish {
    let things = ids.iter().map(|id| Thing { id: *id, variety: 0 }).collect();
    Wish { things, exclusive: false, by_name: true, delete: true, choice: 0 }
}

/// Two objects that share a place with what is of nobody.
fn case(cloud: u8, foreign: bool) -> Case {
    let things = [2, 5].map(|id| Thing { id, variety: 0 });
    Case {
        cloud,
        regions: 1,
        flags: 0,
        foreign: if foreign { things.to_vec() } else { Vec::new() },
        lag: 0,
        latency: 0,
        script: vec![(0, Action::Create(wish([0, 3]))), (400, Action::Create(wish([1, 4])))],
    }
}

/// All that can be done to the first object, as it is after the case was played.
fn tamperings<K: Lawful>(case: &Case) -> Vec<Tampering> {
    let (object, other, foreign) = in_virtual_time(async {
        let stage = Stage::<K>::new(case, Fuse::default());
        stage.play().await;
        let value = |name| serde_json::to_value(stage.cluster.get(name).unwrap()).unwrap();
        (value("o0"), value("o1"), stage.foreign.borrow().keys().cloned().collect::<Vec<_>>())
    });
    let entry =
        KINDS.iter().find(|entry| (entry.crd)().metadata.name.as_deref() == Some(K::crd_name())).unwrap();
    let root = (entry.crd)().spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
    let schema = root.properties.unwrap().remove("status").unwrap();
    let mut found = Vec::new();
    with_schema("/status", &schema, &object["status"], &mut found);
    // What belongs to others, and what is of nobody.
    let mut owned = object["status"]["owned"].as_array().cloned().unwrap_or_default();
    owned.extend(other["status"]["owned"].as_array().cloned().unwrap_or_default());
    owned.extend(foreign.into_iter().map(Value::from));
    owned.push(json!("address/9.9.9.9/32"));
    owned.push(json!("of no kind"));
    found.push(Tampering { at: "/status/owned".into(), how: How::Replaced(owned.into()) });
    // What the API server would refuse nobody can do.
    found.retain(|tampering| {
        let mut object = object.clone();
        tamper(&mut object, &other, tampering);
        object.get("status").is_none_or(|status| checker::refusals(&schema, status).is_empty())
    });
    found.push(Tampering { at: "/metadata/finalizers".into(), how: How::Removed });
    let others = json!(["example.com/other"]);
    found.push(Tampering { at: "/metadata/finalizers".into(), how: How::Replaced(others) });
    found
}

/// Plays the case, tampers, looks or not, deletes. What must not be.
async fn after<K: Lawful>(case: &Case, tampering: &Tampering, looks: bool) -> Vec<String> {
    let stage = Stage::<K>::new(case, Fuse::default());
    stage.play().await;
    let before = K::things(&stage.truth());
    let was_ready = stage.cluster.get("o0").is_some_and(|object| is_ready(&object));
    let (mine, theirs) = (wants(&stage, "o0"), wants(&stage, "o1"));
    let other = serde_json::to_value(stage.cluster.get("o1").unwrap()).unwrap();
    stage.cluster.tamper("o0", |object| tamper(object, &other, tampering));
    let mut found = Vec::new();
    if looks {
        stage.operate(Instant::now() + LOOKS).await;
        let now = K::things(&stage.truth());
        found.extend(removed(&before, &now, &BTreeSet::new()));
        let object = stage.cluster.get("o0").unwrap();
        let said = object.status().and_then(|status| status.conditions.first());
        if was_ready && said.is_none_or(|ready| ready.status != "True" && ready.message.is_empty()) {
            found.push(format!("it neither healed nor tells: {said:?}"));
        }
        if !has_finalizer(&object) {
            found.push("its finalizer is not back".to_owned());
        }
    }
    let evident = !stage.cluster.get("o0").unwrap().status().is_none_or(|status| status.owned.is_empty());
    let held = has_finalizer(&stage.cluster.get("o0").unwrap());
    stage.cluster.delete("o0");
    stage.operate(Instant::now() + LOOKS).await;
    let now = K::things(&stage.truth());
    found.extend(removed(&before, &now, &mine));
    found.extend(
        stage.violations.all().into_iter().filter(|what| what.ends_with("it changed another database")),
    );
    if stage.cluster.get("o0").is_none() && was_ready && evident && held {
        let left = mine.iter().filter(|thing| now.contains_key(*thing) && !theirs.contains(*thing));
        found.extend(left.map(|thing| format!("it is gone, and {thing} is left")));
    }
    found
}

/// What is not there any more and was not the object's.
fn removed(before: &Things, now: &Things, mine: &BTreeSet<String>) -> Vec<String> {
    let gone = before.keys().filter(|thing| !now.contains_key(*thing) && !mine.contains(*thing));
    gone.map(|thing| format!("{thing} was removed")).collect()
}

fn wants<K: Lawful>(stage: &Stage<'_, K>, name: &str) -> BTreeSet<String> {
    stage.cluster.get(name).map(|object| object.wants().into_keys().collect()).unwrap_or_default()
}

/// Each tampering: beside what is of nobody, and alone on a cloud where Astra has names of its own; with a look before the
/// object is deleted, and without.
pub(crate) fn tampering_harms_nobody<K: Lawful>() -> BTreeSet<usize> {
    let (mut wrong, mut known, mut tried) = (Vec::new(), BTreeSet::new(), 0);
    for (cloud, foreign) in [(0, true), (1, false)] {
        let case = case(cloud, foreign);
        for tampering in tamperings::<K>(&case) {
            for looks in [true, false] {
                tried += 1;
                for what in in_virtual_time(after::<K>(&case, &tampering, looks)) {
                    match expected(&what) {
                        Some(gap) => drop(known.insert(gap)),
                        None => {
                            wrong.push(format!("cloud {cloud}, {tampering:?}, looked at {looks}: {what}"));
                        }
                    }
                }
            }
        }
    }
    println!(
        "figures: {}: {tried} tamperings, {} of {} known gaps met",
        K::crd_name(),
        known.len(),
        KNOWN.len()
    );
    assert!(tried > 100, "only {tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    known
}

/// A gap that is closed must not stay in the list: it would hide the next one.
pub(crate) fn every_known_gap_is_met(met: &BTreeSet<usize>) {
    let closed: Vec<_> = (0..KNOWN.len()).filter(|gap| !met.contains(gap)).map(|gap| KNOWN[gap]).collect();
    assert!(closed.is_empty(), "no gaps any more: {closed:#?}");
}

fn expected(what: &str) -> Option<usize> {
    KNOWN.iter().position(|(start, end)| what.starts_with(start) && what.ends_with(end))
}
