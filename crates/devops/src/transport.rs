//! Who carries a call to Astra. The same call can be sent over HTTPS, or answered in process.

use std::error::Error as StdError;

use futures::future::BoxFuture;

use crate::{Answer, Call, Token};

/// Carries one call and brings back the answer, whatever it is. No retries, no judgement.
pub trait Transport: Send + Sync {
    /// Sends `call` with `token`.
    ///
    /// # Errors
    /// Only when no whole answer came; an error status is an answer.
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>>;
}

/// No whole answer came.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct TransportError {
    /// What failed, in a few words: connecting, waiting, reading.
    pub what: String,
    /// Whether Astra may have carried the call out.
    pub sent: Sent,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Whether a call without an answer may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It certainly never reached Astra.
    No,
    /// It was held back on purpose before it left: this process may not write now. That tells nothing of Astra.
    HeldBack,
    /// It may have been carried out.
    Maybe,
}
