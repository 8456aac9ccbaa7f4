//! YAML with positions: each value knows the line and column where it is written.
//!
//! JSON is read in the same way, for it is YAML too.

use serde_json::{Map, Number, Value};

/// A place in a text, from line 1 and column 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) tree: Tree,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// One field of a map.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Where its name is.
    pub(crate) at: At,
    pub(crate) value: Node,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: At,
    /// The field; empty for a whole document.
    pub(crate) field: String,
    pub(crate) message: String,
}

/// One document, and what is wrong with it that does not keep it from being read.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Node {
    /// A field of a map.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.fields().iter().find(|field| field.name == name).map(|field| &field.value)
    }

    /// The fields of a map; none of anything else.
    pub(crate) fn fields(&self) -> &[Field] {
        if let Tree::Map(fields) = &self.tree { fields } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        if let Tree::List(items) = &self.tree { items } else { &[] }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = &self.tree { Some(text) } else { None }
    }

    /// Without positions, and without the fields that are null: they are as if they were not there.
    pub(crate) fn value(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => items.iter().map(Self::value).collect(),
            Tree::Map(fields) => {
                let there = fields.iter().filter(|field| !matches!(field.value.tree, Tree::Null));
                Value::Object(
                    there.map(|field| (field.name.clone(), field.value.value())).collect::<Map<_, _>>(),
                )
            }
        }
    }

    /// Where a field such as `spec.addresses[2].address` or `metadata.labels[app]` is written: its value if that is on one
    /// line, else its name. What is not there is where it should be: at what it would be in.
    pub(crate) fn locate(&self, path: &str) -> At {
        let mut found = (self, self.at);
        for part in parts(path) {
            let next = match &found.0.tree {
                Tree::Map(fields) => {
                    fields.iter().find(|field| field.name == part).map(|field| (&field.value, field.at))
                }
                Tree::List(items) => {
                    part.parse::<usize>().ok().and_then(|i| items.get(i)).map(|item| (item, item.at))
                }
                _ => None,
            };
            let Some(next) = next else { return found.1 };
            found = next;
        }
        if matches!(found.0.tree, Tree::List(_) | Tree::Map(_) | Tree::Null) { found.1 } else { found.0.at }
    }

    /// How many values it is made of, and how deep it nests.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (mut count, mut depth) = (0, 0);
        let below = self.items().iter().chain(self.fields().iter().map(|field| &field.value));
        for node in below {
            let (more, deeper) = node.size();
            count += more;
            depth = deeper.max(depth);
        }
        (count + 1, depth + 1)
    }
}

/// The parts of `spec.addresses[2].address`: what is in brackets is one, also if it has dots.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inside) = rest.strip_prefix('[') {
            let (part, after) = inside.split_once(']').unwrap_or((inside, ""));
            rest = after;
            return Some(part);
        }
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use crate::manifest::builder::parse;

    #[test]
    fn a_field_is_where_its_value_is_and_what_is_missing_where_it_should_be() {
        let text = "metadata:\n  labels: {a.b/c: x}\nspec:\n  list:\n  - one: 1\n    two: [2, 3]\n  empty:\n";
        let (documents, _) = parse(text, 10);
        for (path, line, column) in [
            ("", 10, 1),
            ("metadata.labels[a.b/c]", 11, 19),
            ("metadata.labels", 11, 3),
            ("spec.list[0].one", 14, 10),
            ("spec.list[0].two", 15, 5),
            ("spec.list[0].two[1]", 15, 14),
            ("spec.list[0].none.at.all", 14, 5),
            ("spec.list[7]", 13, 3),
            ("spec.empty", 16, 3),
            ("status", 10, 1),
        ] {
            let at = documents[0].root.locate(path);
            assert_eq!((at.line, at.column), (line, column), "{path}");
        }
    }
}
