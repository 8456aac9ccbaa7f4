//! The commands as a person runs them.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::harness::Stage;

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The code is this, and these words are in what was printed.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for word in words {
            assert!(self.out.contains(word), "{word:?} is not in\n{}{}", self.out, self.err);
        }
        self
    }

    /// It failed with these words.
    #[track_caller]
    pub(crate) fn fails(&self, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in\n{}", self.err);
        }
    }

    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The program with the administrator's kubeconfig, the test's namespace and the test's Astra.
pub(crate) fn command(stage: &Stage, arguments: &[&str]) -> Command {
    command_as(stage, &stage.cluster.kubeconfig, arguments)
}

/// The same with another kubeconfig.
pub(crate) fn command_as(stage: &Stage, kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(&stage.cluster.operator);
    command.args(arguments).env("KUBECONFIG", kubeconfig);
    command.env("ASTRA_OPERATOR_DEVOPS_URL", &stage.astra.url);
    command.env("ASTRA_OPERATOR_LEASE_NAMESPACE", &stage.namespace);
    command.env("ASTRA_OPERATOR_LEASE_NAME", "operator-0");
    // The databases of all simulators have the same ids; the operator of this test sees no object of the others.
    command.env("ASTRA_OPERATOR_NAMESPACES", &stage.namespace);
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs it in the test's namespace. Whatever it says, no token is in it.
pub(crate) fn ask(stage: &Stage, arguments: &[&str]) -> Said {
    said(stage, command(stage, &[arguments, &["-n", &stage.namespace]].concat()))
}

/// The same where the environment names a proxy that leads nowhere: it is for the way to Astra.
pub(crate) fn ask_behind_a_proxy(stage: &Stage, arguments: &[&str]) -> Said {
    let mut command = command(stage, &[arguments, &["-n", &stage.namespace]].concat());
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env_remove("NO_PROXY").env_remove("no_proxy");
    said(stage, command)
}

/// Runs a command to its end.
pub(crate) fn said(stage: &Stage, mut command: Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let said =
        Said { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) };
    for token in stage.astra.state().tokens {
        // Its secret part alone would be enough for whoever knows where to look.
        for part in token.token.split(':').filter(|part| part.len() > 12) {
            assert!(!said.out.contains(part) && !said.err.contains(part), "{command:?} shows a token");
        }
    }
    said
}
