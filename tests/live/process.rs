//! The process: what of it can be read by whoever is beside it on the node, and what a crash leaves behind.

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, getuid, kill_process, setrlimit};

use crate::harness::{Stage, stage::AccessList, trio::list, wait::until};

/// A user that is not root, with nothing of its own: what the container image runs as is one, too.
const NOBODY: u32 = 65_534;

/// An operator in a working directory of its own, as a user that is not root, allowed to leave cores behind.
struct Bare {
    child: Child,
    directory: tempfile::TempDir,
}

impl Bare {
    fn start(stage: &Stage) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let readable =
            |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        readable(directory.path(), 0o777);
        // The kubeconfig, the certificates that it names, and the program may be where the other user cannot go.
        let kubeconfig = directory.path().join("kubeconfig");
        fs::write(&kubeconfig, stage.cluster.kubectl(&["config", "view", "--raw", "--flatten"])).unwrap();
        readable(&kubeconfig, 0o644);
        let program = directory.path().join("astra-operator");
        // A file that this process writes itself may still be open in a child of another test, and is too busy to run.
        assert!(Command::new("cp").args([&stage.cluster.operator, &program]).status().unwrap().success());
        readable(&program, 0o755);
        let mut command = Command::new(program);
        command.args(["run", "--namespace", &stage.namespace, "--devops-url", &stage.astra.url]);
        command.args(["--health-address", "127.0.0.1:0", "--resync", "1s", "--leader-elect=false"]);
        command.env_clear().env("KUBECONFIG", kubeconfig).current_dir(directory.path());
        let log = fs::File::create(directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        Self { child: command.spawn().unwrap(), directory }
    }

    fn proc(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.child.id()).into()
    }

    /// Reads a file of `/proc` as the operator's own user would.
    fn read_as_its_user(&self, file: &str) -> Output {
        let mut command = Command::new("cat");
        command.arg(self.proc(file));
        if getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().unwrap()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log"));
            println!("--- what it logged\n{}", log.unwrap_or_default());
        }
    }
}

/// A process that may leave a core behind, where nobody forbids it: else no test here could fail.
fn allow_cores() {
    let limit = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// The files that a core could be, whatever the kernel calls them.
fn cores(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("core")).collect()
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_crash_with_a_token_in_use_leaves_no_core_behind() {
    allow_cores();
    let stage = Stage::empty().await;
    stage.apply::<AccessList>("orders", list()).await;
    let mut operator = Bare::start(&stage);
    stage.ready::<AccessList>("orders").await;
    let status = fs::read_to_string(operator.proc("limits")).unwrap();
    let limit = status.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{limit}");

    kill_process(Pid::from_child(&operator.child), Signal::ABORT).unwrap();
    let status = until("the operator to end", || operator.child.try_wait().unwrap()).await;
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped(), "a core was dumped");
    assert_eq!(cores(operator.directory.path()), [] as [String; 0]);
}

/// Without this, the test above might pass on a machine where nothing ever leaves a core.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn another_process_would_leave_a_core_behind() {
    allow_cores();
    if getrlimit(Resource::Core).current == Some(0) {
        println!("this machine forbids core dumps to everybody: nothing to compare with");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new("sleep").arg("60").current_dir(directory.path()).spawn().unwrap();
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert!(
        status.core_dumped(),
        "SIGABRT leaves no core here (core_pattern {pattern:?}): the other test shows nothing"
    );
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn nothing_beside_it_reads_the_token_out_of_the_process() {
    let stage = Stage::empty().await;
    let token = stage.astra.token();
    let secret = token.rsplit(':').next().unwrap();
    stage.apply::<AccessList>("orders", list()).await;
    let operator = Bare::start(&stage);
    stage.ready::<AccessList>("orders").await;
    // Its memory and environment are not its user's to read.
    for file in ["environ", "mem", "maps"] {
        let read = operator.read_as_its_user(file);
        let refused = String::from_utf8_lossy(&read.stderr);
        assert!(
            !read.status.success() && refused.contains("Permission denied"),
            "{file} was read; {refused}"
        );
        assert_eq!(fs::metadata(operator.proc(file)).unwrap().uid(), 0, "{file} belongs to its user");
    }
    // Whoever may read them finds no token in what anybody may show: the command line and the environment.
    for file in ["cmdline", "environ"] {
        match fs::read(operator.proc(file)) {
            Ok(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                assert!(!text.contains(secret) && !text.contains("AstraCS:"), "{file}: {text}");
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{file}"),
        }
    }
}
