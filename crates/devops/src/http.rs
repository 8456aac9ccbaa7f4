//! Calls over HTTPS.

use std::{error::Error as StdError, time::Duration};

use futures::future::BoxFuture;
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};

use crate::{Answer, Call, Token, Transport, call::Method, error::Sent, transport::TransportError};

/// Where the API is in production.
pub const PRODUCTION: &str = "https://api.astra.datastax.com";

/// A call without an answer after this long has failed. Shorter than any reconcile, so that a status can be written.
const CALL: Duration = Duration::from_secs(20);
/// A connection that is not made after this long will not be.
const CONNECT: Duration = Duration::from_secs(5);
/// A body beyond this is not read: no answer of the API is near it, and an endless one must not eat the memory.
const BODY: usize = 4 << 20;

/// Sends calls to one base URL over pooled connections. `HTTP(S)_PROXY` and `NO_PROXY` are honoured; redirects are
/// never followed, because the API has none and the token must not travel.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    base: Url,
}

/// A base URL that cannot be used, or an HTTP client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not a URL.
    #[error("{url:?} is no URL")]
    NotAUrl {
        /// What was given.
        url: String,
    },
    /// Plain HTTP to another machine would show the token to everybody on the way.
    #[error(
        "{url} would send the token in the clear: use https (plain http is for a simulator on the loopback address)"
    )]
    Insecure {
        /// What was given.
        url: Url,
    },
    /// The HTTP client could not be made.
    #[error("cannot set up the HTTP client")]
    Client(#[from] reqwest::Error),
}

impl HttpTransport {
    /// A transport to `base`, e.g. [`PRODUCTION`]. `user_agent` tells Astra who calls.
    ///
    /// # Errors
    /// When the URL is not `https` (or `http` on a loopback address), or the TLS set-up fails.
    pub fn new(base: &str, user_agent: &str) -> Result<Self, SetupError> {
        let base: Url = base.parse().map_err(|_| SetupError::NotAUrl { url: base.to_owned() })?;
        if base.scheme() != "https" && !is_loopback(&base) {
            return Err(SetupError::Insecure { url: base });
        }
        let client = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(CALL)
            .build()?;
        Ok(Self { client, base })
    }

    /// The request's URL. The path is already encoded; it is set as text so that nothing in it is touched again.
    fn url(&self, call: &Call) -> Result<Url, TransportError> {
        let text = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.target());
        text.parse().map_err(|error| failed("cannot build the URL", Sent::No, error))
    }

    async fn carry(&self, token: &Token, call: &Call) -> Result<Answer, TransportError> {
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .client
            .request(method, self.url(call)?)
            .header(AUTHORIZATION, bearer(token)?)
            .header("accept", "application/json");
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(not_answered)?;
        read(response).await
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(self.carry(token, call))
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, TransportError> {
    let mut answer = Answer {
        status: response.status().as_u16(),
        retry_after: header(response.headers(), &RETRY_AFTER).and_then(retry_after),
        location: header(response.headers(), &LOCATION).map(ToOwned::to_owned),
        body: Vec::new(),
    };
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| failed("the answer broke off", Sent::Maybe, error.without_url()))?
    {
        answer.body.extend_from_slice(&chunk);
        if answer.body.len() > BODY {
            let what = format!("the answer is longer than {} MiB", BODY >> 20);
            return Err(TransportError { what, sent: Sent::Maybe, source: None });
        }
    }
    Ok(answer)
}

/// The header value is marked sensitive, so that no debug output of the HTTP stack shows it.
fn bearer(token: &Token) -> Result<HeaderValue, TransportError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        TransportError { what: "the token cannot be sent in a header".into(), sent: Sent::No, source: None }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn not_answered(error: reqwest::Error) -> TransportError {
    let (what, sent) = if error.is_connect() {
        ("cannot connect", Sent::No)
    } else if error.is_timeout() {
        ("no answer in time", Sent::Maybe)
    } else {
        ("the connection failed", Sent::Maybe)
    };
    failed(what, sent, error.without_url())
}

fn failed(what: &str, sent: Sent, source: impl StdError + Send + Sync + 'static) -> TransportError {
    TransportError { what: what.to_owned(), sent, source: Some(Box::new(source)) }
}

fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `Retry-After` in seconds or as an HTTP date. Anything else is no wish at all.
#[must_use]
pub fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let left = at.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}
