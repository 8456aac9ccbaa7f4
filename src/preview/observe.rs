//! What a plan needs to know of Astra, read in as few calls as there are lists. Nothing but `GET`.

use std::collections::BTreeMap;

use astra_devops::{
    Client, Endpoint, Error, OfAll,
    access_list::ListAccessLists,
    databases::{self, Database, GetDatabase},
    id::DatabaseId,
    peering::{GetPeering, Provider},
    private_link::ListPrivateLinks,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::stage::World;
use crate::organization::needs::Needs;

/// Calls at once, for what Astra has no list of.
const AT_ONCE: usize = 8;

/// A list of the organization, if it is needed.
async fn all_of<T, E: Endpoint<Output = Vec<T>>>(
    client: &Client,
    needed: bool,
    list: E,
    databases: usize,
) -> Result<Vec<T>, Error> {
    if needed { client.send(&OfAll { list, databases }).await } else { Ok(Vec::new()) }
}

/// Reads what is needed.
///
/// # Errors
/// The first call that fails: a plan on half of the world would be no plan.
pub async fn observe(client: &Client, needs: &Needs) -> Result<World, Error> {
    let mut databases = databases::list_all(client).await?;
    let (lists, links) = futures::try_join!(
        all_of(client, needs.access_lists, ListAccessLists, databases.len()),
        all_of(client, needs.private_links, ListPrivateLinks, databases.len()),
    )?;
    databases.extend(gone(client, needs, &databases).await?);
    let peered = databases.iter().filter(|database| {
        needs.peerings_of.contains(database.id.as_str()) || needs.peerings_of.contains(&database.info.name)
    });
    let peerings = peered.filter_map(|database| {
        let provider = Provider::parse(&database.info.cloud_provider)?;
        Some(GetPeering { provider, database: database.id.clone() })
    });
    let peerings: Vec<_> = stream::iter(peerings.collect::<Vec<_>>())
        .map(|call| async move {
            let found = client.send(&call).await?;
            Ok::<_, Error>(found.map(|peering| ((call.provider.as_str().to_owned(), call.database), peering)))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(World {
        organization: databases
            .iter()
            .map(|database| database.org_id.clone())
            .find(|id| !id.is_empty())
            .unwrap_or_default(),
        databases,
        access_lists: lists.into_iter().map(|list| (list.database_id.clone(), list)).collect(),
        links: links.into_iter().map(|links| (links.database.clone(), links)).collect(),
        peerings: peerings.into_iter().flatten().collect::<BTreeMap<_, _>>(),
    })
}

/// Databases that are named by id and are in no list: terminated, or never there.
async fn gone(client: &Client, needs: &Needs, listed: &[Database]) -> Result<Vec<Database>, Error> {
    let known = |id: &str| listed.iter().any(|database| database.id.as_str().eq_ignore_ascii_case(id));
    let missing: Vec<DatabaseId> =
        needs.databases.iter().filter(|id| !known(id)).filter_map(|id| id.parse().ok()).collect();
    let found: Vec<Option<Database>> = stream::iter(missing)
        .map(|id| async move { client.send(&GetDatabase(id)).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
