//! Every file in `examples/` becomes Ready, and stays so without another call.

use std::{fs, path::PathBuf};

use crate::harness::Stage;

fn files() -> Vec<PathBuf> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn each_becomes_ready_and_a_second_apply_sends_nothing() {
    let stage = Stage::new().await;
    for file in files() {
        let (name, file) = (file.file_name().unwrap().to_string_lossy().into_owned(), file.to_string_lossy());
        let kubectl = |arguments: &[&str]| {
            let all = [&["-n", &stage.namespace], arguments, &["-f", &file]].concat();
            stage.cluster.kubectl(&all)
        };
        stage.astra.forget();
        kubectl(&["apply"]);
        kubectl(&["wait", "--for=condition=Ready", "--timeout=25s"]);
        assert!(!stage.astra.writes().is_empty(), "{name} has nothing to do");
        println!("{name}: {}", stage.astra.writes().len());
        stage.astra.forget();
        kubectl(&["apply"]);
        stage.assert_quiet().await;
        assert_eq!(stage.astra.written(), "", "{name}");
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn all_together_and_all_gone_again() {
    let stage = Stage::new().await;
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let kubectl = |arguments: &[&str]| {
        stage.cluster.kubectl(&[&["-n", &stage.namespace], arguments, &["-f", directory]].concat())
    };
    kubectl(&["apply"]);
    kubectl(&["wait", "--for=condition=Ready", "--timeout=25s"]);
    stage.assert_quiet().await;
    kubectl(&["delete", "--timeout=25s"]);
    // Access lists are kept by default, all else is taken away.
    for database in stage.astra.state().databases {
        assert!(
            database
                .private_links
                .iter()
                .all(|link| link.endpoints.is_empty() && link.allowed_principals.is_empty())
        );
        assert!(database.peering.is_none());
    }
}
