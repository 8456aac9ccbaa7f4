//! `status`: once, and as long as one looks.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
};

use astra_operator::resource::annotation;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    command::{ask, ask_behind_a_proxy, command, said},
    harness::{
        Stage,
        stage::AccessList,
        trio::{all_ready, apply_all, list},
        wait::until,
    },
};

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_tree_shows_troubles_first_and_asks_nothing_of_astra() {
    let mut stage = Stage::new().await;
    apply_all(&stage).await;
    all_ready(&stage).await;
    stage.apply::<AccessList>("younger", list()).await;
    stage.stalled::<AccessList>("younger", "Conflict").await;
    stage.take_operator().terminate().await;
    stage.astra.forget();
    let tree = ask(&stage, &["status"]);
    tree.says(
        0,
        &["4 objects on 2 databases", "1 stalled, 3 ready", "endpoint   vpce-0f7aed6e7a18a1791", "Accepted"],
    );
    tree.says(0, &["✗ stalled", "Conflict", "peering    acme-network shared", "active"]);
    assert!(!tree.out.contains('\u{1b}'), "no colours where there is no terminal");
    let orders = tree.out.find("\norders  ").unwrap();
    assert!(orders < tree.out.find("\narchive  ").unwrap(), "{}", tree.out);
    assert!(tree.out.find("/younger").unwrap() < tree.out.find("/endpoint").unwrap(), "{}", tree.out);
    let json = ask(&stage, &["status", "-o", "json"]).json();
    assert_eq!(json["summary"]["stalled"], 1);
    assert_eq!(json["databases"][0]["objects"][0]["name"], "younger");
    assert_eq!(json["databases"][0]["objects"][0]["reason"], "Conflict");
    let everywhere = said(&stage, command(&stage, &["status", "-A", "-o", "json"])).json();
    assert!(everywhere["summary"]["objects"].as_u64() >= Some(4));
    let nothing = Stage::empty().await;
    ask_behind_a_proxy(&nothing, &["status"]).says(0, &["No objects in the namespace "]);
    assert_eq!(stage.astra.requests().len(), 0, "Astra is not asked");
}

/// A watch whose output is in a file.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Watch {
    fn start(stage: &Stage, file: &Path, arguments: &[&str]) -> Self {
        let mut command = command(stage, &["status", "--watch", "-n", &stage.namespace]);
        command.args(arguments).stdout(File::create(file).unwrap()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_watch_shows_each_change_once_and_ends_on_ctrl_c() {
    let stage = Stage::new().await;
    let directory = tempfile::tempdir().unwrap();
    let (text, lines) = (directory.path().join("text"), directory.path().join("json"));
    let mut watches = [Watch::start(&stage, &text, &[]), Watch::start(&stage, &lines, &["-o", "json"])];
    let last = || {
        let all = fs::read_to_string(&lines).unwrap();
        let whole =
            all.rsplit_once('\n').map(|(whole, _)| whole.lines().last().unwrap_or_default().to_owned());
        whole.and_then(|line| serde_json::from_str::<Value>(&line).ok())
    };
    let shows = async |pointer: &str, expected: Value| {
        let met = || last().filter(|line| line.pointer(pointer) == Some(&expected)).map(drop);
        until(&format!("{pointer} to become {expected}"), met).await;
    };
    // Both are separate programs: what one has shown, the other may not have seen yet, and what passes quickly it never does.
    let said = async |words: &str, times: usize| {
        let met = || (fs::read_to_string(&text).unwrap().matches(words).count() >= times).then_some(());
        until(&format!("the text to say {words:?}"), met).await;
    };
    shows("/summary/objects", json!(0)).await;
    said("No objects", 1).await;
    stage.apply::<AccessList>("list", list()).await;
    shows("/summary/ready", json!(1)).await;
    stage.annotate::<AccessList>("list", annotation::PAUSED, "true").await;
    shows("/summary/paused", json!(1)).await;
    said("‖ paused", 1).await;
    // What is nobody's business here is no change; what comes after it is.
    stage.annotate::<AccessList>("list", "example.com/unrelated", "1").await;
    stage.annotate::<AccessList>("list", annotation::PAUSED, Value::Null).await;
    shows("/summary/ready", json!(1)).await;
    stage.delete_and_wait::<AccessList>("list").await;
    shows("/summary/objects", json!(0)).await;
    let all: Vec<String> = fs::read_to_string(&lines).unwrap().lines().map(ToOwned::to_owned).collect();
    assert!(all.windows(2).all(|two| two[0] != two[1]), "nothing is shown twice: {all:#?}");
    said("No objects", 2).await;
    for Watch(child) in &mut watches {
        kill_process(Pid::from_child(child), Signal::INT).unwrap();
        let status = until("the watch to end", || child.try_wait().unwrap()).await;
        assert!(status.success(), "{status}");
    }
}
