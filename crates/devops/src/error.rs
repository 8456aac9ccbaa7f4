//! Why a call did not do what was asked, in words for the person who has to act on it.

use std::{fmt, time::Duration};

use crate::{Answer, Call, answer::EMPTY, transport::TransportError};

pub use crate::transport::Sent;

/// Why a call failed.
///
/// `Display` says what was tried and what Astra answered, without the source and never with the token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Astra answered, and the answer was no.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer came. Whether the call took effect is told by [`Sent`].
    #[error("{call} {}", without_answer(*sent))]
    Unreachable {
        /// Method and target of the call.
        call: String,
        /// Whether the call may have taken effect.
        sent: Sent,
        /// What went wrong on the way.
        #[source]
        source: TransportError,
    },
    /// Astra said yes with a body that could not be read.
    #[error("{call} was answered {status} with a body that could not be read: {start}")]
    Unreadable {
        /// Method and target of the call.
        call: String,
        /// The status code.
        status: u16,
        /// The start of the body.
        start: String,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing was sent: Astra has asked this token to be silent for a while.
    #[error("{call} was not sent: Astra asked this token to wait")]
    Silenced {
        /// Method and target of the call.
        call: String,
        /// How much longer to wait.
        wait: Duration,
    },
    /// Nothing was sent: the calls of this token have failed one after the other, and Astra is asked again by one of them
    /// at a time.
    #[error("{call} was not sent, because Astra has been failing; it began with: {first}")]
    Down {
        /// Method and target of the call.
        call: String,
        /// The failure that it began with, in words.
        first: String,
        /// When Astra is asked again, at the earliest.
        wait: Duration,
    },
}

/// A call that Astra answered with an error status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Method and target of the call.
    pub call: String,
    /// The status code.
    pub status: u16,
    /// What Astra said, in its own words.
    pub words: String,
    /// The permission that the call needs.
    pub permission: &'static str,
    /// How long Astra asked to wait.
    pub retry_after: Option<Duration>,
    /// Was it a page, made by a proxy or firewall and not by Astra?
    pub page: bool,
}

/// What kind of no it was: what a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 401: the token is not valid, or lacks the permission. Astra does not tell which.
    Unauthorized,
    /// 403: the token lacks the permission, or the caller's address is not allowed.
    Forbidden,
    /// 404: the thing, or its parent, is not there.
    NotFound,
    /// 409: not now; the database is busy or the thing exists.
    Conflict,
    /// 400, 422 and the other 4xx of Astra: the request itself is wrong and will be tomorrow.
    Invalid,
    /// 429: too many requests.
    Throttled,
    /// Nothing was sent, because this process may not write now: nothing is wrong with Astra.
    HeldBack,
    /// 5xx, 408, a redirect, a proxy's page, no answer, an unreadable answer: another try may go better.
    Transient,
}

impl Error {
    /// Judges an answer that is no success.
    #[must_use]
    pub fn refused(call: &Call, answer: &Answer) -> Self {
        Self::Refused(Refusal {
            call: call.to_string(),
            status: answer.status,
            words: answer.words(),
            permission: call.permission,
            retry_after: answer.retry_after,
            page: answer.is_html(),
        })
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class(),
            Self::Silenced { .. } => Class::Throttled,
            Self::Unreachable { sent: Sent::HeldBack, .. } => Class::HeldBack,
            Self::Unreachable { .. } | Self::Unreadable { .. } | Self::Down { .. } => Class::Transient,
        }
    }

    /// How long to wait before the next call: what Astra asked for, or until it is asked whether it is well again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Silenced { wait, .. } | Self::Down { wait, .. } => Some(*wait),
            Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// May the call have taken effect although it failed?
    #[must_use]
    pub const fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => matches!(sent, Sent::Maybe),
            Self::Unreadable { .. } => true,
            // Only a 4xx in Astra's own words says that nothing was done: a 5xx, a 408 or a page may come from a proxy
            // in front of a server that did the work, and a redirect may be the answer to work done.
            Self::Refused(refusal) => matches!(refusal.class(), Class::Transient),
            Self::Silenced { .. } | Self::Down { .. } => false,
        }
    }

    /// Is it certain that nothing left this machine?
    #[must_use]
    pub const fn was_not_sent(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => matches!(sent, Sent::No | Sent::HeldBack),
            Self::Silenced { .. } | Self::Down { .. } => true,
            Self::Refused(_) | Self::Unreadable { .. } => false,
        }
    }
}

const fn without_answer(sent: Sent) -> &'static str {
    match sent {
        Sent::HeldBack => "was held back",
        Sent::No | Sent::Maybe => "got no answer",
    }
}

impl Refusal {
    /// What kind of no it was.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.status {
            429 => Class::Throttled,
            // A proxy's 404 must not read as "gone", nor its 403 as "the token is bad".
            _ if self.page => Class::Transient,
            401 => Class::Unauthorized,
            403 => Class::Forbidden,
            404 => Class::NotFound,
            409 => Class::Conflict,
            // A request that was cut short on its way, or came too early in the connection.
            408 | 425 => Class::Transient,
            400..=499 => Class::Invalid,
            _ => Class::Transient,
        }
    }

    /// What to do about it, where the status tells.
    fn advice(&self) -> String {
        let Self { permission, .. } = self;
        match (self.class(), self.status) {
            // Astra's bare `null` is the same for both; with words, it is the words that tell.
            (Class::Unauthorized, _) if matches!(self.words.as_str(), "null" | EMPTY) => format!(
                "the token is not valid, or its role lacks the permission {permission}: Astra does not tell which"
            ),
            (Class::Unauthorized, _) => {
                format!("check that the token is valid and that its role has the permission {permission}")
            }
            (Class::Forbidden, _) => format!(
                "the token's role lacks the permission {permission}, or the organization's DevOps API access list does not have the operator's address"
            ),
            (Class::Transient, 400..=499) if self.page => {
                "a proxy or firewall answered in Astra's place: check the way to the API".to_owned()
            }
            (_, 300..=399) => {
                "Astra's API does not redirect: check its URL and the proxies on the way".to_owned()
            }
            _ => String::new(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was answered {}: {}", self.call, self.status, self.words)?;
        let advice = self.advice();
        if advice.is_empty() { Ok(()) } else { write!(f, " ({advice})") }
    }
}
