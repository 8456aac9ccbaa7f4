//! The cluster that `cargo xtask test` started, and the programs that it built.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// Where everything is.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) kubeconfig: PathBuf,
    /// What the operator is given: here the administrator's too.
    pub(crate) operators_kubeconfig: PathBuf,
    pub(crate) operator: PathBuf,
    pub(crate) simulator: PathBuf,
    kubectl: PathBuf,
}

/// The cluster, with the definitions of all kinds in place.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let kubeconfig = path("ASTRA_TEST_KUBECONFIG");
        Cluster::of(kubeconfig.clone(), kubeconfig)
    })
}

/// The path in a variable that `cargo xtask test` sets.
pub(crate) fn path(variable: &str) -> PathBuf {
    let Some(path) = env::var_os(variable) else {
        panic!(
            "{variable} is not set: this test needs a Kubernetes API server and the built programs; run `cargo xtask test`"
        )
    };
    path.into()
}

impl Cluster {
    /// Another cluster, with the definitions of all kinds in place.
    pub(crate) fn of(kubeconfig: PathBuf, operators_kubeconfig: PathBuf) -> Self {
        // kube and the operator's own client must agree on one TLS provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cluster = Self {
            kubeconfig,
            operators_kubeconfig,
            operator: path("ASTRA_TEST_OPERATOR"),
            simulator: path("ASTRA_TEST_SIMULATOR"),
            kubectl: path("ASTRA_TEST_KUBECTL"),
        };
        cluster.install();
        cluster
    }

    /// As a user would: `astra-operator crds | kubectl apply --server-side -f -`.
    pub(crate) fn install(&self) {
        let mut crds = Command::new(&self.operator).arg("crds").stdout(Stdio::piped()).spawn().unwrap();
        let text = crds.stdout.take().unwrap();
        let applied = self
            .kubectl_command(&["apply", "--server-side", "--force-conflicts", "-f", "-"])
            .stdin(text)
            .output()
            .unwrap();
        assert!(crds.wait().unwrap().success(), "astra-operator crds failed");
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        for plural in ["astraprivateendpoints", "astraaccesslists", "astravpcpeerings"] {
            let name = format!("crd/{plural}.astra.datastax.com");
            self.kubectl(&["wait", "--for=condition=Established", "--timeout=30s", &name]);
        }
    }

    /// A client of its own: connections cannot be shared between the runtimes of tests.
    pub(crate) async fn client(&self) -> Client {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        Client::try_from(config).unwrap()
    }

    /// What kubectl prints; a failure of it is one of the test.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_command(arguments).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}: {words}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// kubectl for this cluster.
    pub(crate) fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        command
    }
}
