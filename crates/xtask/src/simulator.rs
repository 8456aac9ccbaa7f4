//! The simulator of the DevOps API: started here, and asked through its control surface (`/_simulator/`).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::control_plane::free_ports;
use crate::process::{Service, Stop};
use crate::wait;

/// How long it may take to answer; it has nothing to load.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// A simulator that answers. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Simulator {
    service: Service,
    url: String,
    agent: ureq::Agent,
}

/// One request that the simulator got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// RFC 3339.
    pub(crate) time: String,
    pub(crate) method: String,
    /// With its query, if any.
    pub(crate) path: String,
    /// `null` without one.
    pub(crate) body: Value,
    pub(crate) status: u64,
}

impl Request {
    /// Whether it asks for a change.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && self.method != "HEAD"
    }

    fn parse(entry: &Value) -> Option<Self> {
        let text = |field: &str| entry[field].as_str().map(str::to_owned);
        let query = text("query").filter(|query| !query.is_empty());
        // A body that is JSON may come as itself or as its text.
        let body = match &entry["body"] {
            Value::String(text) if text.is_empty() => Value::Null,
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| text.clone().into()),
            body => body.clone(),
        };
        Some(Self {
            time: text("time")?,
            method: text("method")?,
            path: text("path")? + &query.map_or_else(String::new, |query| format!("?{query}")),
            body,
            status: entry["status"].as_u64()?,
        })
    }
}

impl Simulator {
    /// Starts it on a free port with its default world.
    pub(crate) fn start(program: &Path, directory: &Path, kept: bool) -> Result<Self> {
        Self::start_with(program, directory, kept, &[])
    }

    /// Starts it on a free port with more arguments.
    pub(crate) fn start_with(program: &Path, directory: &Path, kept: bool, more: &[&str]) -> Result<Self> {
        let [port] = free_ports()?;
        let mut command = Command::new(program);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).args(more);
        let service = Service::start("astra-simulator", &mut command, directory, Stop::Ask, kept)?;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            // It is on loopback, whatever the environment says about proxies.
            .proxy(None)
            .build();
        let simulator = Self { service, url: format!("http://127.0.0.1:{port}"), agent: config.into() };
        wait::until("the simulator to answer", READY_WITHIN, Duration::from_millis(20), || {
            simulator.service.check()?;
            Ok(simulator.get("/_simulator/faults").ok())
        })?;
        Ok(simulator)
    }

    /// Its base URL, for the operator.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    pub(crate) fn into_service(self) -> Service {
        self.service
    }

    /// The token of its default world: it opens nothing but this simulator.
    pub(crate) fn token(&self) -> Result<String> {
        let state = self.get("/_simulator/state")?;
        let token = state["tokens"][0]["token"].as_str();
        token.map(str::to_owned).context("the simulator's state names no token")
    }

    /// Every request it got, in order.
    pub(crate) fn journal(&self) -> Result<Vec<Request>> {
        let answer = self.get("/_simulator/requests")?;
        let entries = answer.as_array().or_else(|| answer["requests"].as_array());
        let entries = entries.context("the simulator's journal is no list")?;
        let parse =
            |entry| Request::parse(entry).with_context(|| format!("no request of a journal: {entry}"));
        entries.iter().map(parse).collect()
    }

    /// Forgets every request that it got.
    pub(crate) fn clear_journal(&self) -> Result<()> {
        let cleared = self.agent.delete(format!("{}/_simulator/requests", self.url)).call();
        cleared.map(drop).context("the simulator did not clear its journal")
    }

    /// What it says no client may ever send, and was sent.
    pub(crate) fn violations(&self) -> Result<Value> {
        self.get("/_simulator/violations")
    }

    /// Makes something happen behind everybody's back.
    pub(crate) fn event(&self, event: &Value) -> Result<()> {
        let url = format!("{}/_simulator/events", self.url);
        let sent = self.agent.post(&url).send_json(event);
        sent.map(drop).with_context(|| format!("the simulator refused the event {event}"))
    }

    /// What the API itself answers to whoever has the token.
    pub(crate) fn read(&self, path: &str, token: &str) -> Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let answer = request.header("Authorization", format!("Bearer {token}")).call();
        let mut answer = answer.with_context(|| format!("GET {path}"))?;
        answer.body_mut().read_json().with_context(|| format!("GET {path} answered no JSON"))
    }

    fn get(&self, path: &str) -> Result<Value> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        let mut answer = answer.with_context(|| format!("GET {path} of the simulator"))?;
        if !answer.status().is_success() {
            bail!("GET {path} of the simulator answered {}", answer.status());
        }
        // A journal may be long.
        let body = answer.body_mut().with_config().limit(1 << 30);
        body.read_json().with_context(|| format!("GET {path} of the simulator answered no JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn journal_entries_are_read_with_query_and_body_in_either_form() {
        let entry = |query: Value, body: Value| {
            json!({ "time": "2026-01-01T00:00:00Z", "method": "PUT", "path": "/v2/x", "query": query,
                    "body": body, "status": 201 })
        };
        let request = |query, body| Request::parse(&entry(query, body)).unwrap();
        assert_eq!(request(json!("a=b"), json!({ "c": 1 })).path, "/v2/x?a=b");
        assert_eq!(request(json!(""), json!(r#"{"c":1}"#)), request(Value::Null, json!({ "c": 1 })));
        assert_eq!(request(Value::Null, json!("")).body, Value::Null);
        assert_eq!(request(Value::Null, json!("not json")).body, "not json");
        assert_eq!(Request::parse(&json!({ "method": "GET" })), None);
    }
}
