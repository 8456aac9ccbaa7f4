//! All objects at a glance: database, objects, and what each is about, as the cluster tells it. Astra is not asked.
//!
//! ```text
//! list or watch ─► Seen ─► Overview (data) ─► text, JSON
//! ```

pub mod parts;
pub mod read;
pub mod refused;
pub mod standing;
pub mod text;
pub mod tree;
pub mod watch;

use schemars::JsonSchema;
use serde::Serialize;

use self::{
    parts::Part,
    read::Seen,
    standing::{Standing, State},
};

/// The version of the form. It grows by a minor number when fields are added, by a major one when a reader could break.
pub const FORMAT: &str = "1.0";

/// All objects at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The version of this form: `1.0`.
    pub format_version: &'static str,
    /// The namespace that was looked into; absent when all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// In numbers.
    pub summary: Summary,
    /// The databases: first those with troubles, then by name.
    pub databases: Vec<DatabaseNode>,
    /// What could not be read, and which right that needs. With one of these the rest is not all there is.
    pub notes: Vec<String>,
}

/// How many objects there are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// All of them.
    pub objects: usize,
    /// Astra is as they say.
    pub ready: usize,
    /// They go on by themselves.
    pub waits: usize,
    /// They need a person.
    pub stalled: usize,
    /// They are paused by their annotation.
    pub paused: usize,
    /// They are being deleted.
    pub deleting: usize,
}

/// A database, as far as objects name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseNode {
    /// Its name; absent while only its id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its id; absent while nobody has looked it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its objects: first those with troubles.
    pub objects: Vec<ObjectNode>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectNode {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// What it is about, as its status tells it.
    pub parts: Vec<Part>,
}

impl Overview {
    /// The tree of what was seen.
    #[must_use]
    pub fn new(seen: &Seen, namespace: Option<&str>) -> Self {
        let databases = tree::tree(seen);
        let mut summary = Summary::default();
        for object in databases.iter().flat_map(|database| &database.objects) {
            summary.objects += 1;
            *match object.standing.state {
                State::Ready => &mut summary.ready,
                State::Waits => &mut summary.waits,
                State::Stalled => &mut summary.stalled,
                State::Paused => &mut summary.paused,
                State::Deleting => &mut summary.deleting,
            } += 1;
        }
        Self {
            format_version: FORMAT,
            namespace: namespace.map(ToOwned::to_owned),
            summary,
            databases,
            notes: seen.notes(),
        }
    }
}
