//! The operator as a process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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

impl Operator {
    /// Starts it for one namespace, with its log in `directory`.
    pub(crate) fn start(
        cluster: &Cluster,
        namespace: &str,
        url: &str,
        directory: &Path,
        flags: &[&str],
    ) -> Self {
        let log = (0..).map(|run| directory.join(format!("{namespace}-{run}.log"))).find(|log| !log.exists());
        let log = log.unwrap();
        let mut command = Command::new(&cluster.operator);
        command.args(["run", "--namespace", namespace, "--devops-url", url]);
        command.args(["--health-address", "127.0.0.1:0"]).args(flags);
        for (flag, default) in [("--resync", "1s"), ("--log", LOG)] {
            if !flags.contains(&flag) {
                command.args([flag, default]);
            }
        }
        // A proxy of the machine is none of the tests' business.
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        command.env("KUBECONFIG", &cluster.kubeconfig);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it at once: no step is finished, nothing is written.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as the kubelet does, and waits until it has.
    pub(crate) async fn terminate(mut self) {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).unwrap();
        let status = until("the operator to end", || self.child.try_wait().unwrap()).await;
        assert!(status.success(), "the operator ended with {status}:\n{}", self.log());
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
