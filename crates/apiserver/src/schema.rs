//! What the server does to an object because of its schema: unknown fields go, defaults come.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::{Map, Value};

/// A schema, as far as it changes objects.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Anything: nothing is known of what is inside.
    Any,
    /// A value that is not looked into.
    Scalar,
    /// An object.
    Object {
        fields: BTreeMap<String, Field>,
        /// The schema of all other fields; none if there must be no others.
        others: Option<Box<Node>>,
        /// Are unknown fields kept?
        open: bool,
        /// Does one manager own it as a whole?
        atomic: bool,
    },
    /// A list.
    List { item: Box<Node>, kind: ListKind },
}

/// How managers share a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Not at all: it is one value.
    Atomic,
    /// Each value has its owners.
    Set,
    /// Each item has its owners, and is known by these fields.
    Map(Vec<String>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) node: Node,
    default: Option<Value>,
    nullable: bool,
}

impl Node {
    /// Of a definition's schema.
    pub(crate) fn of(schema: &JSONSchemaProps) -> Self {
        let open = schema.x_kubernetes_preserve_unknown_fields == Some(true);
        match schema.type_.as_deref() {
            Some("array") => {
                let item = match &schema.items {
                    Some(JSONSchemaPropsOrArray::Schema(item)) => Self::of(item),
                    _ => Self::Any,
                };
                let kind = match schema.x_kubernetes_list_type.as_deref() {
                    Some("set") => ListKind::Set,
                    Some("map") => {
                        ListKind::Map(schema.x_kubernetes_list_map_keys.clone().unwrap_or_default())
                    }
                    _ => ListKind::Atomic,
                };
                Self::List { item: Box::new(item), kind }
            }
            Some("object") | None
                if schema.properties.is_some() || schema.additional_properties.is_some() =>
            {
                let others = match &schema.additional_properties {
                    Some(JSONSchemaPropsOrBool::Schema(schema)) => Some(Box::new(Self::of(schema))),
                    Some(JSONSchemaPropsOrBool::Bool(true)) => Some(Box::new(Self::Any)),
                    _ => None,
                };
                let fields = schema.properties.iter().flatten();
                Self::Object {
                    fields: fields.map(|(name, schema)| (name.clone(), Field::of(schema))).collect(),
                    others,
                    open,
                    atomic: schema.x_kubernetes_map_type.as_deref() == Some("atomic"),
                }
            }
            _ if open || schema.x_kubernetes_int_or_string == Some(true) => Self::Any,
            Some("object") => Self::object([]),
            _ => Self::Scalar,
        }
    }

    pub(crate) fn object<const N: usize>(fields: [(&str, Node); N]) -> Self {
        let field = |node| Field { node, default: None, nullable: false };
        let fields = fields.into_iter().map(|(name, node)| (name.to_owned(), field(node))).collect();
        Self::Object { fields, others: None, open: false, atomic: false }
    }

    /// A map from any key to values of one schema.
    pub(crate) fn map_of(values: Node) -> Self {
        Self::Object { fields: BTreeMap::new(), others: Some(Box::new(values)), open: false, atomic: false }
    }

    /// The schema of a whole object: its metadata is shared by managers as everywhere.
    pub(crate) fn with_metadata(mut self) -> Self {
        if let Self::Object { fields, .. } = &mut self {
            let field = Field { node: builtin::metadata(), default: None, nullable: false };
            fields.insert("metadata".to_owned(), field);
        }
        self
    }

    /// The first field that the schema does not know, as a path.
    pub(crate) fn undeclared(&self, value: &Value, path: &str) -> Option<String> {
        match (self, value) {
            (Self::Object { fields, others, open, .. }, Value::Object(map)) => {
                map.iter().find_map(|(name, value)| {
                    let path = format!("{path}.{name}");
                    match (fields.get(name), others) {
                        (Some(field), _) => field.node.undeclared(value, &path),
                        (None, Some(others)) => others.undeclared(value, &path),
                        (None, None) => (!open).then_some(path),
                    }
                })
            }
            (Self::List { item, .. }, Value::Array(items)) => items
                .iter()
                .enumerate()
                .find_map(|(index, value)| item.undeclared(value, &format!("{path}[{index}]"))),
            _ => None,
        }
    }

    /// The schema of a field.
    pub(crate) fn field(&self, name: &str) -> &Self {
        static ANY: Node = Node::Any;
        match self {
            Self::Object { fields, others, .. } => {
                fields.get(name).map(|field| &field.node).or(others.as_deref()).unwrap_or(&ANY)
            }
            _ => &ANY,
        }
    }

    /// Is the field one that the schema names? (Fields of free maps are owned one by one, those of structs are not.)
    pub(crate) fn names(&self, name: &str) -> bool {
        matches!(self, Self::Object { fields, .. } if fields.contains_key(name))
    }

    /// Takes away what the schema does not know.
    pub(crate) fn prune(&self, value: &mut Value) {
        match (self, value) {
            (Self::Object { fields, others, open, .. }, Value::Object(map)) => {
                if !open && others.is_none() {
                    map.retain(|name, _| fields.contains_key(name));
                }
                for (name, value) in map.iter_mut() {
                    match (fields.get(name), others) {
                        (Some(field), _) => field.node.prune(value),
                        (None, Some(others)) => others.prune(value),
                        (None, None) => {}
                    }
                }
            }
            (Self::List { item, .. }, Value::Array(items)) => {
                for value in items {
                    item.prune(value);
                }
            }
            _ => {}
        }
    }

    /// Puts in the defaults. A null where none may be counts as left out, if there is a default.
    pub(crate) fn default(&self, value: &mut Value) {
        match (self, value) {
            (Self::Object { fields, others, .. }, Value::Object(map)) => {
                for (name, field) in fields {
                    field.fill(name, map);
                }
                if let Some(others) = others {
                    let free = map.iter_mut().filter(|(name, _)| !fields.contains_key(*name));
                    free.for_each(|(_, value)| others.default(value));
                }
            }
            (Self::List { item, .. }, Value::Array(items)) => {
                for value in items {
                    item.default(value);
                }
            }
            _ => {}
        }
    }
}

impl Field {
    fn of(schema: &JSONSchemaProps) -> Self {
        Self {
            node: Node::of(schema),
            default: schema.default.as_ref().map(|default| default.0.clone()),
            nullable: schema.nullable == Some(true),
        }
    }

    fn fill(&self, name: &str, map: &mut Map<String, Value>) {
        if let Some(default) = &self.default {
            let is_missing = map.get(name).is_none_or(|value| value.is_null() && !self.nullable);
            if is_missing {
                map.insert(name.to_owned(), default.clone());
            }
        }
        if let Some(value) = map.get_mut(name) {
            self.node.default(value);
        }
    }
}

/// What is known of the built-in kinds.
pub(crate) mod builtin {
    use super::{ListKind, Node};

    const SCALAR: Node = Node::Scalar;

    pub(crate) fn secret() -> Node {
        Node::object([
            ("type", SCALAR),
            ("immutable", SCALAR),
            ("data", Node::map_of(SCALAR)),
            ("stringData", Node::map_of(SCALAR)),
        ])
    }

    pub(crate) fn lease() -> Node {
        let spec = Node::object([
            ("holderIdentity", SCALAR),
            ("leaseDurationSeconds", SCALAR),
            ("acquireTime", SCALAR),
            ("renewTime", SCALAR),
            ("leaseTransitions", SCALAR),
            ("strategy", SCALAR),
            ("preferredHolder", SCALAR),
        ]);
        Node::object([("spec", spec)])
    }

    pub(crate) fn event() -> Node {
        let reference = || {
            Node::object([
                ("kind", SCALAR),
                ("namespace", SCALAR),
                ("name", SCALAR),
                ("uid", SCALAR),
                ("apiVersion", SCALAR),
                ("resourceVersion", SCALAR),
                ("fieldPath", SCALAR),
            ])
        };
        let series = Node::object([("count", SCALAR), ("lastObservedTime", SCALAR)]);
        let source = Node::object([("component", SCALAR), ("host", SCALAR)]);
        Node::object([
            ("eventTime", SCALAR),
            ("series", series),
            ("reportingController", SCALAR),
            ("reportingInstance", SCALAR),
            ("action", SCALAR),
            ("reason", SCALAR),
            ("regarding", reference()),
            ("related", reference()),
            ("note", SCALAR),
            ("type", SCALAR),
            ("deprecatedSource", source),
            ("deprecatedFirstTimestamp", SCALAR),
            ("deprecatedLastTimestamp", SCALAR),
            ("deprecatedCount", SCALAR),
        ])
    }

    /// The metadata of every object, as managers share it.
    pub(crate) fn metadata() -> Node {
        Node::object([
            ("labels", Node::map_of(SCALAR)),
            ("annotations", Node::map_of(SCALAR)),
            ("finalizers", Node::List { item: Box::new(SCALAR), kind: ListKind::Set }),
            (
                "ownerReferences",
                Node::List { item: Box::new(Node::Any), kind: ListKind::Map(vec!["uid".to_owned()]) },
            ),
        ])
    }
}
