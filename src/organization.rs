//! One Astra organization as seen by one token: the client, and what was read, shared by all objects of the token.
//!
//! Observation is by organization and not by object, so that a resync costs the same handful of calls for ten objects
//! and for ten thousand.

pub mod asked;
pub mod by_database;
pub mod databases;
pub mod needs;
pub mod registry;
pub mod shared;
pub mod wanted;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use astra_devops::{
    Client, Error, OfAll,
    access_list::{AccessList, GetAccessList, ListAccessLists},
    databases::{Database, GetDatabase, list_all},
    id::DatabaseId,
    organization::GetCurrentOrganization,
    peering::{GetPeering, Peering},
    private_link::{DatabaseLinks, GetPrivateLink, ListPrivateLinks, Place, PrivateLink},
};
use futures::FutureExt;
use tokio::time::Instant;

use asked::Asked;
use by_database::ByDatabase;
use databases::Databases;
use shared::Shared;

fn round_of(resync: Duration) -> Duration {
    (resync * 5 / 6).max(Duration::from_millis(1))
}

/// How fresh a look must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The organization's list will do, if its reading began at or after this instant.
    NoOlderThan(Instant),
    /// The place itself is read now: an incomplete list must never pass for "gone".
    Direct,
}

/// One organization, as one token sees it.
#[derive(Debug)]
pub struct Organization {
    client: Client,
    databases: Shared<Databases>,
    access_lists: Shared<ByDatabase<AccessList>>,
    private_links: Shared<ByDatabase<DatabaseLinks>>,
    /// When any object last wrote to a database: an older reading tells nothing about it to the others either.
    written: Mutex<HashMap<DatabaseId, Instant>>,
    /// When any of its objects was last at work.
    at_work: Mutex<Option<Instant>>,
    /// What the rounds of those at rest are counted from.
    born: Instant,
    /// What was asked for by calls that are not safe to repeat.
    asked: Asked,
}

impl Organization {
    /// An organization that nothing was read of. `pace` is the least time between two readings of one list.
    #[must_use]
    pub fn new(client: Client, pace: Duration) -> Self {
        Self {
            client,
            databases: Shared::new(pace),
            access_lists: Shared::new(pace),
            private_links: Shared::new(pace),
            written: Mutex::default(),
            at_work: Mutex::default(),
            born: Instant::now(),
            asked: Asked::default(),
        }
    }

    /// A call that changes this database was sent.
    pub fn wrote(&self, database: DatabaseId, at: Instant) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(database, at);
        self.is_at_work(at);
    }

    /// One of its objects got on: in Astra, or in Kubernetes, which with very many takes the longer time.
    pub fn is_at_work(&self, at: Instant) {
        *self.at_work.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// When the round began in which all objects at rest share a reading: five sixths of `resync` apart, so that with the
    /// time that it takes to look at all of them a change is seen within `resync`.
    #[must_use]
    pub fn round_began(&self, resync: Duration) -> Instant {
        let round = round_of(resync);
        self.born + round.mul_f64((self.born.elapsed().as_secs_f64() / round.as_secs_f64()).floor())
    }

    /// How long until the next round.
    #[must_use]
    pub fn next_round(&self, resync: Duration) -> Duration {
        (self.round_began(resync) + round_of(resync)).saturating_duration_since(Instant::now())
    }

    /// When any of its objects was last at work.
    fn last_work(&self) -> Option<Instant> {
        *self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for by calls that are not safe to repeat.
    #[must_use]
    pub const fn asked(&self) -> &Asked {
        &self.asked
    }

    fn since_last_write(&self, database: &DatabaseId, not_before: Instant) -> Instant {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(database).map_or(not_before, |write| not_before.max(*write))
    }

    /// The client, for changes.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The organization's id in Astra, read now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn id(&self) -> Result<String, Arc<Error>> {
        Ok(self.client.send(&GetCurrentOrganization).await?.id)
    }

    /// All databases that are not terminated, read at or after `not_before`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn databases(&self, not_before: Instant) -> Result<Arc<Databases>, Arc<Error>> {
        let read = || {
            let client = self.client.clone();
            async move { list_all(&client).await.map(Databases::from) }.boxed()
        };
        self.databases.no_older_than(not_before, read).await
    }

    /// One database, read now, also if it is terminated.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn database(&self, id: &DatabaseId) -> Result<Option<Database>, Arc<Error>> {
        self.client.send(&GetDatabase(id.clone())).await.map_err(Arc::new)
    }

    /// A database's access list; `None` when it has none, and so is open.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn access_list(
        &self,
        id: &DatabaseId,
        freshness: Freshness,
    ) -> Result<Option<AccessList>, Arc<Error>> {
        let Freshness::NoOlderThan(not_before) = freshness else {
            return self.client.send(&GetAccessList(id.clone())).await.map_err(Arc::new);
        };
        let read = || {
            let (client, list) = (self.client.clone(), self.of_all(ListAccessLists));
            async move {
                let mut lists = client.send(&list).await?;
                for list in &mut lists {
                    list.addresses.shrink_to_fit();
                }
                Ok(ByDatabase::new(lists, |list| &list.database_id))
            }
            .boxed()
        };
        let not_before = self.since_last_write(id, not_before);
        Ok(self.access_lists.no_older_than(not_before, read).await?.get(id).cloned())
    }

    /// A list that grows with the databases that were there the last time.
    fn of_all<E>(&self, list: E) -> OfAll<E> {
        OfAll { list, databases: self.databases.last().map_or(0, |databases| databases.len()) }
    }

    /// A datacenter's private link; `None` when none is configured.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn private_link(
        &self,
        place: &Place,
        freshness: Freshness,
    ) -> Result<Option<PrivateLink>, Arc<Error>> {
        let Freshness::NoOlderThan(not_before) = freshness else {
            return self.client.send(&GetPrivateLink(place.clone())).await.map_err(Arc::new);
        };
        let read = || {
            let (client, list) = (self.client.clone(), self.of_all(ListPrivateLinks));
            async move {
                let mut links = client.send(&list).await?;
                for links in &mut links {
                    links.datacenters.shrink_to_fit();
                }
                Ok(ByDatabase::new(links, |links| &links.database))
            }
            .boxed()
        };
        let not_before = self.since_last_write(&place.database, not_before);
        let all = self.private_links.no_older_than(not_before, read).await?;
        let datacenters =
            all.get(&place.database).map(|links| links.datacenters.as_slice()).unwrap_or_default();
        Ok(datacenters.iter().find(|link| link.datacenter == place.datacenter.as_str()).cloned())
    }

    /// A database's peering with one cloud. Astra has no list of them, so this is always one call.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn peering(&self, peering: &GetPeering) -> Result<Option<Peering>, Arc<Error>> {
        self.client.send(peering).await.map_err(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use astra_devops::{Answer, Call, Token, Transport, transport::TransportError};
    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;

    /// Counts the readings of a list that is empty.
    #[derive(Default)]
    pub(super) struct Empty(AtomicUsize);

    impl Empty {
        pub(super) fn readings(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Transport for Empty {
        fn send<'a>(&'a self, _: &'a Token, _: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            async { Ok(Answer::json(200, &json!([]))) }.boxed()
        }
    }

    /// Two databases and no list; notes how many databases a list is told to be of.
    #[derive(Default)]
    struct Two(Mutex<Vec<usize>>);

    impl Transport for Two {
        fn send<'a>(&'a self, _: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            let databases =
                [1, 2].map(|n| json!({ "id": format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0{n}") }));
            let answer = if call.path == "/v2/databases" {
                json!(databases)
            } else {
                self.0.lock().unwrap().push(call.databases);
                json!([])
            };
            async move { Ok(Answer::json(200, &answer)) }.boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_lists_may_be_as_long_as_the_databases_are_many() {
        let transport = Arc::new(Two::default());
        let client = Client::new(transport.clone(), Token::new("AstraCS:one").unwrap(), 4);
        let organization = Organization::new(client, Duration::ZERO);
        let id: DatabaseId = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01".parse().unwrap();
        let place: Place = Place { database: id.clone(), datacenter: format!("{id}-1").parse().unwrap() };
        let now = || Freshness::NoOlderThan(Instant::now());
        organization.access_list(&id, now()).await.unwrap();
        organization.databases(Instant::now()).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        organization.access_list(&id, now()).await.unwrap();
        let _ = organization.private_link(&place, now()).await;
        assert_eq!(*transport.0.lock().unwrap(), [0, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_is_older_than_anybodys_write_to_the_database_serves_nobody() {
        let transport = Arc::new(Empty::default());
        let client = Client::new(transport.clone(), Token::new("AstraCS:one").unwrap(), 4);
        let organization = Organization::new(client, Duration::ZERO);
        let [one, other]: [DatabaseId; 2] =
            ["4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01", "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02"]
                .map(|id| id.parse().unwrap());
        let start = Instant::now();
        let readings = async |id: &DatabaseId| {
            organization.access_list(id, Freshness::NoOlderThan(start)).await.unwrap();
            transport.readings()
        };
        assert_eq!((readings(&one).await, readings(&other).await), (1, 1), "one for all");
        tokio::time::advance(Duration::from_secs(1)).await;
        organization.wrote(one.clone(), Instant::now());
        assert_eq!(readings(&other).await, 1, "another database's");
        assert_eq!(readings(&one).await, 2);
        assert_eq!(readings(&one).await, 2, "once is enough");
    }
}
