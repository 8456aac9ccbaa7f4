//! The page about the rules, and the rules themselves.

use std::{collections::BTreeSet, path::Path};

use astra_operator::lint::rules::{self, RULES};
use expect_test::expect_file;

#[test]
fn the_page_is_what_the_rules_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    expect_file![page].assert_eq(&rules::page());
}

#[test]
fn ids_are_stable_and_every_rule_says_what_to_do() {
    for (rule, number) in RULES.iter().zip(1..) {
        assert_eq!(rule.id, format!("AL{number:03}"), "ids are given once, one after the other");
        assert_eq!(rules::of(rule.id), Some(*rule));
        for text in [rule.summary, rule.why, rule.mend] {
            assert!(text.ends_with('.') && text.len() > 20, "{}: {text}", rule.id);
        }
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
    }
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "two rules of one name");
}
