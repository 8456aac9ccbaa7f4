//! The reference: one page of Markdown for each kind, rendered from the very definition that the API server gets, so
//! that it cannot say anything else.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps, JSONSchemaPropsOrArray,
};

use crate::{
    engine::{Reason, verdict::PAUSED},
    kinds::Entry,
    resource::annotation,
};

/// The annotations that steer the operator, and what each does.
const ANNOTATIONS: &[(&str, &str)] = &[
    (
        annotation::PAUSED,
        "With the value `true` nothing is sent to Astra for this object, and its deletion waits. The condition `Paused` tells.",
    ),
    (
        annotation::RECONCILE,
        "Each new value, such as the time, makes the operator look at Astra at once; `status.lastHandledReconcileAt` tells when it has.",
    ),
    (
        annotation::FORCE_FINALIZE,
        "With the value `true` an object that is being deleted goes even if Astra could not be cleaned up. What is left there is in the log.",
    ),
];

/// The conditions that all kinds have.
const CONDITIONS: &[(&str, &str)] = &[
    ("Ready", "Astra is as the spec says. Always there."),
    ("Reconciling", "Not yet, and it goes on by itself. Only there while it is true."),
    ("Stalled", "Not, and a person must change something. Only there while it is true."),
    (PAUSED, "The object is paused by its annotation. Only there while it is true."),
];

/// A kind's page: the name of its file, and its text.
#[must_use]
pub fn page(entry: &Entry) -> (String, String) {
    let definition = (entry.crd)();
    let names = &definition.spec.names;
    let mut page = Page(String::new());
    page.line("<!-- Rendered from the types by `cargo xtask generate`; do not edit. -->");
    page.line(&format!("# {}\n", names.kind));
    for version in &definition.spec.versions {
        page.version(&definition, version, entry);
    }
    (format!("{}.md", names.kind.to_lowercase()), page.0)
}

/// The text so far.
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn version(
        &mut self,
        definition: &CustomResourceDefinition,
        version: &CustomResourceDefinitionVersion,
        entry: &Entry,
    ) {
        let names = &definition.spec.names;
        let root = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        let Some(root) = root else { return };
        self.line(&format!("{}\n", root.description.as_deref().unwrap_or_default()));
        let short = names.short_names.iter().flatten().cloned().collect::<Vec<_>>().join("`, `");
        self.line(&format!(
            "`{}/{}`, kind `{}`. For kubectl: `{}`, `{short}`, and `{}` for all kinds together.\n",
            definition.spec.group,
            version.name,
            names.kind,
            names.plural,
            names.categories.iter().flatten().cloned().collect::<Vec<_>>().join("`, `"),
        ));
        for (part, text) in [("spec", "What you declare."), ("status", "What the operator tells.")] {
            let Some(schema) = root.properties.as_ref().and_then(|properties| properties.get(part)) else {
                continue;
            };
            self.line(&format!("## {part}\n\n{text}\n"));
            self.rules(schema);
            self.line("| field | type | default | |\n|---|---|---|---|");
            self.fields(part, schema, part == "spec");
            self.line("");
        }
        self.pairs("Conditions", "condition", CONDITIONS.iter().chain(entry.conditions).copied());
        self.line("## Reasons\n\nThe reasons of `Ready`, `Reconciling` and `Stalled`.\n");
        self.line("| reason | goes away | |\n|---|---|---|");
        for reason in Reason::ALL {
            let goes = match reason {
                Reason::UpToDate => "",
                reason if reason.needs_a_person() => "when a person changes something (`Stalled`)",
                _ => "by itself (`Reconciling`)",
            };
            self.line(&format!("| `{reason}` | {goes} | {} |", reason.meaning()));
        }
        self.line("");
        self.pairs("Annotations", "annotation", ANNOTATIONS.iter().copied());
        // The last section's empty line.
        self.0.truncate(self.0.trim_end().len() + 1);
    }

    /// What the API server checks of several fields together.
    fn rules(&mut self, schema: &JSONSchemaProps) {
        let rules = messages(schema);
        if !rules.is_empty() {
            self.line("Refused when applied:\n");
            for rule in rules {
                self.line(&format!("- {rule}"));
            }
            self.line("");
        }
    }

    /// One row for each field, and then the fields in it.
    fn fields(&mut self, path: &str, schema: &JSONSchemaProps, show_required: bool) {
        let required = schema.required.as_deref().unwrap_or_default();
        for (name, field) in schema.properties.iter().flatten() {
            let path = format!("{path}.{name}");
            let default = match &field.default {
                Some(default) => format!("`{}`", default.0),
                None if show_required && required.contains(name) => "required".to_owned(),
                None => String::new(),
            };
            let (type_, inner) = type_of(field);
            let mut text = sentence(field.description.as_deref().unwrap_or_default());
            for said in constraints(field).into_iter().chain(messages(field)) {
                let _ = write!(text, " {}", sentence(&said));
            }
            let row = [format!("`{path}`"), type_, default, text.trim().to_owned()];
            self.line(&format!(
                "| {} |",
                row.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).join(" | ")
            ));
            match inner {
                // The standard type of Kubernetes, told in a section of its own.
                _ if path == "status.conditions" => {}
                Some(inner) => self.fields(&format!("{path}[]"), inner, show_required),
                None => self.fields(&path, field, show_required),
            }
        }
    }

    fn pairs<'a>(&mut self, title: &str, column: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
        self.line(&format!("## {title}\n\n| {column} | |\n|---|---|"));
        for (name, text) in pairs {
            self.line(&format!("| `{name}` | {text} |"));
        }
        self.line("");
    }
}

/// The type for people, and of a list the schema of its items.
fn type_of(field: &JSONSchemaProps) -> (String, Option<&JSONSchemaProps>) {
    let own = field.type_.as_deref().unwrap_or("any");
    match (&field.items, field.format.as_deref()) {
        (Some(JSONSchemaPropsOrArray::Schema(item)), _) => {
            (format!("list of {}", type_of(item).0), Some(item))
        }
        (_, Some("date-time")) => ("time".to_owned(), None),
        _ => (own.to_owned(), None),
    }
}

/// What the schema itself demands.
fn constraints(field: &JSONSchemaProps) -> Vec<String> {
    let mut all = Vec::new();
    let values = field.enum_.iter().flatten().filter(|value| !value.0.is_null());
    let values: Vec<_> = values.map(|value| format!("`{}`", value.0.to_string().trim_matches('"'))).collect();
    if !values.is_empty() {
        all.push(format!("One of {}", values.join(", ")));
    }
    all.extend(bounds(field.min_length, field.max_length, "characters"));
    all.extend(bounds(field.min_items, field.max_items, "items"));
    all.extend(field.pattern.as_ref().map(|pattern| format!("Must match `{pattern}`")));
    if field.x_kubernetes_list_type.as_deref() == Some("map") {
        let keys = field.x_kubernetes_list_map_keys.iter().flatten().cloned().collect::<Vec<_>>();
        all.push(format!("Each `{}` once", keys.join("`, `")));
    }
    if field.x_kubernetes_list_type.as_deref() == Some("set") {
        all.push("Each item once".to_owned());
    }
    all
}

fn bounds(least: Option<i64>, most: Option<i64>, what: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most} {what}")),
        (None, Some(most)) => Some(format!("At most {most} {what}")),
        (Some(least), None) => Some(format!("At least {least} {what}")),
        (None, None) => None,
    }
}

/// What is said when a rule of the schema is broken.
fn messages(field: &JSONSchemaProps) -> Vec<String> {
    field
        .x_kubernetes_validations
        .iter()
        .flatten()
        .filter_map(|rule| rule.message.clone())
        .map(capital)
        .collect()
}

fn capital(text: String) -> String {
    // A field's path stays as it is written.
    if text.starts_with("spec.") || text.starts_with("publicAccess") || text.starts_with("vpce-") {
        return text;
    }
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
