//! The laws of the operator, tested on every kind with the code that really runs: the engine, the kinds, the readings of
//! an organization, and the peers, against the simulator of Astra and a small cluster in memory. Time is virtual.
//!
//! A law that fails shows the smallest case that breaks it. `LAWS_CASES=20 cargo test --test laws` searches twenty times
//! as long, over worlds that are drawn anew; without it they are the same in every run.
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is a verdict; the settings know only of functions that are tests themselves"
)]

mod case;
#[path = "../schema/checker.rs"]
mod checker;
mod clock;
mod cluster;
mod fuse;
mod kinds;
mod kstatus;
mod lawful;
mod laws;
mod process;
mod regressions;
mod rest;
mod stage;
mod tampering;
mod wire;
mod world;

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, KINDS};
use kube::CustomResourceExt;

macro_rules! laws {
    ($($module:ident: $kind:ty),* $(,)?) => {
        /// The kinds that are under the laws.
        fn under_the_laws() -> Vec<String> {
            vec![$(<$kind>::crd_name().to_owned()),*]
        }

        $(
            mod $module {
                use super::*;

                #[test]
                fn law_1_2_7_9_worlds_come_to_rest() {
                    laws::worlds_come_to_rest::<$kind>();
                }

                #[test]
                fn law_3_deleting_all_leaves_what_is_not_owned() {
                    laws::deleting_all_leaves_what_is_not_owned::<$kind>();
                }

                #[test]
                fn law_4_crashes_leave_no_trace() {
                    laws::crashes_leave_no_trace::<$kind>();
                }

                #[test]
                fn law_5_same_world_same_bytes() {
                    laws::same_world_same_bytes::<$kind>();
                }

                #[test]
                fn law_6_every_write_changes_the_world() {
                    laws::every_write_changes_the_world::<$kind>();
                }

                #[test]
                fn law_8_refusals_change_nothing() {
                    laws::refusals_change_nothing::<$kind>();
                }

                #[test]
                fn law_8_refusals_do_not_finish_a_deletion() {
                    laws::refusals_do_not_finish_a_deletion::<$kind>();
                }

                #[test]
                fn law_10_the_token_is_never_said() {
                    laws::the_token_is_never_said::<$kind>();
                }
            }
        )*
    };
}

laws! {
    private_endpoint: AstraPrivateEndpoint,
    access_list: AstraAccessList,
    vpc_peering: AstraVpcPeering,
}

#[test]
fn tampering_with_an_object_harms_nobody() {
    let mut met = tampering::tampering_harms_nobody::<AstraAccessList>();
    met.append(&mut tampering::tampering_harms_nobody::<AstraPrivateEndpoint>());
    met.append(&mut tampering::tampering_harms_nobody::<AstraVpcPeering>());
    tampering::every_known_gap_is_met(&met);
}

#[test]
fn every_kind_is_under_the_laws() {
    let all: Vec<String> = KINDS.iter().map(|kind| (kind.crd)().metadata.name.unwrap()).collect();
    assert_eq!(under_the_laws(), all);
}
