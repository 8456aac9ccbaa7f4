//! A simulator of the network side of the Astra DevOps API: a state machine that answers requests as the service does,
//! in the same process or over HTTP (the program `astra-simulator`).
//!
//! **It is a simulator and not the service.** What it does was learned from public material: the published OpenAPI
//! documents, the vendor's guides, the source of clients (the Terraform provider, the Go, Java, Python and TypeScript
//! clients, the CLI) and the issues of their users. Nobody compared it with the service itself.
//!
//! ```text
//!  Request ──► faults ──► areas (one file each: auth, path, body ► state) ──► Response
//!                │                     ▲                  │
//!             journal        events, schedule (time)   history (reads may lag)
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`simulator`] | [`Simulator`]: a world and a clock; answers clients in process (it is an [`astra_devops::Transport`]) |
//! | [`server`] | the same over HTTP, with the control surface under `/_simulator/` |
//! | [`world`] | [`World`]: the state machine, without a clock: time is handed in |
//! | [`state`] | [`State`]: what the world is made of; the format of state files; the default world |
//! | [`events`], [`faults`] | what happens behind everybody's back; what goes wrong on purpose |
//! | [`journal`] | what was asked and answered |
//! | [`invariants`] | what no request may ever do, looked at on every one |
//! | [`clock`] | the machine's time, a test's, or tokio's (virtual when paused) |
//!
//! # In a test
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use astra_devops::{Client, Token, access_list::GetAccessList};
//! use astra_simulator::{Event, Simulator, State, state};
//!
//! let simulator = Simulator::new(State::default());
//! let client = Client::new(Arc::new(simulator.clone()), Token::new(state::ACME_TOKEN)?, 4);
//! let database = state::database_id("01");
//! simulator.apply(Event::SetRestriction { database: database.clone(), enabled: true })?;
//! let list = client.send(&GetAccessList(database.parse()?)).await?;
//! assert!(list.is_some_and(|list| list.configurations.access_list_enabled));
//! assert_eq!(simulator.requests()[0].status, Some(200));
//! # Ok(()) }
//! ```
//!
//! # The control surface
//! Served under `/_simulator/`, without a token. It is no part of the API, and none of it is in the journal.
//!
//! | call | what |
//! |---|---|
//! | `GET requests`, `DELETE requests` | the journal ([`Recorded`]); never with a token in it |
//! | `GET state`, `PUT state` | the true state ([`State`]), **with the simulator's made-up tokens**: `.tokens[0].token` is the default one |
//! | `GET faults`, `POST faults`, `DELETE faults` | the faults still to strike; one more ([`Fault`]); none |
//! | `POST events` | one [`Event`]; 409 when it cannot happen |
//! | `GET violations`, `DELETE violations` | the requests that broke an [invariant](invariants) ([`Violation`]); never with a token |
//!
//! What cannot be read, has a word that is not known, or asks for what HTTP cannot carry is 400 with the reason, in text.
//!
//! # Quirks that are kept, because clients depend on them or users fell over them
//! - `DELETE …/access-list` takes away only the first address of the query. Without one there it wipes the list and
//!   reopens public access, also when a body carries addresses.
//! - A read of a list, private link or endpoint that is not there is 404 with a bare JSON string. A change of it, a
//!   peering and a database that are not there are 404 with an `errors` object, as the generated Go client expects. A
//!   terminated database is there, with its status, and without its network.
//! - A missing permission is 401 with `null` (databases, regions, private link), 403 with a string (access lists) or 403
//!   with an `errors` object (peering, DevOps API access list).
//! - A database that is created is told by nothing but a lower-case `location`.
//! - Azure endpoints are kept under another id than the posted one, and found only by that.
//! - A wrong Google Cloud principal is 500 with a string.
//! - Times in access lists are written as Go prints them. Endpoints' times have no zone.
//! - Page limits above 100 are cut, filters that are not known are ignored.
//! - Paths are split before they are decoded, so that an encoded resource id is one segment.
//!
//! # Where it is known to differ, or only guesses
//! - Only two numbers of error ids are taken from the service for tokens, and three for unsupported tiers, clouds and
//!   regions; the other numbers and all other messages are made up.
//! - 409 is documented for `MAINTENANCE`; here every status that sounds busy refuses changes, on access lists too; a
//!   parked database's network can be changed.
//! - Whether an endpoint's or address' form is checked, and how, is a guess. So is `PATCH`, which here adds addresses
//!   it does not know, and 404 when there is no list; `DELETE` of an address that is not in the list is 204.
//! - An endpoint is `Rejected` when [`State::rejected_endpoints`] has it, when nobody is allowed, or on Azure when its
//!   subscription is not allowed. A principal that is taken away later changes nothing for endpoints that are there.
//! - Endpoints before the first principal are 404: there is no service yet to connect them to.
//! - `currentVpc` is Astra's side and `otherVpc` the customer's, with the subscription, account or project as `account`
//!   and the network as `vpcId`: inferred from the names. Networks that no request tells are made up.
//! - AWS and Google Cloud peerings are accepted by themselves after a while, where the customer would have to do it.
//! - All transitions take as long as the state says (one second by default), not the minutes they really take.
//! - There are no rate limits, quotas or plans; a fault can play them. The DevOps API access list is enforced only when
//!   the state says from which address callers come.
//! - Roles, users, tokens, customer keys, streaming and billing are not there: 404.

#![forbid(unsafe_code)]

mod address;
mod areas;
mod auth;
pub mod clock;
mod consistency;
mod context;
mod control;
pub mod errors;
pub mod events;
pub mod faults;
mod framing;
pub mod invariants;
pub mod journal;
pub mod names;
mod principal;
mod schedule;
pub mod server;
pub mod simulator;
mod span;
pub mod state;
mod time;
pub mod wire;
pub mod world;

pub use astra_devops::Method;
pub use clock::{Clock, ManualClock, SystemClock, TokioClock};
pub use events::{Event, EventError};
pub use faults::Fault;
pub use invariants::{Violation, Watch};
pub use journal::Recorded;
pub use simulator::{SEED, Simulator};
pub use state::{State, StateError};
pub use wire::{Request, Response};
pub use world::World;
