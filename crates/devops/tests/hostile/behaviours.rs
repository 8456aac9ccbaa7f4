//! What servers do, as a table: the steps, and what the client has to make of them.

use std::time::Duration;

use astra_devops::error::Sent;

use crate::server::{Step, say};

/// What has to come of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// An answer of this status, with so many bytes of a body.
    Answer(u16, usize),
    /// No answer: what is said of it, and whether it may have been carried out.
    Fails(&'static str, Sent),
    /// The connection is reset, perhaps before the client knows that it has one: then nothing was sent.
    Reset,
}

/// One behaviour.
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    pub(crate) script: Vec<Step>,
    pub(crate) expected: Expected,
}

/// A megabyte of zeros, in a kilobyte.
pub(crate) const ZEROS: &[u8] = include_bytes!("zeros.gz");

/// A byte a second, in a test that cannot take so long.
const SLOW: Duration = Duration::from_millis(200);

const FAILED: Expected = Expected::Fails("the connection failed", Sent::Maybe);
const LATE: Expected = Expected::Fails("no answer in time", Sent::Maybe);
const LATE_BODY: Expected = Expected::Fails("the answer did not end in time", Sent::Maybe);
const BROKE_OFF: Expected = Expected::Fails("the answer broke off", Sent::Maybe);
const TOO_LONG: Expected = Expected::Fails("the answer is longer than 4194304 bytes", Sent::Maybe);

/// A head with these header lines.
pub(crate) fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let lines: Vec<&str> = headers.iter().copied().chain(["", ""]).collect();
    format!("HTTP/1.1 {status}\r\n{}", lines.join("\r\n")).into_bytes()
}

fn ok(headers: &[&str]) -> Step {
    say(head("200 OK", headers))
}

/// After the request was read.
fn then(name: &'static str, expected: Expected, steps: impl IntoIterator<Item = Step>) -> Behaviour {
    Behaviour { name, script: [Step::Read].into_iter().chain(steps).collect(), expected }
}

/// All behaviours.
pub(crate) fn all() -> Vec<Behaviour> {
    let mut all = connections();
    all.extend(heads());
    all.extend(bodies());
    all.extend(interim());
    all
}

fn connections() -> Vec<Behaviour> {
    let at_once = |name, steps: Vec<Step>, expected| Behaviour { name, script: steps, expected };
    vec![
        at_once("closed at once", vec![], FAILED),
        at_once("reset at once", vec![Step::Reset], Expected::Reset),
        at_once("taken, and nothing ever read or said", vec![Step::Hang], LATE),
        at_once(
            "an answer before the request",
            vec![say("HTTP/1.1 200 OK\r\n\r\n"), Step::Hang],
            LATE_OR_FAILED,
        ),
        then("closed after the request", FAILED, []),
        then("reset after the request", FAILED, [Step::Reset]),
        then("silent after the request", LATE, [Step::Hang]),
        then("another protocol", FAILED, [say("SSH-2.0-OpenSSH_9.6\r\n")]),
        then("HTTP/2 where HTTP/1 was spoken", FAILED, [say(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80")]),
        then("no head, only a body", FAILED, [say("{\"errors\":[]}")]),
    ]
}

/// What was sent before the request was read is either taken for no answer, or waited behind.
const LATE_OR_FAILED: Expected = Expected::Fails("", Sent::Maybe);

fn heads() -> Vec<Behaviour> {
    let name_too_long = format!("{}: a\r\n", "x".repeat(1 << 20));
    vec![
        then("half a head, then closed", FAILED, [say("HTTP/1.1 200 OK\r\ncont")]),
        then("half a head, then silence", LATE, [say("HTTP/1.1 200 OK\r\ncont"), Step::Hang]),
        then("a head byte by byte", LATE, [Step::Drip(head("200 OK", &["a: b"; 50]), SLOW)]),
        then(
            "endless headers",
            FAILED,
            [say("HTTP/1.1 200 OK\r\n"), Step::Endlessly(b"x: yyyyyyyyyyyyyyyyyyyy\r\n".repeat(100))],
        ),
        then(
            "one endless header",
            FAILED,
            [say("HTTP/1.1 200 OK\r\nx: "), Step::Endlessly(vec![b'y'; 1 << 16])],
        ),
        then("a header of a megabyte", FAILED, [say("HTTP/1.1 200 OK\r\n"), say(name_too_long), say("\r\n")]),
        then(
            "a thousand headers",
            FAILED,
            [say("HTTP/1.1 200 OK\r\n"), say("x: y\r\n".repeat(1000)), say("content-length: 0\r\n\r\n")],
        ),
        then("a status of four digits", FAILED, [say(head("2000 OK", &["content-length: 0"]))]),
        then("a status that is no number", FAILED, [say(head("OK OK", &["content-length: 0"]))]),
        then("a status below 100", FAILED, [say(head("099 OK", &["content-length: 0"]))]),
        then(
            "a status of tomorrow",
            Expected::Answer(999, 0),
            [say(head("999 Odd", &["content-length: 0"]))],
        ),
        then("no reason phrase", Expected::Answer(204, 0), [say("HTTP/1.1 204\r\n\r\n")]),
        then("a NUL in a header", FAILED, [ok(&["a: b\0c", "content-length: 0"])]),
        then("two lengths that differ", FAILED, [ok(&["content-length: 1", "content-length: 2"]), say("ab")]),
        then("a negative length", FAILED, [ok(&["content-length: -1"]), say("ab")]),
        then(
            "a length beyond all numbers",
            FAILED,
            [ok(&["content-length: 99999999999999999999999"]), say("ab")],
        ),
        then("HTTP/1.0", Expected::Answer(200, 2), [say("HTTP/1.0 200 OK\r\n\r\n{}")]),
        then("Latin-1 in a header", Expected::Answer(200, 0), [ok(&["content-length: 0"]), say("")]),
    ]
}

fn bodies() -> Vec<Behaviour> {
    let chunked = "transfer-encoding: chunked";
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    let zip = format!("content-length: {}", ZEROS.len());
    vec![
        then("an empty answer, closed", Expected::Answer(200, 0), [ok(&[])]),
        then("a body that ends with the connection", Expected::Answer(200, 2), [ok(&[]), say("{}")]),
        then("half a body, then closed", BROKE_OFF, [ok(&["content-length: 100"]), say("[{")]),
        then("half a body, then reset", BROKE_OFF, [ok(&["content-length: 100"]), say("[{"), Step::Reset]),
        then("half a body, then silence", LATE_BODY, [ok(&["content-length: 100"]), say("[{"), Step::Hang]),
        then(
            "a body byte by byte",
            LATE_BODY,
            [ok(&["content-length: 100"]), Step::Drip(vec![b' '; 100], SLOW)],
        ),
        then(
            "more than the length says",
            Expected::Answer(200, 2),
            [ok(&["content-length: 2"]), say("{}{}")],
        ),
        then(
            "a body with 204",
            Expected::Answer(204, 0),
            [say(head("204 No Content", &["content-length: 2"])), say("{}")],
        ),
        then("chunks that are none", BROKE_OFF, [ok(&[chunked]), say("zz\r\n{}\r\n")]),
        then(
            "a chunk of a size beyond all numbers",
            BROKE_OFF,
            [ok(&[chunked]), say("FFFFFFFFFFFFFFFFFF\r\n{}")],
        ),
        then("a chunk that is cut", BROKE_OFF, [ok(&[chunked]), say("ff\r\n{}")]),
        then("no last chunk", BROKE_OFF, [ok(&[chunked]), say("2\r\n{}\r\n")]),
        then(
            "endless chunk extensions",
            BROKE_OFF,
            [ok(&[chunked]), say("1;"), Step::Endlessly(vec![b'x'; 1 << 16])],
        ),
        then(
            "endless trailers",
            BROKE_OFF,
            [ok(&[chunked]), say("0\r\n"), Step::Endlessly(b"x: y\r\n".repeat(1000))],
        ),
        then("endless chunks", TOO_LONG, [ok(&[chunked]), Step::Endlessly(chunk)]),
        then("an endless body", TOO_LONG, [ok(&[]), Step::Endlessly(vec![b' '; 1 << 16])]),
        then(
            "a hundred megabytes",
            TOO_LONG,
            [ok(&["content-length: 104857600"]), Step::Endlessly(vec![b' '; 1 << 16])],
        ),
        then(
            "a hundred megabytes of an error",
            TOO_LONG,
            [say(head("500 Oops", &["content-length: 104857600"])), Step::Endlessly(b"[0,".repeat(10_000))],
        ),
        then(
            "a compressed body stays as it is",
            Expected::Answer(200, ZEROS.len()),
            [ok(&["content-encoding: gzip", &zip]), say(ZEROS)],
        ),
    ]
}

fn interim() -> Vec<Behaviour> {
    let early = |status: &str| head(status, &[]);
    vec![
        then(
            "100 before the answer",
            Expected::Answer(204, 0),
            [say(early("100 Continue")), say(early("204 No Content"))],
        ),
        then("100 for ever", LATE, [Step::Endlessly(early("100 Continue"))]),
        then("103 for ever", LATE, [Step::Endlessly(head("103 Early Hints", &["link: </x>"]))]),
        then(
            "another protocol is switched to",
            Expected::Answer(101, 0),
            [say(head("101 Switching Protocols", &["upgrade: x", "connection: upgrade"])), Step::Hang],
        ),
    ]
}
