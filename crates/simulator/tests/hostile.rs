//! What no well-meaning client sends. The server says what is wrong, and goes on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use astra_simulator::{Method, Request, Simulator, State, server, state::ACME_TOKEN};
use serde_json::json;
use support::{Api, datacenter, list};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Sends bytes to a server of its own, and reads until it closes the connection.
async fn sent(requests: &[Vec<u8>]) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(State::default());
    let task = tokio::spawn(server::serve(listener, simulator, std::future::pending()));
    let mut answers = Vec::new();
    for request in requests {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have said no, and closed, before it was told everything.
        stream.write_all(request).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        answers.push(String::from_utf8_lossy(&answer).into_owned());
    }
    task.abort();
    answers
}

fn request(method: &str, target: &str, body: &str) -> Vec<u8> {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    let length = body.len();
    format!("{head}Authorization: Bearer {ACME_TOKEN}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn fault(text: &str) -> Vec<u8> {
    request("POST", "/_simulator/faults", text)
}

#[tokio::test]
async fn a_fault_that_http_cannot_carry_is_refused_with_its_reason() {
    let cases = [
        (r#"{"status":0}"#, "status: 0 is not 200 to 599"),
        (r#"{"status":100}"#, "status: 100 is not 200 to 599"),
        (r#"{"status":101}"#, "status: 101 is not 200 to 599"),
        (r#"{"status":600}"#, "status: 600 is not 200 to 599"),
        (r#"{"status":204,"body":{"a":1}}"#, "a 204 has no body"),
        (r#"{"status":304,"text":"a"}"#, "a 304 has no body"),
        (r#"{"headers":{"retry after":"1"}}"#, r#"headers: "retry after" is no header name"#),
        (r#"{"headers":{"retry-after":"1\n"}}"#, r#"headers: the value of "retry-after""#),
        (
            r#"{"headers":{"Content-Length":"5"},"text":"abc"}"#,
            r#"headers: "Content-Length" is the server's"#,
        ),
        (r#"{"headers":{"transfer-encoding":"chunked"}}"#, r#"headers: "transfer-encoding" is the server's"#),
    ];
    let mut requests: Vec<_> = cases.iter().map(|(text, _)| fault(text)).collect();
    requests.push(request("GET", "/_simulator/faults", ""));
    let answers = sent(&requests).await;
    for ((text, reason), answer) in cases.iter().zip(&answers) {
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(reason), "{text}: {answer}");
    }
    assert!(answers[cases.len()].ends_with("[]"), "none was added");
}

/// In process nothing refuses a fault; then the server must not fall over it.
#[tokio::test]
async fn a_fault_of_a_test_cannot_break_the_servers_framing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(State::default());
    let faults = [
        astra_simulator::Fault::status(200).text("abc").header("Content-Length", "5"),
        astra_simulator::Fault::status(200).text("abc").header("transfer-encoding", "chunked"),
        astra_simulator::Fault::status(101).text("abc"),
    ];
    for fault in faults {
        simulator.add_fault(fault.times(1));
    }
    let task = tokio::spawn(server::serve(listener, simulator, std::future::pending()));
    for status in ["200", "200", "500"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&request("GET", "/v2/currentOrg", "")).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("content-length: 3\r\n") && answer.ends_with("\r\n\r\nabc"), "{answer}");
    }
    task.abort();
}

#[tokio::test]
async fn a_word_that_an_event_does_not_know_is_refused() {
    let id = astra_simulator::state::database_id("01");
    // Mistyped, `enabled: false` would let the address in.
    let mistyped = json!({ "addAddress": { "database": id, "address": "192.0.2.1", "enable": false } });
    let answers = sent(&[request("POST", "/_simulator/events", &mistyped.to_string())]).await;
    assert!(answers[0].starts_with("HTTP/1.1 400 ") && answers[0].contains("`enable`"), "{}", answers[0]);
}

#[tokio::test]
async fn a_large_state_is_read_and_one_too_large_is_refused() {
    let state = State::default().to_yaml().unwrap();
    let padded = |size: usize| format!("{state}# {}\n", "x".repeat(size));
    let (fits, does_not) = (padded(3 << 20), padded(5 << 20));
    let put = |state: &str| request("PUT", "/_simulator/state", state);
    let answers = sent(&[put(&fits), put(&does_not), request("POST", "/v2/databases", &does_not)]).await;
    for (answer, status) in answers.iter().zip(["204", "413", "413"]) {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[tokio::test]
async fn broken_http_is_answered_or_closed_and_the_server_goes_on() {
    let authorized = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {ACME_TOKEN}\r\n");
    let chunked =
        format!("POST /v2/databases HTTP/1.1\r\n{authorized}Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    let mut not_text =
        b"GET /v2/currentOrg HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ".to_vec();
    not_text.extend([0xff, 0xfe, b'\r', b'\n', b'\r', b'\n']);
    let requests = [
        chunked.into_bytes(),
        not_text,
        b"\r\n\r\n\x00\xff nonsense\r\n\r\n".to_vec(),
        request("GET", "/v2/databases/%ff%fe%00%zz%", ""),
        request("GET", &format!("/v2/databases/{}", "a".repeat(60_000)), ""),
        request("BREW", "/v2/databases", ""),
        request("GET", "/v2/currentOrg", ""),
    ];
    let answers = sent(&requests).await;
    for (answer, status) in answers.iter().zip(["400", "401", "400", "404", "404", "405", "200"]) {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
}

/// Every operation that reads a body, with every body that is none of those it wants: an answer, and never a 5xx.
#[test]
fn no_body_makes_a_handler_fail() {
    let organization = format!("/v2/organizations/{}/devops-acl", astra_simulator::state::ACME);
    let database = |number: &str, rest: &str| {
        format!("/v2/databases/{}/{rest}", astra_simulator::state::database_id(number))
    };
    let peering =
        format!("/v2/peering/provider/azure/database/{}", astra_simulator::state::database_id("06"));
    let targets = [
        (Method::Post, list("01")),
        (Method::Put, list("01")),
        (Method::Patch, list("01")),
        (Method::Post, "/v2/databases".into()),
        (Method::Post, database("01", "datacenters")),
        (Method::Post, database("06", "resize")),
        (Method::Post, database("01", "resetPassword")),
        (Method::Post, datacenter("01", "private-link")),
        (Method::Post, datacenter("01", "endpoints")),
        (Method::Put, datacenter("01", "endpoints/x")),
        (Method::Delete, datacenter("01", "allowed-principals")),
        (Method::Post, "/v2/organizations/customDomains".into()),
        (Method::Post, "/v2/access-list/validate".into()),
        (Method::Post, organization.clone()),
        (Method::Put, organization.clone()),
        (Method::Patch, organization),
        (Method::Post, peering),
    ];
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 20] = [
        b"",
        b"null",
        b"{",
        b"[",
        b"[null]",
        b"[{}]",
        b"[[]]",
        b"0",
        b"1e999",
        b"\"x\"",
        b"\xff\xfe",
        b"\0",
        deep.as_bytes(),
        br#"{"capacityUnits":4294967295}"#,
        br#"{"capacityUnits":-1}"#,
        br#"{"allowedPrincipals":[null]}"#,
        br#"{"allowedPrincipals":[""]}"#,
        br#"{"addresses":{},"configurations":[]}"#,
        br#"[{"address":"1.2.3.4/","enabled":true,"description":""}]"#,
        br#"[{"address":"\u0000/\u00e9","enabled":true,"description":""}]"#,
    ];
    for (method, target) in &targets {
        for body in bodies {
            let mut api = Api::new();
            let request = Request::new(*method, target).token(ACME_TOKEN);
            let response = api.world.handle(api.now, &Request { body: body.into(), ..request });
            let shown = String::from_utf8_lossy(body.get(..40).unwrap_or(body)).into_owned();
            assert!((200..500).contains(&response.status), "{method} {target} {shown}: {}", response.status);
        }
    }
}
