//! Manifests are valid, and files of `examples/` or marked as fragments.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, KINDS};
use kube::core::TypeMeta;
use serde_json::Value;

use crate::page::{files, pages, root};

#[test]
fn every_manifest_is_valid_and_an_example_or_says_that_it_is_a_fragment() {
    let examples = examples();
    let mut manifests = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.language == "yaml") {
            if !block.text.contains("apiVersion: astra.datastax.com") {
                continue;
            }
            manifests += 1;
            let at = format!("{}, line {}", page.name(), block.line);
            for document in documents(&block.text) {
                valid(document).unwrap_or_else(|error| panic!("{at}: {error}\n{document}"));
            }
            let is_example = examples.values().any(|example| example.trim() == block.text.trim());
            assert!(
                is_example || block.text.starts_with("# Fragment: "),
                "{at}: no file in examples/ has exactly this text, and it does not begin with `# Fragment: `"
            );
        }
    }
    assert!(manifests >= 8, "only {manifests} manifests were found");
}

#[test]
fn every_example_is_valid() {
    for (name, text) in examples() {
        for document in documents(&text) {
            valid(document).unwrap_or_else(|error| panic!("examples/{name}: {error}\n{document}"));
        }
    }
}

#[test]
fn a_manifest_that_cannot_be_is_refused_here_too() {
    let open_and_shared = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: x}
spec: {database: {name: x}, management: Shared, publicAccess: Open}";
    assert!(valid(open_and_shared).unwrap_err().contains("management: Exclusive"));
    let misspelt = open_and_shared.replace("publicAccess", "publicaccess");
    assert!(valid(&misspelt).unwrap_err().contains("publicaccess"));
}

#[test]
fn every_field_is_shown_in_a_manifest() {
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let blocks = pages().into_iter().flat_map(|page| page.blocks()).map(|block| block.text);
    for text in examples().into_values().chain(blocks) {
        for document in documents(&text).filter(|text| text.contains("apiVersion: astra.datastax.com/")) {
            // Pages also have manifests in the output of programs, with comments around.
            let Ok(object) = serde_saphyr::from_str::<Value>(document) else { continue };
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            fields_of(&object["spec"], "spec", shown.entry(kind).or_default());
        }
    }
    let anywhere: BTreeSet<&String> = shown.values().flatten().collect();
    for entry in KINDS {
        let definition = serde_json::to_value((entry.crd)()).unwrap();
        let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut fields = BTreeSet::new();
        fields_in(spec, "spec", &mut fields);
        assert!(fields.len() > 8, "{}: {fields:?}", entry.kind);
        // Some mean the same in all kinds.
        let common = ["spec.credentials.", "spec.database.", "spec.deletionPolicy", "spec.management"];
        fields.retain(|field| {
            let is_common = common.iter().any(|common| field.starts_with(common));
            let is_shown = shown[entry.kind].contains(field) || is_common && anywhere.contains(field);
            !is_shown
        });
        assert!(fields.is_empty(), "no manifest of the documentation shows, of {}: {fields:?}", entry.kind);
    }
}

/// The fields that an object has.
fn fields_of(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| fields_of(value, &format!("{at}.{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| fields_of(item, &format!("{at}[]"), found)),
        _ => _ = found.insert(at.to_owned()),
    }
}

/// The fields that a schema has.
fn fields_in(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    match (&schema["properties"], &schema["items"]) {
        (Value::Object(fields), _) => {
            fields.iter().for_each(|(name, schema)| fields_in(schema, &format!("{at}.{name}"), found));
        }
        (_, Value::Null) => _ = found.insert(at.to_owned()),
        (_, items) => fields_in(items, &format!("{at}[]"), found),
    }
}

/// The files of `examples/` by name.
fn examples() -> BTreeMap<String, String> {
    files(&root().join("examples"), "yaml")
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), text)
        })
        .collect()
}

fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---\n").filter(|document| !document.trim().is_empty())
}

/// Is it an object of one of the kinds, without fields that there are not, that the rules of its kind accept?
fn valid(document: &str) -> Result<(), String> {
    macro_rules! check {
        ($kind:ty) => {{
            let object: $kind = serde_saphyr::from_str(document).map_err(|error| error.to_string())?;
            known(document, &serde_json::to_value(&object).map_err(|error| error.to_string())?)?;
            object.validate_cel().map_err(|errors| format!("{errors:?}"))
        }};
    }
    let kind: TypeMeta = serde_saphyr::from_str(document).map_err(|error| error.to_string())?;
    match (kind.api_version.as_str(), kind.kind.as_str()) {
        ("astra.datastax.com/v1beta1", "AstraPrivateEndpoint") => check!(AstraPrivateEndpoint),
        ("astra.datastax.com/v1beta1", "AstraAccessList") => check!(AstraAccessList),
        ("astra.datastax.com/v1beta1", "AstraVpcPeering") => check!(AstraVpcPeering),
        other => Err(format!("no such kind: {other:?}")),
    }
}

/// Serde drops fields that it does not know, and `kubectl apply` refuses them: what was read must be all that is there.
fn known(document: &str, read: &serde_json::Value) -> Result<(), String> {
    fn missing(written: &serde_json::Value, read: &serde_json::Value, at: &str) -> Option<String> {
        match (written, read) {
            (serde_json::Value::Object(fields), read) => fields.iter().find_map(|(name, value)| {
                let at = format!("{at}.{name}");
                read.get(name).map_or_else(|| Some(at.clone()), |read| missing(value, read, &at))
            }),
            (serde_json::Value::Array(items), read) => items
                .iter()
                .enumerate()
                .find_map(|(i, item)| missing(item, read.get(i)?, &format!("{at}[{i}]"))),
            _ => None,
        }
    }
    let written: serde_json::Value = serde_saphyr::from_str(document).map_err(|error| error.to_string())?;
    missing(&written, read, "").map_or(Ok(()), |field| Err(format!("there is no field {field}")))
}
