//! Times that shape the engine.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

/// Tells the time of day, for what people read. Nothing is decided by it: it can be set, and jump.
pub type Clock = fn() -> Timestamp;

/// Times that shape the engine.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often an object is looked at when nothing happens.
    pub resync: Duration,
    /// How old a shared reading may be for an object whose spec has just changed.
    pub fresh: Duration,
    /// How long after a change Astra is looked at again. Many objects that change at once then share one reading, and none
    /// of them holds a place in the queue while it waits for it.
    pub pause: Duration,
    /// How long a look holds its turn for a reading that has not begun; what takes longer is looked at later.
    pub patience: Duration,
    /// How long a change that was sent may take to be seen.
    pub settle: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            resync: Duration::from_mins(1),
            fresh: Duration::from_secs(5),
            pause: Duration::from_millis(500),
            patience: Duration::from_millis(50),
            settle: Duration::from_mins(1),
        }
    }
}
