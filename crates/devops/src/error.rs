//! Why a call did not do what was asked, in words for the person who has to act on it.

use std::{fmt, time::Duration};

use crate::{Answer, Call, transport::TransportError};

/// Why a call failed.
///
/// `Display` says what was tried and what Astra answered, without the source and never with the token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Astra answered, and the answer was no.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer came. Whether the call took effect is told by [`Sent`].
    #[error("{call} got no answer")]
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
}

/// Whether a call without an answer may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It certainly never reached Astra.
    No,
    /// It may have been carried out.
    Maybe,
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
    /// 400, 422 and the other 4xx: the request itself is wrong and will be tomorrow.
    Invalid,
    /// 429: too many requests.
    Throttled,
    /// 5xx, no answer, an unreadable answer: another try may go better.
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
        })
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class(),
            Self::Silenced { .. } => Class::Throttled,
            Self::Unreachable { .. } | Self::Unreadable { .. } => Class::Transient,
        }
    }

    /// How long Astra asked to wait before the next call.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Silenced { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// May the call have taken effect although it failed?
    #[must_use]
    pub const fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => matches!(sent, Sent::Maybe),
            Self::Unreadable { .. } => true,
            // A 5xx may come from a proxy in front of a server that did the work.
            Self::Refused(refusal) => refusal.status >= 500,
            Self::Silenced { .. } => false,
        }
    }
}

impl Refusal {
    /// What kind of no it was.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.status {
            401 => Class::Unauthorized,
            403 => Class::Forbidden,
            404 => Class::NotFound,
            409 => Class::Conflict,
            429 => Class::Throttled,
            400..=499 => Class::Invalid,
            _ => Class::Transient,
        }
    }

    /// What to do about it, where the status tells.
    fn advice(&self) -> String {
        match self.class() {
            Class::Unauthorized => format!(
                "the token is not valid, or its role lacks the permission {}: Astra does not tell which",
                self.permission
            ),
            Class::Forbidden => format!(
                "the token's role lacks the permission {}, or the organization's DevOps API access list does not have the operator's address",
                self.permission
            ),
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
