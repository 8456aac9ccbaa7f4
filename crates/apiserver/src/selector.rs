//! Which objects a list or a watch is about.

use serde_json::Value;

use crate::{
    refusal::{self, Refusal},
    request::Query,
    resource::Resource,
};

/// One demand on an object.
#[derive(Clone, Debug)]
enum Demand {
    /// A field, by its path, is (or is not) this.
    Field(Vec<String>, bool, String),
    /// A label is (or is not) this.
    Label(String, bool, String),
    /// A label is there (or is not).
    HasLabel(String, bool),
}

/// The demands of `fieldSelector` and `labelSelector`: equalities and presence. Sets (`in`, `notin`) are not known here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector(Vec<Demand>);

impl Selector {
    pub(crate) fn of(resource: &Resource, query: &Query) -> Result<Self, Refusal> {
        let mut demands = Vec::new();
        for (path, equal, value) in
            query.get("fieldSelector").into_iter().flat_map(terms).filter_map(comparison)
        {
            let known = ["metadata.name", "metadata.namespace"].contains(&path.as_str())
                || resource.selectable.contains(&path);
            if !known {
                return Err(refusal::bad_request(format!("field label not supported: {path}")));
            }
            demands.push(Demand::Field(path.split('.').map(str::to_owned).collect(), equal, value));
        }
        for term in query.get("labelSelector").into_iter().flat_map(terms) {
            demands.push(match (comparison(term), term.strip_prefix('!')) {
                (Some((label, equal, value)), _) => Demand::Label(label, equal, value),
                (None, Some(label)) => Demand::HasLabel(label.to_owned(), false),
                (None, None) => Demand::HasLabel(term.to_owned(), true),
            });
        }
        Ok(Self(demands))
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|demand| match demand {
            Demand::Field(path, equal, value) => {
                let found = path.iter().fold(object, |object, name| &object[name]);
                (text(found) == *value) == *equal
            }
            Demand::Label(label, equal, value) => {
                let found = &object["metadata"]["labels"][label];
                (found.as_str() == Some(value)) == *equal
            }
            Demand::HasLabel(label, there) => object["metadata"]["labels"][label].is_null() != *there,
        })
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn terms(selector: &str) -> impl Iterator<Item = &str> {
    selector.split(',').map(str::trim).filter(|term| !term.is_empty())
}

fn comparison(term: &str) -> Option<(String, bool, String)> {
    let (left, equal, right) = if let Some((left, right)) = term.split_once("!=") {
        (left, false, right)
    } else {
        let (left, right) = term.split_once("==").or_else(|| term.split_once('='))?;
        (left, true, right)
    };
    Some((left.trim().to_owned(), equal, right.trim().to_owned()))
}
