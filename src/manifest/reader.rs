//! From texts to objects, and what stands in the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use super::{
    Finding, Location, Manifest, Manifests, builder, check, documents,
    known::{Known, Recognised},
    secrets,
    tree::{At, Document, Mistake, Node, Tree},
};

/// How a text came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It was named, so that it must be a manifest.
    ByName,
    /// It lay in a directory, where there may be other files too.
    ByDirectory,
}

/// An object, and where each of its fields is.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) manifest: Manifest,
    root: Arc<Node>,
}

impl Loaded {
    /// Where a field is written, or where it would be.
    pub(crate) fn locate(&self, field: &str) -> Location {
        location(&self.manifest.location.file, self.root.locate(field))
    }
}

/// All that was read, and the texts that it was read from as far as anything is to be said of them.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    pub(crate) objects: Vec<Loaded>,
    pub(crate) skipped: BTreeMap<String, usize>,
    pub(crate) errors: Vec<Finding>,
    pub(crate) texts: BTreeMap<Arc<str>, Arc<str>>,
    /// Where something is no YAML.
    unparsed: BTreeSet<Location>,
}

impl From<Collection> for Manifests {
    /// What is no YAML is told with its line: whoever reads it in a log has no editor beside it.
    fn from(mut collection: Collection) -> Self {
        for error in &mut collection.errors {
            let text = collection.texts.get(&error.location.file);
            let text = text.filter(|_| collection.unparsed.contains(&error.location));
            if let Some(line) = text.and_then(|text| line(text, error.location.line)) {
                let shown: String = line.chars().take(LONGEST_LINE).collect();
                error.message = format!("{}, in the line `{shown}`", error.message);
            }
        }
        let objects = collection.objects.into_iter().map(|loaded| loaded.manifest).collect();
        Self { objects, skipped: collection.skipped, errors: collection.errors }
    }
}

/// Reads one text after the other.
pub(crate) struct Reader<'a> {
    namespace: &'a str,
    found: Collection,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(namespace: &'a str) -> Self {
        Self { namespace, found: Collection::default() }
    }

    pub(crate) fn finish(self) -> Collection {
        self.found
    }

    /// A file, if it could be read.
    pub(crate) fn file(&mut self, file: &Arc<str>, bytes: io::Result<Vec<u8>>, given: Given) {
        match bytes {
            Ok(bytes) => self.bytes(file, bytes, given),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                let at = At { line: 1, column: 1 };
                self.error(file, None, Mistake { at, field: String::new(), message });
            }
        }
    }

    /// A file that may be no text at all.
    pub(crate) fn bytes(&mut self, file: &Arc<str>, bytes: Vec<u8>, given: Given) {
        match String::from_utf8(bytes) {
            Ok(text) => self.text(file, &text, given),
            Err(error) => {
                // What is before the first bad byte is text.
                let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
                let line = good.matches('\n').count() as u64 + 1;
                let begun = good.rsplit('\n').next().unwrap_or_default();
                let column = begun.chars().count() as u64 + 1;
                let message = "is no text in UTF-8: save it as UTF-8".to_owned();
                let mistake = Mistake { at: At { line, column }, field: String::new(), message };
                self.error(file, None, mistake);
            }
        }
    }

    pub(crate) fn text(&mut self, file: &Arc<str>, text: &str, given: Given) {
        let before = (self.found.objects.len(), self.found.errors.len());
        for part in documents::split(text) {
            let (documents, failure) = builder::parse(part.text, part.first_line);
            for document in documents {
                self.document(file, document, given);
            }
            if let Some(failure) = failure {
                self.found.unparsed.insert(location(file, failure.at));
                self.error(file, None, with_hint(failure, text));
            }
        }
        if before != (self.found.objects.len(), self.found.errors.len()) {
            let shown =
                documents::split(text).into_iter().map(|part| secrets::hidden(part.text)).collect::<String>();
            self.found.texts.insert(file.clone(), shown.into());
        }
    }

    fn document(&mut self, file: &Arc<str>, document: Document, given: Given) {
        let Document { root, mistakes } = document;
        let is_list = root.get("kind").and_then(Node::text).is_some_and(|kind| {
            let version = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
            kind == "List" && version == "v1" || matches!(Known::recognise(version, kind), Recognised::List)
        });
        if !is_list {
            return self.object(file, root, mistakes, given);
        }
        let Tree::Map(fields) = root.tree else { return };
        let Some(items) = fields.into_iter().find(|field| field.name == "items") else { return };
        let Tree::List(items) = items.value.tree else {
            let message = "must be a list of objects".to_owned();
            return self.error(file, None, Mistake { at: items.at, field: "items".to_owned(), message });
        };
        for (i, item) in items.into_iter().enumerate() {
            let prefix = format!("items[{i}].");
            let own = mistakes.iter().filter_map(|mistake| {
                let field = mistake.field.strip_prefix(&prefix)?.to_owned();
                Some(Mistake { field, ..mistake.clone() })
            });
            self.object(file, item, own.collect(), Given::ByName);
        }
    }

    fn object(&mut self, file: &Arc<str>, root: Node, duplicates: Vec<Mistake>, given: Given) {
        if matches!(root.tree, Tree::Null) {
            return;
        }
        let text = |name| root.get(name).and_then(Node::text).filter(|text| !text.is_empty());
        let (api_version, kind) = match (text("apiVersion"), text("kind")) {
            (Some(api_version), Some(kind)) => (api_version, kind),
            (None, None) if given == Given::ByDirectory => {
                // Values of a chart, a kustomization: what else lies in directories.
                *self.found.skipped.entry("no Kubernetes object".to_owned()).or_default() += 1;
                return;
            }
            (api_version, kind) => {
                let is_map = matches!(root.tree, Tree::Map(_));
                let missing = match (api_version, kind) {
                    _ if !is_map => {
                        ("", "is no Kubernetes object: it must be a map with apiVersion, kind and metadata")
                    }
                    (None, None) => ("", "is no Kubernetes object: it has neither apiVersion nor kind"),
                    (None, _) => ("apiVersion", "is required, and must be a text"),
                    (_, _) => ("kind", "is required, and must be a text"),
                };
                let (field, message) = (missing.0.to_owned(), missing.1.to_owned());
                return self.error(file, None, Mistake { at: root.locate(&field), field, message });
            }
        };
        let known = match Known::recognise(api_version, kind) {
            Recognised::Ours(known) => known,
            Recognised::Other | Recognised::List => {
                *self.found.skipped.entry(format!("{api_version} {kind}")).or_default() += 1;
                return;
            }
            Recognised::Mistaken(mistakes) => {
                for (field, message) in mistakes {
                    let mistake = Mistake { at: root.locate(field), field: field.to_owned(), message };
                    self.error(file, None, mistake);
                }
                return;
            }
        };
        self.ours(file, known, root, duplicates);
    }

    fn ours(&mut self, file: &Arc<str>, known: &'static Known, root: Node, duplicates: Vec<Mistake>) {
        let checked = check::check(known, &root, self.namespace);
        let metadata = |name| root.get("metadata")?.get(name)?.text().filter(|text| !text.is_empty());
        let namespace = metadata("namespace").unwrap_or(self.namespace).to_owned();
        let name = metadata("name").unwrap_or_default().to_owned();
        let object = (!name.is_empty()).then(|| format!("{} {namespace}/{name}", known.kind));
        let is_once = duplicates.is_empty();
        let mut mistakes = duplicates;
        match checked {
            Ok(value) if is_once => {
                let location = location(file, root.at);
                let manifest = Manifest { location, kind: known.kind, namespace, name, value };
                self.found.objects.push(Loaded { manifest, root: Arc::new(root) });
                return;
            }
            Ok(_) => {}
            Err(found) => mistakes.extend(found),
        }
        for mistake in mistakes {
            self.error(file, object.clone(), mistake);
        }
    }

    fn error(&mut self, file: &Arc<str>, object: Option<String>, mistake: Mistake) {
        let Mistake { at, field, message } = mistake;
        let [field, message] = [field, message].map(|text| secrets::redacted(&text).into_owned());
        let object = object.map(|object| secrets::redacted(&object).into_owned());
        self.found.errors.push(Finding { location: location(file, at), object, field, message });
    }
}

fn location(file: &Arc<str>, at: At) -> Location {
    Location { file: file.clone(), line: at.line, column: at.column }
}

/// The longest part of a line that is shown.
const LONGEST_LINE: usize = 120;

/// A line that is not empty, without its indent.
fn line(text: &str, number: u64) -> Option<&str> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    text.lines().nth(index).map(str::trim).filter(|line| !line.is_empty())
}

/// Charts are the manifests that are most often no YAML.
fn with_hint(mut failure: Mistake, text: &str) -> Mistake {
    if line(text, failure.at.line).is_some_and(|line| line.contains("{{")) {
        failure.message += "; if this is a template, render it first and pipe the result into -f -";
    }
    failure
}
