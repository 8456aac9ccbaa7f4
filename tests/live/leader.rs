//! Several operators share a lease: one works, the others wait, and none writes when another may.

use std::{
    net::TcpListener,
    path::PathBuf,
    time::{Duration, Instant},
};

use astra_simulator::Event;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
    config::Kubeconfig,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::harness::{
    Stage,
    astra::id_of,
    operator::{Operator, Replica, free_lease},
    proxy::{Proxy, Way},
    stage::AccessList,
    trio::list,
    wait::{until, within_time},
};

/// The promises.
const AFTER_A_KILL: Duration = Duration::from_secs(17);
const AFTER_AN_END: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_secs(15);

/// The lease of a stage.
const NAME: &str = "shared";

/// Operators that share a lease, each with ways of its own to the API server and to Astra.
struct Theatre {
    stage: Stage,
    directory: TempDir,
}

/// One of them.
struct Actor {
    operator: Operator,
    /// Its way to the API server.
    kubernetes: Proxy,
    /// Its way to Astra.
    astra: Proxy,
}

impl Theatre {
    /// With an access list to be kept, and nobody who keeps it.
    async fn new() -> Self {
        let stage = Stage::empty().await;
        free_lease(stage.cluster, &stage.namespace, NAME);
        stage.apply::<AccessList>("list", list()).await;
        Self { stage, directory: tempfile::tempdir().unwrap() }
    }

    fn enter(&self) -> Actor {
        self.enter_with(&self.stage.cluster.kubeconfig.clone(), &[])
    }

    fn enter_with(&self, kubeconfig: &std::path::Path, flags: &[&str]) -> Actor {
        let (kubernetes, kubeconfig) = Proxy::to_api_server(kubeconfig, self.directory.path());
        let astra = Proxy::to(self.stage.astra.url.trim_start_matches("http://"));
        let replica = Replica {
            kubeconfig: &kubeconfig,
            namespace: &self.stage.namespace,
            lease: NAME,
            url: &astra.url(),
            directory: self.directory.path(),
            flags,
        };
        Actor { operator: Operator::replica(self.stage.cluster, replica), kubernetes, astra }
    }

    /// A leader that has made the list, and one who waits.
    async fn two(&self) -> (Actor, Actor) {
        let leader = self.enter();
        leader.leads(Duration::from_secs(20)).await;
        self.stage.settled::<AccessList>("list").await;
        let other = self.enter();
        until("the other one to wait", || other.says("waiting for the lease held by").then_some(())).await;
        (leader, other)
    }

    /// Somebody changes in Astra what the operator must put right.
    fn drift(&self) {
        self.stage.astra.happens(&Event::SetRestriction { database: id_of("orders"), enabled: false });
    }

    async fn put_right(&self) {
        until("the drift to be put right", || self.stage.astra.is_restricted("orders").then_some(())).await;
    }

    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.stage.client.clone(), &self.stage.namespace)
    }

    /// Edits the Lease by hand.
    async fn edit(&self, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.leases().patch(NAME, &PatchParams::default(), &patch).await.unwrap();
    }

    async fn holder(&self) -> String {
        self.leases().get(NAME).await.unwrap().spec.unwrap().holder_identity.unwrap_or_default()
    }
}

impl Actor {
    fn says(&self, words: &str) -> bool {
        self.operator.log().contains(words)
    }

    fn is_leading(&self) -> bool {
        self.says("holding the lease: the work begins")
    }

    /// Waits until it leads; how long that took.
    async fn leads(&self, within: Duration) -> Duration {
        let start = Instant::now();
        let leads = async {
            while !self.is_leading() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        within_time(within, "the other one to lead", leads).await;
        start.elapsed()
    }

    /// Waits until it has ended because its lease was lost, for this reason.
    async fn loses(&mut self, why: &str) {
        let status = self.operator.ended().await;
        let log = self.operator.log();
        assert_eq!(status.code(), Some(1), "{log}");
        // Another thread may get a line in before the process is gone.
        let told =
            log.lines().rev().take(10).any(|line| line.contains("the lease is lost") && line.contains(why));
        assert!(told, "{why}: {log}");
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn three_replicas_follow_each_other() {
    let theatre = Theatre::new().await;
    let (mut first, second) = theatre.two().await;
    assert_eq!(second.astra.requests(), 0, "who waits asks Astra for nothing");
    let third = theatre.enter();
    until("the third to wait", || third.says("waiting for the lease held by").then_some(())).await;

    let start = Instant::now();
    first.operator.signal(Signal::TERM);
    let next = async {
        loop {
            if second.is_leading() || third.is_leading() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    within_time(AFTER_AN_END, "another one to lead after SIGTERM", next).await;
    println!("after SIGTERM another one led after {:?}", start.elapsed());
    assert!(first.operator.ended().await.success(), "{}", first.operator.log());
    let (leader, last) = if second.is_leading() { (second, third) } else { (third, second) };
    theatre.drift();
    theatre.put_right().await;

    leader.operator.kill();
    assert!(!last.is_leading(), "the lease of one that was killed is still good for a while");
    println!("after SIGKILL another one led after {:?}", last.leads(AFTER_A_KILL).await);
    theatre.drift();
    theatre.put_right().await;
    last.operator.terminate().await;
    assert_eq!(theatre.holder().await, "", "it was given back");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_leader_that_was_frozen_writes_nothing_when_it_wakes() {
    // Stopped at different moments of a look, so that some are stopped between deciding and sending.
    futures::future::join_all((0..6).map(|moment| async move {
        let theatre = Theatre::new().await;
        let mut leader = theatre.enter();
        leader.leads(Duration::from_secs(20)).await;
        theatre.stage.settled::<AccessList>("list").await;
        theatre.drift();
        sleep(Duration::from_millis(60 * moment)).await;
        leader.operator.signal(Signal::STOP);
        // What was in the kernel's buffers has arrived by then.
        sleep(Duration::from_secs(1)).await;
        let before = leader.astra.writes().len();
        // Whatever it had decided on, there is something to be written when it wakes.
        theatre.drift();
        // Nobody else writes meanwhile: what is written is written by it.
        sleep(Duration::from_secs(20)).await;
        leader.operator.signal(Signal::CONT);
        leader.loses("no renewal succeeded within 10 s").await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(leader.astra.writes().len(), before, "{:?}", leader.astra.writes());
        assert_eq!(theatre.stage.astra.writes().len(), before);
    }))
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_frozen_leader_is_followed_and_does_not_interfere() {
    let theatre = Theatre::new().await;
    let (mut leader, other) = theatre.two().await;
    leader.operator.signal(Signal::STOP);
    let frozen = Instant::now();
    println!("after SIGSTOP another one led after {:?}", other.leads(AFTER_A_KILL).await);
    theatre.drift();
    theatre.put_right().await;
    leader.operator.signal(Signal::CONT);
    leader.loses("no renewal succeeded within 10 s").await;
    let late = leader.astra.writes().into_iter().filter(|(at, _)| *at > frozen + Duration::from_secs(1));
    assert_eq!(late.count(), 0);
    assert!(other.is_leading() && !other.says("the lease is lost"));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_leader_without_the_api_server_ends_before_another_begins() {
    let ways = [Way::Cut, Way::BlackHole, Way::Slow(Duration::from_secs(6))];
    futures::future::join_all(ways.map(|way| async move {
        let theatre = Theatre::new().await;
        let (mut leader, other) = theatre.two().await;
        leader.kubernetes.becomes(way);
        let partition = Instant::now();
        // There is something to write all the time, and Astra can be reached all the time.
        let drifting = async {
            loop {
                theatre.drift();
                sleep(Duration::from_millis(200)).await;
            }
        };
        let failover = async {
            leader.loses("no renewal succeeded within 10 s").await;
            let ended = partition.elapsed();
            assert!(!other.is_leading(), "{way:?}: another one led before this one had ended");
            other.leads(AFTER_A_KILL + Duration::from_secs(9)).await;
            println!("{way:?}: ended after {ended:?}, another one led after {:?}", partition.elapsed());
            assert!(ended < DEADLINE + Duration::from_secs(2), "{way:?}: {ended:?}");
            // A renewal that was on its way is still carried out when it arrives, and counts from then for the others.
            let under_way = if let Way::Slow(time) = way { time } else { Duration::ZERO };
            let late = AFTER_A_KILL + under_way + Duration::from_secs(3);
            assert!(partition.elapsed() < late, "{way:?}");
        };
        tokio::select! {
            () = drifting => {}
            () = failover => {}
        }
        theatre.put_right().await;
        let last = leader.astra.writes().last().map(|(at, _)| *at);
        let first = other.astra.writes().first().map(|(at, _)| *at).unwrap();
        assert!(last.is_none_or(|last| last < partition + DEADLINE), "{way:?}: written after the deadline");
        assert!(last.is_none_or(|last| last < first), "{way:?}: both wrote");
        leader.kubernetes.becomes(Way::Open);
    }))
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_lease_that_is_taken_away_by_hand_ends_the_leader_first() {
    let edits = [
        ("deleted", "it was deleted", None),
        ("given to somebody", "it is held by somebody now", Some(json!({ "holderIdentity": "somebody" }))),
        ("emptied", "nobody is in it now", Some(json!({ "holderIdentity": null }))),
    ];
    futures::future::join_all(edits.map(|(name, why, spec)| async move {
        let theatre = Theatre::new().await;
        let (mut leader, other) = theatre.two().await;
        let start = Instant::now();
        match spec {
            Some(spec) => theatre.edit(spec).await,
            None => drop(theatre.leases().delete(NAME, &DeleteParams::default()).await.unwrap()),
        }
        leader.loses(why).await;
        println!("{name}: the leader ended after {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(4), "{name}: at its next renewal");
        assert!(!other.is_leading(), "{name}: the leader might not have known yet");
        other.leads(AFTER_A_KILL).await;
        println!("{name}: another one led after {:?}", start.elapsed());
        assert!(start.elapsed() >= LEASE, "{name}: {:?}", start.elapsed());
    }))
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn no_time_in_the_lease_is_believed() {
    let hour = jiff::SignedDuration::from_hours(1);
    futures::future::join_all([hour, -hour].map(|by| async move {
        let theatre = Theatre::new().await;
        let (leader, other) = theatre.two().await;
        let at = || {
            let time = jiff::Timestamp::now() + by;
            json!({ "renewTime": jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S%.6fZ", time).unwrap() })
        };
        // While the leader lives it goes on: nobody else is in the Lease.
        theatre.edit(at()).await;
        sleep(Duration::from_secs(5)).await;
        assert!(!other.is_leading() && !leader.says("the lease is lost"), "{by}: {}", leader.operator.log());
        // When it does not, the time counts from the edit, whatever it says.
        leader.operator.kill();
        theatre.edit(at()).await;
        let waited = other.leads(AFTER_A_KILL).await;
        assert!(waited + Duration::from_secs(1) > LEASE, "{by}: taken after {waited:?}");
        println!("{by}: another one led {waited:?} after the edit");
    }))
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn who_waits_is_ready_and_says_for_whom() {
    let theatre = Theatre::new().await;
    let leader = theatre.enter();
    leader.leads(Duration::from_secs(20)).await;
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let other =
        theatre.enter_with(&theatre.stage.cluster.kubeconfig.clone(), &["--health-address", &address]);
    until("the other one to wait", || other.says("waiting for the lease held by").then_some(())).await;
    let mut answer = ureq::get(format!("http://{address}/readyz")).call().unwrap();
    let holder = theatre.holder().await;
    assert_eq!(
        answer.body_mut().read_to_string().unwrap(),
        format!("ok: waiting for the lease held by {holder}\n")
    );
    // Told to end while it waits, it ends at once and leaves the lease alone.
    other.operator.terminate().await;
    assert_eq!(theatre.holder().await, holder);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn without_rights_on_the_lease_it_says_which_are_missing() {
    let theatre = Theatre::new().await;
    let mut config = Kubeconfig::read_from(&theatre.stage.cluster.kubeconfig).unwrap();
    config.auth_infos[0].auth_info.as_mut().unwrap().impersonate = Some("nobody".to_owned());
    let path: PathBuf = theatre.directory.path().join("nobody");
    std::fs::write(&path, serde_json::to_string(&config).unwrap()).unwrap();
    let mut nobody = theatre.enter_with(&path, &[]);
    assert_eq!(nobody.operator.ended().await.code(), Some(1));
    let log = nobody.operator.log();
    let namespace = &theatre.stage.namespace;
    assert!(log.contains(&format!("error: the operator may not get the Lease {namespace}/{NAME}")), "{log}");
    assert!(log.contains("verbs get, create and update on leases of coordination.k8s.io"), "{log}");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_short_hiccup_of_the_api_server_ends_nothing() {
    let theatre = Theatre::new().await;
    let (mut leader, other) = theatre.two().await;
    leader.kubernetes.becomes(Way::BlackHole);
    sleep(Duration::from_secs(6)).await;
    leader.kubernetes.becomes(Way::Open);
    sleep(Duration::from_secs(12)).await;
    assert!(!leader.operator.has_ended() && !other.is_leading(), "{}", leader.operator.log());
    theatre.drift();
    theatre.put_right().await;
    assert_eq!(other.astra.requests(), 0);
}
