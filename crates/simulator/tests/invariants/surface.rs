//! The program looks too: on its error output at once, and on the control surface for whoever asks.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use astra_simulator::state::ACME_TOKEN;

use crate::bench::list;

/// Is killed when the test is over, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {ACME_TOKEN}\r\n\r\n");
    stream.write_all(format!("{request} HTTP/1.1\r\n{head}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_program_tells_what_must_not_be() {
    let child = Command::new(env!("CARGO_BIN_EXE_astra-simulator"))
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let (mut said, mut told) = (String::new(), String::new());
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().rsplit('/').next().unwrap().to_owned();

    assert!(ask(&address, "GET /_simulator/violations").ends_with("[]"));
    ask(&address, &format!("DELETE {}", list()));
    let violations = ask(&address, "GET /_simulator/violations");
    assert!(violations.contains(r#""invariant":"I1""#), "{violations}");
    BufReader::new(running.0.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.starts_with("I1 (no list is deleted whole) at "), "{told}");
    assert!(told.contains("by token 1 of acme"), "{told}");
    assert!(!told.contains(ACME_TOKEN) && !violations.contains(ACME_TOKEN));
    assert!(ask(&address, "DELETE /_simulator/violations").starts_with("HTTP/1.1 204"));
    assert!(ask(&address, "GET /_simulator/violations").ends_with("[]"));
}
