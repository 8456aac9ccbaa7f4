//! A world with a clock in hand, and short ways to ask it.

#![allow(dead_code, reason = "each test file needs a part of it")]

use std::time::Duration;

use astra_simulator::{
    Event, Method, Request, Response, State, World,
    state::{ACME_TOKEN, database_id},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A world, asked with the administrator's token.
pub(crate) struct Api {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::of(State::default())
    }

    pub(crate) fn of(state: State) -> Self {
        let now = "2026-03-01T10:20:30.04Z".parse().expect("a time");
        Self { world: World::new(state, 1), now }
    }

    pub(crate) fn ask(&mut self, method: Method, target: &str, body: &Value) -> Response {
        let request = Request::new(method, target).token(ACME_TOKEN);
        let request = if body.is_null() { request } else { request.json(body) };
        self.world.handle(self.now, &request)
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.ask(Method::Get, target, &Value::Null)
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Response {
        self.ask(Method::Post, target, body)
    }

    pub(crate) fn delete(&mut self, target: &str, body: &Value) -> Response {
        self.ask(Method::Delete, target, body)
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += SignedDuration::try_from(time).expect("a short time");
    }

    pub(crate) fn event(&mut self, event: &Value) {
        let event: Event = serde_json::from_value(event.clone()).expect("an event");
        self.world.apply(self.now, &event).expect("it can happen");
    }

    /// The body of a 200.
    pub(crate) fn read(&mut self, target: &str) -> Value {
        let response = self.get(target);
        assert_eq!(response.status, 200, "{target}: {}", said(&response));
        response.value().expect("JSON")
    }
}

/// Status and body in one line.
pub(crate) fn said(response: &Response) -> String {
    format!("{} {}", response.status, String::from_utf8_lossy(&response.body)).trim_end().to_owned()
}

pub(crate) fn list(number: &str) -> String {
    format!("/v2/databases/{}/access-list", database_id(number))
}

/// Below the first datacenter of a database.
pub(crate) fn datacenter(number: &str, rest: &str) -> String {
    let id = database_id(number);
    format!("/v2/organizations/clusters/{id}/datacenters/{id}-1/{rest}")
}
