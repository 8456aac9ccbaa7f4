//! What an export needs to know of Astra: the lists of the whole organization, and what there is no list of database by
//! database. Nothing but `GET`.
//!
//! A database that the token may not read is noted and passed over; every other failure ends the export: half of an
//! organization must not look like all of it.

use astra_devops::{
    Client, Error, OfAll,
    access_list::{GetAccessList, ListAccessLists},
    databases::Database,
    error::Class,
    id::DatabaseId,
    peering::{GetPeering, Provider},
    private_link::{GetDatabaseLinks, ListPrivateLinks},
};
use futures::{StreamExt, stream};

use super::{Options, Unread, select::Unknown};
use crate::{
    engine::{Kind, resolve},
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
    organization::needs::Needs,
    preview::{observe::observe, stage::World},
};

/// Calls at once, where it is one for each database.
const AT_ONCE: usize = 8;

/// How many databases are read one by one between two words about it.
const STRIDE: usize = 25;

/// What was read, and what was not shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What is there.
    pub world: World,
    /// What is missing in it.
    pub unread: Vec<Unread>,
    /// Was anything shown beside the databases themselves, be it that there is nothing?
    shown: bool,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// A database is wanted that is not there.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// Reads what is to be exported. `tell` is told how far it is, where that takes long.
///
/// # Errors
/// The first call that fails for another reason than that the token may not see one thing.
pub async fn read(
    client: &Client,
    options: &Options,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Reading, Failed> {
    let needs = Needs {
        access_lists: options.wants(AstraAccessList::KIND),
        private_links: options.wants(AstraPrivateEndpoint::KIND),
        databases: options.selection.ids().cloned().collect(),
        ..Needs::default()
    };
    let mut reading = match observe(client, &needs).await {
        Ok(world) => Reading { world, unread: Vec::new(), shown: needs.access_lists || needs.private_links },
        Err(error) if is_refusal(&error) => without_lists(client, &needs, options, tell).await?,
        Err(error) => return Err(error.into()),
    };
    if options.wants(AstraVpcPeering::KIND) {
        let wanted = wanted(&reading.world, options)?;
        let calls = wanted.iter().filter_map(peering_of).collect();
        let read = |call: GetPeering| async move { (call.database.clone(), client.send(&call).await) };
        let found = each("peerings", calls, read, tell).await;
        for (database, found) in reading.of(AstraVpcPeering::KIND, found)? {
            let provider = wanted.iter().find(|known| known.id == database).and_then(provider);
            if let (Some(provider), Some(peering)) = (provider, found) {
                reading.world.peerings.insert((provider.as_str().to_owned(), database), peering);
            }
        }
    }
    Ok(reading)
}

/// One of the organization's lists was refused. Each that is refused is put together from what the databases show.
async fn without_lists(
    client: &Client,
    needs: &Needs,
    options: &Options,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Reading, Failed> {
    // If it is the databases themselves that are refused, this is the end.
    let databases = Needs { databases: needs.databases.clone(), ..Needs::default() };
    let mut reading = Reading { world: observe(client, &databases).await?, ..Reading::default() };
    let wanted = wanted(&reading.world, options)?;
    let databases = reading.world.databases.len();
    let ids = || wanted.iter().map(|database| database.id.clone()).collect::<Vec<_>>();
    if needs.access_lists {
        match client.send(&OfAll { list: ListAccessLists, databases }).await {
            Ok(lists) => {
                let lists = lists.into_iter().map(|list| (list.database_id.clone(), list));
                reading.world.access_lists = lists.collect();
                reading.shown = true;
            }
            Err(error) if is_refusal(&error) => {
                let read = |id: DatabaseId| async move {
                    let found = client.send(&GetAccessList(id.clone())).await;
                    (id, found)
                };
                let found = each("access lists", ids(), read, tell).await;
                let found = reading.of(AstraAccessList::KIND, found)?;
                let found = found.into_iter().filter_map(|(id, list)| Some((id, list?)));
                reading.world.access_lists = found.collect();
            }
            Err(error) => return Err(error.into()),
        }
    }
    if needs.private_links {
        match client.send(&OfAll { list: ListPrivateLinks, databases }).await {
            Ok(links) => {
                let links = links.into_iter().map(|links| (links.database.clone(), links));
                reading.world.links = links.collect();
                reading.shown = true;
            }
            Err(error) if is_refusal(&error) => {
                let read = |id: DatabaseId| async move {
                    let found = client.send(&GetDatabaseLinks(id.clone())).await;
                    (id, found)
                };
                let found = each("private links", ids(), read, tell).await;
                reading.world.links = reading.of(AstraPrivateEndpoint::KIND, found)?.into_iter().collect();
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(reading)
}

impl Reading {
    /// Was everything refused that was asked for?
    #[must_use]
    pub fn is_blind(&self) -> bool {
        !self.shown && !self.unread.is_empty()
    }

    /// What was shown; the refusals are noted.
    fn of<T>(
        &mut self,
        kind: &'static str,
        found: Vec<(DatabaseId, Result<T, Error>)>,
    ) -> Result<Vec<(DatabaseId, T)>, Error> {
        let mut shown = Vec::with_capacity(found.len());
        for (database, result) in found {
            match result {
                Ok(found) => shown.push((database, found)),
                Err(error) if is_refusal(&error) => {
                    self.unread.push(Unread { database, kind, why: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        self.shown |= !shown.is_empty();
        Ok(shown)
    }
}

/// Reads one after the other, several at once, and gives them in the order in which they were asked for.
async fn each<C, T, F>(
    what: &str,
    calls: Vec<C>,
    read: impl Fn(C) -> F,
    tell: &(dyn Fn(String) + Sync),
) -> Vec<(DatabaseId, Result<T, Error>)>
where
    F: Future<Output = (DatabaseId, Result<T, Error>)>,
{
    let all = calls.len();
    let mut found = Vec::with_capacity(all);
    let mut reading = stream::iter(calls.into_iter().map(read)).buffered(AT_ONCE);
    while let Some(one) = reading.next().await {
        // The rest would tell the same, or never come.
        let ends = one.1.as_ref().is_err_and(|error| !is_refusal(error));
        found.push(one);
        if ends {
            break;
        }
        if found.len() % STRIDE == 0 && found.len() < all {
            tell(format!("reading {what}: {} of {all} databases", found.len()));
        }
    }
    found
}

/// The databases that are wanted and can be managed now.
fn wanted(world: &World, options: &Options) -> Result<Vec<Database>, Unknown> {
    let wanted = options.selection.of(&world.databases)?.into_iter();
    Ok(wanted.filter(|database| resolve::unavailable(database).is_none()).cloned().collect())
}

/// Classic databases have a peering, if any have.
fn peering_of(database: &Database) -> Option<GetPeering> {
    let classic = !database.info.tier.eq_ignore_ascii_case("serverless");
    let provider = provider(database).filter(|_| classic)?;
    Some(GetPeering { provider, database: database.id.clone() })
}

fn provider(database: &Database) -> Option<Provider> {
    Provider::parse(&database.info.cloud_provider)
}

/// Did Astra say that this token may not see it? "There is none" is no error to begin with.
fn is_refusal(error: &Error) -> bool {
    matches!(error.class(), Class::Unauthorized | Class::Forbidden | Class::NotFound)
}
