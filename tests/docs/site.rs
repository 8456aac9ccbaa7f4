//! The table of contents has each page once, in the form that mdBook reads.

use std::{collections::BTreeMap, fs};

use regex::Regex;

use crate::page::{files, root};

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let chapter = Regex::new(r"^(?: {2})?- \[[^\]]+\]\(([^)]+)\)$|^\[[^\]]+\]\(([^)]+)\)$").unwrap();
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for line in summary.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let found =
            chapter.captures(line).unwrap_or_else(|| panic!("mdBook would not read this line: {line}"));
        let path = found.get(1).or_else(|| found.get(2)).unwrap().as_str();
        *listed.entry(path.to_owned()).or_default() += 1;
    }
    let there: BTreeMap<String, usize> = files(&docs, "md")
        .iter()
        .map(|path| (path.strip_prefix(&docs).unwrap().display().to_string(), 1))
        .filter(|(path, _)| path != "SUMMARY.md")
        .collect();
    assert_eq!(listed, there, "left: docs/SUMMARY.md; right: the pages below docs/");
    assert!(there.len() > 40, "only {} pages were found", there.len());
}

#[test]
fn the_site_is_made_from_these_pages() {
    let book = fs::read_to_string(root().join("docs/book.toml")).unwrap();
    assert!(book.lines().any(|line| line == "src = \".\""), "{book}");
}
