//! The client against scripted answers, and over real sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod calls;
mod client;
mod health;
mod http;
mod paging;
mod retry;
mod script;
mod server;
mod silence;
mod token;
mod words;
