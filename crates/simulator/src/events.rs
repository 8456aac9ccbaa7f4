//! Events: what happens without being asked through the API. Somebody uses the console, a cloud breaks a connection,
//! an administrator revokes a token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    address,
    state::{AddressEntry, Database, PrivateLink, State},
};

/// One event. As JSON: `{"removeAddress":{"database":"…","address":"203.0.113.0/24"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Event {
    /// An endpoint, by its kept or posted id, becomes `Rejected`.
    RejectEndpoint {
        /// The database's id.
        database: String,
        /// The endpoint's id.
        endpoint: String,
    },
    /// An endpoint is gone.
    RemoveEndpoint {
        /// The database's id.
        database: String,
        /// The endpoint's id.
        endpoint: String,
    },
    /// A principal is not allowed any more.
    RemovePrincipal {
        /// The database's id.
        database: String,
        /// Only in this datacenter; absent is in all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        datacenter: Option<String>,
        /// The principal.
        principal: String,
    },
    /// The peering has this status from now on, e.g. `Conflict Error: RemotePeeringIsDisconnected`.
    SetPeeringStatus {
        /// The database's id.
        database: String,
        /// The status, any text.
        status: String,
    },
    /// The peering is gone.
    RemovePeering {
        /// The database's id.
        database: String,
    },
    /// An address is added to the list, or changed; a list is made when there is none.
    AddAddress {
        /// The database's id.
        database: String,
        /// The address.
        address: String,
        /// What it is for.
        #[serde(default)]
        description: String,
        /// Does it let in?
        #[serde(default = "yes")]
        enabled: bool,
    },
    /// An address is taken from the list.
    RemoveAddress {
        /// The database's id.
        database: String,
        /// The address, in the text the list has it in.
        address: String,
    },
    /// The restriction to the list is switched.
    SetRestriction {
        /// The database's id.
        database: String,
        /// On or off.
        enabled: bool,
    },
    /// The whole list is gone, and the database open.
    RemoveAccessList {
        /// The database's id.
        database: String,
    },
    /// The database has this status from now on. With `TERMINATED` its network goes.
    SetDatabaseStatus {
        /// The database's id.
        database: String,
        /// The status, any text.
        status: String,
    },
    /// The token is not known any more.
    RevokeToken {
        /// The token.
        token: String,
    },
    /// The simulator's clock goes forward, e.g. by `30s`.
    AdvanceTime(#[serde(with = "crate::span")] Duration),
}

/// An event that cannot happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot happen: {0}")]
pub struct EventError(String);

impl Event {
    /// Makes it happen. [`Event::AdvanceTime`] is no change of the state.
    pub(crate) fn apply(&self, now: jiff::Timestamp, state: &mut State) -> Result<(), EventError> {
        match self {
            Self::RejectEndpoint { database, endpoint } => {
                let link = link_of(find(state, database)?, endpoint)?;
                for known in link.endpoints.iter_mut().filter(|known| known.is(endpoint)) {
                    "Rejected".clone_into(&mut known.status);
                }
            }
            Self::RemoveEndpoint { database, endpoint } => {
                link_of(find(state, database)?, endpoint)?.endpoints.retain(|known| !known.is(endpoint));
            }
            Self::RemovePrincipal { database, datacenter, principal } => {
                remove_principal(find(state, database)?, datacenter.as_deref(), principal)?;
            }
            Self::SetPeeringStatus { database, status } => {
                let peering = find(state, database)?.peering.as_mut();
                peering.ok_or_else(|| none(database, "peering"))?.status.clone_from(status);
            }
            Self::RemovePeering { database } => {
                find(state, database)?.peering.take().ok_or_else(|| none(database, "peering"))?;
            }
            Self::SetDatabaseStatus { database, status } if status == "TERMINATED" => {
                find(state, database)?.terminate();
            }
            Self::SetDatabaseStatus { database, status } => find(state, database)?.status.clone_from(status),
            Self::RevokeToken { token } => {
                let before = state.tokens.len();
                state.tokens.retain(|known| known.token != *token);
                if state.tokens.len() == before {
                    return Err(EventError("there is no such token".into()));
                }
            }
            Self::AddAddress { .. }
            | Self::RemoveAddress { .. }
            | Self::SetRestriction { .. }
            | Self::RemoveAccessList { .. } => self.apply_to_list(now, state)?,
            Self::AdvanceTime(_) => {}
        }
        Ok(())
    }

    fn apply_to_list(&self, now: jiff::Timestamp, state: &mut State) -> Result<(), EventError> {
        match self {
            Self::AddAddress { database, address, description, enabled } => {
                address::check(address).map_err(EventError)?;
                let entry = AddressEntry {
                    address: address::stored(address, state.normalize_addresses),
                    description: description.clone(),
                    enabled: *enabled,
                    last_update_date_time: Some(now),
                };
                let list = find(state, database)?.access_list.get_or_insert_default();
                match list.addresses.iter_mut().find(|known| known.address == entry.address) {
                    Some(known) => *known = entry,
                    None => list.addresses.push(entry),
                }
            }
            Self::RemoveAddress { database, address } => {
                let list = find(state, database)?.access_list.as_mut();
                let list = list.ok_or_else(|| none(database, "access list"))?;
                let at = list.addresses.iter().position(|entry| entry.address == *address);
                let at = at.ok_or_else(|| EventError(format!("the list has no address {address:?}")))?;
                list.addresses.remove(at);
            }
            Self::SetRestriction { database, enabled } => {
                find(state, database)?.access_list.get_or_insert_default().access_list_enabled = *enabled;
            }
            Self::RemoveAccessList { database } => {
                find(state, database)?.access_list.take().ok_or_else(|| none(database, "access list"))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}

fn none(database: &str, what: &str) -> EventError {
    EventError(format!("database {database} has no {what}"))
}

fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Database, EventError> {
    state.database_mut(id).ok_or_else(|| EventError(format!("there is no database {id:?}")))
}

/// The private link that has an endpoint.
fn link_of<'a>(database: &'a mut Database, endpoint: &str) -> Result<&'a mut PrivateLink, EventError> {
    let has = |link: &&mut PrivateLink| link.endpoints.iter().any(|known| known.is(endpoint));
    let found = database.private_links.iter_mut().find(has);
    found.ok_or_else(|| EventError(format!("the database has no endpoint {endpoint:?}")))
}

fn remove_principal(
    database: &mut Database,
    datacenter: Option<&str>,
    principal: &str,
) -> Result<(), EventError> {
    let of_datacenter = |link: &&mut PrivateLink| datacenter.is_none_or(|id| id == link.datacenter_id);
    let mut found = false;
    for link in database.private_links.iter_mut().filter(of_datacenter) {
        found |= link.allowed_principals.iter().any(|known| known == principal);
        link.allowed_principals.retain(|known| known != principal);
    }
    if found {
        Ok(())
    } else {
        Err(EventError(format!("principal {principal:?} is not allowed there anyway")))
    }
}
