//! What was asked and what was answered, in order. Never the token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{auth, wire::Request};

/// One request as it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// When it came, on the simulator's clock.
    pub time: Timestamp,
    /// The method.
    pub method: String,
    /// The path as it was sent, still encoded.
    pub path: String,
    /// The query as it was sent, without the `?`; empty when there was none.
    pub query: String,
    /// The body: JSON, or a text when it was none; nothing when there was no body.
    pub body: Option<Value>,
    /// The status the caller saw; nothing when a fault took the answer away.
    pub status: Option<u16>,
    /// Did it reach the API? A fault may have answered in its place.
    pub applied: bool,
}

impl Recorded {
    /// Is it anything but a `GET`?
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Path and query, as they stood in the request line.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    pub(crate) fn of(time: Timestamp, request: &Request, status: Option<u16>, applied: bool) -> Self {
        let token = request.authorization.as_deref().and_then(auth::bearer).unwrap_or_default();
        let hide = |text: &str| without(token, text);
        let body = hide(&String::from_utf8_lossy(&request.body));
        Self {
            time,
            method: request.method.to_string(),
            path: hide(&request.path),
            query: hide(&request.query),
            body: (!body.is_empty()).then(|| serde_json::from_str(&body).unwrap_or(Value::String(body))),
            status,
            applied,
        }
    }
}

/// A caller may, by mistake, have put the token in a path, a query or a body too. It is hidden part by part, because its
/// colons may be encoded there.
pub(crate) fn without(token: &str, text: &str) -> String {
    let parts = token.split(':').filter(|part| part.len() >= SECRET);
    [token]
        .into_iter()
        .filter(|token| !token.is_empty())
        .chain(parts)
        .fold(text.to_owned(), |text, part| text.replace(part, "…"))
}

/// A part of a token that is shorter than this is no secret, but `AstraCS`, or a word in a test.
const SECRET: usize = 16;
