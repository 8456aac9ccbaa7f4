//! Each right is needed: without it the API server says no, and the operator says so.

use std::{io::Write, path::Path, process::Stdio, time::Duration};

use astra_operator::rights::{self, Right};
use serde_json::{Value, json};

use crate::{
    account::{Run, kubeconfig},
    harness::{
        Stage,
        operator::free_lease,
        stage::AccessList,
        trio::apply_all,
        wait::{DEADLINE, until, until_within},
    },
    helm::NAME,
};

/// How many operators are at work at once.
const AT_ONCE: usize = 6;

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Single {
    right: Right,
    resource: String,
    verb: &'static str,
}

impl Single {
    /// Each of these rights.
    fn all() -> Vec<Self> {
        let rights = [rights::watched(), rights::lease()].concat();
        let of = |right: &Right| -> Vec<Self> {
            let one = |resource: &String| {
                let resource = resource.clone();
                right.verbs.iter().map(move |verb| Self {
                    right: right.clone(),
                    resource: resource.clone(),
                    verb,
                })
            };
            right.resources.iter().flat_map(one).collect()
        };
        rights.iter().flat_map(of).collect()
    }

    fn rule(&self) -> Value {
        let names =
            if self.right.only == Some(rights::Only::Lease) { vec![NAME.to_owned()] } else { Vec::new() };
        let right = Right { resources: vec![self.resource.clone()], ..self.right.clone() };
        let mut rule = right.rule(&names);
        rule.verbs = vec![self.verb.to_owned()];
        json!(rule)
    }

    /// How long until it is missed. A first list is a stream, which `watch` is enough for; lists are compared with it once a
    /// minute.
    fn patience(&self) -> Duration {
        if self.verb == "list" { Duration::from_mins(2) } else { DEADLINE }
    }

    /// What the API server says to whoever lacks it.
    fn refusal(&self) -> String {
        format!("cannot {} resource \"{}\"", self.verb, self.resource)
    }
}

/// An account with all rights but one, in the stage's namespace.
fn give_all_but(stage: &Stage, missing: &Single) {
    let namespace = &stage.namespace;
    let metadata = json!({ "name": NAME, "namespace": namespace });
    let rules: Vec<Value> =
        Single::all().iter().filter(|single| *single != missing).map(Single::rule).collect();
    let api = "rbac.authorization.k8s.io";
    let items = json!([
        { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata },
        { "apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": metadata, "rules": rules },
        {
            "apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": api, "kind": "Role", "name": NAME },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": namespace }],
        },
    ]);
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    let mut apply = stage.cluster.kubectl_command(&["apply", "-f", "-"]);
    let mut apply = apply.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    apply.stdin.take().unwrap().write_all(list.to_string().as_bytes()).unwrap();
    assert!(apply.wait().unwrap().success());
}

/// Waits until the authorizer, which learns of roles by a watch of its own, knows those that were given.
async fn known(stage: &Stage, missing: &Single) {
    let account = format!("system:serviceaccount:{}:{NAME}", stage.namespace);
    let kept = if missing.resource == "secrets" { "events.events.k8s.io" } else { "secrets" };
    let verb = if kept == "secrets" { "get" } else { "create" };
    let can = ["auth", "can-i", verb, kept, "--as", &account, "-n", &stage.namespace];
    until("the rights to be known", || {
        stage.cluster.kubectl_command(&can).output().unwrap().status.success().then_some(())
    })
    .await;
}

async fn is_missed(missing: Single, directory: &Path) {
    let stage = Stage::empty().await;
    let namespace = stage.namespace.clone();
    give_all_but(&stage, &missing);
    if (missing.resource.as_str(), missing.verb) != ("leases", "create") {
        free_lease(stage.cluster, &namespace, NAME);
    }
    known(&stage, &missing).await;
    let account = kubeconfig(stage.cluster, directory, &namespace, NAME);
    let arguments = [
        "run",
        "--namespace",
        &namespace,
        "--devops-url",
        &stage.astra.url,
        "--resync",
        "1s",
        "--lease-name",
        NAME,
        "--health-address",
        "127.0.0.1:0",
        "--log",
        "info,astra_operator=debug",
    ];
    let run = Run::start(stage.cluster, &account, directory, &arguments.map(str::to_owned));
    apply_all(&stage).await;
    let refusal = missing.refusal();
    let said = format!("a word that says: {refusal}");
    until_within(missing.patience(), &said, || run.log().contains(&refusal).then_some(())).await;
    // And no other one: what is taken away is the one right, and not more.
    let others: Vec<_> = run.refusals().into_iter().filter(|line| !line.contains(&refusal)).collect();
    assert_eq!(others, [""; 0], "without {refusal}");
    let stands_still = missing.resource == "astraaccesslists" || missing.resource.starts_with("leases");
    if stands_still && missing.verb != "list" {
        assert!(!stage.get::<AccessList>("list").await.status.is_some_and(|status| {
            status.conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
        }));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn without_any_one_of_its_rights_the_operator_is_refused_something() {
    let directory = tempfile::tempdir().unwrap();
    let all = Single::all();
    println!("figures: {} rights are taken away, one at a time", all.len());
    for some in all.chunks(AT_ONCE) {
        futures::future::join_all(some.iter().map(|single| is_missed(single.clone(), directory.path())))
            .await;
    }
}
