//! Argo CD's customizations: one script for all kinds, in the layout of its repository and as a patch of its ConfigMap.

use std::{fmt::Write as _, fs, path::PathBuf};

use astra_operator::{kinds::KINDS, resource::GROUP};
use expect_test::expect_file;

/// The actions, as they are shown.
const ACTIONS: [&str; 3] = ["reconcile", "pause", "resume"];

fn at(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/argocd")).join(path)
}

fn script(path: &str) -> String {
    fs::read_to_string(at("lua").join(path)).unwrap()
}

#[test]
fn every_kind_has_the_scripts_in_the_layout_of_argo_cd() {
    for entry in KINDS {
        let of_kind = at("resource_customizations").join(GROUP).join(entry.kind);
        let mut files = vec![
            ("health.lua".to_owned(), script("health.lua")),
            ("actions/discovery.lua".to_owned(), script("actions/discovery.lua")),
        ];
        let action = |name| (format!("actions/{name}/action.lua"), script(&format!("actions/{name}.lua")));
        files.extend(ACTIONS.map(action));
        for (name, text) in files {
            let path = of_kind.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            expect_file![path].assert_eq(&text);
        }
    }
}

#[test]
fn the_patch_of_argo_cds_configmap_has_the_same_scripts() {
    let mut text = String::from(
        "# Written by `cargo xtask generate`; do not edit.\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n",
    );
    for entry in KINDS {
        let name = format!("{GROUP}_{}", entry.kind);
        let _ = writeln!(text, "  resource.customizations.health.{name}: |");
        text += &indented(&script("health.lua"), 4);
        let _ = writeln!(text, "  resource.customizations.actions.{name}: |\n    discovery.lua: |");
        text += &indented(&script("actions/discovery.lua"), 6);
        text += "    definitions:\n";
        for action in ACTIONS {
            let _ = writeln!(text, "      - name: {action}\n        action.lua: |");
            text += &indented(&script(&format!("actions/{action}.lua")), 10);
        }
    }
    expect_file![at("argocd-cm.yaml")].assert_eq(&text);
}

/// Scripts of the ConfigMap run without Lua's library of strings, and without all that could reach out.
#[test]
fn the_scripts_use_nothing_that_argo_cd_does_not_give_them() {
    for path in ["health.lua", "actions/discovery.lua"]
        .map(str::to_owned)
        .into_iter()
        .chain(ACTIONS.map(|name| format!("actions/{name}.lua")))
    {
        for library in ["string.", "math.", "io.", ":format", ":find", ":match", ":sub("] {
            assert!(!script(&path).contains(library), "{path} uses {library}");
        }
    }
}

fn indented(text: &str, spaces: usize) -> String {
    let line = |line: &str| {
        if line.is_empty() { "\n".to_owned() } else { format!("{}{line}\n", " ".repeat(spaces)) }
    };
    text.lines().map(line).collect()
}
