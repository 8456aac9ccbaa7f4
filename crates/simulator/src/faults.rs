//! Faults: what goes wrong on purpose, for which requests, how often.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::wire::{Request, Response};

/// One fault. It strikes the requests that match `method` and `path`, after letting `skip` of them pass, `count` times.
/// Of several that match, the one added first strikes.
///
/// ```
/// use astra_simulator::{Fault, Method};
/// let twice_throttled = Fault::status(429).header("retry-after", "1").on(Method::Get, "/v2/databases").times(2);
/// # let _ = twice_throttled;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Only this method; absent is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths (as sent, encoded) that begin with this; with a `*` in it, that are like it as a whole. Absent is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes; absent is until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Answer this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Answer this JSON (also `null`, or a bare string).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Answer this text, as it is: a proxy's page, or half a JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Answer these headers, e.g. `Retry-After`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Wait this long: before the request is looked at, or with `afterApplying` before it is answered.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "span",
        deserialize_with = "maybe_span"
    )]
    pub delay: Option<Duration>,
    /// Answer nothing and drop the connection.
    #[serde(default)]
    pub reset: bool,
    /// Do what was asked first. Without a `status`, the answer is then lost.
    #[serde(default)]
    pub after_applying: bool,
}

/// What a fault does to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Nothing is answered.
    Reset,
    /// This is answered.
    Answer(Response),
    /// The request is only delayed.
    Nothing,
}

impl Fault {
    /// Answers a status, to everything, until it is removed.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Drops the connection before anything is done.
    #[must_use]
    pub fn reset() -> Self {
        Self { reset: true, ..Self::default() }
    }

    /// Does what is asked, and drops the connection before the answer.
    #[must_use]
    pub fn lost_answer() -> Self {
        Self { reset: true, after_applying: true, ..Self::default() }
    }

    /// Only makes it slow.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// The same fault, only for this method and path.
    #[must_use]
    pub fn on(self, method: astra_devops::Method, path: &str) -> Self {
        Self { method: Some(method.to_string()), path: Some(path.into()), ..self }
    }

    /// The same fault, only so many times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }

    /// The same fault, after so many matching requests have passed.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// The same fault, with a JSON body.
    #[must_use]
    pub fn json(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same fault, with a text as its body.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// The same fault, with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub(crate) fn strike(&self) -> Strike {
        let answers = self.status.is_some() || self.body.is_some() || self.text.is_some();
        if self.reset || (self.after_applying && !answers && self.delay.is_none()) {
            return Strike::Reset;
        }
        if !answers {
            return Strike::Nothing;
        }
        let status = self.status.unwrap_or(200);
        let response = match (&self.text, &self.body) {
            (Some(text), _) => Response::text(status, text),
            (None, Some(body)) => Response::json(status, body),
            (None, None) => Response::empty(status),
        };
        Strike::Answer(
            self.headers.iter().fold(response, |response, (name, value)| response.header(name, value)),
        )
    }

    fn matches(&self, request: &Request) -> bool {
        let method =
            self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(request.method.as_str()));
        method && self.path.as_ref().is_none_or(|pattern| is_like(pattern, &request.path))
    }
}

/// The faults that are still to strike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn all(&self) -> &[Fault] {
        &self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that strikes this request, counted. Those before it that let it pass count it as passed.
    pub(crate) fn take(&mut self, request: &Request) -> Option<Fault> {
        let at = self.0.iter_mut().position(|fault| {
            let matches = fault.matches(request) && fault.count != Some(0);
            let passes = matches && fault.skip > 0;
            fault.skip -= u32::from(passes);
            matches && !passes
        })?;
        let fault = self.0.get_mut(at)?;
        let struck = fault.clone();
        fault.count = fault.count.map(|left| left - 1);
        self.0.retain(|fault| fault.count != Some(0));
        Some(struck)
    }
}

/// Without a `*`, does the path begin so; with one, is it like it as a whole, `*` standing for anything?
fn is_like(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return true };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `null` is a body, and not the absence of one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn span<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => crate::span::serialize(span, serializer),
        None => serializer.serialize_none(),
    }
}

fn maybe_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    crate::span::deserialize(deserializer).map(Some)
}
