//! The simulator on a socket, and the program beside it.

use std::{
    net::TcpListener as StdListener,
    path::Path,
    process::{Command, Stdio},
};

use astra_simulator::{Method, Simulator, State, server, state::ACME_TOKEN};
use tokio::{net::TcpListener, runtime::Runtime};

/// A running simulator; it stops when this is dropped.
pub(crate) struct Server {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    _runtime: Runtime,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    pub(crate) fn start(state: State) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let simulator = Simulator::new(state);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(server::serve(listener, simulator.clone(), std::future::pending()));
        Self { simulator, url, _runtime: runtime }
    }

    /// Runs `astra-operator` with the administrator's token.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(ACME_TOKEN, arguments)
    }

    /// Runs it with a token, and looks whether the token is anywhere in what it says, and that only `GET`s came.
    pub(crate) fn run_with(&self, token: &str, arguments: &[&str]) -> Said {
        let said = run(
            &[("ASTRA_DB_APPLICATION_TOKEN", token), ("ASTRA_OPERATOR_DEVOPS_URL", &self.url)],
            arguments,
        );
        let secret = token.rsplit(':').next().unwrap();
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{said:?}");
        let other = self.simulator.requests().into_iter().find(|one| one.method != Method::Get.to_string());
        assert!(other.is_none(), "{other:?}");
        assert_eq!(self.simulator.violations(), []);
        said
    }

    /// The paths that were asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.simulator.requests().into_iter().map(|request| request.path).collect()
    }
}

/// Runs it with nothing in its environment but this.
pub(crate) fn run(environment: &[(&str, &str)], arguments: &[&str]) -> Said {
    let output = Command::new(Path::new(env!("CARGO_BIN_EXE_astra-operator")))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// An address at which nobody listens.
pub(crate) fn nowhere() -> String {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
