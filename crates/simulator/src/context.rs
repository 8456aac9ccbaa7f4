//! What a handler gets: the world as it may see and change it, and the request.

use astra_devops::Method;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    errors,
    schedule::Schedule,
    state::{Database, Organization, State},
    wire::{Request, Response},
};

/// A handler's answer. The error side is an answer like any other; it only makes `?` possible.
pub(crate) type Reply = Result<Response, Response>;

/// Answers one kind of request.
pub(crate) type Handler = fn(&mut Context<'_>) -> Reply;

/// One operation of the API.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The permissions of which the token needs one. None: every token may.
    pub(crate) needs: &'static [&'static str],
    /// What a token without it is answered.
    pub(crate) denied: fn() -> Response,
    /// Answers it.
    pub(crate) handle: Handler,
}

/// The operations of an area: which one, if any, has this method and path.
pub(crate) type Area = fn(Method, &[&str]) -> Option<Route>;

/// One request on its way through a handler.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) schedule: &'a mut Schedule,
    pub(crate) now: Timestamp,
    pub(crate) seed: u64,
    /// The id of the token's organization.
    pub(crate) organization: &'a str,
    pub(crate) request: &'a Request,
    /// The decoded segments of the path.
    pub(crate) path: &'a [&'a str],
}

/// Statuses in which a database takes no change. Documented for `MAINTENANCE`; for the others it
/// is inferred, as is that a parked one's network can be changed.
const BUSY: &[&str] = &[
    "ASSOCIATING",
    "DECOMMISSIONING",
    "INITIALIZING",
    "MAINTENANCE",
    "PARKING",
    "PENDING",
    "PLACING",
    "PREPARED",
    "PREPARING",
    "RESIZING",
    "SUSPENDED",
    "TERMINATING",
    "UNPARKING",
];

impl<'a> Context<'a> {
    /// One segment of the path.
    pub(crate) fn segment(&self, i: usize) -> &'a str {
        self.path.get(i).copied().unwrap_or_default()
    }

    /// The body, in the form it must have.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Response> {
        serde_json::from_slice(&self.request.body)
            .map_err(|error| errors::bad_request(&[format!("invalid request body: {error}")]))
    }

    /// The databases of the token's organization.
    pub(crate) fn databases(&self) -> impl Iterator<Item = &Database> {
        self.state.databases.iter().filter(|database| database.organization == self.organization)
    }

    /// A database of the token's organization. Others do not exist for it.
    pub(crate) fn database(&self, id: &str) -> Result<&Database, Response> {
        self.databases().find(|database| database.id == id).ok_or_else(|| errors::unknown_database(id))
    }

    /// A database that can be changed now.
    pub(crate) fn changeable(&mut self, id: &str) -> Result<&mut Database, Response> {
        let status = self.database(id)?.status.clone();
        if status == "TERMINATED" {
            return Err(errors::not_found(&format!("database {id} is terminated")));
        }
        if BUSY.contains(&status.as_str()) {
            return Err(errors::conflict(&format!(
                "database {id} is in status {status} and cannot be changed now"
            )));
        }
        self.state.database_mut(id).ok_or_else(|| errors::unknown_database(id))
    }

    /// The token's organization.
    pub(crate) fn organization(&mut self) -> Result<&mut Organization, Response> {
        let id = self.organization;
        let found = self.state.organizations.iter_mut().find(|organization| organization.id == id);
        found.ok_or_else(|| errors::not_found(&format!("organization {id} not found")))
    }
}
