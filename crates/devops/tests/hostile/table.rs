//! Each behaviour against the client; redirects; and what an error may look like in a log.

use std::time::Instant;

use astra_devops::{
    Answer, Error,
    error::{Class, Sent},
};
use futures::future::join_all;

use crate::{
    TOKEN,
    behaviours::{self, Behaviour, Expected, ZEROS},
    change, client, limits,
    server::{Server, Step, say},
};

/// An error and its causes, as they come into a log line.
pub(crate) fn chain(error: &Error) -> String {
    let first: &(dyn std::error::Error + 'static) = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What no error may be, whatever came over the wire.
pub(crate) fn assert_fit_for_a_log(name: &str, error: &Error) {
    for text in [chain(error), format!("{error:?}")] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}: {text:?}");
        assert!(!text.contains('\n'), "{name}: one line stays one line: {text:?}");
        assert!(text.chars().count() < 2_000, "{name}: {} characters", text.chars().count());
        assert!(!text.contains(TOKEN) && !text.contains(TOKEN.rsplit(':').next().unwrap()), "{name}");
    }
}

async fn meet(behaviour: Behaviour) -> (&'static str, Vec<String>) {
    let Behaviour { name, script, expected } = behaviour;
    let server = Server::start(script).await;
    let began = Instant::now();
    let result = client(&server.url).send_call(&change()).await;
    let took = began.elapsed();
    let mut problems = Vec::new();
    // With room for a machine that has something else to do; without a deadline it would be twenty seconds and more.
    if took > 4 * limits().call {
        problems.push(format!("took {took:?}"));
    }
    match (expected, &result) {
        (Expected::Answer(status, bytes), Ok(answer)) => {
            if (answer.status, answer.body.len()) != (status, bytes) {
                problems.push(format!("{} with {} bytes", answer.status, answer.body.len()));
            }
        }
        // What is no success is an error all the same, with the status that came.
        (Expected::Answer(status, _), Err(error @ Error::Refused(refusal))) => {
            if refusal.status != status {
                problems.push(format!("{error}"));
            }
        }
        (Expected::Fails(what, sent), Err(error @ Error::Unreachable { source, sent: found, .. })) => {
            if !source.what.contains(what) || *found != sent {
                problems.push(format!("{} {found:?}", chain(error)));
            }
            if error.class() != Class::Transient || !error.may_have_taken_effect() {
                problems.push(format!("{:?}", error.class()));
            }
        }
        (Expected::Reset, Err(error @ Error::Unreachable { source, sent, .. })) => {
            let is_told = match sent {
                Sent::No => source.what.contains("cannot connect"),
                _ => source.what.contains("the connection failed"),
            };
            let in_doubt = *sent != Sent::No;
            if !is_told || error.class() != Class::Transient || error.may_have_taken_effect() != in_doubt {
                problems.push(format!("{} {sent:?}, {:?}", chain(error), error.class()));
            }
        }
        _ => problems.push(format!("{result:?}")),
    }
    if let Err(error) = &result {
        assert_fit_for_a_log(name, error);
    }
    if server.requests().len() > 1 {
        problems.push("a change was sent twice".into());
    }
    (name, problems)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_behaviour_ends_in_time_and_is_judged_as_what_it_is() {
    let behaviours = behaviours::all();
    println!("{} behaviours of a server", behaviours.len());
    let met = join_all(behaviours.into_iter().map(meet)).await;
    let failed: Vec<_> = met.iter().filter(|(_, problems)| !problems.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn compressed_answers_are_neither_asked_for_nor_unpacked() {
    let length = format!("content-length: {}", ZEROS.len());
    let head = behaviours::head("200 OK", &["content-encoding: gzip", &length]);
    let server = Server::start(vec![Step::Read, say(head), say(ZEROS)]).await;
    let answer = client(&server.url).send_call(&change()).await.unwrap();
    assert!(answer.body == ZEROS, "as it came");
    assert!(!server.requests()[0].to_ascii_lowercase().contains("accept-encoding"));
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let elsewhere = Server::start(vec![Step::Read, say(behaviours::head("204 No Content", &[]))]).await;
    for status in
        ["300 Multiple", "301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
    {
        for target in [
            format!("{}/v2", elsewhere.url),
            "/v2/other".into(),
            "//127.0.0.2:1/v2".into(),
            "file:///etc/passwd".into(),
            "\u{1b}".into(),
        ] {
            let head = behaviours::head(status, &[&format!("location: {target}"), "content-length: 0"]);
            let server = Server::start(vec![Step::Read, say(head)]).await;
            let error = client(&server.url).send_call(&change()).await.unwrap_err();
            assert_eq!(error.class(), Class::Transient, "{status} {target}");
            assert!(error.may_have_taken_effect(), "work may have been done before it");
            assert_eq!(server.requests().len(), 1, "{status} {target}");
            assert_fit_for_a_log(status, &error);
        }
    }
    assert!(elsewhere.requests().is_empty(), "the token went elsewhere");
}

#[tokio::test]
async fn what_a_server_says_never_breaks_a_log_line() {
    let long = vec![b'w'; 300_000];
    let hostile: [&[u8]; 9] = [
        b"\x1b[2J\x1b[31mall is well\x07\r\nlevel=info msg=\"forged\"",
        b"{\"errors\":[{\"ID\":1,\"message\":\"a\\u001b[31m\\r\\nlevel=info\\u0000\\u202e\"}]}",
        b"\"\\u001b]0;title\\u0007 \\n\\n\\n next\"",
        b"\xff\xfe\xfd not text \xc3\x28",
        b"<html>\x1b[31m\n<script>\r\n</script></html>",
        &long,
        &[0xe2, 0x80, 0xae, b'a', 0xe2, 0x80, 0xa8, b'b'],
        TOKEN.as_bytes(),
        b"{\"errors\":[{\"message\":{\"a\":\"\\n\"}}]}",
    ];
    for body in hostile {
        for status in ["400 Bad", "404 Gone", "500 Oops", "200 OK"] {
            let head = behaviours::head(status, &[&format!("content-length: {}", body.len())]);
            let server = Server::start(vec![Step::Read, say(head), say(body)]).await;
            let result = client(&server.url).send(&astra_devops::databases::ListDatabases::default()).await;
            assert_fit_for_a_log(status, &result.unwrap_err());
        }
    }
}

#[tokio::test]
async fn a_header_that_is_no_text_is_as_none() {
    let head = b"HTTP/1.1 429 Slow\r\nretry-after: \xff\xfe\r\nlocation: \xff\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(vec![Step::Read, say(head)]).await;
    let transport = astra_devops::http::HttpTransport::with_limits(&server.url, "t", limits()).unwrap();
    let token = astra_devops::Token::new(TOKEN).unwrap();
    let answer = astra_devops::Transport::send(&transport, &token, &change()).await.unwrap();
    assert_eq!(answer, Answer::empty(429));
}
