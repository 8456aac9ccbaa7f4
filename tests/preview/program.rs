//! The program itself, against a simulator behind HTTP: exit codes, forms, errors; nothing but `GET`, and no token shown.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output},
    thread,
    time::Instant,
};

use astra_simulator::{
    Simulator, State, server,
    state::{ACME, ACME_TOKEN, AccessList, AddressEntry, Cloud, Database, Datacenter, READ_ONLY_TOKEN},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

struct Stage {
    simulator: Simulator,
    address: SocketAddr,
    folder: TempDir,
}

impl Stage {
    fn new(state: State) -> Self {
        let simulator = Simulator::new(state);
        let (send, receive) = std::sync::mpsc::channel();
        let serving = simulator.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                let _ = server::serve(listener, serving, std::future::pending()).await;
            });
        });
        let address = receive.recv().unwrap();
        Self { simulator, address, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn plan(&self, token: Option<&str>, arguments: &[&str]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_astra-operator"));
        command
            .arg("plan")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("ASTRA_OPERATOR_DEVOPS_URL", format!("http://{}", self.address))
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("ASTRA_DB_APPLICATION_TOKEN");
        if let Some(token) = token {
            command.env("ASTRA_DB_APPLICATION_TOKEN", token);
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let told = Told {
            code: status.code().unwrap(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        };
        for token in [ACME_TOKEN, READ_ONLY_TOKEN] {
            let secret = token.rsplit_once(':').unwrap().1;
            assert!(!told.out.contains(secret) && !told.err.contains(secret), "{told:?}");
        }
        assert_eq!(self.simulator.writes(), [], "a plan only reads");
        told
    }
}

#[derive(Debug)]
struct Told {
    code: i32,
    out: String,
    err: String,
}

fn list(name: &str, database: &str, addresses: &str) -> String {
    format!(
        "apiVersion: astra.datastax.com/v1beta1\nkind: AstraAccessList\nmetadata: {{ name: {name} }}\nspec:\n  database: {{ name: {database} }}\n  addresses: {addresses}\n"
    )
}

#[test]
fn exit_codes_tell_what_is_to_do() {
    let stage = Stage::new(State::default());
    stage.write("change/a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    stage.write("wrong/a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/33 }]"));
    stage.write("missing/a.yaml", &list("orders", "nowhere", "[{ address: 203.0.113.0/24 }]"));
    let twice = list("orders", "orders", "[{ address: 203.0.113.0/24 }]");
    stage.write("twice/a.yaml", &format!("{twice}---\n{twice}"));
    stage.write("none/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n");
    for (arguments, code, out, err) in [
        (&["-f", "none"][..], 1, "", "there is nothing to plan"),
        (&["-f", "twice"], 1, "is declared at twice/a.yaml:1:1 already", ""),
        (&["-f", "wrong", "--diff-base", "change"], 1, "nothing is planned while manifests have errors", ""),
        (&["-f", "change", "--diff-base", "wrong"], 2, "broken in the base", ""),
        (&["-f", "change"], 2, "+ address 203.0.113.0/24", ""),
        (&["-f", "change", "--deny", "widen,remove"], 2, "narrows access", ""),
        (&["-f", "change", "--deny", "narrow"], 3, "narrows access", "refused by --deny"),
        (&["-f", "change", "-o", "json"], 2, "\"formatVersion\": \"1.0\"", ""),
        (&["-f", "change", "-o", "markdown"], 2, "### Astra plan", ""),
        (&["-f", "change", "-v"], 2, "PUT /v2/databases/", ""),
        (&["-f", "wrong"], 1, "wrong/a.yaml:6", ""),
        (&["-f", "missing"], 1, "DatabaseNotFound", ""),
        (&["-f", "nothing-there"], 1, "", "nothing-there"),
        (&["-f", "change", "--diff-base", "change"], 0, "Nothing to do.", ""),
        (&["-f", "change", "--diff-base", "none"], 2, "+ address 203.0.113.0/24", ""),
    ] {
        let told = stage.plan(Some(ACME_TOKEN), arguments);
        assert_eq!(told.code, code, "{arguments:?}: {told:?}");
        assert!(told.out.contains(out), "{arguments:?}: {told:?}");
        assert!(told.err.contains(err), "{arguments:?}: {told:?}");
    }
}

#[test]
fn without_a_plan_nothing_looks_like_one() {
    let stage = Stage::new(State::default());
    stage.write("a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    stage.write("token", ACME_TOKEN);
    let no_token = stage.plan(None, &["-f", "a.yaml"]);
    assert!(no_token.err.contains("--token-file"), "{no_token:?}");
    let refused = stage.plan(Some("AstraCS:PlanIsRefusedByItsToken1:e2914fc7b05d83a6169e7d42f8c03ba5574de81c96f20b3ad8614b97ec350fa2"), &["-f", "a.yaml"]);
    assert!(refused.err.contains("401"), "{refused:?}");
    let forbidden = stage.plan(Some(READ_ONLY_TOKEN), &["-f", "a.yaml"]);
    assert!(forbidden.err.contains("accesslist-read"), "{forbidden:?}");
    let unreachable = stage.plan(Some(ACME_TOKEN), &["-f", "a.yaml", "--devops-url", "http://127.0.0.1:1"]);
    assert!(unreachable.err.contains("127.0.0.1:1"), "{unreachable:?}");
    for told in [no_token, refused, forbidden, unreachable] {
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{told:?}");
    }
    assert_eq!(stage.plan(None, &["-f", "a.yaml", "--token-file", "token"]).code, 2);
}

#[test]
fn a_revision_of_git_is_a_base() {
    let stage = Stage::new(State::default());
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(stage.folder.path()).args(arguments);
        for (name, value) in [("NAME", "Test"), ("EMAIL", "test@example.com")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    stage.write("m/a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    assert_eq!(stage.plan(None, &["-f", "m", "--base", "HEAD"]).code, 0);
    stage.write("m/a.yaml", &list("orders", "orders", "[{ address: 203.0.112.0/23 }]"));
    stage.write("new/b.yaml", &list("sessions", "sessions", "[{ address: 203.0.113.0/24 }]"));
    let told = stage.plan(None, &["-f", "m", "-f", "new", "--base", "HEAD"]);
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.out.contains("! widens access") && told.out.contains("sessions"), "{told:?}");
    let unknown = stage.plan(None, &["-f", "m", "--base", "no-such-branch"]);
    assert!(unknown.code == 1 && unknown.err.contains("no-such-branch"), "{unknown:?}");
    let slip = stage.plan(None, &["-f", "mm", "--base", "HEAD"]);
    assert!(slip.code == 1 && slip.err.contains("neither here nor in HEAD"), "{slip:?}");

    // The last manifest goes, then the directory: that is a deletion, and no mistake.
    let deletes = |told: &Told| told.code == 0 && told.out.contains("AstraAccessList default/orders");
    fs::remove_file(stage.folder.path().join("m/a.yaml")).unwrap();
    let emptied = stage.plan(None, &["-f", "m", "--base", "HEAD"]);
    assert!(deletes(&emptied), "{emptied:?}");
    fs::remove_dir(stage.folder.path().join("m")).unwrap();
    let gone = stage.plan(None, &["-f", "m", "--base", "HEAD"]);
    assert!(deletes(&gone), "{gone:?}");

    // What is broken in the base is told by the name that git has for it.
    stage.write("m/a.yaml", "kind: [");
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "broken"]);
    stage.write("m/a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    let mended = stage.plan(None, &["-f", "m", "--base", "HEAD"]);
    assert!(mended.code == 2 && mended.out.contains("HEAD:m/a.yaml:1:"), "{mended:?}");
}

#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_read_is_told_and_the_others_are_planned() {
    let stage = Stage::new(State::default());
    stage.write("m/a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    std::os::unix::fs::symlink("nowhere", stage.folder.path().join("m/b.yaml")).unwrap();
    let told = stage.plan(Some(ACME_TOKEN), &["-f", "m", "-o", "json"]);
    assert_eq!(told.code, 1, "{told:?}");
    let report: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(report["errors"][0], "m/b.yaml:1:1: cannot be read: No such file or directory (os error 2)");
    assert_eq!((&report["summary"]["objects"], &report["summary"]["errors"]), (&1.into(), &1.into()));
}

#[test]
fn a_thousand_manifests_cost_a_handful_of_reads() {
    const MANY: usize = 1000;
    let databases = (0..MANY).map(database).collect();
    let stage = Stage::new(State { databases, ..State::default() });
    for n in 0..MANY {
        // Every second one is as Astra has it.
        let address = if n % 2 == 0 { "203.0.113.0/24" } else { "198.51.100.0/24" };
        stage.write(
            &format!("m/{n}.yaml"),
            &list(&format!("db-{n}"), &format!("db-{n}"), &format!("[{{ address: {address} }}]")),
        );
    }
    let start = Instant::now();
    let told = stage.plan(Some(ACME_TOKEN), &["-f", "m"]);
    let took = start.elapsed();
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(
        told.out.contains("Plan: 1000 objects: 500 with changes, 500 without. 500 calls"),
        "{}",
        told.out.lines().last().unwrap_or_default()
    );
    let reads = stage.simulator.requests().len();
    println!("figures: plan of {MANY} manifests: {took:.1?}, {reads} reads of Astra");
    // Ten pages of databases, the page that shows that there are no more, and one list.
    assert!(reads <= 13, "{reads} reads");
}

fn database(n: usize) -> Database {
    let id = format!("4b8a1c52-0f1d-4e6a-9c3b-{n:012}");
    let entry = AddressEntry {
        address: "203.0.113.0/24".into(),
        description: String::new(),
        enabled: true,
        last_update_date_time: None,
    };
    Database {
        name: format!("db-{n}"),
        organization: ACME.into(),
        cloud_provider: Cloud::Aws,
        tier: "serverless".into(),
        status: "ACTIVE".into(),
        datacenters: vec![Datacenter {
            id: format!("{id}-1"),
            region: "us-east-2".into(),
            status: "ACTIVE".into(),
        }],
        keyspaces: vec!["default".into()],
        capacity_units: 1,
        db_type: None,
        created: None,
        access_list: Some(AccessList { addresses: vec![entry], access_list_enabled: true }),
        private_links: Vec::new(),
        peering: None,
        id,
    }
}

#[test]
#[cfg(unix)]
fn as_a_plugin_of_kubectl_it_answers_to_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-astra");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_astra-operator"), &plugin).unwrap();
    let output = Command::new(&plugin).args(["plan", "--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Usage: kubectl astra plan"), "{text}");
}

#[test]
fn who_reads_only_the_first_line_still_learns_how_it_ended() {
    let stage = Stage::new(State::default());
    stage.write("a.yaml", &list("orders", "orders", "[{ address: 203.0.113.0/24 }]"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_astra-operator"));
    command
        .args(["plan", "-f", "a.yaml", "--diff-base", "none", "-o", "json"])
        .current_dir(stage.folder.path());
    stage.write("none/b.yaml", "");
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
