//! The stage answers as the simulator does, which answers as Astra does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use astra_devops::{
    Client, Endpoint as _, Token,
    access_list::{
        AccessList, AddAddresses, AddressText, Configurations, Entry, ListAccessLists, RemoveAddress,
        ReplaceAccessList, RestrictAccess,
    },
    id::{DatabaseId, EndpointId},
    peering::{CreatePeering, DeletePeering, Network, Provider},
    private_link::{
        AcceptEndpoint, AllowPrincipals, DescribeEndpoint, ListPrivateLinks, Place, RemoveEndpoint,
        RemovePrincipal,
    },
};
use astra_operator::{
    organization::needs::Needs,
    preview::{
        observe::observe,
        stage::{Stage, World},
    },
};
use astra_simulator::{
    Simulator, State,
    state::{ACME_TOKEN, database_id},
};
use proptest::{collection::vec, prelude::*};

/// One call that changes something, by small numbers: so that they meet.
#[derive(Clone, Debug)]
enum Act {
    Replace(usize, Vec<(usize, bool)>, bool),
    Add(usize, Vec<(usize, bool)>),
    Restrict(usize),
    Remove(usize, usize),
    Allow(usize, Vec<usize>),
    Disallow(usize, usize),
    Accept(usize, usize),
    Describe(usize, usize),
    Disconnect(usize, usize),
    Peer(usize),
    Unpeer,
}

const TEXTS: [&str; 5] = ["203.0.113.7", "203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0", "10.0.0.0/8"];
const PRINCIPALS: [&str; 3] =
    ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"];
const ENDPOINTS: [&str; 3] = ["vpce-0a1b2c3d4e5f60701", "vpce-0a1b2c3d4e5f60702", "vpce-0a1b2c3d4e5f60703"];
/// Two serverless databases on AWS of the default world, and a Classic one, which can be peered.
const DATABASES: [&str; 3] = ["01", "05", "07"];

fn act() -> impl Strategy<Value = Act> {
    let at = || 0..2_usize;
    let entries = || vec((0..TEXTS.len(), any::<bool>()), 0..4);
    prop_oneof![
        (at(), entries(), any::<bool>()).prop_map(|(db, entries, on)| Act::Replace(db, entries, on)),
        (at(), entries()).prop_map(|(db, entries)| Act::Add(db, entries)),
        at().prop_map(Act::Restrict),
        (at(), 0..TEXTS.len()).prop_map(|(db, one)| Act::Remove(db, one)),
        (at(), vec(0..PRINCIPALS.len(), 1..3)).prop_map(|(db, some)| Act::Allow(db, some)),
        (at(), 0..PRINCIPALS.len()).prop_map(|(db, one)| Act::Disallow(db, one)),
        (at(), 0..ENDPOINTS.len()).prop_map(|(db, one)| Act::Accept(db, one)),
        (at(), 0..ENDPOINTS.len()).prop_map(|(db, one)| Act::Describe(db, one)),
        (at(), 0..ENDPOINTS.len()).prop_map(|(db, one)| Act::Disconnect(db, one)),
        (0..2_usize).prop_map(Act::Peer),
        Just(Act::Unpeer),
    ]
}

fn database(number: usize) -> DatabaseId {
    database_id(DATABASES[number]).parse().unwrap()
}

fn place(number: usize) -> Place {
    Place { database: database(number), datacenter: format!("{}-1", database(number)).parse().unwrap() }
}

fn endpoint(number: usize) -> EndpointId {
    ENDPOINTS[number].parse().unwrap()
}

fn entries(some: &[(usize, bool)]) -> Vec<Entry> {
    let mut all = BTreeMap::new();
    for (n, on) in some {
        all.insert(*n, *on);
    }
    let entry = |(n, enabled): (usize, bool)| Entry {
        address: TEXTS[n].into(),
        description: format!("number {n}"),
        enabled,
    };
    all.into_iter().map(entry).collect()
}

fn call(act: &Act) -> astra_devops::Call {
    match act.clone() {
        Act::Replace(db, some, on) => ReplaceAccessList {
            database: database(db),
            addresses: entries(&some),
            configurations: Configurations { access_list_enabled: on },
        }
        .call(),
        Act::Add(db, some) => AddAddresses { database: database(db), addresses: entries(&some) }.call(),
        Act::Restrict(db) => RestrictAccess(database(db)).call(),
        Act::Remove(db, one) => {
            RemoveAddress { database: database(db), address: AddressText::new(TEXTS[one]).unwrap() }.call()
        }
        Act::Allow(db, some) => AllowPrincipals {
            place: place(db),
            principals: some.iter().map(|n| PRINCIPALS[*n].to_owned()).collect(),
        }
        .call(),
        Act::Disallow(db, one) => {
            RemovePrincipal { place: place(db), principal: PRINCIPALS[one].to_owned() }.call()
        }
        Act::Accept(db, one) => {
            AcceptEndpoint { place: place(db), id: endpoint(one), description: format!("number {one}") }
                .call()
        }
        Act::Describe(db, one) => {
            DescribeEndpoint { place: place(db), id: endpoint(one), description: "another".into() }.call()
        }
        Act::Disconnect(db, one) => RemoveEndpoint { place: place(db), id: endpoint(one) }.call(),
        Act::Peer(one) => CreatePeering {
            database: database(2),
            network: Network::Aws {
                account_id: "111111111111".into(),
                vpc_id: format!("vpc-0a1b2c3d4e5f6070{one}"),
                region: "us-west-2".into(),
                cidr_block: "10.1.0.0/16".into(),
            },
        }
        .call(),
        Act::Unpeer => DeletePeering { provider: Provider::Aws, database: database(2) }.call(),
    }
}

fn all() -> Needs {
    Needs {
        access_lists: true,
        private_links: true,
        peerings_of: [database(2).to_string()].into(),
        ..Needs::default()
    }
}

/// What can be compared: what nobody can know before Astra has made it is struck out.
fn comparable(mut world: World) -> World {
    for links in world.links.values_mut() {
        // A configuration of which nothing is left is as good as none.
        links.datacenters.retain(|link| !link.allowed_principals.is_empty() || !link.endpoints.is_empty());
        for link in &mut links.datacenters {
            link.service_name = String::new();
            link.allowed_principals.sort();
            link.endpoints.sort_by(|one, other| one.id.cmp(&other.id));
            for endpoint in &mut link.endpoints {
                endpoint.link_id = String::new();
                endpoint.created = String::new();
            }
        }
        links.datacenters.sort_by(|one, other| one.datacenter.cmp(&other.datacenter));
    }
    world.links.retain(|_, links| !links.datacenters.is_empty());
    for peering in world.peerings.values_mut() {
        peering.connection_id = String::new();
        peering.status = String::new();
        peering.current_vpc = astra_devops::peering::Vpc::default();
        peering.other_vpc.provider = String::new();
        peering.other_vpc.cidr_block = String::new();
    }
    world
}

async fn agree(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let simulator = Simulator::new(State::default());
    let token = || Token::new(ACME_TOKEN).unwrap();
    let real = Client::new(Arc::new(simulator.clone()), token(), 4);
    let world = observe(&real, &all()).await.unwrap();
    let staged = Client::new(Arc::new(Stage::new(world)), token(), 4);
    for act in &acts {
        let call = call(act);
        let (one, other) = (real.send_call(&call).await, staged.send_call(&call).await);
        // A peering takes Astra a while; what a rehearsal makes is there at once, and gone at once.
        tokio::time::sleep(Duration::from_mins(1)).await;
        prop_assert_eq!(one.is_ok(), other.is_ok(), "{:?}: {:?} and {:?}", act, one, other);
        let one = comparable(observe(&real, &all()).await.unwrap());
        let other = comparable(observe(&staged, &all()).await.unwrap());
        prop_assert_eq!(one, other, "after {:?}", act);
    }
    // And through the calls about one database.
    let lists: Vec<AccessList> = real.send(&ListAccessLists).await.unwrap();
    prop_assert_eq!(lists.len(), staged.send(&ListAccessLists).await.unwrap().len());
    prop_assert!(staged.send(&ListPrivateLinks).await.is_ok());
    Ok(())
}

/// What the law has found before it tried the same cases in every run.
#[tokio::test(start_paused = true)]
async fn an_endpoint_without_a_principal_is_rejected_and_one_that_is_there_is_left_as_it_is() {
    let rejected = [Act::Allow(1, vec![2]), Act::Disallow(1, 2), Act::Accept(1, 0)];
    let kept = [Act::Allow(0, vec![1]), Act::Accept(0, 0), Act::Describe(0, 0), Act::Accept(0, 0)];
    for acts in [rejected.to_vec(), kept.to_vec()] {
        agree(acts).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_stage_does_what_the_simulator_does(acts in vec(act(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(agree(acts))?;
    }
}
