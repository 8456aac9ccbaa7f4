//! Everything that the DevOps API, or what stands before it, can do to a call: each kind of fault at each call of each
//! scenario, in virtual time, with the engine, the kinds and the client that really run. After the fault all must be as
//! it is without it.
//!
//! The normal run takes a fixed sample, the same each time, and says how much of all it was; `THOROUGH=1 cargo test --test
//! faults` takes all. `FAULT="narrow: call 2"` takes all plans with that in their name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::print_stdout,
    reason = "in a test a panic is a verdict, and how much was tried is told"
)]

#[path = "../laws/case.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod case;
#[path = "../schema/checker.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod checker;
#[path = "../laws/clock.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod clock;
#[path = "../laws/cluster.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod cluster;
#[path = "../laws/fuse.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod fuse;
#[path = "../laws/kinds/mod.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod kinds;
#[path = "../laws/kstatus.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod kstatus;
#[path = "../laws/lawful.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod lawful;
#[path = "../laws/process.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod process;
#[path = "../laws/rest.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod rest;
#[path = "../laws/stage.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod stage;
#[path = "../laws/wire.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod wire;
#[path = "../laws/world.rs"]
#[allow(dead_code, reason = "shared with the laws, which use all of it")]
mod world;

mod change;
mod fault;
mod outage;
mod scenarios;
mod sweep;
mod way;

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering};

#[test]
fn access_lists_survive_every_fault_at_every_call() {
    sweep::sweep::<AstraAccessList>(&scenarios::access_list());
}

#[test]
fn private_endpoints_survive_every_fault_at_every_call() {
    sweep::sweep::<AstraPrivateEndpoint>(&scenarios::private_endpoint());
}

#[test]
fn peerings_survive_every_fault_at_every_call() {
    sweep::sweep::<AstraVpcPeering>(&scenarios::vpc_peering());
}

#[test]
fn there_are_enough_kinds_of_faults_and_each_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<String> =
        fault::table().into_iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), fault::table().len());
    assert!(names.len() >= 45, "{}", names.len());
}
