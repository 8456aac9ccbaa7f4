//! A control plane to break: etcd and an API server with RBAC, which can be killed, frozen and set back.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{cluster, cluster::Cluster, stage::AccessList};

/// Starting takes seconds, on a busy machine many.
const READY_WITHIN: Duration = Duration::from_mins(3);

/// Where ports are looked for: below those that systems give to connections. While a server of these tests is down, no
/// connection of another program may get its port by chance.
const PORTS: Range<u16> = 20_000..32_000;

/// How often other ports are tried.
const ATTEMPTS: usize = 3;

/// Whom RBAC lets do everything, and who has the rights that were given.
const ADMINISTRATOR: &str = "administrator";
pub(crate) const OPERATOR: &str = "operator";

/// The servers, with their data in a directory of their own.
pub(crate) struct Plane {
    directory: TempDir,
    programs: PathBuf,
    ports: [u16; 3],
    etcd: Option<Child>,
    api_server: Option<Child>,
}

impl Plane {
    /// Starts it, and waits until it answers. Ports that are taken in the moment between their choice and their use
    /// cost another try.
    pub(crate) async fn start() -> Self {
        let mut words = String::new();
        for _ in 0..ATTEMPTS {
            match Self::start_on(free_ports()).await {
                Ok(plane) => return plane,
                Err(error) => words = error,
            }
        }
        panic!("no control plane in {ATTEMPTS} attempts: {words}");
    }

    /// Starts it on these ports: etcd's for clients, etcd's for its peers, the API server's.
    ///
    /// # Errors
    /// The last words of a server that has ended, as it does when its port is somebody else's.
    pub(crate) async fn start_on(ports: [u16; 3]) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let programs = cluster::path("ASTRA_TEST_CONTROL_PLANE_BIN");
        let mut plane = Self { directory, programs, ports, etcd: None, api_server: None };
        let tokens = [ADMINISTRATOR, OPERATOR].map(|user| {
            let group = if user == ADMINISTRATOR { "system:masters" } else { "operators" };
            plane.write_kubeconfig(user);
            format!("{user}-token,{user},{user},{group}\n")
        });
        fs::write(plane.at("tokens.csv"), tokens.concat()).unwrap();
        plane.try_start_servers().await?;
        Ok(plane)
    }

    /// Its ports, as [`Self::start_on`] has them.
    pub(crate) fn ports(&self) -> [u16; 3] {
        self.ports
    }

    /// The kubeconfig of whoever may do everything.
    #[allow(dead_code, reason = "for the tests of what is installed")]
    pub(crate) fn administrator(&self) -> PathBuf {
        self.kubeconfig(ADMINISTRATOR)
    }

    /// As a cluster for a stage: the test is the administrator, the operator is not.
    pub(crate) fn cluster(&self) -> &'static Cluster {
        // It lives as long as the test program, as the one that is shared does.
        Box::leak(Box::new(Cluster::of(self.kubeconfig(ADMINISTRATOR), self.kubeconfig(OPERATOR))))
    }

    /// Starts what does not run, and waits until it answers from etcd.
    pub(crate) async fn start_servers(&mut self) {
        if let Err(words) = self.try_start_servers().await {
            panic!("{words}");
        }
    }

    async fn try_start_servers(&mut self) -> Result<(), String> {
        if self.etcd.is_none() {
            self.etcd = Some(self.launch("etcd", &self.etcd_flags()));
            self.answers("etcd", async |plane| plane.etcd_is_own()).await?;
        }
        if self.api_server.is_none() {
            self.api_server = Some(self.launch("kube-apiserver", &self.api_server_flags()));
        }
        // Whoever else answers there has no certificate of the authority that this one made.
        self.answers("kube-apiserver", Self::is_ready).await
    }

    /// Waits until a server answers; one that has ended never will, whoever else may answer at its port.
    async fn answers(&mut self, name: &str, is_ready: impl AsyncFn(&Self) -> bool) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let ready = is_ready(self).await;
            if let Some((server, status)) = self.ended() {
                return Err(format!(
                    "{server} has ended ({status}); its last words:\n{}",
                    self.log_tail(server)
                ));
            }
            if ready {
                return Ok(());
            }
            if start.elapsed() > READY_WITHIN {
                let words = self.log_tail(name);
                return Err(format!(
                    "{name}: no answer within {} s; its last words:\n{words}",
                    READY_WITHIN.as_secs()
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A server that has ended by itself; it is forgotten.
    fn ended(&mut self) -> Option<(&'static str, ExitStatus)> {
        let servers = [("etcd", &mut self.etcd), ("kube-apiserver", &mut self.api_server)];
        servers.into_iter().find_map(|(name, child)| {
            let status = child.as_mut()?.try_wait().unwrap()?;
            *child = None;
            Some((name, status))
        })
    }

    /// Is it *this* etcd that answers? Were its port somebody else's, the API server would work on the data of another
    /// cluster. A member's name is its data directory's, which nobody else has.
    fn etcd_is_own(&self) -> bool {
        let url = format!("http://127.0.0.1:{}/v3/cluster/member/list", self.ports[0]);
        let answer = ureq::post(&url).send_json(json!({}));
        let members = answer.ok().and_then(|mut answer| answer.body_mut().read_json::<Value>().ok());
        members.is_some_and(|members| members["members"][0]["name"] == self.name())
    }

    fn name(&self) -> String {
        self.directory.path().file_name().unwrap().to_string_lossy().into_owned()
    }

    fn log_tail(&self, server: &str) -> String {
        let log = fs::read_to_string(self.at(server).with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Does it answer from etcd? The default namespace is the first thing that it makes, and access lists are there as
    /// soon as it knows the definitions again.
    async fn is_ready(&self) -> bool {
        let Some(client) = self.client(ADMINISTRATOR).await else { return false };
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        if namespaces.get("default").await.is_err() {
            return false;
        }
        match definitions.list(&ListParams::default()).await {
            Ok(found) if found.items.is_empty() => true,
            Ok(_) => Api::<AccessList>::all(client).list(&ListParams::default()).await.is_ok(),
            Err(_) => false,
        }
    }

    /// A client that fails at once where the stock one would try again; none while there is no certificate yet.
    async fn client(&self, user: &str) -> Option<Client> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig(user)).ok()?;
        let mut config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.ok()?;
        config.default_retry = false;
        Client::try_from(config).ok()
    }

    /// May the operator list the access lists of this namespace?
    pub(crate) async fn lets_operator_list(&self, namespace: &str) -> bool {
        let client = self.client(OPERATOR).await.unwrap();
        let lists: Api<AccessList> = Api::namespaced(client, namespace);
        lists.list(&ListParams::default()).await.is_ok()
    }

    /// Kills the API server, as a machine that loses its power does.
    pub(crate) fn kill_api_server(&mut self) {
        end(&mut self.api_server);
    }

    /// Stops the API server where it is: connections stay open, and nobody answers.
    pub(crate) fn freeze_api_server(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw_api_server(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.api_server.as_ref().unwrap()), signal).unwrap();
    }

    /// Ends both servers.
    pub(crate) fn stop_servers(&mut self) {
        end(&mut self.api_server);
        end(&mut self.etcd);
    }

    /// Copies etcd's data, while it does not run.
    pub(crate) fn save(&self) {
        assert!(self.etcd.is_none(), "etcd is running");
        copy(&self.at("etcd"), &self.at("saved"));
    }

    /// Puts back what was saved; all that came after is lost.
    pub(crate) fn restore(&self) {
        assert!(self.etcd.is_none(), "etcd is running");
        fs::remove_dir_all(self.at("etcd")).unwrap();
        copy(&self.at("saved"), &self.at("etcd"));
    }

    fn launch(&self, name: &str, flags: &[String]) -> Child {
        let log =
            File::options().create(true).append(true).open(self.at(name).with_extension("log")).unwrap();
        let mut command = Command::new(self.programs.join(name));
        command.args(flags).stdout(log.try_clone().unwrap()).stderr(log);
        // The one that is built here ends with the pipe, however this program ends.
        command.env("CONTROL_PLANE_FOLLOW_STDIN", "1").stdin(Stdio::piped()).process_group(0);
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    fn etcd_flags(&self) -> Vec<String> {
        let [client, peer] = [0, 1].map(|port: usize| format!("http://127.0.0.1:{}", self.ports[port]));
        vec![
            format!("--name={}", self.name()),
            format!("--data-dir={}", self.at("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster={}={peer}", self.name()),
            "--unsafe-no-fsync".to_owned(),
        ]
    }

    fn api_server_flags(&self) -> Vec<String> {
        let key = self.at("certificates").join("apiserver.key");
        vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports[0]),
            format!("--cert-dir={}", self.at("certificates").display()),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.ports[2]),
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", key.display()),
            format!("--service-account-signing-key-file={}", key.display()),
            "--authorization-mode=RBAC".to_owned(),
            format!("--token-auth-file={}", self.at("tokens.csv").display()),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
        ]
    }

    fn write_kubeconfig(&self, user: &str) {
        let text = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "plane", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.ports[2]),
                "certificate-authority": self.at("certificates").join("apiserver.crt"),
            }}],
            "users": [{ "name": user, "user": { "token": format!("{user}-token") } }],
            "contexts": [{ "name": "plane", "context": { "cluster": "plane", "user": user } }],
            "current-context": "plane",
        });
        fs::write(self.kubeconfig(user), text.to_string()).unwrap();
    }

    fn kubeconfig(&self, user: &str) -> PathBuf {
        self.at(&format!("{user}.kubeconfig"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the end of the API server's log\n{}", self.log_tail("kube-apiserver"));
        }
        self.stop_servers();
    }
}

/// SIGKILL works on what is frozen, too.
fn end(server: &mut Option<Child>) {
    if let Some(mut child) = server.take() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Ports that are free now; all are held until all are found, so that they differ.
fn free_ports() -> [u16; 3] {
    let mut held = Vec::new();
    while held.len() < 3 {
        let port = fastrand::u16(PORTS);
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    }
    std::array::from_fn(|index| held[index].local_addr().unwrap().port())
}
