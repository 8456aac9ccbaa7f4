//! What is refused when it is applied, and in which words: one table, judged by the rules in this process and by the
//! real API server.
//!
//! In this process only the rules (CEL) are judged. What the schema itself demands (patterns, lengths, required fields,
//! keys of lists) is the API server's alone to judge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access_list;
#[path = "../live/harness/cluster.rs"]
#[expect(dead_code, reason = "the live tests use the rest")]
mod cluster;
mod common;
mod private_endpoint;
mod server;
mod table;
mod vpc_peering;

use std::collections::BTreeSet;

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, KINDS};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};

use table::{Row, Verdict};

/// Rules that cannot be judged in this process, with the reason. The API server judges them.
const NOT_HERE: &[(&str, &str)] = &[];

fn rows() -> Vec<Row> {
    [common::rows(), access_list::rows(), private_endpoint::rows(), vpc_peering::rows()].concat()
}

#[test]
fn the_rules_judge_as_the_table_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let expected = match &row.verdict {
            Verdict::Rule(_, message) if NOT_HERE.iter().any(|(known, _)| known == message) => continue,
            Verdict::Schema(..) => continue,
            verdict => verdict,
        };
        let found = match row.kind {
            "AstraAccessList" => table::judge::<AstraAccessList>(&row),
            "AstraPrivateEndpoint" => table::judge::<AstraPrivateEndpoint>(&row),
            "AstraVpcPeering" => table::judge::<AstraVpcPeering>(&row),
            kind => panic!("{kind}?"),
        };
        wrong.extend(table::differs(&row, expected, &found));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_api_server_judges_as_the_table_says() {
    let server = server::Server::new().await;
    let mut wrong = Vec::new();
    for row in rows() {
        let found = server.judge(&row).await;
        wrong.extend(table::differs(&row, &row.verdict, &found));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A rule or a pattern that nothing in the table breaks may as well not be there.
#[test]
fn every_rule_and_every_pattern_is_broken_by_a_row() {
    let rows = rows();
    let mut missing = Vec::new();
    for entry in KINDS {
        let crd = (entry.crd)();
        let kind = crd.spec.names.kind;
        let schema = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
        let mut demands = BTreeSet::new();
        collect("spec", &schema.properties.unwrap()["spec"], &mut demands);
        for demand in demands {
            let is_broken =
                rows.iter().filter(|row| row.kind == kind).any(|row| match (&row.verdict, &demand) {
                    (Verdict::Rule(_, broken), Demand::Rule(rule)) => broken == rule,
                    (Verdict::Schema(field, _), Demand::Pattern(path)) => {
                        table::without_indices(field) == *path
                    }
                    _ => false,
                });
            if !is_broken {
                missing.push(format!("{kind}: nothing breaks {demand:?}"));
            }
        }
        for (what, old) in [("create", false), ("update", true)] {
            let accepted = |row: &&Row| {
                row.kind == kind && row.old.is_some() == old && matches!(row.verdict, Verdict::Accepted)
            };
            if !rows.iter().any(|row| accepted(&row)) {
                missing.push(format!("{kind}: no {what} is accepted"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Demand {
    Rule(String),
    Pattern(String),
}

fn collect(path: &str, schema: &JSONSchemaProps, demands: &mut BTreeSet<Demand>) {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    demands.extend(rules.map(|rule| Demand::Rule(rule.message.clone().expect("every rule has a message"))));
    demands.extend(schema.pattern.as_ref().map(|_| Demand::Pattern(path.to_owned())));
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        collect(&format!("{path}[]"), item, demands);
    }
    for (name, field) in schema.properties.iter().flatten() {
        collect(&format!("{path}.{name}"), field, demands);
    }
}
