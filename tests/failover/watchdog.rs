//! What must never be, looked for all the time.

use std::time::Duration;

use astra_operator::leader::Times;
use tokio::time::{Instant, sleep};

use crate::{replica::WRITE, world::World};

impl World {
    /// Looks again and again, for ever.
    pub(crate) async fn watch(&self) {
        loop {
            self.look();
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// At most one process may write, and only one whose last renewal was sent within the deadline.
    pub(crate) fn look(&self) {
        let mut open = Vec::new();
        for replica in &self.replicas {
            let Some(live) = replica.live() else { continue };
            let age = self.api.last_sent(&live.identity).map(|sent| sent.elapsed());
            // A clock with a rate of its own is rounded.
            let local =
                |duration: Duration| duration.div_f64(replica.clock.rate()) + Duration::from_millis(1);
            let times = Times::default();
            for (needed, limit) in
                [(Duration::ZERO, times.deadline()), (WRITE, times.lease().checked_sub(WRITE).unwrap())]
            {
                if live.fence.check(needed).is_ok() && age.is_none_or(|age| age >= local(limit)) {
                    self.story.accuse(format!(
                        "{} may write for {needed:?}, and its last renewal was sent {age:?} ago",
                        live.identity
                    ));
                }
            }
            if live.fence.check(Duration::ZERO).is_ok() {
                open.push(live.identity);
            }
        }
        if open.len() > 1 {
            self.story.accuse(format!("{} may write at once", open.join(" and ")));
        }
    }
}

/// A write that was begun, and when it ends at the latest.
pub(crate) struct Write {
    pub(crate) identity: String,
    pub(crate) end: Instant,
}
