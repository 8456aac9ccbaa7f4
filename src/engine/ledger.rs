//! What must be written down before a call is sent: the seam between the engine and Kubernetes.

use astra_devops::Call;
use futures::future::BoxFuture;

use super::{Event, Kind};
use crate::status::Status;

/// Writes down, before a call, what it will make the object own; and tells what was done.
pub trait Ledger<K: Kind>: Send + Sync {
    /// Writes the status down. After this exactly these orders are sent, in this order. A ledger that only wants to know
    /// what would be sent notes them and fails.
    ///
    /// # Errors
    /// When the object is not any more what the plan was made for, or cannot be written; then nothing may be sent.
    fn announce<'a>(
        &'a mut self,
        status: &'a Status<K::Details>,
        orders: &'a [Order<K::Step>],
    ) -> BoxFuture<'a, Result<(), NotAnnounced>>;

    /// An order was carried out.
    fn done(&mut self, order: &Order<K::Step>, event: Event);
}

/// A step, why it is taken, and the one call that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Order<S> {
    /// The step.
    pub step: S,
    /// Why.
    pub why: String,
    /// The call.
    pub call: Call,
}

/// Nothing was announced, and so nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum NotAnnounced {
    /// The object was changed or deleted meanwhile: look at it again.
    #[error("the object is not what it was when the plan was made: {0}")]
    Stale(String),
    /// It could not be written: look again later.
    #[error("the announcement could not be written: {0}")]
    Failed(String),
}
