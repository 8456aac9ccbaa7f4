//! The client against everything that a server, or what stands before it, can do with a connection: over real sockets on
//! the loopback address, plain and with TLS. Each ends within its deadline, is judged as what it is, and costs no memory.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod behaviours;
mod memory;
mod server;
mod table;
mod tls;

use std::time::Duration;

use astra_devops::{Call, Client, Method, Token, http::HttpTransport, http::Limits};

/// Not a real one.
const TOKEN: &str =
    "AstraCS:HostileAnswersAreRead001:4ed70ac86b31f9527d05e8c4a2f6931bb87c40e15da39f62c0e17b5a84d26f39";

/// As in production, but for the patience.
fn limits() -> Limits {
    let call = Duration::from_millis(1500);
    Limits { call, write: call, connect: Duration::from_millis(700), ..Limits::default() }
}

fn client(base: &str) -> Client {
    let transport = HttpTransport::with_limits(base, "hostile-test/1", limits()).unwrap();
    Client::new(std::sync::Arc::new(transport), Token::new(TOKEN).unwrap(), 16)
}

/// A call that is sent once only, whatever comes of it.
fn change() -> Call {
    Call::new(Method::Post, &["v2", "change"], "p").body(serde_json::json!({ "a": 1 }))
}
