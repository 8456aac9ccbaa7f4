//! Manifests, read as kubectl reads them and checked as the API server would, without a cluster.
//!
//! ```text
//! files, directories, -, kustomize ─► documents ─► tree with positions ─► schema ─► rules (CEL) ─► desired() ─► Manifest
//! sources                             documents    builder, scalar        schema    check          known
//! ```
//!
//! Everything that is found is told at once, each thing with its file, line, column and field. Objects of other kinds are
//! counted and dropped as they are met: of a directory with ten thousand of them, none is kept.

mod builder;
mod change;
mod check;
mod documents;
mod known;
mod metadata;
mod nearest;
mod reader;
mod scalar;
mod schema;
mod secrets;
mod sources;
mod tree;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use serde_json::Value;

pub use change::refused_change;
pub(crate) use nearest::nearest;
pub(crate) use reader::{Collection, Loaded};
pub use sources::Unreadable;

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file as it was given, `stdin`, or `kustomize build DIR`, whose output then counts the lines.
    pub file: Arc<str>,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An object of one of the kinds of [`crate::kinds::KINDS`], that the API server would take.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Where it begins.
    pub location: Location,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace, or that of [`Sources`].
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `apiVersion`, `kind`, `metadata` with the namespace, and `spec` with the schema's defaults. There is no `status`,
    /// and no field that is null.
    pub value: Value,
}

/// What is wrong with a manifest: the API server would refuse it, or it cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub location: Location,
    /// Which object, `KIND NAMESPACE/NAME`, if that could be read.
    pub object: Option<String>,
    /// Which field, such as `spec.addresses[2].address`; empty if it is about the whole document.
    pub field: String,
    /// What is wrong, and what is expected. Text of the file that stands in it may hold anything:
    /// [`crate::text::printable`] makes it safe to show.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// All that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    /// The objects of our kinds without a mistake, in the order in which they were read.
    pub objects: Vec<Manifest>,
    /// How many objects there were of other kinds, by `apiVersion kind`.
    pub skipped: BTreeMap<String, usize>,
    /// All mistakes, in the order in which they were met.
    pub errors: Vec<Finding>,
}

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files, directories, or `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Directories with a kustomization, to be built by kubectl or kustomize.
    pub kustomize: Vec<PathBuf>,
    /// Are directories within directories read too?
    pub recursive: bool,
    /// May a directory have no manifests? In a comparison, that is how it looks when the last one goes.
    pub may_be_empty: bool,
    /// The namespace of objects that name none.
    pub namespace: String,
}

/// Reads manifests.
///
/// A mistake in a manifest is no failure: it is in [`Manifests::errors`], and the rest is read.
///
/// # Errors
/// When something cannot be read at all: no such file, no permission, a kustomization that does not build.
pub fn read(sources: &Sources) -> Result<Manifests, Unreadable> {
    load(sources).map(Manifests::from)
}

/// The same for one text, of which `file` is the name.
#[must_use]
pub fn read_text(file: &str, text: &str, namespace: &str) -> Manifests {
    load_text(file, text, namespace).into()
}

/// The same, and where each field is written.
pub(crate) fn load_text(file: &str, text: &str, namespace: &str) -> Collection {
    let mut reader = reader::Reader::new(namespace);
    reader.text(&Arc::from(file), text, reader::Given::ByName);
    reader.finish()
}

/// The same, and where each field is written.
pub(crate) fn load(sources: &Sources) -> Result<Collection, Unreadable> {
    let mut reader = reader::Reader::new(&sources.namespace);
    sources::each(sources, &mut |file, bytes, given| reader.file(&file, bytes, given))?;
    Ok(reader.finish())
}
