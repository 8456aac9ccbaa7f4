//! The kinds that are checked, and which of them a document is.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::core::cel::{CompiledSchema, compile_schema};
use regex::Regex;
use serde_json::Value;

use super::{metadata, nearest::nearest};
use crate::{
    engine::{Kind, Problem},
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
    resource::{GROUP, VERSION},
};

/// One kind, made ready for checking many objects.
pub(crate) struct Known {
    pub(crate) kind: &'static str,
    /// The schema of a whole object: with its metadata, and with a status that may be anything.
    pub(crate) schema: JSONSchemaProps,
    /// The patterns in the schema.
    pub(crate) patterns: HashMap<String, Regex>,
    /// The rules (CEL) of the definition.
    pub(crate) rules: CompiledSchema,
    /// What the kind's own parser says, which knows more than schema and rules.
    pub(crate) desired: fn(&Value) -> Result<(), Problem>,
}

/// All of them. Rules take long to compile, so that it is done once.
static KNOWN: LazyLock<[Known; 3]> = LazyLock::new(|| {
    [Known::of::<AstraPrivateEndpoint>(), Known::of::<AstraAccessList>(), Known::of::<AstraVpcPeering>()]
});

/// What a document is, by its `apiVersion` and `kind`.
pub(crate) enum Recognised {
    Ours(&'static Known),
    /// A list of objects of one of our kinds.
    List,
    Other,
    /// Meant to be one of ours, and none: field and message of each mistake.
    Mistaken(Vec<(&'static str, String)>),
}

impl Known {
    fn of<K: Kind>() -> Self {
        let kind = match K::kind(&()) {
            Cow::Borrowed(kind) => kind,
            Cow::Owned(kind) => Box::leak(kind.into_boxed_str()),
        };
        let version = K::crd().spec.versions.into_iter().next();
        let defined = version.and_then(|version| version.schema?.open_api_v3_schema).unwrap_or_default();
        // A definition always serializes; without rules, what they would refuse is still refused by `desired`.
        let rules = compile_schema(&serde_json::to_value(&defined).unwrap_or_default());
        let desired = |value: &Value| {
            let object: K = serde_json::from_value(value.clone())
                .map_err(|error| Problem::invalid("", format!("does not fit the kind: {error}")))?;
            object.desired().map(|_| ())
        };
        let schema = metadata::whole(defined);
        let mut patterns = HashMap::new();
        compile(&schema, &mut patterns);
        Self { kind, schema, patterns, rules, desired }
    }

    /// The kind of this name.
    pub(crate) fn of_kind(kind: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.kind == kind)
    }

    /// Finds out what a document is.
    pub(crate) fn recognise(api_version: &str, kind: &str) -> Recognised {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let exact = KNOWN.iter().find(|known| known.kind == kind);
        if group == GROUP {
            let mut mistakes = Vec::new();
            if version != VERSION {
                let message = format!("{GROUP} has no version {version:?}; write {GROUP}/{VERSION}");
                mistakes.push(("apiVersion", message));
            }
            let list =
                kind.strip_suffix("List").and_then(|item| KNOWN.iter().find(|known| known.kind == item));
            if exact.is_none() && list.is_none() {
                mistakes.push(("kind", no_such_kind(kind)));
            }
            return match exact {
                _ if !mistakes.is_empty() => Recognised::Mistaken(mistakes),
                Some(known) => Recognised::Ours(known),
                None => Recognised::List,
            };
        }
        // Nobody else has these names: it is a slip in the group, and kubectl would only say that it knows no such kind.
        let meant = exact.or_else(|| {
            let like = nearest(kind, names()).filter(|_| nearest(group, std::iter::once(GROUP)).is_some())?;
            KNOWN.iter().find(|known| known.kind == like)
        });
        match meant {
            Some(known) => {
                let message = format!("{api_version:?} has no {kind}; did you mean {GROUP}/{VERSION}?");
                let mut mistakes = vec![("apiVersion", message)];
                if known.kind != kind {
                    mistakes.push(("kind", no_such_kind(kind)));
                }
                Recognised::Mistaken(mistakes)
            }
            None => Recognised::Other,
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.kind)
}

fn no_such_kind(kind: &str) -> String {
    nearest(kind, names()).map_or_else(
        || format!("{GROUP} has no kind {kind:?}; it has {}", names().collect::<Vec<_>>().join(", ")),
        |meant| format!("{GROUP} has no kind {kind:?}; did you mean {meant}?"),
    )
}

/// Compiles all patterns of a schema. What the library does not take is left to the API server.
fn compile(schema: &JSONSchemaProps, patterns: &mut HashMap<String, Regex>) {
    if let Some(pattern) = &schema.pattern
        && let Ok(compiled) = Regex::new(pattern)
    {
        patterns.insert(pattern.clone(), compiled);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        compile(item, patterns);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &schema.additional_properties {
        compile(value, patterns);
    }
    schema.properties.iter().flat_map(|fields| fields.values()).for_each(|field| compile(field, patterns));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::KINDS;

    #[test]
    fn all_kinds_are_known_with_all_their_patterns_and_rules() {
        let registered: Vec<_> = KINDS.iter().map(|entry| (entry.crd)().spec.names.kind).collect();
        assert_eq!(names().collect::<Vec<_>>(), registered);
        for known in KNOWN.iter() {
            let schema = serde_json::to_string(&known.schema).unwrap();
            let all: std::collections::BTreeSet<&str> =
                schema.split("\"pattern\":\"").skip(1).filter_map(|after| after.split('"').next()).collect();
            assert_eq!(known.patterns.len(), all.len(), "{}: {all:?}", known.kind);
            assert!(!known.patterns.is_empty());
            assert_eq!(known.rules.compilation_errors().len(), 0);
        }
    }

    #[test]
    fn what_was_meant_is_recognised() {
        let mistakes = |api_version, kind| match Known::recognise(api_version, kind) {
            Recognised::Ours(known) => known.kind.to_owned(),
            Recognised::List => "list".to_owned(),
            Recognised::Other => "other".to_owned(),
            Recognised::Mistaken(mistakes) => mistakes
                .into_iter()
                .map(|(field, message)| format!("{field}: {message}"))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        for (api_version, kind, expected) in [
            ("astra.datastax.com/v1beta1", "AstraAccessList", "AstraAccessList"),
            ("astra.datastax.com/v1beta1", "AstraAccessListList", "list"),
            ("v1", "ConfigMap", "other"),
            ("cassandra.datastax.com/v1beta1", "CassandraDatacenter", "other"),
            (
                "astra.datastax.com/v1beta1",
                "AstraAcessList",
                "kind: astra.datastax.com has no kind \"AstraAcessList\"; did you mean AstraAccessList?",
            ),
            (
                "astra.datastax.com/v1beta1",
                "Thing",
                "kind: astra.datastax.com has no kind \"Thing\"; it has AstraPrivateEndpoint, AstraAccessList, AstraVpcPeering",
            ),
            (
                "astra.datastax.com/v1",
                "AstraAccessList",
                "apiVersion: astra.datastax.com has no version \"v1\"; write astra.datastax.com/v1beta1",
            ),
            (
                "v1beta1",
                "AstraAccessList",
                "apiVersion: \"v1beta1\" has no AstraAccessList; did you mean astra.datastax.com/v1beta1?",
            ),
            (
                "astra.datastx.com/v1beta1",
                "AstraVPCPeering",
                "apiVersion: \"astra.datastx.com/v1beta1\" has no AstraVPCPeering; did you mean astra.datastax.com/v1beta1?\nkind: astra.datastax.com has no kind \"AstraVPCPeering\"; did you mean AstraVpcPeering?",
            ),
        ] {
            assert_eq!(mistakes(api_version, kind), expected, "{api_version} {kind}");
        }
    }
}
