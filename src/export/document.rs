//! A manifest as a person would write it: no defaults, no status, the fields in the order in which one reads them.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Serialize, Serializer};
use serde_saphyr::DoubleQuoted;

use super::Exported;
use crate::{
    kinds::access_list::PublicAccess,
    resource::{DatabaseRef, DeletionPolicy, GROUP, Management, VERSION},
    text::{is_unprintable, printable},
};

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: &'static str,
    /// Name and namespace.
    pub metadata: Metadata,
    /// What it declares.
    pub spec: Spec,
}

/// The part of an object's metadata that a person writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What an object of one of the kinds declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Spec {
    /// Of an `AstraAccessList`.
    AccessList(AccessList),
    /// Of an `AstraPrivateEndpoint`.
    PrivateEndpoint(PrivateEndpoint),
    /// Of an `AstraVpcPeering`.
    VpcPeering(VpcPeering),
}

/// The spec of an `AstraAccessList`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessList {
    /// Which database.
    pub database: Database,
    /// Missing where it is the kind's default, Exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Management>,
    /// Who gets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_access: Option<PublicAccess>,
    /// The entries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The address or network.
    pub address: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub description: Text,
    /// Missing where it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// The spec of an `AstraPrivateEndpoint`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateEndpoint {
    /// Which database.
    pub database: Database,
    /// Which region of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Which datacenter, where the region does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter_id: Option<String>,
    /// Missing where it is the kind's default, Shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Management>,
    /// What happens in Astra when the object is deleted.
    pub deletion_policy: DeletionPolicy,
    /// Who may connect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_principals: Vec<String>,
    /// The endpoints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Its id in the cloud.
    pub id: Text,
    /// What it is for.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub description: Text,
}

/// The spec of an `AstraVpcPeering`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcPeering {
    /// Which database.
    pub database: Database,
    /// What happens in Astra when the object is deleted.
    pub deletion_policy: DeletionPolicy,
    /// The network: by cloud, its fields.
    #[serde(flatten)]
    pub network: BTreeMap<&'static str, Network>,
}

/// A cloud's network: its fields in the order of the schema.
pub type Network = Fields;

/// Fields in a given order, all of them texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(pub Vec<(&'static str, Text)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

/// Which database, by one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Database {
    /// By its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// By its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

impl From<&DatabaseRef> for Database {
    fn from(reference: &DatabaseRef) -> Self {
        Self { id: reference.id.clone(), name: reference.name.clone().map(Text) }
    }
}

/// Text that somebody wrote in Astra. What would break a line or colour a terminal is escaped when it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl Text {
    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only within double quotes can YAML escape anything: see `Exported::yaml`.
        if self.0.contains(is_unprintable) {
            DoubleQuoted(&self.0).serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl Manifest {
    /// An object of this kind.
    #[must_use]
    pub fn new(kind: &'static str, name: String, namespace: Option<String>, spec: Spec) -> Self {
        let metadata = Metadata { name, namespace };
        Self { api_version: format!("{GROUP}/{VERSION}"), kind, metadata, spec }
    }
}

impl Exported {
    /// The document, with its comments. One that is unfinished is a comment as a whole.
    ///
    /// # Errors
    /// When it cannot be written as YAML, which a manifest of ours always can.
    pub fn yaml(&self) -> Result<String, serde_saphyr::ser::Error> {
        // What was read from Astra stays on the line of its field.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
        let body = serde_saphyr::to_string_with_options(&self.manifest, options)?;
        let mut text = String::new();
        for comment in &self.comments {
            text.extend(["# ", &printable(comment), "\n"]);
        }
        for line in body.lines() {
            let start = if self.unfinished { "#" } else { "" };
            text.extend([start, &escaped(line), "\n"]);
        }
        Ok(text)
    }
}

/// Everything unprintable stands within double quotes here, where YAML knows escapes.
fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        // Writing into a String cannot fail.
        let _ = match (is_unprintable(c), u32::from(c)) {
            (false, _) => text.write_char(c),
            (true, code @ ..=0xffff) => write!(text, "\\u{code:04x}"),
            (true, code) => write!(text, "\\U{code:08x}"),
        };
    }
    text
}

/// The whole export as one stream of documents.
///
/// # Errors
/// As [`Exported::yaml`].
pub fn stream(objects: &[Exported]) -> Result<String, serde_saphyr::ser::Error> {
    let documents: Result<Vec<String>, _> = objects.iter().map(Exported::yaml).collect();
    Ok(documents?.join("---\n"))
}
