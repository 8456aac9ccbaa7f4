//! The log: how much it says can be changed without a restart, and the lines of one look can be told from those of the next.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::harness::{
    Stage,
    trio::{all_ready, apply_all},
    wait::until,
};

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_is_logged_follows_a_file_and_says_which_look_it_is_of() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("filter");
    let mut stage = Stage::empty().await;
    let path: &Path = &file;
    stage.start(&["--log", "info", "--log-format", "json", "--log-filter-file", path.to_str().unwrap()]);
    apply_all(&stage).await;
    all_ready(&stage).await;
    let lines = |log: &str| -> Vec<Value> {
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let is_debug = |line: &Value| line["level"] == "DEBUG";
    let log = stage.log();
    assert!(!lines(&log).iter().any(is_debug), "{log}");

    fs::write(&file, "info,astra_devops=debug").unwrap();
    until("calls to be logged", || stage.log().contains("DEBUG").then_some(())).await;
    fs::remove_file(&file).unwrap();
    until("the first filter to hold again", || {
        (stage.log().matches("what is logged was changed").count() == 2).then_some(())
    })
    .await;

    let log = lines(&stage.log());
    let looks: Vec<&Value> =
        log.iter().map(|line| &line["span"]).filter(|span| span["name"] == "reconcile").collect();
    let id = |span: &&Value| (span["kind"].to_string(), span["reconcile_id"].as_u64().unwrap());
    let ids: BTreeSet<_> = looks.iter().map(id).collect();
    assert!(ids.len() >= 3 && looks.len() > ids.len(), "{looks:#?}");
    for span in looks {
        assert!(span["object"].is_string() && span["generation"] == 1, "{span}");
    }
}
