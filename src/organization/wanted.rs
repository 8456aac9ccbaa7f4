//! The reading that a look waits for, and the wait for it. While very many objects write, one reading serves many of them,
//! and each waits here for the one that serves it: not in a turn, and not by looking again and again.

use std::{fmt, time::Duration};

use astra_devops::id::DatabaseId;
use tokio::time::{Instant, sleep};

use super::{Organization, needs::Needs};

/// When nobody got on for so long, nobody is at work. Longer where readings are far apart: very many are at work then, and
/// the machine may be busy with something else for a while.
fn lull(interval: Duration) -> Duration {
    (interval / 8).max(Duration::from_millis(500))
}

/// Who waits glances this often whether it still has to: the others may be done.
const GLANCE: Duration = Duration::from_secs(1);

/// A reading that a look needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of these lists.
    pub lists: Needs,
    /// For this database: it must be newer than what anybody wrote to it.
    pub database: DatabaseId,
    /// It must have begun at or after this.
    pub not_before: Instant,
}

/// Without the instant, which is another one each time: what is said of the same world is the same.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted")
            .field("lists", &self.lists)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl Organization {
    /// How long until this reading can be had, or can be begun.
    #[must_use]
    pub fn wait(&self, wanted: &Wanted) -> Duration {
        let not_before = self.since_last_write(&wanted.database, wanted.not_before);
        let at_work = self.are_at_work(&wanted.lists);
        let of = |needed: bool, wait: &dyn Fn() -> Duration| if needed { wait() } else { Duration::ZERO };
        of(wanted.lists.access_lists, &|| self.access_lists.wait(not_before, at_work))
            .max(of(wanted.lists.private_links, &|| self.private_links.wait(not_before, at_work)))
    }

    /// Waits until this reading can be had or begun within `patience`, or until `is_moot`.
    pub async fn until(&self, wanted: &Wanted, patience: Duration, is_moot: impl Fn() -> bool) {
        let _counted = (
            wanted.lists.access_lists.then(|| self.access_lists.waiter()),
            wanted.lists.private_links.then(|| self.private_links.waiter()),
        );
        loop {
            let wait = self.wait(wanted);
            if wait <= patience || is_moot() {
                return;
            }
            sleep(wait.min(GLANCE)).await;
        }
    }

    /// How old a reading of these lists may be for an object that has not written: as far apart as readings are now.
    #[must_use]
    pub fn interval(&self, lists: &Needs) -> Duration {
        let of = |needed: bool, interval: Duration| if needed { interval } else { Duration::ZERO };
        of(lists.access_lists, self.access_lists.interval())
            .max(of(lists.private_links, self.private_links.interval()))
    }

    fn are_at_work(&self, lists: &Needs) -> bool {
        self.last_work().is_some_and(|last| last.elapsed() < lull(self.interval(lists)))
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Arc};

    use astra_devops::{Client, Token};

    use super::*;
    use crate::organization::{Freshness, tests::Empty};

    const PACE: Duration = Duration::from_millis(500);
    const PATIENCE: Duration = Duration::from_millis(50);

    fn id(n: usize) -> DatabaseId {
        format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f{n:06}").parse().unwrap()
    }

    fn organization() -> (Arc<Empty>, Organization) {
        let transport = Arc::new(Empty::default());
        let client = Client::new(transport.clone(), Token::new("AstraCS:one").unwrap(), 4);
        (transport, Organization::new(client, PACE))
    }

    fn wanted(n: usize) -> Wanted {
        let lists = Needs { access_lists: true, ..Needs::default() };
        Wanted { lists, database: id(n), not_before: Instant::now() }
    }

    /// Writes to its database, waits for a reading that shows it, and looks at it.
    async fn write_and_look(organization: &Organization, n: usize) {
        organization.wrote(id(n), Instant::now());
        let wanted = wanted(n);
        organization.until(&wanted, PATIENCE, || false).await;
        let freshness = Freshness::NoOlderThan(wanted.not_before);
        organization.access_list(&wanted.database, freshness).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_that_write_one_after_the_other_are_served_by_a_handful_of_readings() {
        let (transport, organization) = organization();
        let start = Instant::now();
        let all = (0..10_000_usize).map(|n| {
            let organization = &organization;
            async move {
                sleep(Duration::from_millis(10) * u32::try_from(n).unwrap()).await;
                write_and_look(organization, n).await;
            }
        });
        futures::future::join_all(all).await;
        let (took, readings) = (start.elapsed(), transport.readings());
        assert!(took < Duration::from_secs(106), "the last waits no longer than the lull: {took:?}");
        assert!(readings <= 10, "{readings} readings");
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_that_write_wait_no_longer_than_the_pace() {
        let (_, organization) = organization();
        for n in 0..30 {
            let start = Instant::now();
            write_and_look(&organization, n).await;
            assert!(start.elapsed() <= PACE, "{n}: {:?}", start.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_what_is_moot_goes_within_a_glance() {
        let (_, organization) = organization();
        let start = Instant::now();
        let changed = Cell::new(false);
        let freshness = Freshness::NoOlderThan(start);
        organization.access_list(&id(0), freshness).await.unwrap();
        // As if all wrote on and on.
        let writes = async {
            for n in 0.. {
                organization.wrote(id(n), Instant::now());
                sleep(PACE / 2).await;
                changed.set(start.elapsed() > Duration::from_secs(5));
            }
        };
        let crowd: Vec<_> = (0..100).map(|_| organization.access_lists.waiter()).collect();
        let looks = async {
            for n in 1_000.. {
                sleep(Duration::from_millis(1)).await;
                let wanted = wanted(n);
                organization.until(&wanted, PATIENCE, || changed.get()).await;
                if changed.get() {
                    return start.elapsed();
                }
                let freshness = Freshness::NoOlderThan(wanted.not_before);
                organization.access_list(&wanted.database, freshness).await.unwrap();
            }
            start.elapsed()
        };
        let gone = tokio::select! { gone = looks => gone, () = writes => start.elapsed() };
        assert!(gone <= Duration::from_secs(5) + GLANCE + PACE, "{gone:?}");
        drop(crowd);
        assert_eq!(organization.access_lists.waiting(), 0, "nobody waits any more");
    }
}
