//! Who owns which fields, and what an apply does with that: as `structured-merge-diff` does it, on the fields' paths.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

use crate::schema::{ListKind, Node};

/// A field's path as conflicts tell it: `.status.conditions[type="Ready"].message`.
type Paths = BTreeSet<String>;

/// The values at the paths. A path without a value stands for an item of a list that is there.
type Leaves<'a> = BTreeMap<String, Option<&'a Value>>;

/// A manager: its name, whether it applies (or updates), and through which subresource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) applies: bool,
    pub(crate) status: bool,
}

/// All managers of one object, with what they own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managers(BTreeMap<Manager, Paths>);

impl Managers {
    /// Something was written: who wrote it owns what changed, and nobody else does.
    pub(crate) fn updated(&mut self, node: &Node, by: &Manager, old: &Value, new: &Value) {
        if old == new {
            return;
        }
        let (old, new) = (leaves(node, old), leaves(node, new));
        let changed: Paths = new
            .iter()
            .filter(|(path, value)| old.get(*path) != Some(*value))
            .map(|(path, _)| path.clone())
            .collect();
        self.forget(by, &changed, &old, &new);
        let own = self.0.entry(by.clone()).or_default();
        own.extend(changed);
        own.retain(|path| new.contains_key(path) || !old.contains_key(path));
        self.0.retain(|_, paths| !paths.is_empty());
    }

    /// A field is owned without being changed.
    pub(crate) fn claim(&mut self, by: Manager, path: &str) {
        self.0.entry(by).or_default().insert(path.to_owned());
    }

    /// Others own neither what changed nor what is gone.
    fn forget(&mut self, by: &Manager, changed: &Paths, old: &Leaves<'_>, new: &Leaves<'_>) {
        for (manager, paths) in &mut self.0 {
            if manager != by {
                paths.retain(|path| {
                    !changed.contains(path) && (new.contains_key(path) || !old.contains_key(path))
                });
            }
        }
    }

    /// What becomes of `live` when `config` is applied. What this manager applied before, and leaves out now, goes unless
    /// somebody else owns it too.
    ///
    /// # Errors
    /// The fields that others own and that would change, with their owners, unless it is forced.
    pub(crate) fn apply(
        &mut self,
        node: &Node,
        by: &Manager,
        force: bool,
        live: &Value,
        config: &Value,
    ) -> Result<Value, Vec<(Manager, String)>> {
        let wanted: Paths = leaves(node, config).into_keys().collect();
        let merged = merge(node, live, config);
        let before = self.0.get(by).cloned().unwrap_or_default();
        let owned_by_others =
            |path: &String| self.0.iter().any(|(manager, paths)| manager != by && paths.contains(path));
        let gone: Paths = before.difference(&wanted).filter(|path| !owned_by_others(path)).cloned().collect();
        let kept: Paths = self
            .0
            .iter()
            .filter(|(manager, _)| *manager != by)
            .flat_map(|(_, paths)| paths)
            .chain(&wanted)
            .cloned()
            .collect();
        let result = if gone.is_empty() { merged } else { prune(node, merged, "", &gone, &kept) };
        let (old, new) = (leaves(node, live), leaves(node, &result));
        let changed: Paths = new
            .iter()
            .filter(|(path, value)| old.get(*path) != Some(*value))
            .map(|(path, _)| path.clone())
            .collect();
        if !force {
            let conflicts: Vec<_> = self
                .0
                .iter()
                .filter(|(manager, _)| *manager != by)
                .flat_map(|(manager, paths)| {
                    paths.intersection(&changed).map(|path| (manager.clone(), path.clone()))
                })
                .collect();
            if !conflicts.is_empty() {
                let mut conflicts = conflicts;
                conflicts.sort_by(|one, two| one.0.cmp(&two.0).then_with(|| members_first(&one.1, &two.1)));
                return Err(conflicts);
            }
        }
        self.forget(by, &changed, &old, &new);
        self.0.insert(by.clone(), wanted);
        self.0.retain(|_, paths| !paths.is_empty());
        Ok(result)
    }
}

/// The order in which fields are told: those of an object itself before those further inside.
fn members_first(one: &str, two: &str) -> Ordering {
    let parts = |path: &str| path.split(['.', '[']).map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (parts(one), parts(two));
    let differ = one.iter().zip(&two).take_while(|(one, two)| one == two).count();
    let is_inside = |path: &[String]| path.len() > differ + 1;
    is_inside(&one).cmp(&is_inside(&two)).then_with(|| one.cmp(&two))
}

/// The part of an item's path that tells it from its neighbours.
fn item_path(kind: &ListKind, item: &Value) -> String {
    match kind {
        ListKind::Map(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("{key}={}", item[key])).collect();
            format!("[{}]", keys.join(","))
        }
        _ => format!("[={item}]"),
    }
}

fn leaves<'a>(node: &Node, value: &'a Value) -> Leaves<'a> {
    let mut all = Leaves::new();
    collect(node, value, "", &mut all);
    all
}

fn collect<'a>(node: &Node, value: &'a Value, path: &str, all: &mut Leaves<'a>) {
    match (node, value) {
        (Node::Object { atomic: false, .. } | Node::Any, Value::Object(map)) => {
            for (name, value) in map {
                let path = format!("{path}.{name}");
                collect(node.field(name), value, &path, all);
                // An empty object is owned as such, and so are the entries of free maps.
                let empty = value.as_object().is_some_and(Map::is_empty);
                if empty || value.is_null() {
                    all.insert(path, Some(value));
                } else if value.is_object() && !node.names(name) {
                    all.insert(path, None);
                }
            }
        }
        (Node::List { item, kind }, Value::Array(items)) if *kind != ListKind::Atomic => {
            for value in items {
                let path = format!("{path}{}", item_path(kind, value));
                if value.is_object() {
                    collect(item, value, &path, all);
                }
                all.insert(path, None);
            }
        }
        _ => {
            all.insert(path.to_owned(), Some(value));
        }
    }
}

fn merge(node: &Node, live: &Value, config: &Value) -> Value {
    match (node, live, config) {
        (Node::Object { atomic: false, .. } | Node::Any, Value::Object(live), Value::Object(config)) => {
            let mut merged = live.clone();
            for (name, value) in config {
                let value =
                    live.get(name).map_or_else(|| value.clone(), |live| merge(node.field(name), live, value));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Node::List { item, kind }, Value::Array(live), Value::Array(config))
            if *kind != ListKind::Atomic =>
        {
            Value::Array(merge_items(item, kind, live, config))
        }
        _ => config.clone(),
    }
}

/// The items in the order of the config; those of others stay where they were among them.
fn merge_items(node: &Node, kind: &ListKind, live: &[Value], config: &[Value]) -> Vec<Value> {
    let known = |items: &[Value]| items.iter().map(|item| item_path(kind, item)).collect::<Vec<_>>();
    let (live_paths, config_paths) = (known(live), known(config));
    let mut merged = Vec::new();
    let mut rest = live_paths.iter().zip(live).peekable();
    for (path, value) in config_paths.iter().zip(config) {
        while let Some((_, other)) = rest.next_if(|(path, _)| !config_paths.contains(path)) {
            merged.push(other.clone());
        }
        let old = live_paths.iter().position(|known| known == path);
        merged.push(old.map_or_else(|| value.clone(), |index| merge(node, &live[index], value)));
        rest.next_if(|(known, _)| *known == path);
    }
    merged.extend(rest.filter(|(path, _)| !config_paths.contains(path)).map(|(_, other)| other.clone()));
    merged
}

/// Takes the paths that are gone out of a value.
fn prune(node: &Node, value: Value, path: &str, gone: &Paths, kept: &Paths) -> Value {
    match (node, value) {
        (Node::Object { atomic: false, .. } | Node::Any, Value::Object(map)) => {
            let mut left = Map::new();
            for (name, value) in map {
                let path = format!("{path}.{name}");
                if gone.contains(&path) && !is_kept(&path, kept) {
                    continue;
                }
                let was_empty = value.as_object().is_some_and(Map::is_empty);
                let value = prune(node.field(&name), value, &path, gone, kept);
                let is_emptied = !was_empty
                    && (value.as_object().is_some_and(Map::is_empty)
                        || value.as_array().is_some_and(|items| items.is_empty() && begins(&path, gone)));
                if !is_emptied || is_kept(&path, kept) {
                    left.insert(name, value);
                }
            }
            Value::Object(left)
        }
        (Node::List { item, kind }, Value::Array(items)) if *kind != ListKind::Atomic => {
            let left = items.into_iter().filter_map(|value| {
                let path = format!("{path}{}", item_path(kind, &value));
                let goes = gone.contains(&path) && !is_kept(&path, kept);
                (!goes).then(|| prune(item, value, &path, gone, kept))
            });
            Value::Array(left.collect())
        }
        (_, value) => value,
    }
}

/// Does somebody own this path, or something inside it?
fn is_kept(path: &str, kept: &Paths) -> bool {
    kept.contains(path) || begins(path, kept)
}

/// Is one of the paths inside this one?
fn begins(path: &str, paths: &Paths) -> bool {
    paths
        .range(path.to_owned()..)
        .take_while(|other| other.starts_with(path))
        .any(|other| matches!(other.as_bytes().get(path.len()), Some(b'.' | b'[')))
}
