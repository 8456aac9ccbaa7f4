//! Alerts and dashboard speak of metrics, labels and reasons that there are, and each alert has its section.

use std::{collections::BTreeSet, fs, path::Path};

use astra_operator::engine::Reason;
use regex::Regex;
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// All expressions, each with the name of its alert or panel.
fn expressions() -> Vec<(String, String)> {
    let alerts: Value =
        serde_saphyr::from_str(&read("charts/astra-operator/monitoring/alerts.yaml")).unwrap();
    let rules =
        alerts["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    let of =
        |name: &Value, expr: &Value| (name.as_str().unwrap().to_owned(), expr.as_str().unwrap().to_owned());
    let mut all: Vec<_> = rules.map(|rule| of(&rule["alert"], &rule["expr"])).collect();
    let dashboard: Value =
        serde_json::from_str(&read("charts/astra-operator/monitoring/dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap();
        all.extend(targets.iter().map(|target| of(&panel["title"], &target["expr"])));
    }
    all
}

#[test]
fn what_is_asked_for_is_there() {
    let page = read("docs/metrics.md");
    let metric = Regex::new("astra_operator_[a-z_]+").unwrap();
    let selector = Regex::new(r"\{([^}]*)\}").unwrap();
    let label = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    let grouping = Regex::new(r"by \(([^)]*)\)").unwrap();
    let row = |name: &str| page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
    let reasons: BTreeSet<String> = Reason::ALL.iter().map(ToString::to_string).collect();
    let expressions = expressions();
    assert!(expressions.len() > 15, "{expressions:#?}");
    for (name, expression) in &expressions {
        let mut labels = String::from("`le`");
        for found in metric.find_iter(expression) {
            let series = found.as_str();
            let row = row(series).or_else(|| row(series.strip_suffix("_bucket")?));
            labels += row.unwrap_or_else(|| panic!("{name}: {series} is not on the page"));
        }
        let selected = selector.captures_iter(expression).flat_map(|braces| {
            let of = label.captures_iter(braces.get(1).unwrap().as_str());
            of.map(|pair| (pair[1].to_owned(), pair[2].to_owned())).collect::<Vec<_>>()
        });
        for (label, value) in selected {
            assert!(labels.contains(&format!("`{label}`")), "{name}: no label {label}");
            for reason in value.split('|').filter(|_| label == "reason") {
                assert!(reasons.contains(reason), "{name}: no reason {reason}");
            }
        }
        for label in grouping
            .captures_iter(expression)
            .flat_map(|by| by[1].split(", ").map(ToOwned::to_owned).collect::<Vec<_>>())
        {
            assert!(labels.contains(&format!("`{label}`")), "{name}: no label {label}");
        }
    }
}

#[test]
fn each_alert_has_its_section_and_no_other_has() {
    let alerts: Value =
        serde_saphyr::from_str(&read("charts/astra-operator/monitoring/alerts.yaml")).unwrap();
    let names: BTreeSet<String> = alerts["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap().to_owned())
        .collect();
    let page = read("docs/metrics.md");
    let sections: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(ToOwned::to_owned).collect();
    assert_eq!(names, sections);
}
