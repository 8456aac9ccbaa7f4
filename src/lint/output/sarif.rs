//! SARIF 2.1.0 (OASIS), as far as code scanning reads it.

use std::fmt::Write as _;

use ring::digest;
use serde_json::{Value, json};

use crate::{
    lint::{
        Advice, Report,
        rules::{RULES, Rule},
    },
    manifest::Location,
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn document(report: &Report) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "astra-operator",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": report.advice.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": pascal(rule.name),
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": {
            "text": format!("{}\n\n{}", rule.why, rule.mend),
            "markdown": format!("**Why.** {}\n\n**Mend.** {}", rule.why, rule.mend),
        },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(advice: &Advice) -> Value {
    let mut message = advice.message.clone();
    if !advice.field.is_empty() {
        message = format!("{}: {message}", advice.field);
    }
    let mut location = json!({ "physicalLocation": physical(&advice.location) });
    if let Some(object) = &advice.object {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": object, "kind": "object" }]);
    }
    let index = RULES.iter().position(|rule| rule.id == advice.rule.id);
    let mut result = json!({
        "ruleId": advice.rule.id,
        "ruleIndex": index,
        "level": advice.rule.severity.as_str(),
        "message": { "text": message },
        "locations": [location],
        "partialFingerprints": { "astraLint/v1": fingerprint(advice) },
    });
    if let Some((at, object)) = &advice.related {
        result["relatedLocations"] =
            json!([{ "id": 1, "message": { "text": object }, "physicalLocation": physical(at) }]);
    }
    result
}

/// What stays the same while lines move, so that code scanning knows a finding again.
fn fingerprint(advice: &Advice) -> String {
    let object = advice.object.as_deref().unwrap_or(&advice.location.file);
    let what = [advice.rule.id, object, &advice.field, &advice.message].join("\n");
    let digest = digest::digest(&digest::SHA256, what.as_bytes());
    digest.as_ref().iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn physical(location: &Location) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&location.file) },
        "region": { "startLine": location.line, "startColumn": location.column },
    })
}

/// A path as a reference: relative ones stay so, for code scanning resolves them in the repository.
fn uri(file: &str) -> String {
    let (scheme, path) = if file.starts_with('/') { ("file://", file) } else { ("", file) };
    let mut uri = scheme.to_owned();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(byte.into());
            }
            // Writing into a string cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

/// `endpoint-beside-open` as `EndpointBesideOpen`.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut rest = word.chars();
        rest.next().map(|first| first.to_ascii_uppercase().to_string() + rest.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        for (file, expected) in [
            ("./a/b.yaml", "a/b.yaml"),
            ("/tmp/a b.yaml", "file:///tmp/a%20b.yaml"),
            ("kubectl kustomize ü", "kubectl%20kustomize%20%C3%BC"),
        ] {
            assert_eq!(uri(file), expected);
        }
        assert_eq!(pascal("id-and-name"), "IdAndName");
    }
}
