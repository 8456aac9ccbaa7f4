//! Whoever has exactly the rights that `--help` names sees all; whoever lacks one is told which, and sees the rest.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use kube::config::Kubeconfig;
use serde_json::{Value, json};

use crate::{
    command::{Said, command_as, said},
    harness::{Stage, stage::AccessList, trio::list, wait::until},
};

const KINDS: &str = "astraaccesslists.astra.datastax.com";

/// A rule of a role: group, resource, verbs.
type Rule = (&'static str, &'static str, &'static [&'static str]);

const OBJECTS: Rule = ("astra.datastax.com", "*", &["get", "list", "watch"]);
const SECRETS: Rule = ("", "secrets", &["get"]);
const LEASES: Rule = ("coordination.k8s.io", "leases", &["get"]);
const EVENTS: Rule = ("events.k8s.io", "events", &["list"]);

/// Somebody with some rights in the test's namespace.
struct Somebody<'a> {
    stage: &'a Stage,
    kubeconfig: PathBuf,
}

impl<'a> Somebody<'a> {
    async fn with(stage: &'a Stage, directory: &Path, name: &str, rules: &[Rule]) -> Self {
        let user = format!("{name}-{}", stage.namespace);
        let rule = |(group, resource, verbs): &Rule| json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
        let subjects = json!([{ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user }]);
        let of_kind = |kind: &str, rules: Vec<Value>| {
            let api = "rbac.authorization.k8s.io";
            let meta = json!({ "name": user, "namespace": stage.namespace });
            [
                json!({ "apiVersion": format!("{api}/v1"), "kind": kind, "metadata": meta, "rules": rules }),
                json!({
                    "apiVersion": format!("{api}/v1"), "kind": format!("{kind}Binding"), "metadata": meta,
                    "roleRef": { "apiGroup": api, "kind": kind, "name": user }, "subjects": subjects,
                }),
            ]
        };
        let items = of_kind("Role", rules.iter().map(rule).collect());
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        let mut apply = stage.cluster.kubectl_command(&["apply", "-f", "-"]);
        let mut apply = apply.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        apply.stdin.take().unwrap().write_all(list.to_string().as_bytes()).unwrap();
        assert!(apply.wait().unwrap().success());
        let mut config = Kubeconfig::read_from(&stage.cluster.kubeconfig).unwrap();
        config.auth_infos[0].auth_info.as_mut().unwrap().impersonate = Some(user.clone());
        let kubeconfig = directory.join(name);
        fs::write(&kubeconfig, serde_json::to_string(&config).unwrap()).unwrap();
        // The authorizer learns of a role by a watch of its own.
        let can =
            ["auth", "can-i", "get", "leases.coordination.k8s.io", "--as", &user, "-n", &stage.namespace];
        until("the rights to be known", || {
            stage.cluster.kubectl_command(&can).output().unwrap().status.success().then_some(())
        })
        .await;
        Self { stage, kubeconfig }
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        let namespace = &self.stage.namespace;
        let arguments = [arguments, &["-n", namespace]].concat();
        said(self.stage, command_as(self.stage, &self.kubeconfig, &arguments))
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn each_right_that_is_missing_is_told_and_the_rest_is_shown() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list()).await;
    let directory = tempfile::tempdir().unwrap();
    let make = async |name, rules: &[Rule]| Somebody::with(&stage, directory.path(), name, rules).await;
    let whole = make("whole", &[OBJECTS, SECRETS, LEASES, EVENTS]).await;
    let told = whole.ask(&["explain", "aal/list"]);
    told.says(0, &["nothing is to be sent", "AccessListReplaced", "held and renewed"]);
    assert!(!told.out.contains("you may not"), "{}", told.out);
    whole.ask(&["status"]).says(0, &["1 ready"]);

    let only = make("only", &[OBJECTS, LEASES]).await;
    let mut everywhere =
        command_as(&stage, &only.kubeconfig, &["explain", "aal/list", "-n", &stage.namespace]);
    everywhere.env_remove("ASTRA_OPERATOR_NAMESPACES");
    let told = said(&stage, everywhere);
    let place = format!("in the namespace {}", stage.namespace);
    told.says(
        0,
        &[
            &format!("you may not get secrets astra-credentials {place}: ask for that right"),
            &format!("you may not list events.events.k8s.io {place}"),
            &format!("you may not list {KINDS} in all namespaces"),
            "objects of other namespaces on this database take no part in the plan",
            "UpToDate: 1 address or network gets in",
            "held and renewed",
        ],
    );
    assert!(!told.out.contains("Next plan"), "{}", told.out);
    only.ask(&["status"]).says(0, &["1 ready"]);

    let nobody = make("nobody", &[LEASES]).await;
    nobody.ask(&["explain", "aal/list"]).fails(&[&format!("you may not get {KINDS} list {place}")]);
    nobody.ask(&["status"]).fails(&[&format!("you may not list {KINDS} {place}"), "astravpcpeerings"]);
}
