//! `AstraAccessList`: who gets into one database from the internet.
//!
//! The rules of this kind: one `PUT` carries addresses and restriction together where the object is Exclusive; where it
//! is Shared, what is added is seen before anything is restricted or removed. Access never widens by the way.

pub mod desired;
pub mod observed;
pub mod plan;
#[expect(unreachable_pub, reason = "the derive of KubeSchema copies the struct into a place of its own")]
pub mod resource;

use std::{collections::BTreeSet, fmt, sync::Arc};

use astra_devops::{
    Call, Endpoint, Error,
    access_list::{
        AddAddresses, AddressText, Configurations, Entry, RemoveAddress, ReplaceAccessList, RestrictAccess,
    },
    databases::Database,
    id::DatabaseId,
};
use ipnet::Ipv4Net;

use crate::{
    engine::{Common, Counts, Event, Goal, Identities, Kind, Plan, Planned, Problem, View},
    organization::{Freshness, Organization, needs::Needs},
    status::Status,
};
use desired::{Access, Desired};
use observed::Observed;
pub use resource::{AccessListDetails, Address, AstraAccessList, AstraAccessListSpec, PublicAccess};

/// A change to a database's access list.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Sets the whole list and its switch, in one call.
    Replace {
        /// All entries.
        entries: Vec<Entry>,
        /// Is access restricted to them?
        restricted: bool,
        /// What it changes, for people.
        change: String,
    },
    /// Adds entries, or changes those that are there.
    Add {
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Restricts access to the list as it is.
    Restrict,
    /// Takes one entry away.
    Remove {
        /// In the text that Astra has.
        address: AddressText,
        /// The network that it is.
        network: Ipv4Net,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace { change, .. } => write!(f, "replace the access list: {change}"),
            Self::Add { entries } => write!(f, "add or change {}", addresses(entries)),
            Self::Restrict => f.write_str("restrict access to the list"),
            Self::Remove { address, .. } => write!(f, "remove {}", address.as_str()),
        }
    }
}

impl Kind for AstraAccessList {
    type Desired = Desired;
    type Place = DatabaseId;
    type Observed = Observed;
    type Step = Step;
    type Details = AccessListDetails;

    const KIND: &'static str = "AstraAccessList";
    const MAKES_ONCE: bool = false;

    fn common(&self) -> Common<'_> {
        Common {
            database: &self.spec.database,
            credentials: &self.spec.credentials,
            deletion_policy: self.spec.deletion_policy,
            management: self.spec.management,
        }
    }

    fn status(&self) -> Option<&Status<AccessListDetails>> {
        self.status.as_ref()
    }

    fn with_status(&self, status: Status<AccessListDetails>) -> Self {
        Self { status: Some(status), ..self.clone() }
    }

    fn desired(&self) -> Result<Desired, Problem> {
        Desired::parse(&self.spec)
    }

    fn place(_: &Desired, database: &Database, _: &AccessListDetails) -> Result<DatabaseId, Problem> {
        Ok(database.id.clone())
    }

    fn recorded_place(database: &DatabaseId, _: &AccessListDetails) -> Option<DatabaseId> {
        Some(database.clone())
    }

    async fn observe(
        organization: &Organization,
        place: &DatabaseId,
        freshness: Freshness,
    ) -> Result<Observed, Arc<Error>> {
        Ok(Observed::new(organization.access_list(place, freshness).await?))
    }

    fn needs(needs: &mut Needs, _: &BTreeSet<String>) {
        needs.access_lists = true;
    }

    fn wants(desired: &Desired) -> Identities {
        desired.entries.iter().map(|wanted| identity(wanted.network)).collect()
    }

    fn disables(desired: &Desired) -> Identities {
        let off = desired.entries.iter().filter(|wanted| !wanted.entry.enabled);
        off.map(|wanted| identity(wanted.network)).collect()
    }

    fn has(view: &View<'_, Self>, owned: &str) -> bool {
        // Only the form in which it is written down counts.
        let network = owned.strip_prefix("address/").and_then(|network| network.parse::<Ipv4Net>().ok());
        network.is_some_and(|network| identity(network) == owned && view.observed.find(network).is_some())
    }

    fn plan(view: &View<'_, Self>) -> Plan<Step> {
        plan::plan(view)
    }

    fn there(view: &View<'_, Self>) -> Counts {
        Counts::from([(ADDRESSES, view.observed.entries().len())])
    }

    fn removes(view: &View<'_, Self>, step: &Step) -> (&'static str, usize) {
        let removed = match step {
            Step::Replace { entries, .. } => {
                let kept: BTreeSet<Ipv4Net> =
                    entries.iter().filter_map(|entry| observed::network(&entry.address)).collect();
                let gone = |entry: &&Entry| {
                    observed::network(&entry.address).is_none_or(|network| !kept.contains(&network))
                };
                view.observed.entries().iter().filter(gone).count()
            }
            Step::Remove { .. } => 1,
            Step::Add { .. } | Step::Restrict => 0,
        };
        (ADDRESSES, removed)
    }

    fn additions(view: &View<'_, Self>) -> Vec<Planned<Step>> {
        plan::additions(view)
    }

    fn claims(step: &Step) -> Identities {
        let entries = match step {
            Step::Replace { entries, .. } | Step::Add { entries } => entries.as_slice(),
            Step::Restrict | Step::Remove { .. } => &[],
        };
        entries.iter().filter_map(|entry| observed::network(&entry.address)).map(identity).collect()
    }

    fn call(place: &DatabaseId, step: &Step) -> Call {
        let database = place.clone();
        match step.clone() {
            Step::Replace { entries, restricted, .. } => ReplaceAccessList {
                database,
                addresses: entries,
                configurations: Configurations { access_list_enabled: restricted },
            }
            .call(),
            Step::Add { entries } => AddAddresses { database, addresses: entries }.call(),
            Step::Restrict => RestrictAccess(database).call(),
            Step::Remove { address, .. } => RemoveAddress { database, address }.call(),
        }
    }

    fn is_repeatable(_: &Step) -> bool {
        true
    }

    fn visible(step: &Step, observed: &Observed, _: &AccessListDetails) -> bool {
        match step {
            Step::Replace { entries, restricted, .. } => {
                observed.is_restricted() == *restricted && observed.has_exactly(entries)
            }
            Step::Add { entries } => entries.iter().all(|entry| observed.has(entry)),
            Step::Restrict => observed.is_restricted(),
            Step::Remove { address, .. } => {
                observed.entries().iter().all(|entry| entry.address != address.as_str())
            }
        }
    }

    fn event(step: &Step) -> Event {
        match step {
            Step::Replace { change, .. } => {
                Event { reason: "AccessListReplaced", note: format!("Replaced the access list: {change}") }
            }
            Step::Add { entries } => {
                Event { reason: "AddressesAdded", note: format!("Added or changed {}", addresses(entries)) }
            }
            Step::Restrict => {
                Event { reason: "AccessRestricted", note: "Restricted access to the listed addresses".into() }
            }
            Step::Remove { address, .. } => {
                Event { reason: "AddressRemoved", note: format!("Removed {}", address.as_str()) }
            }
        }
    }

    fn details(view: &View<'_, Self>) -> AccessListDetails {
        let wanted = view.wanted();
        let mut unmanaged: Vec<String> = (view.observed.entries().iter())
            .filter(|entry| {
                let identity = observed::network(&entry.address).map(identity);
                identity.is_none_or(|identity| !wanted.contains(&identity) && !view.owned.contains(&identity))
            })
            .map(|entry| entry.address.clone())
            .collect();
        unmanaged.sort();
        unmanaged.truncate(50);
        AccessListDetails {
            public_access: Some(view.observed.public_access()),
            address_count: i64::try_from(view.observed.entries().len()).ok(),
            unmanaged_addresses: unmanaged,
        }
    }

    fn summary(view: &View<'_, Self>) -> String {
        let shared = matches!(view.goal, Goal::Present(Desired { access: Access::Leave, .. }));
        let open = view.observed.enabled().count();
        match view.observed.public_access() {
            PublicAccess::Open if view.observed.is_restricted() => {
                "everybody gets in: 0.0.0.0/0 is in the list".into()
            }
            PublicAccess::Open if shared => {
                "everybody gets in: the addresses are listed, but access is not restricted to the list".into()
            }
            PublicAccess::Open => "everybody gets in: access is not restricted".into(),
            PublicAccess::Blocked if view.observed.entries().is_empty() => {
                "nobody gets in from the internet, only private endpoints".into()
            }
            PublicAccess::Blocked => "nobody gets in from the internet: no listed address is enabled".into(),
            PublicAccess::Listed if open == 1 => "1 address or network gets in, nobody else".into(),
            PublicAccess::Listed => format!("{open} addresses or networks get in, nobody else"),
        }
    }
}

/// The one list of this kind.
const ADDRESSES: &str = "addresses";

/// How an entry is named in `status.owned`.
fn identity(network: Ipv4Net) -> String {
    format!("address/{network}")
}

fn addresses(entries: &[Entry]) -> String {
    let text = |entry: &Entry| {
        if entry.enabled { entry.address.clone() } else { format!("{} (switched off)", entry.address) }
    };
    entries.iter().map(text).collect::<Vec<_>>().join(", ")
}
