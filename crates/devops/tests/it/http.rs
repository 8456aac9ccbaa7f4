//! Real requests over real sockets.

use std::{process::Command, time::Duration};

use astra_devops::{
    Answer, Call, Endpoint, Method, OfAll, Token, Transport,
    access_list::ListAccessLists,
    error::Sent,
    http::{HttpTransport, Limits, PRODUCTION, SetupError, retry_after},
    private_link::{AcceptEndpoint, GetEndpoint, Place},
    retry::LONGEST_SILENCE,
    transport::TransportError,
};
use tokio::net::TcpListener;

use crate::{
    script::{TOKEN, token},
    server::{Reply, Server, answer},
};

const AZURE: &str =
    "/subscriptions/5b1f/resourceGroups/größe(a)/providers/Microsoft.Network/privateEndpoints/pe";

fn get(path: &str) -> Call {
    Call::new(Method::Get, &["v2", path], "p")
}

fn post() -> Call {
    Call::new(Method::Post, &["v2"], "p").body(serde_json::json!({ "a": "ü" }))
}

fn transport(base: &str) -> HttpTransport {
    HttpTransport::new(base, "astra-test/1").unwrap()
}

async fn send(server: &Server, call: &Call) -> Result<Answer, TransportError> {
    transport(&server.url).send(&token(), call).await
}

/// The headers of a request, in lower case names, sorted.
fn headers(request: &str) -> Vec<(&str, &str)> {
    let head = request.split("\r\n\r\n").next().unwrap();
    let mut headers: Vec<_> = head.lines().skip(1).map(|line| line.split_once(": ").unwrap()).collect();
    headers.sort_unstable();
    headers
}

#[tokio::test]
async fn a_request_is_exactly_this() {
    let server = Server::start([answer("204 No Content", "", ""), answer("200 OK", "", "{}")]).await;
    send(&server, &post()).await.unwrap();
    send(&server, &get("databases").query("limit", "100")).await.unwrap();
    let host = server.url.strip_prefix("http://").unwrap();
    let bearer = format!("Bearer {TOKEN}");
    let [with_body, without] = server.requests().try_into().unwrap();

    assert!(with_body.starts_with("POST /v2 HTTP/1.1\r\n"), "{with_body}");
    assert!(with_body.ends_with("\r\n\r\n{\"a\":\"ü\"}"), "{with_body}");
    let common = [("accept", "application/json"), ("authorization", bearer.as_str())];
    let agent = [("host", host), ("user-agent", "astra-test/1")];
    let body = [("content-length", "10"), ("content-type", "application/json")];
    assert_eq!(headers(&with_body), [common, body, agent].concat());

    assert!(without.starts_with("GET /v2/databases?limit=100 HTTP/1.1\r\n"), "{without}");
    // No accept-encoding: a small answer cannot be a large one in disguise.
    assert_eq!(headers(&without), [common, agent].concat());
}

#[tokio::test]
async fn an_encoded_path_arrives_untouched() {
    let place = Place { database: "db".parse().unwrap(), datacenter: "db-1".parse().unwrap() };
    let endpoint = |id: &str| GetEndpoint { place: place.clone(), id: id.parse().unwrap() }.call();
    let cases = [
        (
            AZURE,
            "%2Fsubscriptions%2F5b1f%2FresourceGroups%2Fgr%C3%B6%C3%9Fe%28a%29%2Fproviders%2FMicrosoft.Network%2FprivateEndpoints%2Fpe",
        ),
        ("a/../../b", "a%2F..%2F..%2Fb"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("a?b#c", "a%3Fb%23c"),
        ("a\\b'|^", "a%5Cb%27%7C%5E"),
    ];
    for (id, encoded) in cases {
        for below in ["", "/", "/gateway/astra", "/gateway/astra/"] {
            let server = Server::start([answer("200 OK", "", "{}")]).await;
            let base = format!("{}{below}", server.url);
            transport(&base).send(&token(), &endpoint(id)).await.unwrap();
            let line = format!(
                "GET {}/v2/organizations/clusters/db/datacenters/db-1/endpoints/{encoded} HTTP/1.1\r\n",
                below.trim_end_matches('/')
            );
            assert!(server.requests()[0].starts_with(&line), "{:?}", server.requests());
        }
    }
    let accept = AcceptEndpoint { place, id: AZURE.parse().unwrap(), description: String::new() }.call();
    let server = Server::start([answer("200 OK", "", "{}")]).await;
    send(&server, &accept).await.unwrap();
    assert!(server.requests()[0].contains(&format!(r#""endpointID":"{AZURE}""#)));
}

#[tokio::test]
async fn a_path_that_would_become_another_is_not_sent() {
    let server = Server::start([answer("200 OK", "", "{}")]).await;
    for segments in [&["v2", "..", "x"][..], &["v2", "."], &["v2", "databases", ".."]] {
        let error = send(&server, &Call::new(Method::Delete, segments, "p")).await.unwrap_err();
        assert_eq!(error.sent, Sent::No);
        assert!(error.what.contains("cannot be sent as it is"), "{error}");
    }
    for path in [
        "/v2/%2e%2e/x",
        "/v2/x#y",
        "/v2/a b",
        "/v2/a\nb",
        "/v2\\x",
        "/v2/ü",
        "@evil.example/",
        ".evil.example/",
    ] {
        let call = Call { path: path.to_owned(), ..get("x") };
        let error = send(&server, &call).await.unwrap_err();
        assert_eq!(error.sent, Sent::No, "{path}: {error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn status_and_headers_are_kept() {
    let server = Server::start([
        answer("201 Created", "Location: 8fbc\r\nRetry-After: 7\r\n", ""),
        answer("429 Too Many Requests", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "slow"),
        answer("404 Not Found", "Retry-After: soon\r\n", "\"none\""),
    ])
    .await;
    let created = send(&server, &post()).await.unwrap();
    assert_eq!((created.status, created.location.as_deref()), (201, Some("8fbc")));
    assert_eq!(created.retry_after, Some(Duration::from_secs(7)));
    let throttled = send(&server, &post()).await.unwrap();
    assert_eq!((throttled.status, throttled.retry_after), (429, Some(Duration::ZERO)));
    assert_eq!(throttled.words(), "slow");
    let absent = send(&server, &get("x")).await.unwrap();
    assert!(absent.is_plain_404() && absent.retry_after.is_none() && absent.location.is_none());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_the_token_does_not_travel() {
    let elsewhere = Server::start([answer("200 OK", "", "{}")]).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}/v2\r\n", elsewhere.url);
        let server = Server::start([answer(status, &location, "")]).await;
        let answer = send(&server, &get("databases")).await.unwrap();
        assert_eq!(answer.status.to_string(), status[..3]);
        assert_eq!(server.requests().len(), 1);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit() {
    let limits = Limits { body: 10, ..Limits::default() };
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    let cases = [
        (answer("200 OK", "", "0123456789"), true),
        (answer("200 OK", "", "0123456789X"), false),
        (Reply::Say(chunked("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n")), true),
        // Endless: it is given up although more could come.
        (Reply::Hang(chunked("8\r\n01234567\r\n8\r\n01234567\r\n")), false),
    ];
    for (reply, whole) in cases {
        let server = Server::start([reply]).await;
        let transport = HttpTransport::with_limits(&server.url, "t", limits).unwrap();
        match transport.send(&token(), &get("x")).await {
            Ok(answer) => assert!(whole && answer.body == b"0123456789"),
            Err(error) => {
                assert!(!whole, "{error}");
                assert_eq!(
                    (error.what.as_str(), error.sent),
                    ("the answer is longer than 10 bytes", Sent::Maybe)
                );
            }
        }
    }
}

/// A list of ten thousand databases is longer than any other answer may be.
#[tokio::test]
async fn a_list_of_the_organization_may_be_longer_the_more_databases_there_are() {
    let limits = Limits { body: 10, database: 3, longest: 20, ..Limits::default() };
    for (databases, most) in [(0, 10), (1, 13), (3, 19), (4, 20), (usize::MAX, 20)] {
        let list = OfAll { list: ListAccessLists, databases };
        for (length, whole) in [(most, true), (most + 1, false)] {
            let server = Server::start([answer("200 OK", "", &"x".repeat(length))]).await;
            let transport = HttpTransport::with_limits(&server.url, "t", limits).unwrap();
            let answer = transport.send(&token(), &list.call()).await;
            assert_eq!(answer.is_ok(), whole, "{length} bytes of {databases} databases");
        }
    }
}

#[tokio::test]
async fn a_failure_tells_whether_the_call_may_have_been_carried_out() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"id\":".to_owned();
    let cases = [
        ("closed before an answer", Reply::Say(String::new()), "the connection failed"),
        ("reset before an answer", Reply::Reset(String::new()), "the connection failed"),
        ("no HTTP", Reply::Say("SSH-2.0-OpenSSH_9.6\r\n".into()), "the connection failed"),
        ("half a head", Reply::Say("HTTP/1.1 200 OK\r\ncont".into()), "the connection failed"),
        ("half a body", Reply::Say(half.clone()), "the answer broke off"),
        ("reset in the body", Reply::Reset(half.clone()), "the answer broke off"),
        ("a slow answer", Reply::Hang(String::new()), "no answer in time"),
        ("a slow body", Reply::Hang(half), "the answer did not end in time"),
    ];
    for (name, reply, what) in cases {
        // Only where nothing more will come is the end of patience waited for.
        let call = if matches!(reply, Reply::Hang(_)) { 1 } else { 20 };
        let limit = Duration::from_secs(call);
        let limits = Limits { call: limit, write: limit, ..Limits::default() };
        let server = Server::start([reply, answer("200 OK", "", "{}")]).await;
        let transport = HttpTransport::with_limits(&server.url, "t", limits).unwrap();
        let error = transport.send(&token(), &post()).await.unwrap_err();
        assert_eq!((error.what.as_str(), error.sent), (what, Sent::Maybe), "{name}: {error:?}");
        assert_eq!(server.requests().len(), 1, "{name}: the HTTP library repeats nothing on its own");
        assert!(!format!("{error:?}").contains(&server.url), "{name}: the caller names the call");
    }
}

#[tokio::test]
async fn a_change_is_given_up_earlier_than_a_reading() {
    let limits =
        Limits { call: Duration::from_secs(20), write: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start([Reply::Hang(String::new()), Reply::Hang(String::new())]).await;
    let transport = HttpTransport::with_limits(&server.url, "t", limits).unwrap();
    let (token, get) = (token(), get("x"));
    let mut reading = transport.send(&token, &get);
    assert!(futures::poll!(&mut reading).is_pending());
    let error = transport.send(&token, &post()).await.unwrap_err();
    assert_eq!((error.what.as_str(), error.sent), ("no answer in time", Sent::Maybe), "{error:?}");
    assert!(futures::poll!(&mut reading).is_pending(), "a reading may take longer");
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = transport(&url).send(&token(), &post()).await.unwrap_err();
    assert_eq!((error.what.as_str(), error.sent), ("cannot connect", Sent::No), "{error:?}");
}

#[test]
fn the_token_goes_only_where_nobody_listens_on_the_way() {
    for base in [
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://localhost:8080/",
        "http://LOCALHOST",
        "http://[::1]:80/x",
    ] {
        assert!(HttpTransport::new(base, "t").is_ok(), "{base}");
    }
    for base in [
        "http://api.astra.datastax.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[::ffff:10.0.0.1]",
        "ftp://localhost",
        "file:///etc/passwd",
        "unix:/run/x",
        "ws://127.0.0.1",
    ] {
        let error = HttpTransport::new(base, "t").unwrap_err();
        assert!(matches!(error, SetupError::Insecure { .. }), "{base}: {error}");
    }
    for base in ["", "api.astra.datastax.com", "/v2", "https://", "http://[::1"] {
        let error = HttpTransport::new(base, "t").unwrap_err();
        assert!(matches!(error, SetupError::NotAUrl { .. }), "{base}: {error}");
    }
    for base in [
        "https://a:hunter2@h.example",
        "http://localhost@127.0.0.1/",
        "https://h.example/?hunter2",
        "https://h.example/#hunter2",
    ] {
        let error = HttpTransport::new(base, "t").unwrap_err();
        assert!(matches!(error, SetupError::NotABase { .. }), "{base}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_and_at_most_an_hour() {
    let secs = Duration::from_secs;
    for (text, expected) in [
        ("0", Some(secs(0))),
        ("120", Some(secs(120))),
        (" 7 ", Some(secs(7))),
        ("3600", Some(LONGEST_SILENCE)),
        ("86400", Some(LONGEST_SILENCE)),
        ("99999999999999999999999999", Some(LONGEST_SILENCE)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(secs(0))),
        ("Tue, 31 Dec 2999 23:59:59 GMT", Some(LONGEST_SILENCE)),
        ("", None),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("soon", None),
        ("2015-10-21T07:28:00Z", None),
    ] {
        assert_eq!(retry_after(text), expected, "{text:?}");
    }
    let soon = jiff::Timestamp::now() + secs(60);
    let date = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let wait = retry_after(&date).unwrap();
    assert!((secs(50)..=secs(60)).contains(&wait), "{date}: {wait:?}");
}

/// Runs [`as_a_program_of_its_own`] with nothing in its environment but this, and gives what it printed.
async fn program(environment: &[(&str, &str)]) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "http::as_a_program_of_its_own", "--ignored", "--nocapture"]);
    program.env_clear().envs(environment.iter().copied());
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Nothing has installed a TLS provider here, and the environment is what the tests below make it.
#[test]
#[ignore = "started by other tests, with an environment of its own"]
fn as_a_program_of_its_own() {
    let base = std::env::var("BASE").unwrap_or_else(|_| "http://127.0.0.1:1".to_owned());
    let result = match HttpTransport::new(&base, "t") {
        Err(error) => format!("setup: {error}"),
        Ok(transport) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let token = Token::new(TOKEN).unwrap();
            match runtime.block_on(transport.send(&token, &get("databases"))) {
                Ok(answer) => format!("answer: {}", answer.status),
                Err(error) => format!("{}: {:?}", error.what, error.sent),
            }
        }
    };
    println!("\n{result}");
}

const CERTIFICATES: (&str, &str) = ("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/ca.pem"));

#[tokio::test]
async fn https_goes_through_the_proxy_of_the_environment_in_a_tunnel() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy =
            Server::start([answer("403 Forbidden", "", "no"), answer("403 Forbidden", "", "no")]).await;
        let printed = program(&[("BASE", PRODUCTION), CERTIFICATES, (variable, &proxy.url)]).await;
        assert!(printed.contains("\ncannot connect: No\n"), "{variable}: {printed}");
        let request = proxy.requests().concat();
        assert!(
            request.starts_with("CONNECT api.astra.datastax.com:443 HTTP/1.1\r\n"),
            "{variable}: {request}"
        );
        assert!(!request.to_ascii_lowercase().contains("authorization"), "{request}");
    }
}

#[tokio::test]
async fn no_proxy_sees_a_call_to_the_loopback_address() {
    let proxy = Server::start([answer("200 OK", "", "{}")]).await;
    let simulator = Server::start([answer("204 No Content", "", "")]).await;
    // Without any certificate on the system either.
    let environment = [
        ("BASE", simulator.url.as_str()),
        ("HTTP_PROXY", &proxy.url),
        ("http_proxy", &proxy.url),
        ("ALL_PROXY", &proxy.url),
        ("SSL_CERT_FILE", "/nonexistent"),
    ];
    let printed = program(&environment).await;
    assert!(printed.contains("\nanswer: 204\n"), "{printed}");
    assert!(proxy.requests().is_empty());
    assert_eq!(simulator.requests().len(), 1);
}

#[tokio::test]
async fn a_system_without_certificates_is_told_so() {
    let printed = program(&[("BASE", PRODUCTION), ("SSL_CERT_FILE", "/nonexistent")]).await;
    assert!(
        printed.contains("\nsetup: cannot set up the HTTP client; are there CA certificates"),
        "{printed}"
    );
}
