//! `AstraPrivateEndpoint`: the private side of one database in one region.
//!
//! The order of this kind: principals are allowed before endpoints are accepted, additions are seen before anything is
//! removed, endpoints go before principals.

pub mod desired;
pub mod matching;
pub mod plan;
pub mod report;
#[expect(unreachable_pub, reason = "the derive of KubeSchema copies the struct into a place of its own")]
pub mod resource;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use astra_devops::{
    Answer, Call, Endpoint, Error,
    databases::Database,
    id::{DatabaseId, EndpointId},
    private_link::{
        AcceptEndpoint, AllowPrincipals, DescribeEndpoint, Place, PrivateEndpoint, PrivateLink,
        RemoveEndpoint, RemovePrincipal,
    },
};

use crate::{
    engine::{
        Common, Counts, Event, Goal, Identities, Identity, Kind, KindCondition, Plan, Planned, Problem, View,
    },
    organization::{Freshness, Organization, needs::Needs},
    status::Status,
};
use desired::Desired;
pub use resource::{
    AstraPrivateEndpoint, AstraPrivateEndpointSpec, EndpointReport, EndpointSpec, PrivateEndpointDetails,
};

/// A change to the private side of a datacenter.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Allows principals, all that are missing in one call.
    Allow {
        /// Whom.
        principals: Vec<String>,
    },
    /// Connects an endpoint.
    Accept {
        /// The id in the spec.
        id: EndpointId,
        /// What it is for.
        description: String,
    },
    /// Changes an endpoint's description.
    Describe {
        /// The id that Astra has it under.
        id: EndpointId,
        /// What it is for.
        description: String,
    },
    /// Disconnects an endpoint.
    Disconnect {
        /// The id that Astra has it under.
        id: EndpointId,
    },
    /// Takes a principal away.
    Disallow {
        /// Whom.
        principal: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow { principals } => write!(f, "allow {}", principals.join(", ")),
            Self::Accept { id, .. } => write!(f, "connect endpoint {id}"),
            Self::Describe { id, description } => write!(f, "describe endpoint {id} as {description:?}"),
            Self::Disconnect { id } => write!(f, "disconnect endpoint {id}"),
            Self::Disallow { principal } => write!(f, "disallow {principal}"),
        }
    }
}

impl Kind for AstraPrivateEndpoint {
    type Desired = Desired;
    type Place = Place;
    type Observed = PrivateLink;
    type Step = Step;
    type Details = PrivateEndpointDetails;

    const KIND: &'static str = "AstraPrivateEndpoint";
    const MAKES_ONCE: bool = true;

    const CONDITIONS: &'static [(&'static str, &'static str)] = &[
        ("ServiceReady", "The declared principals are allowed, and the service name is known."),
        ("EndpointsReady", "All declared endpoints are accepted; also when none is declared."),
    ];

    fn common(&self) -> Common<'_> {
        Common {
            database: &self.spec.database,
            credentials: &self.spec.credentials,
            deletion_policy: self.spec.deletion_policy,
            management: self.spec.management,
        }
    }

    fn status(&self) -> Option<&Status<PrivateEndpointDetails>> {
        self.status.as_ref()
    }

    fn with_status(&self, status: Status<PrivateEndpointDetails>) -> Self {
        Self { status: Some(status), ..self.clone() }
    }

    fn desired(&self) -> Result<Desired, Problem> {
        Desired::parse(&self.spec)
    }

    fn place(
        desired: &Desired,
        database: &Database,
        details: &PrivateEndpointDetails,
    ) -> Result<Place, Problem> {
        desired.place(database, details.datacenter_id.as_deref())
    }

    fn recorded_place(database: &DatabaseId, details: &PrivateEndpointDetails) -> Option<Place> {
        let datacenter = details.datacenter_id.as_ref()?.parse().ok()?;
        Some(Place { database: database.clone(), datacenter })
    }

    async fn observe(
        organization: &Organization,
        place: &Place,
        freshness: Freshness,
    ) -> Result<PrivateLink, Arc<Error>> {
        Ok(organization.private_link(place, freshness).await?.unwrap_or_default())
    }

    fn needs(needs: &mut Needs, _: &BTreeSet<String>) {
        needs.private_links = true;
    }

    fn wants(desired: &Desired) -> Identities {
        let principals = desired.principals.iter().map(|principal| principal_identity(principal));
        let endpoints = desired.endpoints.iter().map(|endpoint| endpoint_identity(endpoint.id.as_str()));
        principals.chain(endpoints).collect()
    }

    fn has(view: &View<'_, Self>, identity: &str) -> bool {
        match identity.split_once('/') {
            Some(("principal", principal)) => has_principal(view.observed, principal),
            Some(("endpoint", id)) => matching::find_in(view, id).is_some(),
            _ => false,
        }
    }

    fn plan(view: &View<'_, Self>) -> Plan<Step> {
        plan::plan(view)
    }

    fn there(view: &View<'_, Self>) -> Counts {
        let (principals, endpoints) = (&view.observed.allowed_principals, &view.observed.endpoints);
        Counts::from([(PRINCIPALS, principals.len()), (ENDPOINTS, endpoints.len())])
    }

    fn removes(_: &View<'_, Self>, step: &Step) -> (&'static str, usize) {
        match step {
            Step::Disconnect { .. } => (ENDPOINTS, 1),
            Step::Disallow { .. } => (PRINCIPALS, 1),
            Step::Allow { .. } | Step::Accept { .. } | Step::Describe { .. } => (PRINCIPALS, 0),
        }
    }

    fn additions(view: &View<'_, Self>) -> Vec<Planned<Step>> {
        match view.goal {
            Goal::Present(desired) => plan::additions(desired, view),
            Goal::Absent => Vec::new(),
        }
    }

    fn claims(step: &Step) -> Identities {
        match step {
            Step::Allow { principals } => {
                principals.iter().map(|principal| principal_identity(principal)).collect()
            }
            Step::Accept { id, .. } => Identities::from([endpoint_identity(id.as_str())]),
            Step::Describe { .. } | Step::Disconnect { .. } | Step::Disallow { .. } => Identities::new(),
        }
    }

    fn call(place: &Place, step: &Step) -> Call {
        let place = place.clone();
        match step.clone() {
            Step::Allow { principals } => AllowPrincipals { place, principals }.call(),
            Step::Accept { id, description } => AcceptEndpoint { place, id, description }.call(),
            Step::Describe { id, description } => DescribeEndpoint { place, id, description }.call(),
            Step::Disconnect { id } => RemoveEndpoint { place, id }.call(),
            Step::Disallow { principal } => RemovePrincipal { place, principal }.call(),
        }
    }

    fn is_repeatable(step: &Step) -> bool {
        !matches!(step, Step::Accept { .. })
    }

    fn visible(step: &Step, observed: &PrivateLink, details: &PrivateEndpointDetails) -> bool {
        let by_astra_id = |id: &EndpointId| observed.endpoints.iter().find(|endpoint| endpoint.id == *id);
        match step {
            Step::Allow { principals } => {
                principals.iter().all(|principal| has_principal(observed, principal))
            }
            Step::Accept { id, .. } => matching::find(observed, id.as_str(), details, true).is_some(),
            Step::Describe { id, description } => {
                by_astra_id(id).is_none_or(|endpoint| endpoint.description == *description)
            }
            Step::Disconnect { id } => by_astra_id(id).is_none(),
            Step::Disallow { principal } => !has_principal(observed, principal),
        }
    }

    fn learn(step: &Step, answer: &Answer, details: &mut PrivateEndpointDetails) {
        let Step::Accept { id, .. } = step else { return };
        let Ok(endpoint) = answer.read::<PrivateEndpoint>() else { return };
        // Azure: Astra makes another id of the one that was sent, and only that one can be used later.
        if endpoint.id != *id {
            matching::remember(details, id.as_str(), &endpoint);
        }
    }

    fn names(details: &PrivateEndpointDetails) -> BTreeMap<Identity, String> {
        let named = details.endpoints.iter().filter_map(|known| Some((known, known.astra_id.clone()?)));
        named.map(|(known, astra_id)| (endpoint_identity(&known.id), astra_id)).collect()
    }

    fn event(step: &Step) -> Event {
        let (reason, note) = match step {
            Step::Allow { principals } => ("PrincipalsAllowed", format!("Allowed {}", principals.join(", "))),
            Step::Accept { id, .. } => ("EndpointConnected", format!("Connected endpoint {id}")),
            Step::Describe { id, description } => {
                ("EndpointDescribed", format!("Described endpoint {id} as {description:?}"))
            }
            Step::Disconnect { id } => ("EndpointDisconnected", format!("Disconnected endpoint {id}")),
            Step::Disallow { principal } => ("PrincipalDisallowed", format!("Disallowed {principal}")),
        };
        Event { reason, note }
    }

    fn details(view: &View<'_, Self>) -> PrivateEndpointDetails {
        report::details(view)
    }

    fn summary(view: &View<'_, Self>) -> String {
        report::summary(view)
    }

    fn conditions(view: &View<'_, Self>) -> Vec<KindCondition> {
        report::conditions(view)
    }
}

/// The two lists of this kind.
const PRINCIPALS: &str = "principals";
const ENDPOINTS: &str = "endpoints";

fn has_principal(observed: &PrivateLink, principal: &str) -> bool {
    let wanted = principal_identity(principal);
    observed.allowed_principals.iter().any(|allowed| principal_identity(allowed) == wanted)
}

/// How a principal is named in `status.owned`. Azure's subscription ids do not care for case, and two objects may write
/// one in two ways.
fn principal_identity(principal: &str) -> String {
    if desired::is_guid(principal) {
        return format!("principal/{}", principal.to_ascii_lowercase());
    }
    format!("principal/{principal}")
}

/// How an endpoint is named in `status.owned`. Nor do Azure's resource ids care for case.
fn endpoint_identity(id: &str) -> String {
    if id.starts_with('/') {
        return format!("endpoint/{}", id.to_ascii_lowercase());
    }
    format!("endpoint/{id}")
}
