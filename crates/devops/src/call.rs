//! A call to the DevOps API as plain data: what would be sent, and what is known about sending it twice.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but the unreserved characters of RFC 3986 is encoded, so that an Azure resource id
/// (`/subscriptions/…`) stays one path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An HTTP method the DevOps API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// May the call be sent again when nobody knows whether the first one took effect?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it twice leaves the same world as sending it once.
    Safe,
    /// A second one might make a second thing, or fail because of the first: look before sending again.
    Unsafe,
}

/// One call, ready to be printed, sent or answered in process.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path below the base URL, already percent-encoded, starting with `/v2`.
    pub path: String,
    /// Query parameters, not yet encoded, in the order they are sent.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<Value>,
    /// Whether it is safe to repeat.
    pub repeat: Repeat,
    /// How many databases the answer tells of, as far as is known: it may be longer the more there are.
    pub databases: usize,
    /// The permission the token needs, in Astra's words (e.g. `accesslist-write`): named when Astra only says `null`.
    pub permission: &'static str,
}

impl Call {
    /// A call without query or body. `segments` are encoded one by one.
    ///
    /// ```
    /// # use astra_devops::{Call, Method};
    /// let call = Call::new(Method::Get, &["v2", "databases", "a/b"], "org-db-view");
    /// assert_eq!(call.path, "/v2/databases/a%2Fb");
    /// ```
    #[must_use]
    pub fn new(method: Method, segments: &[&str], permission: &'static str) -> Self {
        let path = segments.iter().fold(String::new(), |path, segment| path + "/" + &encode(segment));
        // Reading changes nothing; everything else says so for itself.
        let repeat = if method == Method::Get { Repeat::Safe } else { Repeat::Unsafe };
        Self { method, path, query: Vec::new(), body: None, repeat, databases: 0, permission }
    }

    /// The same call with one more query parameter.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same call with a body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same call, known to leave the same world when it is sent twice.
    #[must_use]
    pub fn safe_to_repeat(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// Is it a `DELETE` of an access list (a database's, or that of the API itself) that does not name an address in the
    /// query and, if there is a body, in the body? Astra takes it for "delete the whole list", which reopens access.
    #[must_use]
    pub fn would_delete_whole_list(&self) -> bool {
        let path = self.path.trim_end_matches('/');
        let is_list = path.ends_with("/access-list") || path.ends_with("/devops-acl");
        let in_query =
            self.query.iter().any(|(name, value)| *name == "addresses" && !value.trim().is_empty());
        let in_body = self
            .body
            .as_ref()
            .is_none_or(|body| body["addresses"].as_array().is_some_and(|addresses| !addresses.is_empty()));
        self.method == Method::Delete && is_list && !(in_query && in_body)
    }

    /// The path with names in braces in the place of ids: one for all databases, for counting.
    ///
    /// ```
    /// # use astra_devops::{Call, Method};
    /// let call = Call::new(Method::Get, &["v2", "databases", "4b8a1c52", "access-list"], "accesslist-read");
    /// assert_eq!(call.route(), "/v2/databases/{database}/access-list");
    /// ```
    #[must_use]
    pub fn route(&self) -> String {
        let mut route = String::new();
        let mut before = "";
        for segment in self.path.split('/').skip(1) {
            route.push('/');
            route.push_str(match before {
                "databases" | "clusters" | "database" => "{database}",
                "datacenters" => "{datacenter}",
                "endpoints" => "{endpoint}",
                // Not known to have ids below it, and still nobody's id gets through.
                _ if segment.len() > 32 || segment.bytes().filter(u8::is_ascii_digit).count() > 1 => "{id}",
                _ => segment,
            });
            before = segment;
        }
        route
    }

    /// Path and encoded query, as they stand in the request line.
    #[must_use]
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        for (i, (name, value)) in self.query.iter().enumerate() {
            target.push(if i == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.push_str(&encode(value));
        }
        target
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target())
    }
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}
