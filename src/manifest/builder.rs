//! From a text to trees, by the events of a YAML parser.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{
    scalar,
    tree::{At, Document, Field, Mistake, Node, Tree},
};

/// How deep a document may nest. Objects of Kubernetes are nowhere near; without a limit, a hostile one exhausts the stack.
const DEEPEST: usize = 128;
/// How many values the aliases of one document may stand for. Without it, a kilobyte of them becomes a terabyte.
const MOST_BY_ALIAS: usize = 100_000;

/// Reads all documents of a text that begins at this line of its file. The first thing that is no YAML ends it.
pub(crate) fn parse(text: &str, first_line: u64) -> (Vec<Document>, Option<Mistake>) {
    let mut builder = Builder { first_line, ..Builder::default() };
    for event in Parser::new_from_str(text) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(builder.scan_error(&error)),
        };
        if let Err(mistake) = taken {
            return (builder.documents, Some(mistake));
        }
    }
    (builder.documents, None)
}

/// What was begun and not ended yet.
#[derive(Debug)]
struct Open {
    at: At,
    anchor: usize,
    tree: OpenTree,
}

#[derive(Debug)]
enum OpenTree {
    List(Vec<Node>),
    Map {
        fields: Vec<Field>,
        /// A name whose value comes next, and whether it stood in quotes.
        name: Option<(String, At)>,
        /// Maps that are merged in by `<<`.
        merged: Vec<Node>,
    },
}

/// Builds trees from the parser's events, without recursion.
#[derive(Default)]
struct Builder {
    first_line: u64,
    documents: Vec<Document>,
    mistakes: Vec<Mistake>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    by_alias: usize,
}

/// A name that merges, when it is not in quotes. No field can have it: it has a character that no text has.
const MERGE: &str = "\0<<";

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        let at = self.at(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let suffix = tag.as_deref().and_then(Tag::core_suffix);
                let is_name = self.is_name_next();
                if is_name && text == "<<" && style == ScalarStyle::Plain && tag.is_none() {
                    self.name(MERGE.to_owned(), at);
                    return Ok(());
                }
                let tree =
                    scalar::resolve(&text, style, suffix).map_err(|message| self.mistake(at, message))?;
                if is_name {
                    let name = scalar::name(&text, &tree).map_err(|message| self.mistake(at, message))?;
                    if anchor > 0 {
                        self.anchors.insert(anchor, Node { at, tree });
                    }
                    self.name(name, at);
                    return Ok(());
                }
                self.value(Node { at, tree }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, anchor, OpenTree::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.begin(at, anchor, OpenTree::Map { fields: Vec::new(), name: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(at, anchor),
            Event::DocumentEnd => {
                self.anchors.clear();
                self.by_alias = 0;
                if let Some(document) = self.documents.last_mut() {
                    document.mistakes.append(&mut self.mistakes);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn at(&self, span: Span) -> At {
        let (line, column) = (span.start.line() as u64, span.start.col() as u64);
        At { line: self.first_line + line.saturating_sub(1), column: column + 1 }
    }

    fn scan_error(&self, error: &ScanError) -> Mistake {
        let (line, column) = (error.marker().line() as u64, error.marker().col() as u64);
        let at = At { line: self.first_line + line.saturating_sub(1), column: column + 1 };
        self.mistake(at, format!("is no YAML: {}", error.info()))
    }

    fn mistake(&self, at: At, message: impl Into<String>) -> Mistake {
        Mistake { at, field: self.path(None), message: message.into() }
    }

    /// The field that is being read.
    fn path(&self, last: Option<&str>) -> String {
        let mut path = String::new();
        let mut push = |name: &str| {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        };
        for open in &self.open {
            match &open.tree {
                OpenTree::List(items) => push(&format!("[{}]", items.len())),
                OpenTree::Map { name: Some((name, _)), .. } if name != MERGE => push(name),
                OpenTree::Map { .. } => {}
            }
        }
        last.into_iter().for_each(push);
        path
    }

    fn is_name_next(&self) -> bool {
        matches!(self.open.last(), Some(Open { tree: OpenTree::Map { name: None, .. }, .. }))
    }

    fn name(&mut self, text: String, at: At) {
        if let Some(Open { tree: OpenTree::Map { name, .. }, .. }) = self.open.last_mut() {
            *name = Some((text, at));
        }
    }

    fn begin(&mut self, at: At, anchor: usize, tree: OpenTree) -> Result<(), Mistake> {
        if self.is_name_next() {
            return Err(self.mistake(at, "the name of a field must be a text, not a list or a map"));
        }
        if self.open.len() >= DEEPEST {
            return Err(self.mistake(at, format!("nests deeper than {DEEPEST} levels")));
        }
        self.open.push(Open { at, anchor, tree });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Mistake> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let tree = match open.tree {
            OpenTree::List(items) => Tree::List(items),
            OpenTree::Map { fields, merged, .. } => Tree::Map(self.close(fields, merged)),
        };
        self.value(Node { at: open.at, tree }, open.anchor)
    }

    /// The fields of a map: each once, the last one counts, and what is merged in counts least.
    fn close(&mut self, fields: Vec<Field>, merged: Vec<Node>) -> Vec<Field> {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        let mut twice = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            if let Some(first) = last.insert(&field.name, i) {
                let message = format!("is there already, in line {}", fields[first].at.line);
                twice.push(Mistake { at: field.at, field: self.path(Some(&field.name)), message });
            }
        }
        let once: Vec<bool> =
            fields.iter().enumerate().map(|(i, field)| last[field.name.as_str()] == i).collect();
        self.mistakes.extend(twice);
        let mut kept: Vec<Field> =
            fields.into_iter().zip(once).filter_map(|(field, keep)| keep.then_some(field)).collect();
        let maps = merged.into_iter().flat_map(|node| match node.tree {
            Tree::List(items) => items,
            _ => vec![node],
        });
        for map in maps {
            let Tree::Map(fields) = map.tree else { continue };
            let new: Vec<Field> =
                fields.into_iter().filter(|field| !kept.iter().any(|own| own.name == field.name)).collect();
            kept.extend(new);
        }
        kept
    }

    fn alias(&mut self, at: At, anchor: usize) -> Result<(), Mistake> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(
                self.mistake(at, "refers to an anchor that is not complete: a value cannot contain itself")
            );
        };
        let (count, depth) = node.size();
        self.by_alias += count;
        if self.by_alias > MOST_BY_ALIAS {
            return Err(self.mistake(at, format!("aliases stand for more than {MOST_BY_ALIAS} values")));
        }
        if self.open.len() + depth > DEEPEST {
            return Err(self.mistake(at, format!("nests deeper than {DEEPEST} levels")));
        }
        let node = node.clone();
        if self.is_name_next() {
            let name = node.text().map(str::to_owned);
            let name = name.ok_or_else(|| self.mistake(at, "the name of a field must be a text"))?;
            self.name(name, at);
            return Ok(());
        }
        self.value(node, 0)
    }

    fn value(&mut self, node: Node, anchor: usize) -> Result<(), Mistake> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.tree) {
            Some(OpenTree::List(items)) => items.push(node),
            Some(OpenTree::Map { fields, name, merged }) => match name.take() {
                Some((name, at)) if name == MERGE => {
                    if !merges(&node) {
                        return Err(self.mistake(at, "<< merges maps only"));
                    }
                    merged.push(node);
                }
                Some((name, at)) => fields.push(Field { name, at, value: node }),
                None => {}
            },
            None => self.documents.push(Document { root: node, mistakes: Vec::new() }),
        }
        Ok(())
    }
}

fn merges(node: &Node) -> bool {
    let is_map = |node: &Node| matches!(node.tree, Tree::Map(_));
    is_map(node) || !node.items().is_empty() && node.items().iter().all(is_map)
}
