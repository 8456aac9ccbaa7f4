//! Getting and listing.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    refusal::{self, Refusal},
    request::{Match, Query},
    resource::Resource,
    selector::Selector,
    state::State,
    store::{Key, Stored},
};

/// In which form objects are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole.
    Whole,
    /// Their metadata only.
    Metadata,
}

impl Form {
    /// By the header `Accept`.
    pub(crate) fn of(accept: &str) -> Self {
        if accept.contains("as=PartialObjectMetadata") { Self::Metadata } else { Self::Whole }
    }

    /// An object in this form.
    pub(crate) fn render(self, stored: &Stored) -> Bytes {
        match self {
            Self::Whole => stored.bytes().clone(),
            Self::Metadata => serde_json::to_vec(&metadata_only(&stored.value)).unwrap_or_default().into(),
        }
    }
}

fn metadata_only(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

/// Objects of a kind at one revision.
type Page = BTreeMap<Key, Arc<Stored>>;

impl State {
    /// A list as it is asked for; `behind` revisions ago, if the weather says so.
    pub(crate) fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &Query,
        form: Form,
        behind: u64,
    ) -> Result<Bytes, Refusal> {
        let selector = Selector::of(resource, query)?;
        let (revision, from) = self.which(query, behind)?;
        let mut all: Page = self.store.at(revision, &resource.plural, namespace)?;
        if let Some(from) = from {
            all = all.split_off(&Key::new(&resource.plural, &from.0, &from.1));
        }
        all.retain(|_, stored| selector.matches(&stored.value));
        let limit =
            query.number("limit").and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        let rest = limit.and_then(|limit| all.keys().nth(limit).cloned()).map(|key| all.split_off(&key));
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if resource.custom && form == Form::Whole {
            metadata["continue"] = json!("");
        }
        if let Some((rest, next)) = rest.as_ref().and_then(|rest| Some((rest, rest.keys().next()?))) {
            metadata["continue"] = json!(token(revision, next));
            if query.get("fieldSelector").is_none() && query.get("labelSelector").is_none() {
                metadata["remainingItemCount"] = json!(rest.len());
            }
        }
        Ok(render(resource, &metadata, &all, form))
    }

    /// The revision of a list, and the place in it where a page begins.
    fn which(&self, query: &Query, behind: u64) -> Result<(u64, Option<(String, String)>), Refusal> {
        let current = self.store.revision.saturating_sub(behind).max(self.store.compacted);
        let matching = query.check_match()?;
        let asked = query
            .version()
            .map_err(|why| refusal::bad_request(format!("invalid resource version: {why}")))?;
        if let Some(text) = query.get("continue") {
            if asked.is_some_and(|version| version > 0) {
                return Err(refusal::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            let (revision, namespace, name) = from_token(text)
                .ok_or_else(|| refusal::bad_request("invalid continue token: continue key is not valid"))?;
            if revision < self.store.compacted {
                return Err(refusal::expired(FORGOTTEN_PAGE));
            }
            return Ok((revision, Some((namespace, name))));
        }
        let Some(asked) = asked.filter(|version| *version > 0) else { return Ok((current, None)) };
        if asked > self.store.revision {
            return Err(refusal::too_large(asked, self.store.revision));
        }
        let exact = matching == Some(Match::Exact) || (matching.is_none() && query.number("limit").is_some());
        Ok((if exact { asked } else { current.max(asked) }, None))
    }
}

const FORGOTTEN_PAGE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";

/// Where the next page begins. Nobody but this server reads it.
fn token(revision: u64, next: &Key) -> String {
    format!("{revision}/{}/{}", next.namespace, next.name)
}

fn from_token(token: &str) -> Option<(u64, String, String)> {
    let mut parts = token.splitn(3, '/');
    let revision = parts.next()?.parse().ok()?;
    Some((revision, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn render(resource: &Resource, metadata: &Value, all: &Page, form: Form) -> Bytes {
    let (kind, version) = match form {
        Form::Whole => (format!("{}List", resource.kind), resource.api_version()),
        Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    let head =
        format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":[");
    let mut body = head.into_bytes();
    for (index, stored) in all.values().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        if resource.custom || form == Form::Metadata {
            body.extend_from_slice(&form.render(stored));
        } else {
            // The items of built-in lists do not say what they are.
            let mut bare = (*stored.value).clone();
            bare.as_object_mut().into_iter().for_each(|bare| {
                bare.remove("kind");
                bare.remove("apiVersion");
            });
            body.extend_from_slice(bare.to_string().as_bytes());
        }
    }
    body.extend_from_slice(b"]}");
    body.into()
}
