//! The Kubernetes API server as a state machine in memory, for tests in virtual time.
//!
//! The stock client and controllers of kube run against it, under tokio's paused clock, and the same requests at the same
//! times give the same bytes. It has no clock, no threads and no randomness of its own.
//!
//! | module | what |
//! |---|---|
//! | `store` | the objects and all that ever happened to them, one number a write |
//! | `write`, `patch`, `object`, `managers` | the rules of writing |
//! | `read`, `watch`, `selector` | the rules of reading |
//! | `schema`, `resource`, `refusal` | the kinds, what their schema does to objects, and how the server says no |
//! | `service`, `request`, `decode`, `journal` | HTTP, and what came |
//! | `weather` | what goes wrong |
//!
//! It is held to the real server by the conformance suite, `tests/conformance` of the operator. What it does not have:
//! validation by the schema (types, patterns, lengths), `managedFields` in answers, tables, dry runs, deletion of
//! collections, strategic merge patches, and garbage collection by owners.

#![forbid(unsafe_code)]

mod decode;
mod journal;
mod managers;
mod object;
mod patch;
mod read;
mod refusal;
mod request;
mod resource;
mod schema;
mod selector;
mod server;
mod service;
mod state;
mod store;
mod watch;
mod weather;
mod write;

pub use journal::Recorded;
pub use server::{ApiServer, Change, Snapshot};
pub use store::ChangeKind;
pub use weather::{Gone, How, Seen, Strike, WatchStrike, Weather};
