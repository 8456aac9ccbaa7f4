//! The rights that the chart gives are enough for all work, and there is none besides.

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use astra_operator::{
    resource::GROUP,
    rights::{self, Right},
};
use k8s_openapi::api::authorization::v1::{ResourceRule, SelfSubjectRulesReview, SelfSubjectRulesReviewSpec};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{
    account::{Run, arguments, free_port, kubeconfig},
    harness::{
        Stage,
        cluster::Cluster,
        stage::AccessList,
        trio::{all_ready, apply_all},
        wait::{until, within_time},
    },
    helm::{CHART, Helm, NAME, objects, of_kind, texts},
    plane::Plane,
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// Group, resource, verb, and the name that it is held to.
type Can = (String, String, String, String);

/// What whoever has this kubeconfig may do in a namespace, as the API server says.
async fn can(kubeconfig: &Path, namespace: &str) -> BTreeSet<Can> {
    let config = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
    let reviews: Api<SelfSubjectRulesReview> = Api::all(Client::try_from(config).unwrap());
    let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) };
    let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
    let review = reviews.create(&PostParams::default(), &review).await.unwrap();
    review.status.unwrap().resource_rules.into_iter().flat_map(each).collect()
}

fn each(rule: ResourceRule) -> Vec<Can> {
    let ResourceRule { api_groups, resources, resource_names, verbs } = rule;
    let names = resource_names.filter(|names| !names.is_empty()).unwrap_or_else(|| vec![String::new()]);
    let mut all = Vec::new();
    for group in api_groups.iter().flatten() {
        for resource in resources.iter().flatten() {
            for verb in &verbs {
                all.extend(
                    names.iter().map(|name| (group.clone(), resource.clone(), verb.clone(), name.clone())),
                );
            }
        }
    }
    all
}

/// What these rights say.
fn said(rights: &[Right], name: &str) -> BTreeSet<Can> {
    let mut all = BTreeSet::new();
    for right in rights {
        let name = if right.only == Some(rights::Only::Lease) { name } else { "" };
        for resource in &right.resources {
            all.extend(
                right.verbs.iter().map(|verb| {
                    (right.group.to_owned(), resource.clone(), (*verb).to_owned(), name.to_owned())
                }),
            );
        }
    }
    all
}

/// What the account may do in a namespace that one without any role may not.
async fn more_than_nobody(
    cluster: &Cluster,
    directory: &Path,
    account: &Path,
    home: &str,
    namespace: &str,
) -> BTreeSet<Can> {
    let nobody = kubeconfig(cluster, directory, home, "nobody");
    let (nobody, account) = (can(&nobody, namespace).await, can(account, namespace).await);
    account.difference(&nobody).cloned().collect()
}

/// What the pod of `helm test` runs, as the same account.
fn helm_test(cluster: &Cluster, account: &Path) {
    let image = ["--set", "image.repository=registry.example.com/astra-operator"];
    let pod = of_kind(&objects(&Helm::four().template(&image)), "Pod").clone();
    let arguments = texts(&pod["spec"]["containers"][0]["args"]);
    let output =
        Command::new(&cluster.operator).args(&arguments).env_clear().env("KUBECONFIG", account).output();
    let output = output.unwrap();
    let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !words.contains("may not"), "{arguments:?}: {words}");
}

/// Waits until the authorizer, which learns of roles by watches of its own, knows those that were given.
async fn known(account: &Path, home: &str) {
    let all = async {
        let expected: BTreeSet<_> = said(&rights::lease(), NAME);
        let resources = |cans: &BTreeSet<Can>| cans.iter().filter(|can| can.0 == GROUP).count();
        loop {
            let cans = can(account, home).await;
            if expected.is_subset(&cans) && resources(&cans) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within_time(Duration::from_mins(1), "the rights to be known", all).await;
}

/// The chart's values for an operator that is a process here.
fn values(stage: &Stage, port: u16, more: &[String]) -> Vec<String> {
    let mut values = vec![
        "image.repository=registry.example.com/astra-operator".to_owned(),
        "crds.enabled=false".to_owned(),
        format!("devopsUrl={}", stage.astra.url),
        "resync=1s".to_owned(),
        "health.host=127.0.0.1".to_owned(),
        format!("health.port={port}"),
        "log.format=human".to_owned(),
        r"log.filter=info\,astra_operator=debug".to_owned(),
    ];
    values.extend_from_slice(more);
    values.into_iter().flat_map(|value| ["--set".to_owned(), value]).collect()
}

fn install(cluster: &Cluster, namespace: &str, values: &[String]) {
    let arguments = ["install", NAME, CHART, "--namespace", namespace];
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    Helm::four().run(Some(&cluster.kubeconfig), &[&arguments[..], &values].concat());
    cluster.kubectl(&["create", "serviceaccount", "nobody", "-n", namespace]);
}

/// All that is done in a life: making, putting right what drifts, taking away.
async fn demo(stage: &Stage, run: &mut Run) {
    let kubectl = |arguments: &[&str]| {
        stage.cluster.kubectl(&[&["-n", &stage.namespace], arguments, &["-f", EXAMPLES]].concat())
    };
    kubectl(&["apply"]);
    // The first start in a cluster waits for a whole lease.
    kubectl(&["wait", "--for=condition=Ready", "--timeout=60s"]);
    stage.two_looks().await;
    stage.astra.change(|state| {
        let lists = state.databases.iter_mut().filter_map(|database| database.access_list.as_mut());
        lists.for_each(|list| list.addresses.clear());
    });
    stage.astra.forget();
    until("the drift to be put right", || (!stage.astra.writes().is_empty()).then_some(())).await;
    kubectl(&["wait", "--for=condition=Ready", "--timeout=60s"]);
    kubectl(&["delete", "--timeout=60s"]);
    run.assert_running();
    assert_eq!(run.refusals(), [""; 0], "the API server said no");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn for_a_whole_cluster_the_charts_account_does_all_work_and_may_do_nothing_else() {
    let plane = Plane::start().await;
    let cluster = plane.cluster();
    let stage = Stage::on(cluster, &[]).await;
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    cluster.kubectl(&["create", "namespace", NAME]);
    install(cluster, NAME, &values(&stage, port, &[]));
    let account = kubeconfig(cluster, directory.path(), NAME, NAME);
    known(&account, NAME).await;
    let mut run = Run::start(cluster, &account, directory.path(), &arguments(cluster, NAME));
    demo(&stage, &mut run).await;
    let ready = ureq::get(&format!("http://127.0.0.1:{port}/readyz")).call().unwrap();
    assert!(ready.into_body().read_to_string().unwrap().starts_with("ok: "), "the chart's port is served");
    println!("figures: the operator has {} MiB after the examples came and went", run.memory());
    helm_test(cluster, &account);

    let more =
        async |namespace: &str| more_than_nobody(cluster, directory.path(), &account, NAME, namespace).await;
    let watched = said(&rights::watched(), "");
    assert_eq!(more(&stage.namespace).await, watched);
    assert_eq!(more("kube-system").await, watched);
    assert_eq!(more(NAME).await, watched.union(&said(&rights::lease(), NAME)).cloned().collect());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn for_one_namespace_it_does_all_work_and_sees_no_other() {
    let stage = Stage::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let more = [
        format!("watchNamespaces={{{}}}", stage.namespace),
        "rbac.secretNames={astra-credentials}".to_owned(),
    ];
    install(stage.cluster, &stage.namespace, &values(&stage, free_port(), &more));
    let account = kubeconfig(stage.cluster, directory.path(), &stage.namespace, NAME);
    known(&account, &stage.namespace).await;
    let mut run =
        Run::start(stage.cluster, &account, directory.path(), &arguments(stage.cluster, &stage.namespace));
    apply_all(&stage).await;
    within_time(Duration::from_mins(1), "all to be ready", async {
        // The first start waits for a whole lease, longer than a test usually does.
        until("the Lease to be held", || run.log().contains("the work begins").then_some(())).await;
        all_ready(&stage).await;
    })
    .await;
    stage.delete_and_wait::<AccessList>("list").await;
    run.assert_running();
    assert_eq!(run.refusals(), [""; 0], "the API server said no");

    let cans = async |namespace: &str| {
        more_than_nobody(stage.cluster, directory.path(), &account, &stage.namespace, namespace).await
    };
    let mut expected: BTreeSet<Can> =
        said(&rights::watched(), "").union(&said(&rights::lease(), NAME)).cloned().collect();
    let secrets = |name: &str| (String::new(), "secrets".to_owned(), "get".to_owned(), name.to_owned());
    assert!(expected.remove(&secrets("")) && expected.insert(secrets("astra-credentials")));
    assert_eq!(cans(&stage.namespace).await, expected);
    for other in ["default", "kube-system"] {
        assert_eq!(cans(other).await, BTreeSet::new(), "in {other}");
    }
}
