//! What a request asks for: its path and its query.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::{
    refusal::{self, Refusal},
    resource::NAMESPACES,
};

/// What a path is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Target {
    /// `None` if it is no path of an object.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').split('/').map(decoded);
        let (group, version) = match parts.next()?.as_str() {
            "api" => (String::new(), parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let rest: Vec<String> = parts.collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let text = |part: &&str| Some((*part).to_owned());
        let (namespace, rest) = match &rest[..] {
            // A namespace itself, not something in it.
            [NAMESPACES] | [NAMESPACES, _] => (None, &rest[..]),
            [NAMESPACES, namespace, rest @ ..] => (text(namespace), rest),
            all => (None, all),
        };
        let mut target = Self { group, version, namespace, ..Self::default() };
        match rest {
            [plural] => (*plural).clone_into(&mut target.plural),
            [plural, name, subresource @ ..] => {
                (*plural).clone_into(&mut target.plural);
                target.name = text(name);
                match subresource {
                    [] => {}
                    [subresource] => target.subresource = text(subresource),
                    _ => return None,
                }
            }
            [] => return None,
        }
        Some(target)
    }
}

fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The query's parameters.
#[derive(Debug, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn of(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let decoded = |text: &str| decoded(&text.replace('+', " "));
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        )
    }

    /// A parameter; one that is empty is as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// The resource version, as a number; `None` if it is not said.
    pub(crate) fn version(&self) -> Result<Option<u64>, String> {
        let Some(text) = self.get("resourceVersion") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            format!(
                "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
            )
        })
    }

    /// What the list must be: as the options say together.
    pub(crate) fn check_match(&self) -> Result<Option<Match>, Refusal> {
        match (self.get("resourceVersionMatch"), self.get("resourceVersion")) {
            (None, _) => Ok(None),
            (Some("Exact"), Some("0")) => Err(refusal::list_options(
                "FieldValueForbidden",
                "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            )),
            (Some("Exact" | "NotOlderThan"), None) => Err(refusal::list_options(
                "FieldValueForbidden",
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            )),
            (Some("Exact"), Some(_)) => Ok(Some(Match::Exact)),
            (Some("NotOlderThan"), Some(_)) => Ok(Some(Match::NotOlderThan)),
            (Some(other), _) => Err(refusal::list_options(
                "FieldValueNotSupported",
                &format!(
                    "Unsupported value: \"{other}\": supported values: \"Exact\", \"NotOlderThan\", \"\""
                ),
            )),
        }
    }
}

/// How a list's revision relates to the one that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Exact,
    NotOlderThan,
}
