//! `AstraVpcPeering`: the peering of one Classic database with one network.
//!
//! Astra has one peering for each database and cloud, and no update: a change is a deletion and a new one, so the spec
//! cannot be changed. Making one is not safe to repeat; it is looked for before it is asked for.

pub mod desired;
pub mod plan;
#[expect(unreachable_pub, reason = "the derive of KubeSchema copies the struct into a place of its own")]
pub mod resource;

use std::{collections::BTreeSet, fmt, sync::Arc};

use astra_devops::{
    Call, Endpoint, Error,
    databases::Database,
    id::DatabaseId,
    peering::{CreatePeering, DeletePeering, GetPeering, Network, Peering, Provider},
};

use crate::{
    engine::{Common, Counts, Event, Identities, Kind, Plan, Planned, Problem, View},
    organization::{Freshness, Organization, needs::Needs},
    resource::Management,
    status::Status,
};
use desired::Desired;
pub use resource::{
    AstraVpcPeering, AstraVpcPeeringSpec, AwsVpc, AzureNetwork, GcpNetwork, NetworkReport, VpcPeeringDetails,
};

/// A change to a database's peering.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Asks for a peering.
    Create {
        /// With this network.
        network: Network,
    },
    /// Ends the peering.
    Delete {
        /// Astra's id of it.
        connection: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { network } => write!(f, "peer with {}", desired::name(network)),
            Self::Delete { connection } => write!(f, "delete peering {connection}"),
        }
    }
}

impl Kind for AstraVpcPeering {
    type Desired = Desired;
    type Place = GetPeering;
    type Observed = Option<Peering>;
    type Step = Step;
    type Details = VpcPeeringDetails;

    const KIND: &'static str = "AstraVpcPeering";
    const MAKES_ONCE: bool = true;

    const SHAREABLE: bool = false;

    fn common(&self) -> Common<'_> {
        Common {
            database: &self.spec.database,
            credentials: &self.spec.credentials,
            deletion_policy: self.spec.deletion_policy,
            // There is one peering for each database and cloud, so an object for it claims it whole.
            management: Management::Exclusive,
        }
    }

    fn status(&self) -> Option<&Status<VpcPeeringDetails>> {
        self.status.as_ref()
    }

    fn with_status(&self, status: Status<VpcPeeringDetails>) -> Self {
        Self { status: Some(status), ..self.clone() }
    }

    fn desired(&self) -> Result<Desired, Problem> {
        Desired::parse(&self.spec)
    }

    fn place(desired: &Desired, database: &Database, _: &VpcPeeringDetails) -> Result<GetPeering, Problem> {
        desired.place(database)
    }

    fn recorded_place(database: &DatabaseId, details: &VpcPeeringDetails) -> Option<GetPeering> {
        let provider = [Provider::Aws, Provider::Azure, Provider::Gcp]
            .into_iter()
            .find(|provider| details.provider.as_deref() == Some(provider.to_string().as_str()))?;
        Some(GetPeering { provider, database: database.clone() })
    }

    async fn observe(
        organization: &Organization,
        place: &GetPeering,
        _: Freshness,
    ) -> Result<Option<Peering>, Arc<Error>> {
        organization.peering(place).await
    }

    fn needs(needs: &mut Needs, databases: &BTreeSet<String>) {
        needs.peerings_of.extend(databases.iter().cloned());
    }

    fn wants(desired: &Desired) -> Identities {
        Identities::from([identity(&desired.network)])
    }

    fn has(view: &View<'_, Self>, _: &str) -> bool {
        // A peering with another network is not this object's, whatever the status remembers.
        view.observed.as_ref().is_some_and(|peering| plan::is_ours(peering, view))
    }

    fn plan(view: &View<'_, Self>) -> Plan<Step> {
        plan::plan(view)
    }

    fn there(view: &View<'_, Self>) -> Counts {
        Counts::from([(PEERINGS, usize::from(view.observed.is_some()))])
    }

    fn removes(_: &View<'_, Self>, step: &Step) -> (&'static str, usize) {
        (PEERINGS, usize::from(matches!(step, Step::Delete { .. })))
    }

    fn additions(_: &View<'_, Self>) -> Vec<Planned<Step>> {
        // The one removal of this kind is a deletion, which is never held back.
        Vec::new()
    }

    fn claims(step: &Step) -> Identities {
        match step {
            Step::Create { network } => Identities::from([identity(network)]),
            Step::Delete { .. } => Identities::new(),
        }
    }

    fn call(place: &GetPeering, step: &Step) -> Call {
        let database = place.database.clone();
        match step.clone() {
            Step::Create { network } => CreatePeering { database, network }.call(),
            Step::Delete { .. } => DeletePeering { provider: place.provider, database }.call(),
        }
    }

    fn is_repeatable(step: &Step) -> bool {
        !matches!(step, Step::Create { .. })
    }

    fn visible(step: &Step, observed: &Option<Peering>, _: &VpcPeeringDetails) -> bool {
        match step {
            Step::Create { .. } => observed.is_some(),
            Step::Delete { connection } => observed
                .as_ref()
                .is_none_or(|peering| peering.connection_id != *connection || plan::is_going(peering)),
        }
    }

    fn event(step: &Step) -> Event {
        match step {
            Step::Create { network } => Event {
                reason: "PeeringRequested",
                note: format!("Asked Astra to peer with {}", desired::name(network)),
            },
            Step::Delete { connection } => {
                Event { reason: "PeeringDeleted", note: format!("Deleted peering {connection}") }
            }
        }
    }

    fn details(view: &View<'_, Self>) -> VpcPeeringDetails {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let provider = Some(view.place.provider.to_string());
        let Some(peering) = view.observed else {
            return VpcPeeringDetails { provider, ..Default::default() };
        };
        VpcPeeringDetails {
            provider,
            connection_id: text(&peering.connection_id),
            peering_status: text(&peering.status),
            astra_network: Some(plan::network(&peering.current_vpc)),
            peer_network: Some(plan::network(&peering.other_vpc)),
        }
    }

    fn summary(view: &View<'_, Self>) -> String {
        let with =
            view.observed.as_ref().map(|peering| peering.other_vpc.vpc_id.as_str()).unwrap_or_default();
        format!("peered with {with}")
    }
}

/// The one list of this kind.
const PEERINGS: &str = "peerings";

/// With the network in it: a peering that another object wants with another network is no claim on this one.
fn identity(network: &Network) -> String {
    let (account, name) = match network {
        Network::Aws { account_id, vpc_id, .. } => (account_id, vpc_id),
        Network::Azure { subscription_id, virtual_network_name, .. } => {
            (subscription_id, virtual_network_name)
        }
        Network::Gcp { project_id, vpc_network_name } => (project_id, vpc_network_name),
    };
    // Astra and the clouds do not care for case here.
    format!("peering/{}/{account}/{name}", network.provider().as_str()).to_ascii_lowercase()
}
