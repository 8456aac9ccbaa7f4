//! What of the chart follows from the types and from its values: definitions, roles, README.

use std::{fmt::Write as _, fs, path::PathBuf};

use astra_operator::{kinds::KINDS, rights};
use expect_test::expect_file;
use serde_json::Value;

use crate::assert_files;

fn chart() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/charts/astra-operator"))
}

fn read(name: &str) -> String {
    fs::read_to_string(chart().join(name)).unwrap()
}

#[test]
fn the_charts_definitions_are_what_the_types_say() {
    let files: Vec<_> = KINDS
        .iter()
        .map(|entry| {
            let crd = (entry.crd)();
            let name = format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural);
            (name, template(&serde_saphyr::to_string(&crd).unwrap()))
        })
        .collect();
    assert_files(chart().join("templates/crds").to_str().unwrap(), &files);
}

/// A definition with the chart's labels and annotations. The rest is text: a template engine that reads and writes YAML
/// would change numbers and quotes.
fn template(crd: &str) -> String {
    assert!(!crd.contains("{{"), "a description would be taken for a template");
    let (head, spec) = crd.split_once("\nspec:\n").unwrap();
    format!(
        "{{{{- /* Written by `cargo xtask generate`. Do not edit. */ -}}}}\n{{{{- if .Values.crds.enabled }}}}\n{head}\n  \
         labels:\n    {{{{- include \"astra-operator.labels\" . | nindent 4 }}}}\n  \
         {{{{- include \"astra-operator.crds.annotations\" . | nindent 2 }}}}\nspec:\n{spec}{{{{- end }}}}\n"
    )
}

#[test]
fn the_charts_rules_are_the_rights_of_the_registry() {
    expect_file![chart().join("templates/_rights.tpl")].assert_eq(&rights::templates());
}

#[test]
fn the_charts_version_is_the_programs() {
    let chart: Value = serde_saphyr::from_str(&read("Chart.yaml")).unwrap();
    for field in ["version", "appVersion"] {
        assert_eq!(chart[field], env!("CARGO_PKG_VERSION"), "{field} in Chart.yaml");
    }
    let listed = chart["annotations"]["artifacthub.io/crds"].as_str().unwrap();
    let listed: Vec<Value> = serde_saphyr::from_str(listed).unwrap();
    let listed: Vec<_> = listed.iter().map(|crd| crd["kind"].as_str().unwrap()).collect();
    assert_eq!(listed, KINDS.iter().map(|entry| entry.kind).collect::<Vec<_>>());
}

#[test]
fn the_charts_readme_is_what_its_values_say() {
    let values = read("values.yaml");
    let mut text = README.to_owned();
    for row in rows(&values) {
        let default = row.default.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | `{default}` | {} |", row.path, row.words.replace('|', "\\|"));
    }
    expect_file![chart().join("README.md")].assert_eq(&text);
}

#[test]
fn every_value_is_described_and_has_its_place_in_the_schema() {
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let described: Vec<String> = rows(&read("values.yaml")).into_iter().map(|row| row.path).collect();
    compare("", &values, &schema, &described);
}

/// Both ways: what the schema knows has a default, and what has a default is known. Where the schema takes any object
/// (a piece of a pod, say), the values below are Kubernetes' own.
fn compare(path: &str, values: &Value, schema: &Value, described: &[String]) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let Some(properties) = schema["properties"].as_object() else {
        assert!(described.iter().any(|known| known == path), "{path} has no comment above it in values.yaml");
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "{path}: a misspelt value would be ignored");
    let values = values.as_object().unwrap_or_else(|| panic!("{path} is no object in values.yaml"));
    for (name, schema) in properties {
        // Helm hands its own to every chart.
        if at(name) == "global" {
            continue;
        }
        let value = values.get(name).unwrap_or_else(|| panic!("{} has no default in values.yaml", at(name)));
        compare(&at(name), value, schema, described);
    }
    let unknown: Vec<_> =
        values.keys().filter(|name| !properties.contains_key(*name)).map(|name| at(name)).collect();
    assert_eq!(unknown, [""; 0], "not in values.schema.json");
}

struct Row {
    path: String,
    default: String,
    words: String,
}

/// The values that have a comment directly above them, in their order, with their defaults.
fn rows(text: &str) -> Vec<Row> {
    let values: Value = serde_saphyr::from_str(text).unwrap();
    let (mut rows, mut words, mut path) = (Vec::new(), Vec::new(), Vec::<(usize, &str)>::new());
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(comment) = line.trim_start().strip_prefix("# ") {
            words.push(comment);
            continue;
        }
        let key = line.trim_start().split_once(':').map(|(key, _)| key).filter(|key| !key.starts_with('-'));
        let words = std::mem::take(&mut words).join(" ");
        let Some(key) = key else { continue };
        path.retain(|(above, _)| *above < indent);
        path.push((indent, key));
        if !words.is_empty() {
            let pointer = path.iter().flat_map(|(_, key)| ["/", key]).collect::<String>();
            let default =
                values.pointer(&pointer).unwrap_or_else(|| panic!("{pointer} is not in the values"));
            // Of a group only what is in it has a default.
            let is_group = default.is_object() && text.contains(&format!("\n{key}:\n  # "));
            let path = path.iter().map(|(_, key)| *key).collect::<Vec<_>>().join(".");
            rows.extend((!is_group).then(|| Row { path, default: default.to_string(), words }));
        }
    }
    assert!(rows.len() > 50, "only {} values were found", rows.len());
    rows
}

const README: &str = "# The chart of astra-operator

Written by `cargo xtask generate` from `values.yaml`; do not edit. [Installing](../../docs/guide/install.md) tells how to
use it, [Rights](../../docs/reference/rights.md) what it lets the operator do.

Needs Kubernetes 1.31 or newer, and Helm 3 or 4. Values that are not in this table are refused.

| value | default | what |
|---|---|---|
";
