//! Runs a sequence on one of the servers, and writes down what it answers.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use http::header::{ACCEPT, CONTENT_TYPE};
use kube::{Client, client::Body as Bytes};
use serde_json::{Value, json};
use simulated_apiserver::ApiServer;

use crate::{
    mask::Mask,
    sequence::{Body, Request, Sequence, Step},
};

/// Who may not do what is forbidden.
const NOBODY: &str = "nobody";

/// A server to run on.
pub(crate) enum Side {
    Memory(ApiServer, Client),
    /// With how many times the seconds that a watch is asked for: it ends by the clock, however slow the machine is.
    Real(Client, u32),
}

struct Run<'a> {
    side: &'a Side,
    mask: Mask,
    namespace: String,
    saved: BTreeMap<&'static str, Value>,
    open: BTreeMap<&'static str, http::Response<Bytes>>,
    transcript: String,
}

/// What a sequence looks like on this server.
pub(crate) async fn run(sequence: &Sequence, namespace: &str, side: &Side) -> String {
    let mut run = Run {
        side,
        mask: Mask::new(namespace),
        namespace: namespace.to_owned(),
        saved: BTreeMap::new(),
        open: BTreeMap::new(),
        transcript: format!("=== {}\n", sequence.name),
    };
    let second = run.mask.second();
    for name in [namespace, &second] {
        let body = json!({ "metadata": { "name": name } });
        let made = run.send(&crate::sequence::post("/api/v1/namespaces", body)).await;
        assert_eq!(made.status(), 201, "{name}");
    }
    for step in &sequence.steps {
        run.step(step).await;
    }
    run.transcript
}

impl Run<'_> {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Send(request) => {
                self.say(request, "");
                let response = self.send(request).await;
                let body = self.read(response).await;
                if let Some(name) = request.save {
                    self.saved.insert(name, without_managers(body));
                }
            }
            Step::Open(name, request) => {
                self.say(request, " (open)");
                let response = self.send(request).await;
                self.open.insert(name, response);
            }
            Step::Finish(name) => {
                self.transcript += "> (read the watch to its end)\n";
                let response = self.open.remove(name).expect("it was opened");
                self.read(response).await;
            }
            Step::Until(path, code) => {
                let request = crate::sequence::get(*path);
                for _ in 0..300 {
                    if self.send(&request).await.status() == *code {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                panic!("{path} is never answered with {code}");
            }
            Step::Pass => tokio::time::sleep(Duration::from_millis(1100)).await,
        }
    }

    fn say(&mut self, request: &Request, what: &str) {
        let Request { method, path, content, accept, body, forbidden, .. } = request;
        let body = match body {
            None => String::new(),
            Some(Body::Json(body)) => format!(" {body}"),
            Some(Body::Raw(body)) => format!(" {body}"),
        };
        let content = content.filter(|content| *content != "application/json");
        let content = content.map_or_else(String::new, |content| format!(" [{content}]"));
        let accept = accept.map_or_else(String::new, |accept| format!(" [accept {accept}]"));
        let who = if forbidden.is_some() { " (by nobody)" } else { "" };
        writeln!(self.transcript, "> {method} {path}{what}{who}{content}{accept}{body}").unwrap();
    }

    async fn send(&self, request: &Request) -> http::Response<Bytes> {
        let mut builder =
            http::Request::builder().method(request.method).uri(self.patient(&self.filled(&request.path)));
        if let Some(content) = request.content {
            builder = builder.header(CONTENT_TYPE, content);
        }
        if let Some(accept) = request.accept {
            builder = builder.header(ACCEPT, accept);
        }
        let mut client = match self.side {
            Side::Memory(_, client) | Side::Real(client, _) => client.clone(),
        };
        match (request.forbidden, self.side) {
            (Some((verb, plural)), Side::Memory(server, _)) => {
                server.forbid(NOBODY, verb, plural);
                client = server.client(NOBODY, "default");
            }
            (Some(_), Side::Real(..)) => builder = builder.header("Impersonate-User", NOBODY),
            (None, _) => builder = builder.header("User-Agent", "conformance/1"),
        }
        let body = match &request.body {
            None => Vec::new(),
            Some(Body::Raw(text)) => text.as_bytes().to_vec(),
            Some(Body::Json(body)) => {
                let mut body = body.clone();
                self.fill(&mut body);
                serde_json::to_vec(&body).unwrap()
            }
        };
        client.send(builder.body(Bytes::from(body)).unwrap()).await.unwrap()
    }

    /// Writes an answer down, and returns it if it is one object.
    async fn read(&mut self, response: http::Response<Bytes>) -> Value {
        let code = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut first = Value::Null;
        writeln!(self.transcript, "< {code}").unwrap();
        for line in text.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(mut body) => {
                    if !self.is_ours(&mut body) {
                        continue;
                    }
                    let masked = self.mask.line(&body);
                    // A real server sends the bookmark before the end once or twice, by fractions of a second.
                    let again = body["type"] == "BOOKMARK" && self.transcript.trim_end().ends_with(&masked);
                    if !again {
                        writeln!(self.transcript, "    {masked}").unwrap();
                    }
                    first = body;
                }
                Err(_) => writeln!(self.transcript, "    {}", self.mask.text(line)).unwrap(),
            }
        }
        first
    }

    /// Other sequences run at the same time: what is in their namespaces is none of ours.
    fn is_ours(&self, body: &mut Value) -> bool {
        let second = self.mask.second();
        let ours = |object: &Value| {
            let namespace = object["metadata"]["namespace"].as_str();
            namespace.is_none_or(|namespace| namespace == self.namespace || namespace == second)
        };
        if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
            items.retain(|item| ours(item));
        }
        body.get("object").is_none_or(ours)
    }

    /// The path with as many seconds as this side has patience for.
    fn patient(&self, path: &str) -> String {
        const SECONDS: &str = "timeoutSeconds=";
        let (Side::Real(_, times), Some(at)) = (self.side, path.find(SECONDS)) else {
            return path.to_owned();
        };
        let (before, rest) = path.split_at(at + SECONDS.len());
        let (seconds, after) = rest.split_at(rest.find('&').unwrap_or(rest.len()));
        let seconds: u32 = seconds.parse().expect("seconds");
        format!("{before}{}{after}", seconds * times)
    }

    fn filled(&self, text: &str) -> String {
        let mut text = text.replace("{ns2}", &self.mask.second()).replace("{ns}", &self.namespace);
        while let Some((start, length)) =
            text.find("${").and_then(|start| Some((start, text[start..].find('}')?)))
        {
            let value = self.saved_at(&text[start + 2..start + length]);
            let value = value.as_str().expect("a text");
            let value = value.replace('/', "%2F");
            text.replace_range(start..=start + length, &value);
        }
        text
    }

    fn fill(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let whole = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
                *value = match whole {
                    Some(path) => self.saved_at(path),
                    None => {
                        json!(text.replace("{ns2}", &self.mask.second()).replace("{ns}", &self.namespace))
                    }
                };
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.fill(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.fill(value)),
            _ => {}
        }
    }

    fn saved_at(&self, path: &str) -> Value {
        let mut parts = path.split('.');
        let saved = &self.saved[parts.next().unwrap()];
        parts.fold(saved, |value, part| &value[part]).clone()
    }
}

/// What is sent back must not say who owns what: it would be taken over as it is.
fn without_managers(mut body: Value) -> Value {
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    body
}
