//! Plans for private endpoints: nothing is disconnected that is declared, or that is somebody else's.

use arbitrary::Unstructured;
use astra_devops::private_link::{PrivateEndpoint, PrivateLink};
use astra_operator::{
    engine::Planned,
    kinds::{
        AstraPrivateEndpoint,
        private_endpoint::{self, EndpointReport, PrivateEndpointDetails},
    },
    resource::Management,
};
use serde_json::json;

use super::{
    super::world::{flag, one, peers, set, some},
    WORDS, World,
};

const AZURE: &str = "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/astra";
const MADE: &str = "astra.0f7e1a52-5b6f-4a7e-9d1c-3c2b1a0f9e8d";
const IDS: [&str; 4] = ["vpce-1", "vpce-2", AZURE, "12345"];
const ASTRA_IDS: [&str; 6] = ["vpce-1", "vpce-2", "VPCE-1", MADE, "strange", "12345"];
const GUID: &str = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";
const PRINCIPALS: [&str; 4] =
    ["arn:aws:iam::123456789012:root", GUID, "9A1C6AE4-1CF9-4F0B-8D0E-6B0C7FB7A001", "acme-network"];

/// The private side of a datacenter.
pub(crate) fn feed(data: &[u8]) {
    let input = &mut Unstructured::new(data);
    let described =
        |input: &mut Unstructured<'_>, id: &str| json!({ "id": id, "description": one(input, &WORDS) });
    let endpoints: Vec<_> = some(input, &IDS).into_iter().map(|id| described(input, id)).collect();
    let spec = json!({
        "database": { "name": "orders" }, "allowedPrincipals": some(input, &PRINCIPALS),
        "endpoints": endpoints, "management": one(input, &["Shared", "Exclusive"]),
    });
    let Some((desired, management)) = World::<AstraPrivateEndpoint>::desired(&spec) else { return };
    let identities: Vec<String> = (IDS.iter().map(|id| format!("endpoint/{}", id.to_ascii_lowercase())))
        .chain(PRINCIPALS.iter().map(|principal| format!("principal/{principal}")))
        .collect();
    let identities: Vec<&str> = identities.iter().map(String::as_str).collect();
    let mut known = some(input, &ASTRA_IDS);
    known.sort_unstable();
    known.dedup();
    let endpoint = |id: &str| PrivateEndpoint {
        id: id.parse().expect("an id"),
        description: one(input, &WORDS).to_owned(),
        link_id: String::new(),
        status: one(input, &["Accepted", "Rejected", "Pending"]).to_owned(),
        created: String::new(),
    };
    let endpoints = known.into_iter().map(endpoint).collect();
    let allowed_principals = some(input, &PRINCIPALS).into_iter().map(ToOwned::to_owned).collect();
    let reports = some(input, &IDS).into_iter().map(|id| EndpointReport {
        id: id.to_owned(),
        astra_id: flag(input).then(|| one(input, &ASTRA_IDS).to_owned()),
        ..EndpointReport::default()
    });
    let details =
        PrivateEndpointDetails { endpoints: reports.collect(), ..PrivateEndpointDetails::default() };
    let place = astra_devops::private_link::Place {
        database: "8fbcfe1d".parse().expect("an id"),
        datacenter: "8fbcfe1d-1".parse().expect("an id"),
    };
    let mut world = World::<AstraPrivateEndpoint> {
        management,
        desired,
        deleting: flag(input),
        place,
        observed: PrivateLink { endpoints, allowed_principals, ..PrivateLink::default() },
        owned: set(input, &identities),
        details,
        peers: peers(input, &identities, &ASTRA_IDS),
    };
    world.run(check_link, carry_out_on_link);
}

fn check_link(world: &World<AstraPrivateEndpoint>, steps: &[Planned<private_endpoint::Step>]) {
    use private_endpoint::Step;
    let mut disallowed = false;
    let removes = |step: &Step| matches!(step, Step::Disconnect { .. } | Step::Disallow { .. });
    assert!(
        steps.iter().all(|planned| removes(&planned.step)) || !steps.iter().any(|p| removes(&p.step)),
        "adds and removes at once: {steps:?}"
    );
    for Planned { step, .. } in steps {
        match step {
            Step::Disallow { principal } => {
                disallowed = true;
                let lower = if principal.eq_ignore_ascii_case(GUID) { GUID } else { principal };
                world.assert_may_go(&format!("principal/{lower}"), step);
            }
            Step::Disconnect { id } => {
                assert!(!disallowed, "a principal goes before its endpoint: {steps:?}");
                check_disconnect(world, id.as_str());
            }
            Step::Describe { id, .. } => {
                assert!(!world.deleting);
                assert!(world.observed.endpoints.iter().any(|endpoint| endpoint.id == *id), "{step:?}");
            }
            Step::Allow { .. } | Step::Accept { .. } => assert!(!world.deleting),
        }
    }
}

/// What is disconnected is there, is declared by nobody of this object, and (unless the object is Exclusive) is known by
/// something that this object owns: the same id, the one that Astra answered, or one that Astra makes of it.
fn check_disconnect(world: &World<AstraPrivateEndpoint>, id: &str) {
    assert!(world.observed.endpoints.iter().any(|endpoint| endpoint.id.as_str() == id), "{id} is not there");
    if !world.deleting {
        let declared = world.desired.endpoints.iter().any(|wanted| wanted.id.as_str() == id);
        assert!(!declared, "disconnects {id}, which is declared");
    }
    if world.deleting || world.management == Management::Shared {
        let names = |owned: &str| {
            let reported =
                world.details.endpoints.iter().any(|known| {
                    known.id.eq_ignore_ascii_case(owned) && known.astra_id.as_deref() == Some(id)
                });
            let told = world.peers.iter().flat_map(|peer| &peer.names);
            let mut told = told.filter(|(of, _)| of.strip_prefix("endpoint/") == Some(owned));
            let made = owned.starts_with('/') && id == MADE;
            owned.eq_ignore_ascii_case(id) || reported || made || told.any(|(_, name)| name == id)
        };
        let free =
            |identity: &&String| !world.claimed(identity) && !world.view().wanted().contains(*identity);
        let mut mine =
            world.owned.iter().filter(free).filter_map(|identity| identity.strip_prefix("endpoint/"));
        assert!(mine.any(names), "disconnects {id}, which is not owned");
    }
}

fn carry_out_on_link(observed: &mut PrivateLink, step: &private_endpoint::Step) {
    use private_endpoint::Step;
    match step {
        Step::Allow { principals } => observed.allowed_principals.extend(principals.iter().cloned()),
        Step::Accept { id, description } => observed.endpoints.push(PrivateEndpoint {
            id: id.clone(),
            description: description.clone(),
            link_id: String::new(),
            status: "Accepted".into(),
            created: String::new(),
        }),
        Step::Describe { id, description } => {
            let endpoints = observed.endpoints.iter_mut().filter(|endpoint| endpoint.id == *id);
            endpoints.for_each(|endpoint| endpoint.description.clone_from(description));
        }
        Step::Disconnect { id } => observed.endpoints.retain(|endpoint| endpoint.id != *id),
        Step::Disallow { principal } => observed.allowed_principals.retain(|known| known != principal),
    }
}
