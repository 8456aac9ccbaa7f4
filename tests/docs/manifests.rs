//! Manifests are valid, and files of `examples/` or marked as fragments.

use std::{collections::BTreeMap, fs};

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering};
use kube::core::TypeMeta;

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
