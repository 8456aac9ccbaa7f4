//! What cannot be equal on two servers is masked, and nothing else. Ids and versions are numbered by their first
//! appearance, so that it still shows which of them are the same.

use serde_json::{Map, Value, json};

/// The names that one sequence has seen.
pub(crate) struct Mask {
    namespace: String,
    uids: Vec<String>,
    versions: Vec<String>,
    /// Names that a server made up.
    names: Vec<String>,
}

impl Mask {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), uids: Vec::new(), versions: Vec::new(), names: Vec::new() }
    }

    /// The second namespace.
    pub(crate) fn second(&self) -> String {
        format!("{}-b", self.namespace)
    }

    /// A line without what cannot be equal.
    pub(crate) fn line(&mut self, body: &Value) -> String {
        let mut body = body.clone();
        self.value(&mut body);
        self.text(&body.to_string())
    }

    /// Texts that hold names which are different on each server.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.second(), "{ns2}").replace(&self.namespace, "{ns}");
        for (index, uid) in self.uids.iter().enumerate() {
            text = text.replace(uid, &format!("<uid {}>", index + 1));
        }
        for name in &self.names {
            text = text.replace(name, "<generated>");
        }
        text
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
                    self.metadata(metadata);
                }
                if let Some(Value::String(message)) = map.get_mut("message") {
                    *message = self.message(message);
                }
                // The id of a deleted object, in what a deletion is answered with.
                if let Some(uid) = map.get("details").and_then(|details| details["uid"].as_str()) {
                    self.uid(uid);
                }
                map.values_mut().for_each(|value| self.value(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.value(value)),
            _ => {}
        }
    }

    fn metadata(&mut self, metadata: &mut Map<String, Value>) {
        // Who wrote which field when: the simulated server keeps it, and does not tell.
        metadata.remove("managedFields");
        for field in ["creationTimestamp", "deletionTimestamp"] {
            if let Some(time) = metadata.get_mut(field).filter(|time| is_whole_second(time)) {
                *time = json!("<time>");
            }
        }
        if let Some(uid) = metadata.get("uid").and_then(Value::as_str) {
            self.uid(uid);
        }
        if metadata.contains_key("generateName")
            && let Some(name) = metadata.get("name").and_then(Value::as_str)
            && metadata
                .get("generateName")
                .and_then(Value::as_str)
                .is_some_and(|prefix| is_generated(prefix, name))
        {
            self.names.push(name.to_owned());
        }
        if let Some(token) = metadata.get_mut("continue").filter(|token| **token != "") {
            *token = json!("<continue>");
        }
        let is_object = metadata.contains_key("uid");
        if let Some(Value::String(version)) = metadata.get_mut("resourceVersion") {
            *version = if is_object {
                format!("<version {}>", number(&mut self.versions, version))
            } else {
                // Lists and bookmarks have the revision of the whole server, where others write too.
                "<revision>".to_owned()
            };
        }
    }

    fn uid(&mut self, uid: &str) {
        if uid.len() == 36 {
            number(&mut self.uids, uid);
        }
    }

    /// Some refusals tell revisions.
    fn message(&self, message: &str) -> String {
        let mut text = message.to_owned();
        for (index, version) in self.versions.iter().enumerate() {
            for place in ["record", "precondition"] {
                text = text
                    .replace(&format!("{place} ({version})"), &format!("{place} (<version {}>)", index + 1));
            }
        }
        if let Some((head, _)) = text.split_once(", current: ") {
            text = format!("{head}, current: <revision>");
        }
        if text.starts_with("too old resource version: ")
            && let Some((head, _)) = text.split_once(" (")
        {
            text = format!("{head} (<revision>)");
        }
        text
    }
}

fn number(known: &mut Vec<String>, name: &str) -> usize {
    let at = known.iter().position(|other| other == name).unwrap_or_else(|| {
        known.push(name.to_owned());
        known.len() - 1
    });
    at + 1
}

/// `2026-01-01T00:00:00Z`, to the second and no finer.
fn is_whole_second(time: &Value) -> bool {
    time.as_str().is_some_and(|time| time.len() == 20 && time.ends_with('Z'))
}

/// Five letters and digits, of those that the server takes.
fn is_generated(prefix: &str, name: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|suffix| {
        suffix.len() == 5 && suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
    })
}
