//! A service account, and the operator as a process that is one. There is no kubelet here, so no pod ever starts: the
//! process gets what a pod would have, the account's token, the Deployment's arguments and its own namespace.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    harness::cluster::Cluster,
    helm::{NAME, texts},
};

/// A kubeconfig with a fresh token of a service account, made by `TokenRequest` as the kubelet does.
pub(crate) fn kubeconfig(cluster: &Cluster, directory: &Path, namespace: &str, account: &str) -> PathBuf {
    let token = cluster.kubectl(&["create", "token", account, "--namespace", namespace, "--duration=1h"]);
    let mut config: Value =
        serde_saphyr::from_str(&fs::read_to_string(&cluster.kubeconfig).unwrap()).unwrap();
    config["users"][0]["user"] = json!({ "token": token.trim() });
    config["contexts"][0]["context"]["namespace"] = namespace.into();
    let path = directory.join(format!("{namespace}-{account}.kubeconfig"));
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// The arguments of the Deployment that was installed.
pub(crate) fn arguments(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let deployment = cluster.kubectl(&["get", "deployment", NAME, "-n", namespace, "-o", "json"]);
    let deployment: Value = serde_json::from_str(&deployment).unwrap();
    texts(&deployment["spec"]["template"]["spec"]["containers"][0]["args"])
}

/// A running operator. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Run {
    child: Child,
    log: PathBuf,
}

impl Run {
    /// Starts it. Its log goes where `cargo xtask test` looks for tokens.
    pub(crate) fn start(
        cluster: &Cluster,
        kubeconfig: &Path,
        directory: &Path,
        arguments: &[String],
    ) -> Self {
        let output = env::var_os("ASTRA_TEST_OUTPUT").map_or_else(|| directory.to_owned(), PathBuf::from);
        let name = kubeconfig.file_stem().unwrap().to_string_lossy();
        let log = output.join(format!("deployment-{name}.log"));
        let mut command = Command::new(&cluster.operator);
        command.args(arguments).env_clear().env("KUBECONFIG", kubeconfig);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    /// What it logged so far, without the marks that quote quotes.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default().replace('\\', "")
    }

    /// An operator that ended by itself has crashed.
    pub(crate) fn assert_running(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the operator ended with {}:\n{}", ended.unwrap(), self.log());
    }

    /// The memory that it has now, in MiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
    }

    /// The lines in which the API server says no.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let log = self.log();
        let says_no =
            |line: &&str| ["orbidden", "code: 403", "in API group"].iter().any(|word| line.contains(word));
        log.lines().filter(says_no).map(str::to_owned).collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            println!(
                "--- the end of the operator's log\n{}",
                lines[lines.len().saturating_sub(30)..].join("\n")
            );
        }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    // Below those that systems give to connections.
    (0..1_000)
        .find_map(|_| {
            let port = fastrand::u16(20_000..32_000);
            TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        })
        .unwrap()
}
