//! Links lead to files and headings, and paths of the code that are named exist.

use std::fs;

use crate::page::{Page, pages, root};

#[test]
fn every_relative_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut links = 0;
    for page in pages() {
        for target in page.links() {
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                page.path.clone()
            } else {
                page.path.parent().expect("a page is in a directory").join(path)
            };
            let found = if anchor.is_empty() {
                file.exists()
            } else {
                fs::read_to_string(&file).is_ok_and(|text| Page::new(&file, text).anchors().contains(anchor))
            };
            if !found {
                wrong.push(format!("{}: {target}", page.name()));
            }
        }
    }
    assert!(links > 50, "only {links} links were found: is Markdown read as it is written?");
    assert!(wrong.is_empty(), "these links lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn paths_of_the_code_that_are_named_exist() {
    let mut wrong = Vec::new();
    let mut paths = 0;
    for page in pages().into_iter().filter(|page| !page.name().contains("reference")) {
        for (i, path) in page.text.split('`').enumerate().filter(|(i, _)| i % 2 == 1) {
            if ["src/", "crates/"].iter().any(|top| path.starts_with(top)) && !path.contains(' ') {
                paths += 1;
                if !root().join(path).exists() {
                    wrong.push(format!("{}: {path} ({i})", page.name()));
                }
            }
        }
    }
    assert!(paths > 20, "only {paths} paths were found");
    assert!(wrong.is_empty(), "these paths do not exist:\n{}", wrong.join("\n"));
}
