//! The three sorts of patches.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    managers::{Manager, Managers},
    refusal::{self, Refusal},
    resource::Resource,
    state::{Author, State},
    store::{Key, Stored},
    write::{Change, OTHER_NAMESPACE, owned_part},
};

/// A sort of patch, known by the media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// RFC 7396.
    Merge,
    /// RFC 6902.
    Json,
    /// Server-side apply, for which fields are taken from others if it is forced.
    Apply { force: bool },
}

impl State {
    /// Patches an object, and tells whether it made it: an apply does, where there is none.
    pub(crate) fn patch(
        &mut self,
        resource: &Resource,
        key: &Key,
        (sort, status): (Sort, bool),
        body: &[u8],
        author: &Author,
    ) -> Result<(Arc<Stored>, bool), Refusal> {
        let patch: Value =
            serde_json::from_slice(body).map_err(|error| undecodable(sort, &error.to_string()))?;
        let old = self.store.objects.get(key).cloned();
        let Sort::Apply { force } = sort else {
            let Some(old) = old else { return Err(refusal::not_found(resource, &key.name)) };
            let mut new = (*old.value).clone();
            if sort == Sort::Merge {
                json_patch::merge(&mut new, &patch);
            } else {
                let patch: json_patch::Patch =
                    serde_json::from_value(patch).map_err(|error| undecodable(sort, &error.to_string()))?;
                json_patch::patch(&mut new, &patch).map_err(|_| refusal::patch_does_not_fit())?;
            }
            let how = Change { status, whole: false, managers: None };
            return Ok((self.change(resource, key, new, how, author)?, false));
        };
        check_apply(resource, key, &patch)?;
        match old {
            None if status => Err(refusal::not_found(resource, &key.name)),
            None => {
                let mut managers = Managers::default();
                let by = author.manager(true, false);
                let empty = json!({});
                managers
                    .apply(&resource.schema, &by, force, &empty, &owned_part(&patch, false))
                    .map_err(|conflicts| conflict(resource, &conflicts))?;
                let mut body = patch;
                body["metadata"]["name"] = json!(&*key.name);
                Ok((self.create(resource, &key.namespace, body, author, Some(managers))?, true))
            }
            Some(old) => Ok((self.apply(resource, key, (&old, &patch), (force, status), author)?, false)),
        }
    }

    fn apply(
        &mut self,
        resource: &Resource,
        key: &Key,
        (old, patch): (&Stored, &Value),
        (force, status): (bool, bool),
        author: &Author,
    ) -> Result<Arc<Stored>, Refusal> {
        let mut managers = old.managers.clone();
        let live = owned_part(&old.value, status);
        let result = managers
            .apply(&resource.schema, &author.manager(true, status), force, &live, &owned_part(patch, status))
            .map_err(|conflicts| conflict(resource, &conflicts))?;
        let mut new = (*old.value).clone();
        for name in
            live.as_object().into_iter().flat_map(serde_json::Map::keys).filter(|name| *name != "metadata")
        {
            new.as_object_mut().map(|new| new.remove(name));
        }
        for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
            if !status {
                new["metadata"][field] = result["metadata"][field].clone();
            }
        }
        for (name, value) in result.as_object().into_iter().flatten().filter(|(name, _)| *name != "metadata")
        {
            new[name] = value.clone();
        }
        // A status that lost all it had is none, and the default comes back.
        if new["status"].as_object().is_some_and(serde_json::Map::is_empty) {
            new.as_object_mut().map(|new| new.remove("status"));
        }
        for field in ["uid", "resourceVersion"] {
            if !patch["metadata"][field].is_null() {
                new["metadata"][field] = patch["metadata"][field].clone();
            }
        }
        self.change(resource, key, new, Change { status, whole: false, managers: Some(managers) }, author)
    }
}

fn check_apply(resource: &Resource, key: &Key, patch: &Value) -> Result<(), Refusal> {
    if !resource.is_of(patch) {
        let sent = |field: &str| patch[field].as_str().unwrap_or_default();
        let version = if sent("apiVersion").is_empty() { "/" } else { sent("apiVersion") };
        return Err(refusal::bad_request(format!("invalid object type: {version}, Kind={}", sent("kind"))));
    }
    let metadata = |field: &str| patch["metadata"][field].as_str().unwrap_or_default();
    if !metadata("name").is_empty() && metadata("name") != &*key.name {
        return Err(refusal::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            metadata("name"),
            key.name
        )));
    }
    if !metadata("namespace").is_empty() && metadata("namespace") != &*key.namespace {
        return Err(refusal::bad_request(OTHER_NAMESPACE));
    }
    let mut content = patch.clone();
    for known in ["apiVersion", "kind", "metadata"] {
        content.as_object_mut().map(|content| content.remove(known));
    }
    match resource.schema.undeclared(&content, "") {
        None => Ok(()),
        Some(unknown) => Err(refusal::internal(format!(
            "failed to create typed patch object ({}/{}; {}, Kind={}): {unknown}: field not declared in schema",
            metadata("namespace"),
            metadata("name"),
            resource.api_version(),
            resource.kind
        ))),
    }
}

/// Bodies that are no patches. The words after the colon are those of another parser on a real server.
fn undecodable(sort: Sort, why: &str) -> Refusal {
    match sort {
        Sort::Apply { .. } => refusal::bad_request(format!("error decoding YAML: {why}")),
        Sort::Merge | Sort::Json => refusal::bad_request(format!("error decoding patch: {why}")),
    }
}

fn conflict(resource: &Resource, conflicts: &[(Manager, String)]) -> Refusal {
    let named = |manager: &Manager| {
        let through = if manager.status { " with subresource \"status\"" } else { "" };
        let using =
            if manager.applies { String::new() } else { format!(" using {}", resource.api_version()) };
        format!("\"{}\"{using}{through}", manager.name)
    };
    let causes: Vec<_> = conflicts
        .iter()
        .map(|(manager, path)| {
            (path.clone(), "FieldManagerConflict", format!("conflict with {}", named(manager)))
        })
        .collect();
    let text = if let [(manager, path)] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {}: {path}", named(manager))
    } else {
        let of = |chunk: &[(Manager, String)]| {
            let paths: String = chunk.iter().flat_map(|(_, path)| ["\n- ", path]).collect();
            format!("conflicts with {}:{paths}", named(&chunk[0].0))
        };
        let all: Vec<String> = conflicts.chunk_by(|(one, _), (two, _)| one == two).map(of).collect();
        format!("Apply failed with {} conflicts: {}", conflicts.len(), all.join("\n"))
    };
    refusal::apply_conflict(text, &causes)
}
