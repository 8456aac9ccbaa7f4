//! The program itself: what it prints, what it refuses, how it ends.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

use astra_simulator::{State, state::ACME_TOKEN};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_astra-simulator"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Is killed when the test is over, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn state_file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn it_says_where_it_listens_answers_and_ends_when_told_to() {
    let mut state = State::default();
    "renamed".clone_into(&mut state.databases[0].name);
    let file = state_file("renamed.yaml", &state.to_yaml().unwrap());
    let arguments =
        ["--listen", "127.0.0.1:0", "--state", &file, "--latency", "1ms", "--eventual-consistency", "1ms"];
    let child = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let mut said = String::new();
    let mut output = BufReader::new(running.0.stdout.take().unwrap());
    output.read_line(&mut said).unwrap();
    let address = said.trim_end().strip_prefix("astra-simulator listens on http://").unwrap();

    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {ACME_TOKEN}");
    write!(stream, "GET /v2/databases?limit=1 HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(r#""name":"renamed""#), "{answer}");

    assert!(Command::new("sh").args(["-c", &format!("kill {}", running.0.id())]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success(), "told to stop is no failure");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line and no more");
}

#[test]
fn the_default_state_that_it_prints_is_a_state_file() {
    let output = run(&["--print-default-state"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(State::read(&printed).unwrap(), State::default());
    assert!(printed.contains(&format!("token: {ACME_TOKEN}\n")), "on one line, to be copied");
}

#[test]
fn what_it_cannot_use_it_refuses_in_words() {
    let nonsense = state_file("nonsense.yaml", "organizations: []\n");
    let cases = [
        (
            vec!["--state", &nonsense],
            "nonsense.yaml: the state is not valid: organizations: at least one is needed",
        ),
        (vec!["--state", "/nowhere/state.yaml"], "cannot read the state file /nowhere/state.yaml"),
        (vec!["--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
        (vec!["--latency", "soon"], "invalid value 'soon' for '--latency <DURATION>'"),
    ];
    for (arguments, expected) in cases {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_full_disk_is_said_and_not_panicked_about() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = program().arg("--print-default-state").stdout(full).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("astra-simulator: cannot print"), "{said}");
}
