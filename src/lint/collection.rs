//! The objects that were read, typed, and by the database that they are for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{IGNORE, rules::Rule};
use crate::{
    kinds::{
        access_list::AstraAccessListSpec, private_endpoint::AstraPrivateEndpointSpec,
        vpc_peering::AstraVpcPeeringSpec,
    },
    manifest::Loaded,
    resource::{CredentialsRef, DatabaseRef},
};

/// What an object says.
pub(super) enum Spec {
    List(AstraAccessListSpec),
    Endpoint(AstraPrivateEndpointSpec),
    Peering(AstraVpcPeeringSpec),
}

/// Which token: an object's namespace, and the Secret there.
pub(super) type Token = (String, String, String);

/// Which database, as far as that is known without Astra.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Database {
    /// An id is one database everywhere.
    Id(String),
    /// A name means something within an organization only, and which one that is, the token decides.
    Name(Token, String),
}

/// One object.
pub(super) struct Object<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) spec: Spec,
    pub(super) database: Database,
    pub(super) token: Token,
    silenced: Vec<String>,
}

impl<'a> Object<'a> {
    fn new(loaded: &'a Loaded) -> Option<Self> {
        let manifest = &loaded.manifest;
        // Everything here was taken by the kind's own parser before; what was not is not among what was loaded.
        let spec = manifest.value.get("spec")?.clone();
        let spec = match manifest.kind {
            "AstraAccessList" => Spec::List(serde_json::from_value(spec).ok()?),
            "AstraPrivateEndpoint" => Spec::Endpoint(serde_json::from_value(spec).ok()?),
            "AstraVpcPeering" => Spec::Peering(serde_json::from_value(spec).ok()?),
            _ => return None,
        };
        let (database, credentials) = spec.common();
        let CredentialsRef { secret_name, key } = credentials.clone();
        let token = (manifest.namespace.clone(), secret_name, key);
        let database = match (&database.id, &database.name) {
            (Some(id), _) => Database::Id(id.to_lowercase()),
            (None, name) => Database::Name(token.clone(), name.clone().unwrap_or_default()),
        };
        let mut object = Self { loaded, spec, database, token, silenced: Vec::new() };
        let silenced = object.annotations().find(|(name, _)| *name == IGNORE).map(|(_, ids)| ids);
        object.silenced = silenced.map(|ids| self::ids(ids).map(str::to_owned).collect()).unwrap_or_default();
        Some(object)
    }

    /// `KIND NAMESPACE/NAME`.
    pub(super) fn name(&self) -> String {
        let manifest = &self.loaded.manifest;
        format!("{} {}/{}", manifest.kind, manifest.namespace, manifest.name)
    }

    /// Its annotations.
    pub(super) fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let annotations =
            self.loaded.manifest.value["metadata"].get("annotations").and_then(Value::as_object);
        annotations.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    pub(super) fn silences(&self, rule: &Rule) -> bool {
        self.silenced.iter().any(|id| id == rule.id)
    }

    pub(super) fn list(&self) -> Option<&AstraAccessListSpec> {
        if let Spec::List(spec) = &self.spec { Some(spec) } else { None }
    }

    pub(super) fn endpoint(&self) -> Option<&AstraPrivateEndpointSpec> {
        if let Spec::Endpoint(spec) = &self.spec { Some(spec) } else { None }
    }

    pub(super) fn is_peering(&self) -> bool {
        matches!(self.spec, Spec::Peering(_))
    }
}

/// The ids of `AL001, AL002`.
pub(super) fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|id| !id.is_empty())
}

impl Spec {
    fn common(&self) -> (&DatabaseRef, &CredentialsRef) {
        match self {
            Self::List(spec) => (&spec.database, &spec.credentials),
            Self::Endpoint(spec) => (&spec.database, &spec.credentials),
            Self::Peering(spec) => (&spec.database, &spec.credentials),
        }
    }
}

/// All objects, in the order in which they were read.
pub(super) struct Objects<'a> {
    all: Vec<Object<'a>>,
    by_database: BTreeMap<Database, Vec<usize>>,
}

impl<'a> Objects<'a> {
    pub(super) fn new(loaded: &'a [Loaded]) -> Self {
        let all: Vec<Object<'a>> = loaded.iter().filter_map(Object::new).collect();
        let mut by_database: BTreeMap<Database, Vec<usize>> = BTreeMap::new();
        for (i, object) in all.iter().enumerate() {
            by_database.entry(object.database.clone()).or_default().push(i);
        }
        Self { all, by_database }
    }

    pub(super) fn all(&self) -> &[Object<'a>] {
        &self.all
    }

    /// The objects that are for one database, together.
    pub(super) fn groups(&self) -> impl Iterator<Item = Vec<&Object<'a>>> {
        self.by_database.values().map(|group| group.iter().map(|i| &self.all[*i]).collect())
    }

    /// The objects for the same database as this one, and itself.
    pub(super) fn beside(&self, object: &Object<'_>) -> impl Iterator<Item = &Object<'a>> {
        self.by_database.get(&object.database).into_iter().flatten().map(|i| &self.all[*i])
    }
}
