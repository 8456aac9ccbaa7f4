//! What is told of a plan, in each form; and what is dangerous.

use std::collections::BTreeSet;

use astra_operator::{
    manifest,
    preview::{
        Subject,
        compare::compare,
        danger::Danger,
        markdown::markdown,
        report::Report,
        text::{Detail, text},
    },
};
use expect_test::expect;

pub(crate) const BASE: &str = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: { name: orders, namespace: team }
spec:
  database: { name: orders }
  addresses: [{ address: 203.0.113.0/24, description: office }, { address: 198.51.100.7 }]
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraPrivateEndpoint
metadata: { name: orders, namespace: team }
spec:
  database: { name: orders }
  deletionPolicy: Delete
  allowedPrincipals: [\"arn:aws:iam::111111111111:root\"]
  endpoints: [{ id: vpce-0a1b2c3d4e5f60701 }]
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraVpcPeering
metadata: { name: warehouse, namespace: team }
spec:
  database: { name: warehouse }
  deletionPolicy: Delete
  aws: { accountId: \"111111111111\", vpcId: vpc-0a1b2c3d4e5f60700, region: us-west-2, cidrBlock: 10.1.0.0/16 }
";

pub(crate) fn subjects(text: &str) -> Vec<Subject> {
    let manifests = manifest::read_text("manifests.yaml", text, "default");
    assert_eq!(manifests.errors, []);
    let of = |manifest: manifest::Manifest| {
        Subject::of_manifest(manifest.kind, manifest.value, Some(manifest.location.to_string()))
    };
    manifests.objects.into_iter().map(of).collect()
}

pub(crate) fn report(base: &str, head: &str) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let plans = runtime.block_on(compare(subjects(base), subjects(head)));
    Report::new(&plans, Vec::new(), [].into(), Vec::new())
}

pub(crate) fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&text(report, Detail::default())).to_string()
}

fn dangers(report: &Report) -> Vec<Danger> {
    let all: BTreeSet<Danger> = report
        .objects
        .iter()
        .flat_map(|object| &object.steps)
        .flat_map(|step| step.dangers.clone())
        .collect();
    all.into_iter().collect()
}

#[test]
fn the_same_tree_has_nothing_to_do() {
    let report = report(BASE, BASE);
    assert_eq!(report.summary.calls, 0, "{report:#?}");
    assert!(!report.has_errors());
}

#[test]
fn what_widens_narrows_empties_and_removes_is_marked() {
    let narrowed = BASE.replace(", { address: 198.51.100.7 }", "");
    let widened = BASE.replace("203.0.113.0/24", "203.0.112.0/23");
    let opened = BASE.replace(
        "  addresses: [{ address: 203.0.113.0/24, description: office }, { address: 198.51.100.7 }]",
        "  publicAccess: Open",
    );
    let emptied = BASE.replace(
        "  addresses: [{ address: 203.0.113.0/24, description: office }, { address: 198.51.100.7 }]",
        "  publicAccess: Blocked",
    );
    let disconnected = BASE.replace("  endpoints: [{ id: vpce-0a1b2c3d4e5f60701 }]\n", "");
    let (first, _) = BASE.split_once("---\n").unwrap();
    let described = BASE.replace("description: office", "description: offices");
    for (name, head, expected) in [
        ("narrowed", narrowed.as_str(), &[Danger::Narrow][..]),
        ("widened", &widened, &[Danger::Widen]),
        ("opened", &opened, &[Danger::Widen, Danger::Empty]),
        ("emptied", &emptied, &[Danger::Narrow, Danger::Empty]),
        ("disconnected", &disconnected, &[Danger::Remove]),
        ("an endpoint and a peering pruned", first, &[Danger::Remove]),
        ("described", &described, &[]),
    ] {
        let report = report(BASE, head);
        assert_eq!(dangers(&report), expected, "{name}: {}", plain(&report));
        assert!(report.summary.calls > 0, "{name}");
        let report = report.denying(&expected.iter().copied().collect());
        assert_eq!(report.denied().count() > 0, !expected.is_empty(), "{name}");
        assert_eq!(report.denied().count(), report.summary.denied, "{name}");
    }
}

#[test]
fn a_plan_as_text() {
    let head = BASE.replace(", { address: 198.51.100.7 }", ", { address: 192.0.2.1, enabled: false }");
    expect![[r#"
        AstraAccessList team/orders  database orders  manifests.yaml:2:1
          - replace the access list: +192.0.2.1 -198.51.100.7  ! narrows access
            because: the list in Astra is not what the spec says
            + address 192.0.2.1 switched off
            - address 198.51.100.7
          ready: 1 address or network gets in, nobody else

        Plan: 3 objects: 1 with changes, 2 without. 1 call: 1 to add, 0 to change, 1 to remove.
        Look twice: narrows access 1 ×.
    "#]]
    .assert_eq(&plain(&report(BASE, &head)));
}

#[test]
fn a_plan_as_markdown_shows_no_markup_of_others() {
    let head = BASE.replace("description: office", "description: \"<img src=x> [click](http://x) **now**\"");
    expect![[r####"
        ### Astra plan

        **Of 3 objects 1 with changes**, 1 call: 0 to add, 1 to change, 0 to remove. 0 waiting, 0 that cannot be carried out.


        <details><summary><b>AstraAccessList</b> team/orders (orders)</summary>

        1. replace the access list: \~203.0.113.0/24  
           the list in Astra is not what the spec says

           ```diff
           ! address 203.0.113.0/24: "office" → "<img src=x> [click](http://x) **now**"
           ```

        Then ready: 2 addresses or networks get in, nobody else

        </details>

    "####]].assert_eq(&markdown(&report(BASE, &head)));
}

#[test]
fn a_plan_as_data() {
    let head = BASE.replace(", { address: 198.51.100.7 }", "");
    let mut report = report(BASE, &head);
    report.objects.retain(|object| !object.steps.is_empty());
    expect![[r#"
        {
          "formatVersion": "1.0",
          "summary": {
            "objects": 3,
            "changed": 1,
            "unchanged": 2,
            "waiting": 0,
            "blocked": 0,
            "errors": 0,
            "calls": 1,
            "toAdd": 0,
            "toChange": 0,
            "toRemove": 1,
            "dangers": {
              "narrow": 1
            },
            "denied": 0
          },
          "objects": [
            {
              "kind": "AstraAccessList",
              "namespace": "team",
              "name": "orders",
              "location": "manifests.yaml:2:1",
              "database": "orders",
              "steps": [
                {
                  "summary": "replace the access list: -198.51.100.7",
                  "reason": "the list in Astra is not what the spec says",
                  "round": 1,
                  "changes": [
                    {
                      "action": "remove",
                      "what": "address",
                      "name": "198.51.100.7",
                      "before": ""
                    }
                  ],
                  "dangers": [
                    "narrow"
                  ],
                  "denied": [],
                  "call": {
                    "method": "PUT",
                    "target": "/v2/databases/{orders}/access-list",
                    "body": {
                      "addresses": [
                        {
                          "address": "203.0.113.0/24",
                          "description": "office",
                          "enabled": true
                        }
                      ],
                      "configurations": {
                        "accessListEnabled": true
                      }
                    }
                  }
                }
              ],
              "outcome": {
                "state": "ready",
                "reason": "UpToDate",
                "message": "1 address or network gets in, nobody else"
              },
              "leavesAlone": [],
              "notices": []
            }
          ],
          "errors": [],
          "skipped": {},
          "notes": []
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&report).unwrap());
}
