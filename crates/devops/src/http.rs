//! Calls over HTTPS.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};

use rustls::crypto::CryptoProvider;
use tokio::{
    sync::Semaphore,
    time::{Instant, error::Elapsed, timeout_at},
};

use crate::{
    Answer, Call, Token, Transport, call::Method, retry::LONGEST_SILENCE, transport::Sent,
    transport::TransportError,
};

/// Where the API is in production.
pub const PRODUCTION: &str = "https://api.astra.datastax.com";

/// A call that changes something is over after this long, one way or the other.
pub const WRITE: Duration = Duration::from_secs(10);

/// How long and how much is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A reading without a whole answer after this long has failed.
    pub call: Duration,
    /// The same for a call that changes something, if it is shorter: whoever writes under a lease must know that the write
    /// is over before the lease is.
    pub write: Duration,
    /// A connection that is not made after this long will not be.
    pub connect: Duration,
    /// A body of more bytes is not read: no answer of the API is near it, and an endless one must not eat the memory.
    /// Compressed answers are not asked for, so a small one cannot become a large one.
    pub body: usize,
    /// So many bytes more for each database that the answer tells of: the lists of an organization grow with it.
    pub database: usize,
    /// The most bytes of any body.
    pub longest: usize,
}

impl Limits {
    fn of(&self, call: &Call) -> usize {
        self.body
            .saturating_add(self.database.saturating_mul(call.databases))
            .min(self.longest.max(self.body))
    }
}

impl Default for Limits {
    /// 20 s a call, which is shorter than any reconcile, so that a status can be written; [`WRITE`] one that changes
    /// something; 5 s a connection; 4 MiB, and 8 KiB for each database, which are some thirty addresses with their
    /// descriptions, up to 32 MiB.
    fn default() -> Self {
        Self {
            call: Duration::from_secs(20),
            write: WRITE,
            connect: Duration::from_secs(5),
            body: 4 << 20,
            database: 8 << 10,
            longest: 32 << 20,
        }
    }
}

/// A body of more bytes than this is a large one.
const LARGE: usize = 256 << 10;

/// So many large bodies are read at once: what a proxy that answers everything with megabytes can cost in memory must not
/// grow with the calls under way.
const LARGE_AT_ONCE: usize = 1;

/// Sends calls to one base URL over pooled connections.
///
/// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured as they are when it is made, but for a loopback address no
/// proxy is used, because plain HTTP would show the token to it. Trusted are the system's certificates, or those that
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Redirects are never followed: the API has none, and the token must not
/// travel.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    base: Url,
    limits: Limits,
    large: Arc<Semaphore>,
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
    /// Something besides scheme, host, port and path.
    #[error("{host}: the API's URL must have no user, password, query or fragment")]
    NotABase {
        /// The URL's host; the rest may be secret.
        host: String,
    },
    /// The HTTP client could not be made.
    #[error(
        "cannot set up the HTTP client; are there CA certificates on this system, or does SSL_CERT_FILE name some?"
    )]
    Client(#[from] reqwest::Error),
}

/// A connection that was not used for so long is closed: the next round comes much later, by then something on the way may
/// have forgotten it, and each holds buffers as large as what was read last.
const IDLE: Duration = Duration::from_secs(10);

impl HttpTransport {
    /// A transport to `base`, e.g. [`PRODUCTION`], with the default [`Limits`]. `user_agent` tells Astra who calls.
    ///
    /// # Errors
    /// When the URL is not `https` (or `http` on a loopback address), or the TLS set-up fails.
    pub fn new(base: &str, user_agent: &str) -> Result<Self, SetupError> {
        Self::with_limits(base, user_agent, Limits::default())
    }

    /// As [`HttpTransport::new`], with limits of one's own.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub fn with_limits(base: &str, user_agent: &str, limits: Limits) -> Result<Self, SetupError> {
        let base = check(base)?;
        ensure_provider();
        let builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(Policy::none())
            .pool_idle_timeout(IDLE)
            .connect_timeout(limits.connect);
        let builder = match base.scheme() {
            "https" => builder,
            // No TLS, so no certificates: a simulator can be reached from a machine that has none.
            _ => builder.no_proxy().tls_certs_only([]),
        };
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        Ok(Self { client: builder.build()?, base, limits, large })
    }

    /// The request's URL. The path is already encoded, and must come out of the URL parser as it went in: the parser
    /// takes `.` and `..` for steps, and a call must not end up on another path.
    fn url(&self, call: &Call) -> Result<Url, TransportError> {
        let target = format!("{}{}", self.base.path().trim_end_matches('/'), call.target());
        let text = self.base.origin().ascii_serialization() + &target;
        let url: Url = text.parse().map_err(|error| failed("cannot build the URL", Sent::No, error))?;
        let (path, query) =
            target.split_once('?').map_or((&*target, None), |(path, query)| (path, Some(query)));
        if url.path() == path && url.query() == query && url.fragment().is_none() {
            return Ok(url);
        }
        let what = format!("the path {} cannot be sent as it is", call.path);
        Err(TransportError { what, sent: Sent::No, source: None })
    }

    async fn carry(&self, token: &Token, call: &Call) -> Result<Answer, TransportError> {
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let limit = match call.method {
            Method::Get => self.limits.call,
            _ => self.limits.write.min(self.limits.call),
        };
        let deadline = Instant::now() + limit;
        let mut request = self
            .client
            .request(method, self.url(call)?)
            .timeout(limit)
            .header(AUTHORIZATION, bearer(token)?)
            .header("accept", "application/json");
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(not_answered)?;
        self.read(response, self.limits.of(call), deadline).await
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        limit: usize,
        deadline: Instant,
    ) -> Result<Answer, TransportError> {
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: header(response.headers(), &RETRY_AFTER).and_then(retry_after),
            location: header(response.headers(), &LOCATION).map(ToOwned::to_owned),
            body: Vec::new(),
        };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_long(limit));
        }
        let expected =
            response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(limit);
        let mut large = None;
        while let Some(chunk) = response.chunk().await.map_err(broke_off)? {
            let length = answer.body.len() + chunk.len();
            if length > limit {
                return Err(too_long(limit));
            }
            if length > LARGE && large.is_none() {
                large = Some(timeout_at(deadline, self.large.acquire()).await.map_err(late_body)?);
                // At once, and not by doubling: that would be three times as much for a moment.
                answer.body.reserve_exact(expected.max(length) - answer.body.len());
            }
            answer.body.extend_from_slice(&chunk);
        }
        answer.body.shrink_to_fit();
        Ok(answer)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(self.carry(token, call))
    }
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

/// What is said of a body that is still coming when the time is over.
const LATE_BODY: &str = "the answer did not end in time";

fn broke_off(error: reqwest::Error) -> TransportError {
    let what = if error.is_timeout() { LATE_BODY } else { "the answer broke off" };
    failed(what, Sent::Maybe, error.without_url())
}

fn late_body(elapsed: Elapsed) -> TransportError {
    failed(LATE_BODY, Sent::Maybe, elapsed)
}

fn too_long(limit: usize) -> TransportError {
    let what = format!("the answer is longer than {limit} bytes");
    TransportError { what, sent: Sent::Maybe, source: None }
}

fn failed(what: &str, sent: Sent, source: impl StdError + Send + Sync + 'static) -> TransportError {
    TransportError { what: what.to_owned(), sent, source: Some(Box::new(source)) }
}

fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `Retry-After` in seconds or as an HTTP date, at most [`LONGEST_SILENCE`]. A date in the past is zero; anything else is
/// no wish at all.
#[must_use]
pub fn retry_after(text: &str) -> Option<Duration> {
    retry_after_at(text, jiff::Timestamp::now())
}

fn retry_after_at(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wish = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Too many digits for a number are a long time.
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    };
    Some(wish.min(LONGEST_SILENCE))
}

fn check(base: &str) -> Result<Url, SetupError> {
    let base: Url = base.parse().map_err(|_| SetupError::NotAUrl { url: base.to_owned() })?;
    let is_base = base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none()
        && base.fragment().is_none();
    match base.scheme() {
        _ if !is_base => Err(SetupError::NotABase { host: base.host_str().unwrap_or_default().to_owned() }),
        "https" => Ok(base),
        "http" if is_loopback(&base) => Ok(base),
        _ => Err(SetupError::Insecure { url: base }),
    }
}

/// TLS needs a provider of cryptography, one for the whole program. One that is installed already stays: this is a
/// library, and the program's choice comes first.
fn ensure_provider() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
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

#[cfg(test)]
mod tests {
    use super::bearer;
    use crate::Token;

    #[test]
    fn the_header_hides_its_value_from_the_http_stack() {
        let header = bearer(&Token::new("AstraCS:secret").unwrap()).unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer AstraCS:secret");
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
