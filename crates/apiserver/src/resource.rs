//! The kinds that are served: those of the definitions, and the few built-in ones that an operator touches.

use std::sync::OnceLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use kube::core::cel::{CompiledSchema, compile_schema};
use serde_json::Value;

use crate::schema::{Node, builtin};

/// One kind.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the kind, and all sixteen mixtures make sense"
)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) kind: String,
    pub(crate) namespaced: bool,
    /// Does it have a status subresource?
    pub(crate) status: bool,
    /// Is it of a definition? Its objects have a generation then, and are encoded a little differently.
    pub(crate) custom: bool,
    /// May a whole object be sent without the version that it replaces?
    pub(crate) unconditional: bool,
    /// Does sending a whole object make it, where there is none?
    pub(crate) made_by_put: bool,
    pub(crate) schema: Node,
    /// The paths by which objects can be selected, beside name and namespace.
    pub(crate) selectable: Vec<String>,
    /// The definition's schema, with its rules (CEL). They are compiled when they are first needed: that takes long, and
    /// most servers judge none.
    defined: Option<JSONSchemaProps>,
    rules: OnceLock<Option<CompiledSchema>>,
}

impl Resource {
    /// The kind of a definition: its version that is stored. `None` if there is no such version.
    pub(crate) fn of(definition: &CustomResourceDefinition) -> Option<Self> {
        let spec = &definition.spec;
        let version = spec.versions.iter().find(|version| version.storage)?;
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        let selectable = version.selectable_fields.iter().flatten();
        Some(Self {
            group: spec.group.clone(),
            version: version.name.clone(),
            plural: spec.names.plural.clone(),
            kind: spec.names.kind.clone(),
            namespaced: spec.scope == "Namespaced",
            status: version.subresources.as_ref().is_some_and(|sub| sub.status.is_some()),
            custom: true,
            unconditional: false,
            made_by_put: false,
            schema: schema.map_or(Node::Any, Node::of).with_metadata(),
            selectable: selectable.map(|field| field.json_path.trim_start_matches('.').to_owned()).collect(),
            defined: schema.cloned(),
            rules: OnceLock::new(),
        })
    }

    fn built_in(group: &str, plural: &str, kind: &str, schema: Node) -> Self {
        Self {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            namespaced: true,
            status: false,
            custom: false,
            unconditional: true,
            made_by_put: false,
            schema: schema.with_metadata(),
            selectable: Vec::new(),
            defined: None,
            rules: OnceLock::new(),
        }
    }

    /// The built-in kinds.
    pub(crate) fn all_built_in() -> [Self; 4] {
        let namespaces = Self { namespaced: false, ..Self::built_in("", NAMESPACES, "Namespace", Node::Any) };
        let leases = Self {
            unconditional: false,
            made_by_put: true,
            ..Self::built_in("coordination.k8s.io", "leases", "Lease", builtin::lease())
        };
        [
            namespaces,
            Self::built_in("", SECRETS, "Secret", builtin::secret()),
            Self::built_in("events.k8s.io", "events", "Event", builtin::event()),
            leases,
        ]
    }

    /// The rules (CEL) of the definition, if it has one.
    pub(crate) fn rules(&self) -> Option<&CompiledSchema> {
        let compile = || {
            let schema = serde_json::to_value(self.defined.as_ref()?).ok()?;
            Some(compile_schema(&schema))
        };
        self.rules.get_or_init(compile).as_ref()
    }

    /// `astraaccesslists.astra.datastax.com`, or `secrets`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `AstraAccessList.astra.datastax.com`, or `Secret`.
    pub(crate) fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Where the real server keeps the object: it tells in some refusals.
    pub(crate) fn storage_key(&self, namespace: &str, name: &str) -> String {
        let kind = if self.custom { format!("{}/{}", self.group, self.plural) } else { self.plural.clone() };
        if self.namespaced { format!("{kind}/{namespace}/{name}") } else { format!("{kind}/{name}") }
    }

    /// The name under which refusals of wrong fields have this kind: by its internal group, which for events is the old
    /// one.
    pub(crate) fn internal_group(&self) -> &str {
        if self.plural == "events" { "" } else { &self.group }
    }

    /// Is this the kind of the object?
    pub(crate) fn is_of(&self, object: &Value) -> bool {
        object["kind"] == self.kind.as_str() && object["apiVersion"] == self.api_version().as_str()
    }
}

pub(crate) const NAMESPACES: &str = "namespaces";
pub(crate) const SECRETS: &str = "secrets";
