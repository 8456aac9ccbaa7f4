//! The operator as a process.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{cluster::Cluster, wait::until};

/// What it logs: all that this program and its HTTP clients can tell, because `cargo xtask test` looks for tokens in it.
const LOG: &str = "info,astra_operator=trace,astra_devops=trace,kube=trace,kube_client=trace,hyper=trace,hyper_util=trace,reqwest=trace,tower=trace";

/// A running `astra-operator run`. Dropping it kills it, as a crash does.
#[derive(Debug)]
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
}

/// One of several operators that share a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replica<'a> {
    /// How it reaches the API server.
    pub(crate) kubeconfig: &'a Path,
    /// What it watches, and where its Lease is.
    pub(crate) namespace: &'a str,
    /// The name of the Lease.
    pub(crate) lease: &'a str,
    /// Where Astra is.
    pub(crate) url: &'a str,
    /// Where its log goes.
    pub(crate) directory: &'a Path,
    /// More flags.
    pub(crate) flags: &'a [&'a str],
}

impl Operator {
    /// Starts it for one namespace, with its log in `directory`, and a lease of its own: the test is about something
    /// else, and must not wait for the end of the lease of one that was killed.
    pub(crate) fn start(
        cluster: &Cluster,
        namespace: &str,
        url: &str,
        directory: &Path,
        flags: &[&str],
    ) -> Self {
        let (_, run) = free_log(directory, namespace);
        let lease = format!("operator-{run}");
        free_lease(cluster, namespace, &lease);
        let kubeconfig = &cluster.kubeconfig;
        Self::replica(cluster, Replica { kubeconfig, namespace, lease: &lease, url, directory, flags })
    }

    /// Starts one of several.
    pub(crate) fn replica(cluster: &Cluster, replica: Replica<'_>) -> Self {
        let Replica { kubeconfig, namespace, lease, url, directory, flags } = replica;
        let (log, _) = free_log(directory, namespace);
        let mut command = Command::new(&cluster.operator);
        command.args(["run", "--namespace", namespace, "--devops-url", url]);
        command.args(["--lease-namespace", namespace, "--lease-name", lease]).args(flags);
        for (flag, default) in [("--resync", "1s"), ("--log", LOG), ("--health-address", "127.0.0.1:0")] {
            if !flags.contains(&flag) {
                command.args([flag, default]);
            }
        }
        // A proxy of the machine is none of the tests' business.
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        command.env("KUBECONFIG", kubeconfig);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Kills it at once: no step is finished, nothing is written.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as the kubelet does, and waits until it has.
    pub(crate) async fn terminate(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "the operator ended with {status}:\n{}", self.log());
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the operator to end", || self.child.try_wait().unwrap()).await
    }

    /// Has it ended?
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// An operator that ended by itself has crashed.
    pub(crate) fn assert_running(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the operator ended with {}:\n{}", ended.unwrap(), self.log());
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A name for another log of this namespace's operators, and which one it is.
fn free_log(directory: &Path, namespace: &str) -> (PathBuf, usize) {
    let name = |run: usize| directory.join(format!("{namespace}-{run}.log"));
    let run = (0..1000).find(|run| !name(*run).exists()).unwrap();
    (name(run), run)
}

/// A Lease that was given back by its last holder: free at once. One that is not there is not, because whoever held it
/// until it was deleted may not know yet.
pub(crate) fn free_lease(cluster: &Cluster, namespace: &str, name: &str) {
    let lease = serde_json::json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "holderIdentity": "", "leaseDurationSeconds": 1 },
    });
    let mut create = cluster.kubectl_command(&["create", "-f", "-"]);
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(lease.to_string().as_bytes()).unwrap();
    assert!(create.wait().unwrap().success(), "the Lease {name} cannot be made");
}
