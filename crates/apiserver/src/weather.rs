//! What goes wrong between a client and the server, as told by whoever makes the weather.

use std::time::Duration;

/// Decides what happens to each request. It is asked once a request, when it arrives, in the order of arrival; a
/// weather that is the same for the same requests makes the same run.
pub trait Weather: Send + Sync {
    /// What happens to this request.
    fn strike(&self, request: &Seen<'_>) -> Strike;

    /// What happens to the stream of this watch, once it is open.
    fn watch(&self, request: &Seen<'_>) -> WatchStrike {
        let _ = request;
        WatchStrike::default()
    }
}

/// A request, as the weather sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Who sends it.
    pub user: &'a str,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query without its question mark, as it was sent.
    pub query: &'a str,
    /// The plural of the kind it is about; empty if the path is none of an object.
    pub plural: &'a str,
    /// The namespace, if it is about one.
    pub namespace: Option<&'a str>,
    /// The object's name, if it is about one.
    pub name: Option<&'a str>,
    /// `status`, for one.
    pub subresource: Option<&'a str>,
    /// Does it open a watch?
    pub is_watch: bool,
    /// Does it list?
    pub is_list: bool,
    /// The how-manyeth request it is since the server was made; the first is 1.
    pub number: u64,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strike {
    /// How long it takes until the server acts on it.
    pub latency: Duration,
    /// How long it takes from then until the answer is there.
    pub latency_after: Duration,
    /// What else happens.
    pub how: How,
}

/// What happens to a request besides taking its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum How {
    /// Nothing: it is carried out and answered.
    #[default]
    Fine,
    /// The connection breaks before the server has read it; nothing is done.
    ResetBefore,
    /// It is carried out, and the connection breaks before the answer is there.
    AnswerLost,
    /// It is answered with this error, and nothing is done.
    Status {
        /// The HTTP code.
        code: u16,
        /// The reason in the status, e.g. `TooManyRequests`.
        reason: &'static str,
        /// Seconds, for the header `Retry-After` and the details.
        retry_after: Option<u32>,
    },
    /// There is no answer, ever, and nothing is done.
    Hang,
    /// It is carried out, and there is no answer, ever.
    HangAfter,
    /// A list is answered as it was so many revisions ago, with that resource version. Anything else is carried out.
    StaleList {
        /// How many.
        revisions: u64,
    },
}

/// What happens to an open watch. All can come together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchStrike {
    /// The connection breaks after this long.
    pub cut_after: Option<Duration>,
    /// After this long nothing comes any more, and the connection stays open.
    pub black_hole_after: Option<Duration>,
    /// The server says that it has forgotten the revision.
    pub gone: Option<Gone>,
    /// The stream begins with an error event of code 500 and ends.
    pub error_500_in_stream: bool,
    /// Each so-manyeth event is lost.
    pub drop_every: Option<u64>,
    /// Each so-manyeth event comes twice.
    pub repeat_every: Option<u64>,
    /// Each so-manyeth event comes after its follower, if that is about another object and comes within a second.
    pub swap_every: Option<u64>,
    /// Each event comes this long after it happened.
    pub delay: Duration,
}

/// How a server says that a revision is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// An error event in a stream that was opened with 200, as API servers do.
    InStream,
    /// As the answer to the request, as some proxies and old servers do.
    Http,
}
