//! From an organization to manifests: what is in Astra, said as a person would say it, so that applying it changes nothing.
//!
//! ```text
//! read (GET only) ─► World ─► select ─► one draft for each thing that can be said ─► rehearse ─► Export ─► YAML, files
//!                             names     access_list, private_endpoint, vpc_peering   preview     document, layout, write
//! ```
//!
//! What no manifest can say exactly is left out, with a comment in the manifest and a warning; it is never said
//! approximately. And every draft is rehearsed by the engine that `run` uses: one that would send anything is not given out.

mod access_list;
pub mod document;
mod drafting;
pub mod forms;
pub mod layout;
pub mod names;
mod private_endpoint;
pub mod read;
pub mod select;
mod vpc_peering;
pub mod write;

use std::{collections::BTreeSet, fmt};

use astra_devops::id::DatabaseId;

use self::{
    document::{Manifest, Spec},
    drafting::Drafting,
    select::{Selection, Unknown},
};
use crate::{
    manifest,
    preview::{ObjectPlan, Subject, plan, rehearse::End, stage::World},
    resource::Management,
};

/// What is to be exported, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which databases.
    pub selection: Selection,
    /// Which kinds; none means all.
    pub kinds: BTreeSet<&'static str>,
    /// The namespace that the objects name; without it they name none.
    pub namespace: Option<String>,
    /// Are databases named by their id even where the name would do?
    pub by_id: bool,
    /// Who else may change what is exported. Without it each object gets what is safe for it; see
    /// `docs/guide/export.md`.
    pub management: Option<Management>,
}

impl Options {
    /// Is this kind wanted?
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }
}

/// Something that Astra would not show to this token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Of which database.
    pub database: DatabaseId,
    /// Which kind of object would say it.
    pub kind: &'static str,
    /// In Astra's words.
    pub why: String,
}

/// Something that is in Astra, and in no manifest of the export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The database's name and id; empty if it is about all of them.
    pub database: String,
    /// Which kind of object would say it; empty if it is about the whole database.
    pub kind: &'static str,
    /// What it is.
    pub what: String,
    /// Why, and what can be done.
    pub why: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, kind, what, why } = self;
        if !database.is_empty() {
            write!(f, "database {database}: ")?;
        }
        if !kind.is_empty() {
            write!(f, "{kind}: ")?;
        }
        write!(f, "{what}: {why}")
    }
}

/// One object of the export.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The directory of its database.
    pub directory: String,
    /// Its file in there.
    pub file: String,
    /// What stands above it, a line each, without the `#`.
    pub comments: Vec<String>,
    /// The object.
    pub manifest: Manifest,
    /// Something is missing that Astra does not tell: it is written as a comment, for a person to finish.
    pub unfinished: bool,
}

/// All of it, in a stable order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// The objects, by database, kind and name.
    pub objects: Vec<Exported>,
    /// What is missing in them.
    pub left_out: Vec<LeftOut>,
    /// What a person should know beside that.
    pub notes: Vec<String>,
}

/// What became of one thing in Astra.
#[derive(Debug, Default)]
struct Draft {
    /// What stands above the object.
    comments: Vec<String>,
    /// What is missing in it: what, and why.
    left_out: Vec<(String, String)>,
    /// The object, if there is anything to say.
    spec: Option<Spec>,
    unfinished: bool,
}

/// Says what is there. Pure: the same world gives the same export.
///
/// # Errors
/// When a database is wanted that is not there.
pub fn draft(world: &World, unread: &[Unread], options: &Options) -> Result<Export, Unknown> {
    let selected = options.selection.of(&world.databases)?;
    let mut drafting = Drafting::new(world, unread, options);
    for database in selected {
        drafting.database(database);
    }
    Ok(drafting.finish())
}

/// Says what is there, and holds back every object that would not leave Astra exactly as it is, or that the API server would
/// refuse: the engine that runs and the checks of `lint` are asked. A law says that they never have to.
///
/// # Errors
/// As [`draft`].
pub async fn export(world: &World, unread: &[Unread], options: &Options) -> Result<Export, Unknown> {
    let mut export = draft(world, unread, options)?;
    let mut held = Vec::new();
    for plan in plan(subjects(&export), world).await {
        if let Some(why) = disturbs(&plan) {
            let why = format!("applying it would change something in Astra: {why}");
            held.push((plan.kind, plan.name, plan.database, why));
        }
    }
    for object in export.objects.iter().filter(|object| !object.unfinished) {
        let Manifest { kind, metadata, .. } = &object.manifest;
        if let Some(why) = refused(object) {
            let why = format!("the API server would refuse it: {why}");
            held.push((kind, metadata.name.clone(), object.directory.clone(), why));
        }
    }
    for (kind, name, database, why) in held {
        let is = |object: &Exported| object.manifest.kind == kind && object.manifest.metadata.name == name;
        export.objects.retain(|object| object.unfinished || !is(object));
        export.left_out.push(LeftOut { database, kind, what: format!("object {name}"), why });
    }
    export.left_out.sort();
    Ok(export)
}

/// Why the API server would refuse it, if so.
fn refused(object: &Exported) -> Option<String> {
    let text = match object.yaml() {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    let read = manifest::read_text(&object.file, &text, "default");
    match (read.errors.first(), &read.objects[..]) {
        (None, [_]) => None,
        (error, _) => Some(error.map_or_else(|| "it is no object".to_owned(), ToString::to_string)),
    }
}

/// The objects, to be planned.
#[must_use]
pub fn subjects(export: &Export) -> Vec<Subject> {
    let finished = export.objects.iter().filter(|object| !object.unfinished);
    finished
        .map(|object| {
            let Manifest { kind, metadata, .. } = &object.manifest;
            let mut value = serde_json::to_value(&object.manifest).unwrap_or_default();
            value["metadata"]["namespace"] =
                metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()).into();
            Subject::of_manifest(kind, value, None)
        })
        .collect()
}

/// Why applying an object would not leave everything as it is, if so. To wait for Astra or for the other side is no
/// disturbance.
#[must_use]
pub fn disturbs(plan: &ObjectPlan) -> Option<String> {
    if let Some(step) = plan.steps.first() {
        return Some(format!("it would {}, because: {}", step.what, step.why));
    }
    match &plan.end {
        End::Ready(_) | End::Waits(_) => None,
        End::Blocked(problem) | End::Fails(problem) => Some(problem.message.clone()),
        End::Gone(what) => Some(what.clone()),
        End::Paused | End::Endless => Some("it does not come to rest".to_owned()),
    }
}
