//! The structural part of a check: types, lengths, enums, patterns, required and unknown fields, and the defaults.
//!
//! A walker of our own, for three reasons: a JSON Schema validator brings twenty crates into a program that holds the
//! door of databases, knows nothing of the API server's ways with nulls, defaults and keyed lists, and tells of a wrong
//! field neither its line nor what was meant.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;
use serde_json::{Map, Value};

use super::{
    nearest::nearest,
    tree::{At, Field, Mistake, Node, Tree},
};

/// All that a schema finds wrong with an object.
pub(crate) fn check(
    root: &JSONSchemaProps,
    patterns: &HashMap<String, Regex>,
    object: &Node,
) -> Vec<Mistake> {
    let mut walk = Walk { root, patterns, mistakes: Vec::new() };
    walk.node(root, object, "", object.at);
    walk.mistakes
}

struct Walk<'a> {
    root: &'a JSONSchemaProps,
    patterns: &'a HashMap<String, Regex>,
    mistakes: Vec<Mistake>,
}

impl Walk<'_> {
    fn wrong(&mut self, at: At, field: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake { at, field: field.to_owned(), message: message.into() });
    }

    /// `named` is where the field's name is.
    fn node(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str, named: At) {
        let at = if matches!(node.tree, Tree::List(_) | Tree::Map(_) | Tree::Null) { named } else { node.at };
        match (schema.type_.as_deref(), &node.tree) {
            (Some("object"), Tree::Map(fields)) => self.object(schema, fields, path, at),
            (Some("array"), Tree::List(items)) => self.list(schema, items, path, at),
            (Some("string"), Tree::Text(text)) => self.text(schema, text, path, at),
            (Some("boolean"), Tree::Bool(_)) | (None, _) => {}
            (Some("integer"), Tree::Number(number)) if !number.is_f64() => {
                self.range(schema, number.as_f64(), path, at);
            }
            (Some("number"), Tree::Number(number)) => self.range(schema, number.as_f64(), path, at),
            (_, Tree::Null) if schema.nullable == Some(true) => {}
            (Some(_), Tree::Bool(_) | Tree::Number(_)) if schema.enum_.is_some() => {
                self.wrong(
                    at,
                    path,
                    format!("must be one of {}, and is {}", allowed(schema).join(", "), describe(&node.tree)),
                );
            }
            (Some(expected), _) => {
                let message = format!("must be {}, and is {}", name(expected), describe(&node.tree));
                let in_quotes = expected == "string" && matches!(node.tree, Tree::Bool(_) | Tree::Number(_));
                self.wrong(
                    at,
                    path,
                    if in_quotes { format!("{message}: put it in quotes") } else { message },
                );
            }
        }
    }

    fn object(&mut self, schema: &JSONSchemaProps, fields: &[Field], path: &str, at: At) {
        let known = schema.properties.as_ref();
        let others = match &schema.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(schema)) => Some(&**schema),
            _ => None,
        };
        let open = schema.x_kubernetes_preserve_unknown_fields == Some(true)
            || matches!(schema.additional_properties, Some(JSONSchemaPropsOrBool::Bool(true)));
        for field in fields {
            let of_schema = known.and_then(|known| known.get(&field.name));
            let here = if of_schema.is_some() || others.is_none() {
                join(path, &field.name)
            } else {
                format!("{path}[{}]", field.name)
            };
            match of_schema.or(others) {
                // What is null is as if it were not there, unless the schema takes nulls.
                Some(_) if matches!(field.value.tree, Tree::Null) => {}
                Some(schema) => self.node(schema, &field.value, &here, field.at),
                None if open => {}
                None => {
                    let message = self.unknown(schema, path, &field.name);
                    self.wrong(field.at, &here, message);
                }
            }
        }
        for name in schema.required.iter().flatten() {
            let is_there =
                fields.iter().any(|field| field.name == *name && !matches!(field.value.tree, Tree::Null));
            let has_default =
                known.and_then(|known| known.get(name)).is_some_and(|field| field.default.is_some());
            if !is_there && !has_default {
                self.wrong(at, &join(path, name), "is required");
            }
        }
        let count = fields.len();
        self.count(count, schema.min_properties, schema.max_properties, "fields", path, at);
    }

    /// What to say of a field that there is not: it may belong elsewhere, or be misspelt.
    fn unknown(&self, schema: &JSONSchemaProps, path: &str, name: &str) -> String {
        let here = schema.properties.iter().flat_map(|known| known.keys().map(String::as_str));
        if let Some(place) = place_of(self.root, "", name).filter(|place| place != path) {
            let place = if place.is_empty() { "the top of the object" } else { &place };
            return format!("there is no such field here: {name} belongs in {place}");
        }
        nearest(name, here.clone()).map_or_else(
            || format!("there is no such field; there are {}", here.collect::<Vec<_>>().join(", ")),
            |meant| format!("there is no such field; did you mean {meant}?"),
        )
    }

    fn list(&mut self, schema: &JSONSchemaProps, items: &[Node], path: &str, at: At) {
        self.count(items.len(), schema.min_items, schema.max_items, "items", path, at);
        if let Some(JSONSchemaPropsOrArray::Schema(of_item)) = &schema.items {
            for (i, item) in items.iter().enumerate() {
                self.node(of_item, item, &format!("{path}[{i}]"), item.at);
            }
        }
        let mut seen = BTreeMap::new();
        for (i, item) in items.iter().enumerate() {
            let Some(key) = key(schema, item) else { continue };
            if let Some(first) = seen.insert(key.to_string(), i) {
                let field = format!("{path}[{i}]");
                let message =
                    format!("is there already, as {path}[{first}] in line {}", items[first].at.line);
                self.wrong(item.at, &field, message);
            }
        }
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, path: &str, at: At) {
        let allowed = allowed(schema);
        if schema.enum_.is_some() && !allowed.contains(&text) {
            let meant = nearest(text, allowed.iter().copied());
            let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            self.wrong(at, path, format!("must be one of {}, and is {text:?}{hint}", allowed.join(", ")));
        }
        let length = text.chars().count();
        self.count(length, schema.min_length, schema.max_length, "characters", path, at);
        let pattern = schema.pattern.as_ref();
        if let Some(regex) = pattern.and_then(|pattern| self.patterns.get(pattern))
            && !regex.is_match(text)
        {
            self.wrong(at, path, format!("{text:?} does not match {regex}"));
        }
    }

    fn range(&mut self, schema: &JSONSchemaProps, number: Option<f64>, path: &str, at: At) {
        let Some(number) = number else { return };
        if let Some(least) = schema.minimum.filter(|least| number < *least) {
            self.wrong(at, path, format!("must be at least {least}, and is {number}"));
        }
        if let Some(most) = schema.maximum.filter(|most| number > *most) {
            self.wrong(at, path, format!("must be at most {most}, and is {number}"));
        }
    }

    fn count(&mut self, count: usize, least: Option<i64>, most: Option<i64>, of: &str, path: &str, at: At) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(least) = least.filter(|least| count < *least) {
            self.wrong(at, path, format!("must have at least {least} {of}, and has {count}"));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            self.wrong(at, path, format!("must have at most {most} {of}, and has {count}"));
        }
    }
}

/// Puts in the defaults, as the API server does before it checks and stores.
pub(crate) fn fill(schema: &JSONSchemaProps, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, field) in schema.properties.iter().flatten() {
                fill_field(name, field, map);
            }
        }
        Value::Array(items) => {
            if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
                for value in items {
                    fill(item, value);
                }
            }
        }
        _ => {}
    }
}

fn fill_field(name: &str, schema: &JSONSchemaProps, map: &mut Map<String, Value>) {
    if let Some(default) = &schema.default
        && !map.contains_key(name)
    {
        map.insert(name.to_owned(), default.0.clone());
    }
    if let Some(value) = map.get_mut(name) {
        fill(schema, value);
    }
}

/// The one place where a field of this name is.
fn place_of(schema: &JSONSchemaProps, path: &str, name: &str) -> Option<String> {
    let fields = schema.properties.as_ref()?;
    if fields.contains_key(name) {
        return Some(path.to_owned());
    }
    let (spec, items) = (path.is_empty(), "items");
    fields.iter().filter(|(field, _)| !spec || *field == "spec").find_map(|(field, below)| {
        let here = join(path, field);
        match &below.items {
            Some(JSONSchemaPropsOrArray::Schema(item)) => {
                place_of(item, &format!("the {items} of {here}"), name)
            }
            _ => place_of(below, &here, name),
        }
    })
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What an item of a list is known by; `None` if items may repeat, and of an item without its keys, which is told already.
fn key(schema: &JSONSchemaProps, item: &Node) -> Option<Value> {
    match schema.x_kubernetes_list_type.as_deref() {
        Some("set") => Some(item.value()),
        Some("map") => {
            let keys = schema.x_kubernetes_list_map_keys.iter().flatten();
            keys.map(|key| Some(item.get(key)?.value())).collect()
        }
        _ => None,
    }
}

/// The words that an enum knows.
fn allowed(schema: &JSONSchemaProps) -> Vec<&str> {
    schema.enum_.iter().flatten().filter_map(|value| value.0.as_str()).collect()
}

fn name(type_: &str) -> &str {
    match type_ {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a map of fields",
        other => other,
    }
}

fn describe(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(value) => format!("the boolean {value}"),
        Tree::Number(number) => format!("the number {number}"),
        Tree::Text(_) => "a text".to_owned(),
        Tree::List(_) => "a list".to_owned(),
        Tree::Map(_) => "a map of fields".to_owned(),
    }
}
