//! One request and one response, as plain data: what comes in from a socket or from a client in the same process, and
//! what goes back.

use astra_devops::{Answer, Call, Method, Token};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

/// A request as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as it was sent: still percent-encoded, so that an encoded `/` is not a path separator.
    pub path: String,
    /// The query as it was sent, without the `?`. Empty when there is none.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body. Empty when there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body; `target` is path and query.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method, path: path.into(), query: query.into(), authorization: None, body: Vec::new() }
    }

    /// The same request with a token, as `Authorization: Bearer …`.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self
    }

    /// What a client's [`Call`] looks like on the wire.
    #[must_use]
    pub fn of(token: &Token, call: &Call) -> Self {
        let request = Self::new(call.method, &call.target()).token(token.expose());
        match &call.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// The path's segments, split first and decoded afterwards.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        self.path.trim_start_matches('/').split('/').map(decoded).collect()
    }

    /// All values of one query parameter, decoded, in order.
    #[must_use]
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .filter(|(key, _)| decoded(key) == name)
            .map(|(_, value)| decoded(&value.replace('+', " ")))
            .collect()
    }

    /// The first value of one query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A response: status, headers (names in lower case, as the real service sends them) and body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A response with a JSON body. The real clients read a 200 only when its content type says JSON.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // What is serialized here are plain values with text keys, for which writing cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body, ..Self::empty(status) }.header("content-type", "application/json")
    }

    /// A response with a text that is no JSON.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        let kind = if body.trim_start().starts_with('<') { "text/html" } else { "text/plain" };
        Self { body: body.into(), ..Self::empty(status) }
            .header("content-type", &format!("{kind}; charset=utf-8"))
    }

    /// The same response with one more header, or another value of it.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(old, _)| *old != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A header's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `None` when it is none.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            retry_after: response.get("retry-after").and_then(astra_devops::http::retry_after),
            location: response.get("location").map(ToOwned::to_owned),
            body: response.body,
        }
    }
}
