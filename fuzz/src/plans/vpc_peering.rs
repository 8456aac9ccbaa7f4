//! Plans for peerings: one is made where there is none, and only this object's own is deleted.

use arbitrary::Unstructured;
use astra_devops::peering::{GetPeering, Network, Peering, Provider, Vpc};
use astra_operator::{
    engine::Planned,
    kinds::{
        AstraVpcPeering,
        vpc_peering::{self, VpcPeeringDetails},
    },
};
use serde_json::json;

use super::{
    super::world::{flag, one, peers, set},
    World,
};

/// A peering.
pub(crate) fn feed(data: &[u8]) {
    let input = &mut Unstructured::new(data);
    let gcp = |input: &mut Unstructured<'_>| json!({ "projectId": one(input, &["acme", "other"]), "network": one(input, &["hub", "spoke"]) });
    let mut spec = json!({ "database": { "name": "archive" } });
    spec["gcp"] = gcp(input);
    let Some((desired, management)) = World::<AstraVpcPeering>::desired(&spec) else { return };
    let side = |input: &mut Unstructured<'_>| Vpc {
        provider: "gcp".into(),
        account: one(input, &["acme", "ACME", "other", ""]).to_owned(),
        vpc_id: one(input, &["hub", "projects/acme/global/networks/hub", "spoke", "", "/"]).to_owned(),
        cidr_block: String::new(),
    };
    let observed = flag(input).then(|| Peering {
        connection_id: one(input, &["one", "two", ""]).to_owned(),
        status: one(input, &["active", "pending-acceptance", "deleting", "Conflict Error: x", ""]).to_owned(),
        current_vpc: side(input),
        other_vpc: side(input),
    });
    let identities = ["peering/gcp/acme/hub", "peering/gcp/other/spoke"];
    let recorded = flag(input).then(|| one(input, &["one", "two"]).to_owned());
    let mut world = World::<AstraVpcPeering> {
        management,
        desired,
        deleting: flag(input),
        place: GetPeering { provider: Provider::Gcp, database: "8fbcfe1d".parse().expect("an id") },
        observed,
        owned: set(input, &identities),
        details: VpcPeeringDetails { connection_id: recorded, ..VpcPeeringDetails::default() },
        peers: peers(input, &identities, &[]),
    };
    world.run(check_peering, carry_out_on_peering);
}

fn check_peering(world: &World<AstraVpcPeering>, steps: &[Planned<vpc_peering::Step>]) {
    use vpc_peering::Step;
    assert_eq!(steps.len(), 1, "{steps:?}");
    match (&steps[0].step, &world.observed) {
        (Step::Create { network }, None) => assert!(!world.deleting && *network == world.desired.network),
        (Step::Delete { connection }, Some(peering)) => {
            assert!(world.deleting && !world.owned.is_empty());
            assert_eq!(*connection, peering.connection_id);
            let recorded = world.details.connection_id.as_ref();
            assert!(
                recorded.is_none_or(|recorded| recorded == connection),
                "deletes another one: {peering:?}"
            );
            let Network::Gcp { project_id, vpc_network_name } = &world.desired.network else {
                panic!("{steps:?}")
            };
            let with = |side: &Vpc| {
                side.account.eq_ignore_ascii_case(project_id)
                    && side.vpc_id.ends_with(vpc_network_name.as_str())
            };
            assert!(
                with(&peering.other_vpc) || with(&peering.current_vpc),
                "with another network: {peering:?}"
            );
        }
        (step, observed) => panic!("{step:?} where there is {observed:?}"),
    }
}

fn carry_out_on_peering(observed: &mut Option<Peering>, step: &vpc_peering::Step) {
    use vpc_peering::Step;
    match step {
        Step::Delete { .. } => *observed = None,
        Step::Create { network } => {
            let Network::Gcp { project_id, vpc_network_name } = network else { return };
            let other_vpc =
                Vpc { account: project_id.clone(), vpc_id: vpc_network_name.clone(), ..Vpc::default() };
            *observed = Some(Peering {
                connection_id: "made".into(),
                status: "active".into(),
                current_vpc: Vpc::default(),
                other_vpc,
            });
        }
    }
}
