//! Plans for access lists: nobody gets in by the way, and nobody is locked out.

use arbitrary::Unstructured;
use astra_devops::access_list::{AccessList, Configurations, Entry};
use astra_operator::{
    engine::Planned,
    kinds::{
        AstraAccessList,
        access_list::{self, AccessListDetails, observed::Observed},
    },
    resource::Management,
};
use serde_json::{Value, json};

use super::{
    super::world::{flag, one, peers, set, some},
    WORDS, World,
};

const ADDRESSES: [&str; 7] =
    ["10.0.0.1", "10.0.0.1/32", "10.0.0.0/24", "0.0.0.0/0", "203.0.113.7", "203.0.113.0/24", "192.0.2.1"];
/// What Astra may have besides: host bits, and what is no address.
const STRANGE: [&str; 4] = ["10.0.0.9/24", "2001:db8::1", "", "010.0.0.1"];
const NETWORKS: [&str; 6] = [
    "address/10.0.0.1/32",
    "address/10.0.0.0/24",
    "address/0.0.0.0/0",
    "address/203.0.113.7/32",
    "address/203.0.113.0/24",
    "address/192.0.2.1/32",
];

/// An access list.
pub(crate) fn feed(data: &[u8]) {
    let input = &mut Unstructured::new(data);
    let addresses: Vec<Value> = some(input, &ADDRESSES)
        .into_iter()
        .map(|text| json!({ "address": text, "description": one(input, &WORDS), "enabled": flag(input) }))
        .collect();
    let mut spec = json!({
        "database": { "name": "orders" }, "addresses": addresses,
        "management": one(input, &["Shared", "Exclusive"]),
    });
    if flag(input) {
        spec["publicAccess"] = json!(one(input, &["Listed", "Blocked", "Open"]));
    }
    let Some((desired, management)) = World::<AstraAccessList>::desired(&spec) else { return };
    let place: astra_devops::id::DatabaseId = "8fbcfe1d".parse().expect("an id");
    let there = flag(input).then(|| {
        let texts = some(input, &[&ADDRESSES[..], &STRANGE[..]].concat());
        let entry = |text: &str| Entry {
            address: text.to_owned(),
            description: one(input, &WORDS).to_owned(),
            enabled: flag(input),
        };
        let addresses = texts.into_iter().map(entry).collect();
        let configurations = Configurations { access_list_enabled: flag(input) };
        AccessList { database_id: place.clone(), addresses, configurations }
    });
    let mut world = World::<AstraAccessList> {
        management,
        desired,
        deleting: flag(input),
        place,
        observed: Observed::new(there),
        owned: set(input, &NETWORKS),
        details: AccessListDetails::default(),
        peers: peers(input, &NETWORKS, &[]),
    };
    world.run(check_list, carry_out_on_list);
}

fn check_list(world: &World<AstraAccessList>, steps: &[Planned<access_list::Step>]) {
    use access_list::{Step, desired::Access};
    let adds = steps.iter().any(|p| matches!(p.step, Step::Add { .. } | Step::Restrict));
    for Planned { step, .. } in steps {
        match step {
            Step::Replace { entries, restricted, .. } => {
                assert!(!world.deleting && world.management == Management::Exclusive, "{step:?}");
                assert_eq!(*restricted, world.desired.access != Access::Open, "opens or closes by itself");
                let wanted: Vec<_> = world.desired.entries.iter().map(|wanted| &wanted.entry).collect();
                assert_eq!(entries.iter().collect::<Vec<_>>(), wanted);
            }
            Step::Add { entries } => {
                assert!(!world.deleting);
                // Nothing gets in by the way: each is an entry of the spec, in Astra's text for its network.
                for entry in entries {
                    let network = access_list::observed::network(&entry.address);
                    let of_spec = world.desired.entries.iter().find(|wanted| Some(wanted.network) == network);
                    let of_spec = of_spec.expect("only what is in the spec is added");
                    assert!(access_list::observed::same(entry, &of_spec.entry), "{entry:?}");
                }
            }
            Step::Restrict => {
                assert!(world.desired.access == Access::Listed && !world.deleting);
                let there =
                    |wanted: &access_list::desired::Wanted| world.observed.find(wanted.network).is_some();
                assert!(world.desired.entries.iter().all(there), "locks out what is not listed yet");
            }
            Step::Remove { network, .. } => {
                assert!(!adds, "removes before what is added was seen: {steps:?}");
                world.assert_may_go(&format!("address/{network}"), step);
            }
        }
    }
}

fn carry_out_on_list(observed: &mut Observed, step: &access_list::Step) {
    use access_list::Step;
    let mut entries = observed.entries().to_vec();
    let mut restricted = observed.is_restricted();
    match step {
        Step::Replace { entries: all, restricted: switch, .. } => {
            (entries, restricted) = (all.clone(), *switch);
        }
        Step::Add { entries: more } => {
            for entry in more {
                entries.retain(|known| known.address != entry.address);
                entries.push(entry.clone());
            }
        }
        Step::Restrict => restricted = true,
        Step::Remove { address, .. } => entries.retain(|known| known.address != address.as_str()),
    }
    let configurations = Configurations { access_list_enabled: restricted };
    let database_id = "8fbcfe1d".parse().expect("an id");
    *observed = Observed::new(Some(AccessList { database_id, addresses: entries, configurations }));
}
