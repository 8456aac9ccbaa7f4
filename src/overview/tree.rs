//! Which object belongs to which database, and in which order they are shown. Pure.

use serde_json::Value;

use super::{DatabaseNode, ObjectNode, parts::parts, read::Seen, standing::Standing};
use crate::kinds::KINDS;

/// How an object names its database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

/// The databases with their objects.
#[must_use]
pub fn tree(seen: &Seen) -> Vec<DatabaseNode> {
    let mut nodes: Vec<DatabaseNode> = Vec::new();
    // Those that know the id first: the others may be for a database of that name.
    let mut objects: Vec<_> = seen.objects.iter().map(|(key, object)| (named(object), key, object)).collect();
    objects.sort_by_key(|(named, ..)| named.id.is_none());
    for (named, (kind, namespace, name), object) in objects {
        let at = place(&mut nodes, named);
        let kind = KINDS[*kind].kind;
        nodes[at].objects.push(ObjectNode {
            kind,
            namespace: namespace.clone(),
            name: name.clone(),
            standing: Standing::of(object),
            parts: parts(kind, object),
        });
    }
    for node in &mut nodes {
        // What was read is in the order of kinds and names already.
        node.objects.sort_by_key(|object| object.standing.urgency());
    }
    nodes.sort_by_cached_key(|node| {
        let urgency = node.objects.first().map(|object| object.standing.urgency());
        (urgency, node.name.clone(), node.id.clone())
    });
    nodes
}

/// The place of the database that is named so.
fn place(nodes: &mut Vec<DatabaseNode>, Named { id, name }: Named) -> usize {
    let found = if id.is_some() {
        nodes.iter().position(|node| node.id == id)
    } else {
        let mut of_name = (0..nodes.len()).filter(|at| nodes[*at].name == name);
        let first = of_name.next();
        // Of several with one name nobody can tell which is meant.
        let alone = || (0..nodes.len()).find(|at| nodes[*at].name == name && nodes[*at].id.is_none());
        if of_name.next().is_some() { alone() } else { first }
    };
    let at = found.unwrap_or_else(|| {
        nodes.push(DatabaseNode { name: None, id, objects: Vec::new() });
        nodes.len() - 1
    });
    if nodes[at].name.is_none() {
        nodes[at].name = name;
    }
    at
}

fn named(object: &Value) -> Named {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let id = text("/status/databaseId").or_else(|| text("/spec/database/id"));
    let name = text("/status/databaseName").or_else(|| text("/spec/database/name"));
    Named { id: id.map(|id| id.to_ascii_lowercase()), name }
}
