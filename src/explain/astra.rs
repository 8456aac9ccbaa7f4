//! What Astra has at an object's place, of what was read. Pure.

use astra_devops::{
    access_list::AccessList,
    databases::Database,
    peering::{Peering, Provider},
    private_link::DatabaseLinks,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Facts;
use crate::{
    engine::{
        Problem,
        resolve::{self, Resolution},
    },
    overview::standing,
    preview::stage::World,
    resource::DatabaseRef,
};

/// What Astra has at an object's place. Of the parts only that of the object's kind is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Astra {
    /// Did Astra answer?
    pub answered: bool,
    /// Why it was not asked, why it did not answer, or why its answer does not tell which database is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The token's organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The database, in Astra's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub database: Option<Database>,
    /// For an `AstraAccessList`: the list, in Astra's own form; without one everybody gets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub access_list: Option<AccessList>,
    /// For an `AstraPrivateEndpoint`: the private links of the database's datacenters, in Astra's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub private_links: Option<DatabaseLinks>,
    /// For an `AstraVpcPeering`: the peering, in Astra's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub peering: Option<Peering>,
}

/// What was found in Astra.
#[must_use]
pub fn found(facts: &Facts) -> Astra {
    let Some(world) = &facts.world else {
        let why = facts.astra_failed.as_ref().map(|problem| problem.message.clone());
        let why = why.unwrap_or_else(|| format!("not asked: {}", facts.credentials.message));
        return Astra { problem: Some(why), ..Astra::default() };
    };
    let organization = Some(world.organization.clone()).filter(|id| !id.is_empty());
    let answered = Astra { answered: true, organization, ..Astra::default() };
    match database(&facts.object, world) {
        Ok(database) => Astra {
            access_list: world.access_lists.get(&database.id).cloned(),
            private_links: world.links.get(&database.id).cloned(),
            peering: Provider::parse(&database.info.cloud_provider).and_then(|provider| {
                world.peerings.get(&(provider.as_str().to_owned(), database.id.clone())).cloned()
            }),
            database: Some(database.clone()),
            ..answered
        },
        Err(problem) => Astra { problem: Some(problem.message), ..answered },
    }
}

/// The database that an object means, found as the operator finds it.
///
/// # Errors
/// Why it cannot be known.
pub fn database<'a>(object: &Value, world: &'a World) -> Result<&'a Database, Problem> {
    let reference: DatabaseRef = serde_json::from_value(object["spec"]["database"].clone())
        .map_err(|error| Problem::invalid("spec.database", error))?;
    let recorded = standing::status(object).database_id;
    match resolve::resolve(&reference, recorded.as_deref(), world.databases.as_slice()) {
        Resolution::Found(database) => Ok(database),
        Resolution::Ask(id) => world
            .databases
            .iter()
            .find(|database| database.id == id)
            .ok_or_else(|| resolve::missing(&id, None)),
        Resolution::Problem(problem) => Err(problem),
    }
}
