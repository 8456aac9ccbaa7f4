//! A report in all its forms.

use std::collections::BTreeSet;

use astra_operator::lint::{Report, lint_text, output::Output, rules::RULES};
use expect_test::{Expect, expect};
use serde_json::Value;

/// A mistake, advice, and advice between two objects. What is written in it tries to break out of every form.
const TEXT: &str = "\
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: orders}
spec:
  database: {name: orders}
  addresses:
    - address: 0.0.0.0/0 # everybody
---
{apiVersion: astra.datastax.com/v1beta1, kind: AstraAccessList, metadata: {name: more}, spec: {database: {name: orders}, addresses: [{address: 203.0.113.1}]}}
---
apiVersion: v1
kind: ConfigMap
---
apiVersion: astra.datastax.com/v1beta1
kind: \"\\e[31m%0A::error::Astra\\nList\"
";

fn report() -> Report {
    lint_text("./a b,c.yaml", TEXT, "team", &BTreeSet::new())
}

fn written(output: Output, report: &Report) -> String {
    let mut out = Vec::new();
    output.write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(output: Output, expected: &Expect) {
    expected.assert_eq(&anstream::adapter::strip_str(&written(output, &report())).to_string());
}

#[test]
fn for_people() {
    check(
        Output::Human,
        &expect![[r#"
        ./a b,c.yaml:7:16: warning[AL005]: AstraAccessList team/orders: spec.addresses[0].address: 0.0.0.0/0 is the whole internet
          |
        7 |     - address: 0.0.0.0/0 # everybody
          |                ^^^^^^^^^
          = why: The list is switched on, looks like a restriction in every overview, and keeps nobody out. Only a token stands between the internet and the data.
          = mend: List the networks that need access. If everybody shall get in, say `publicAccess: Open` in an Exclusive object, so that it can be seen.

        ./a b,c.yaml:9:96: error[AL003]: AstraAccessList team/more: spec.database: AstraAccessList team/orders is Exclusive for the same database too: one of the two will do nothing
          |
        9 | …essList, metadata: {name: more}, spec: {database: {name: orders}, addresses: [{address: 203.0.113.1}]}}
          |                                          ^^^^^^^^
          = see: ./a b,c.yaml:5:3 (AstraAccessList team/orders)
          = why: The operator lets the older go on and sends nothing for the other, which is Stalled with Conflict. Which one that is depends on what was applied first.
          = mend: Merge the two into one object, or make both `management: Shared`. Of an AstraVpcPeering there can be one for each database.

        ./a b,c.yaml:15:7: error[AL001]: kind: astra.datastax.com has no kind "\u{1b}[31m%0A::error::Astra\nList"; it has AstraPrivateEndpoint, AstraAccessList, AstraVpcPeering
           |
        15 | kind: "\e[31m%0A::error::Astra\nList"
           |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        2 errors, 1 warning; 2 objects read without a mistake, 1 of other kinds skipped
    "#]],
    );
    let colours = written(Output::Human, &report());
    assert!(colours.contains("\u{1b}[1m\u{1b}[31merror[AL001]:"), "{colours:?}");
}

#[test]
fn for_scripts() {
    check(
        Output::Json,
        &expect![[r#"
        {
          "findings": [
            {
              "column": 16,
              "field": "spec.addresses[0].address",
              "file": "./a b,c.yaml",
              "id": "AL005",
              "line": 7,
              "message": "0.0.0.0/0 is the whole internet",
              "name": "everybody-listed",
              "object": "AstraAccessList team/orders",
              "related": null,
              "severity": "warning"
            },
            {
              "column": 96,
              "field": "spec.database",
              "file": "./a b,c.yaml",
              "id": "AL003",
              "line": 9,
              "message": "AstraAccessList team/orders is Exclusive for the same database too: one of the two will do nothing",
              "name": "conflict",
              "object": "AstraAccessList team/more",
              "related": {
                "column": 3,
                "file": "./a b,c.yaml",
                "line": 5,
                "object": "AstraAccessList team/orders"
              },
              "severity": "error"
            },
            {
              "column": 7,
              "field": "kind",
              "file": "./a b,c.yaml",
              "id": "AL001",
              "line": 15,
              "message": "astra.datastax.com has no kind \"\\u{1b}[31m%0A::error::Astra\\nList\"; it has AstraPrivateEndpoint, AstraAccessList, AstraVpcPeering",
              "name": "refused",
              "object": null,
              "related": null,
              "severity": "error"
            }
          ],
          "summary": {
            "errors": 2,
            "notes": 0,
            "objects": 2,
            "silenced": 0,
            "skipped": {
              "v1 ConfigMap": 1
            },
            "warnings": 1
          },
          "version": 1
        }
    "#]],
    );
}

#[test]
fn for_github() {
    check(
        Output::Github,
        &expect![[r#"
        ::warning file=a b%2Cc.yaml,line=7,col=16,title=AL005 everybody-listed::AstraAccessList team/orders: spec.addresses[0].address: 0.0.0.0/0 is the whole internet
        ::error file=a b%2Cc.yaml,line=9,col=96,title=AL003 conflict::AstraAccessList team/more: spec.database: AstraAccessList team/orders is Exclusive for the same database too: one of the two will do nothing
        ::error file=a b%2Cc.yaml,line=15,col=7,title=AL001 refused::kind: astra.datastax.com has no kind "\u{1b}[31m%250A::error::Astra\nList"; it has AstraPrivateEndpoint, AstraAccessList, AstraVpcPeering
        2 errors, 1 warning; 2 objects read without a mistake, 1 of other kinds skipped
    "#]],
    );
}

/// What the standard demands (its sections 3.13 to 3.49), and what code scanning needs of what is optional there.
#[test]
fn for_code_scanning() {
    let report = report();
    let document: Value = serde_json::from_str(&written(Output::Sarif, &report)).unwrap();
    assert_eq!(document["version"], "2.1.0");
    // Read by the types of the standard and written by them again: a field that it does not know would be gone.
    let typed: serde_sarif::sarif::Sarif = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), document);
    let [run] = document["runs"].as_array().unwrap().as_slice() else { panic!("{document}") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "astra-operator");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    for rule in rules {
        for field in ["shortDescription", "fullDescription", "help"] {
            assert!(!text(&rule[field]["text"]).is_empty(), "{rule}");
        }
        assert!(!text(&rule["help"]["markdown"]).is_empty());
        assert!(text(&rule["name"]).starts_with(|c: char| c.is_ascii_uppercase()));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), report.advice.len());
    let lines = TEXT.lines().count() as u64;
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&text(&result["level"]).as_str()));
        assert!(!text(&result["message"]["text"]).is_empty());
        assert_eq!(text(&result["partialFingerprints"]["astraLint/v1"]).len(), 32);
        let locations = result["locations"].as_array().unwrap().iter();
        for location in locations.chain(result["relatedLocations"].as_array().into_iter().flatten()) {
            let physical = &location["physicalLocation"];
            assert_eq!(physical["artifactLocation"]["uri"], "a%20b%2Cc.yaml");
            assert!((1..=lines).contains(&physical["region"]["startLine"].as_u64().unwrap()));
            assert!(physical["region"]["startColumn"].as_u64().unwrap() >= 1);
        }
    }
    assert!(
        results
            .iter()
            .any(|result| result["relatedLocations"][0]["message"]["text"] == "AstraAccessList team/orders")
    );
}

#[test]
fn code_scanning_knows_a_finding_again_when_lines_move() {
    let fingerprints = |text: &str| {
        let report = lint_text("a.yaml", text, "team", &BTreeSet::new());
        let document: Value = serde_json::from_str(&written(Output::Sarif, &report)).unwrap();
        let results = document["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect::<BTreeSet<_>>()
    };
    let before = fingerprints(TEXT);
    assert_eq!(before.len(), 3);
    assert_eq!(before, fingerprints(&format!("# A comment.\n{TEXT}")));
    assert_ne!(before, fingerprints(&TEXT.replace("name: more", "name: other")));
}

/// Neither a token in the wrong place nor a broken Secret is shown, by any form.
#[test]
fn secrets_are_not_shown() {
    let text = "\
apiVersion: v1
kind: Secret
stringData: {other: hunter2, token: AstraCS:abc:def
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: orders}
spec:
  database: {name: orders}
  publicAccess: Blocked
  token: AstraCS:abc:def
  credentials: {secretName: AstraCS:abc:def}
---
a: [AstraCS:abc:def
b: c
";
    let report = lint_text("a.yaml", text, "team", &BTreeSet::new());
    assert_eq!(report.advice.len(), 4, "{:#?}", report.advice);
    for output in [Output::Human, Output::Json, Output::Sarif, Output::Github] {
        let written = written(output, &report);
        for secret in ["hunter2", "abc:def"] {
            assert!(!written.contains(secret), "{written}");
        }
        assert!(written.contains("AstraCS:***"), "what is hidden is seen to be: {written}");
    }
}
