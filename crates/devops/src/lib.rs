//! A typed client of the [Astra DevOps API](https://docs.datastax.com/en/astra-api-docs), for the calls that shape a
//! database's network. It knows no Kubernetes.
//!
//! A call is plain data ([`Call`]): it can be printed, sent over HTTP, or answered in process by anything that is a
//! [`Transport`]. The road of every call:
//!
//! ```text
//! Endpoint ──call()──► Call ──Client (gate, retry)──► Transport ──► Answer ──read()──► Output or Error
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`call`], [`answer`], [`error`], [`token`] | the words everything else is made of |
//! | [`transport`], [`http`] | who carries a call; over HTTPS |
//! | [`client`], [`retry`], [`gate`], [`health`] | one client a token: when to repeat, how many at once, when to be silent |
//! | [`databases`], [`access_list`], [`private_link`], [`peering`], [`organization`], [`regions`] | one file an area of the API |
//!
//! What is deliberately missing: a function that deletes a whole access list. A `DELETE` of it without an address
//! reopens the database to the internet, so [`access_list::RemoveAddress`] always carries exactly one.

#![forbid(unsafe_code)]

pub mod access_list;
pub mod answer;
pub mod call;
pub mod client;
pub mod databases;
pub mod error;
pub mod gate;
pub mod health;
pub mod held_back;
pub mod http;
pub mod id;
mod lenient;
pub mod organization;
pub mod peering;
pub mod private_link;
pub mod rate;
pub mod regions;
pub mod retry;
pub mod token;
pub mod transport;

pub use answer::Answer;
pub use call::{Call, Method, Repeat};
pub use client::{Client, Endpoint, OfAll};
pub use error::Error;
pub use token::Token;
pub use transport::Transport;
