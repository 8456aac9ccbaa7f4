//! How the servers are called, and where their files are: pure.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use super::free_ports;

/// The kubeconfig's file name.
pub(crate) const KUBECONFIG: &str = "kubeconfig";
/// Whose requests are audited: a second administrator, for a program whose requests are to be told from others.
pub(crate) const AUDITED: &str = "audited";
/// Makes a server of our own binary end when its standard input closes (tests/control-plane/main.go).
pub(super) const FOLLOW_STDIN: &str = "CONTROL_PLANE_FOLLOW_STDIN";

/// Loopback ports, one for each listener.
#[derive(Debug)]
pub(super) struct Ports {
    etcd: u16,
    etcd_peer: u16,
    api_server: u16,
    controllers: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        let [etcd, etcd_peer, api_server, controllers] = free_ports()?;
        Ok(Self { etcd, etcd_peer, api_server, controllers })
    }
}

/// One control plane's places.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) directory: PathBuf,
    pub(super) ports: Ports,
    /// etcd's name, which no other etcd has.
    pub(super) name: String,
    /// Are the requests of [`AUDITED`] written down?
    pub(super) audit: bool,
}

impl Layout {
    pub(super) fn certificates(&self) -> PathBuf {
        self.directory.join("certificates")
    }

    pub(super) fn etcd_data(&self) -> PathBuf {
        self.directory.join("etcd")
    }

    pub(super) fn tokens(&self) -> PathBuf {
        self.directory.join("tokens.csv")
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.directory.join(KUBECONFIG)
    }

    /// The kubeconfig of [`AUDITED`].
    pub(super) fn audited_kubeconfig(&self) -> PathBuf {
        self.directory.join("audited-kubeconfig")
    }

    pub(super) fn audit_policy(&self) -> PathBuf {
        self.directory.join("audit-policy.json")
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    /// The key that the API server makes for itself. It signs `ServiceAccount` tokens too, so that nothing here needs
    /// another tool to make keys: the server makes its certificate first, and reads the signing key after that.
    fn key(&self) -> PathBuf {
        self.certificates().join("apiserver.key")
    }

    /// The API server's certificate with that of the authority it made for it.
    fn authority(&self) -> PathBuf {
        self.certificates().join("apiserver.crt")
    }

    pub(super) fn etcd(&self) -> Vec<String> {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        vec![
            format!("--name={}", self.name),
            flag("data-dir", &self.etcd_data()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster={}={peer}", self.name),
            // The data is thrown away: waiting for the disk would only cost time.
            "--unsafe-no-fsync".to_owned(),
        ]
    }

    /// Where etcd says who its members are, in answer to a POST.
    pub(super) fn etcd_members(&self) -> String {
        format!("http://127.0.0.1:{}/v3/cluster/member/list", self.ports.etcd)
    }

    pub(super) fn api_server(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
            flag("cert-dir", &self.certificates()),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.ports.api_server),
            // No pod needs the `kubernetes` Service, and a machine without a network has no other address to give.
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            flag("service-account-key-file", &self.key()),
            flag("service-account-signing-key-file", &self.key()),
            "--authorization-mode=RBAC".to_owned(),
            flag("token-auth-file", &self.tokens()),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
        ];
        if self.audit {
            // One file, however long it grows.
            let longest = "--audit-log-maxsize=10000".to_owned();
            let (policy, log) =
                (flag("audit-policy-file", &self.audit_policy()), flag("audit-log-path", &self.audit_log()));
            flags.extend([policy, log, longest]);
        }
        flags
    }

    pub(super) fn controllers(&self) -> Vec<String> {
        vec![
            flag("kubeconfig", &self.kubeconfig()),
            "--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller,\
             serviceaccount-token-controller,root-ca-certificate-publisher-controller"
                .to_owned(),
            "--leader-elect=false".to_owned(),
            flag("service-account-private-key-file", &self.key()),
            flag("root-ca-file", &self.authority()),
            flag("cert-dir", &self.directory.join("controllers")),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.ports.controllers),
        ]
    }

    /// A kubeconfig for whoever has the token, as JSON, which is YAML.
    pub(super) fn kubeconfig_text(&self, token: &str) -> Result<String> {
        let name = "astra-operator";
        let server = format!("https://127.0.0.1:{}", self.ports.api_server);
        let text = serde_json::to_string_pretty(&json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": name,
                "cluster": { "server": server, "certificate-authority": self.authority() },
            }],
            "users": [{ "name": name, "user": { "token": token } }],
            "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
            "current-context": name,
        }))?;
        Ok(text + "\n")
    }
}

/// The API server's list of static tokens: administrators, whom RBAC lets do everything.
pub(super) fn token_file(users: &[(&str, &str)]) -> String {
    let line = |(name, token): &(&str, &str)| format!("{token},{name},{name},system:masters");
    users.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// What the audit log keeps: one line for each request of [`AUDITED`], without its body.
pub(super) fn audit_policy() -> String {
    let rules = json!([{ "level": "Metadata", "users": [AUDITED] }, { "level": "None" }]);
    let stages = ["RequestReceived", "ResponseStarted"];
    json!({ "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": stages, "rules": rules })
        .to_string()
}

fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let ports = Ports { etcd: 1, etcd_peer: 2, api_server: 3, controllers: 4 };
        Layout { directory: PathBuf::from("/d"), ports, name: "own".to_owned(), audit: false }
    }

    #[test]
    fn every_server_listens_on_loopback_and_on_its_own_port() {
        let layout = layout();
        let has = |args: &[String], wanted: &str| args.iter().any(|arg| arg == wanted);
        assert!(has(&layout.etcd(), "--listen-client-urls=http://127.0.0.1:1"));
        assert!(has(&layout.etcd(), "--initial-cluster=own=http://127.0.0.1:2"));
        for (args, port) in [(layout.api_server(), 3), (layout.controllers(), 4)] {
            assert!(has(&args, "--bind-address=127.0.0.1"), "{args:?}");
            assert!(has(&args, &format!("--secure-port={port}")), "{args:?}");
        }
        assert!(has(&layout.api_server(), "--etcd-servers=http://127.0.0.1:1"));
    }

    #[test]
    fn the_kubeconfig_trusts_the_servers_own_authority_and_has_the_token() {
        let text = layout().kubeconfig_text("t0ken").unwrap();
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], "https://127.0.0.1:3");
        assert_eq!(cluster["certificate-authority"], "/d/certificates/apiserver.crt");
        assert_eq!(config["users"][0]["user"]["token"], "t0ken");
        assert_eq!(token_file(&[("admin", "t0ken")]), "t0ken,admin,admin,system:masters\n");
    }
}
