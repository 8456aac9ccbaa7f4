//! What to do about a database's peering. Pure.

use astra_devops::peering::{Network, Peering, Provider, Vpc};

use super::{AstraVpcPeering, Step, resource::NetworkReport};
use crate::engine::{Goal, Plan, Planned, Problem, Reason, View};

/// Compares what shall be with what is.
#[must_use]
pub fn plan(view: &View<'_, AstraVpcPeering>) -> Plan<Step> {
    match (view.goal, view.observed) {
        (Goal::Present(desired), None) => {
            let step = Step::Create { network: desired.network.clone() };
            Plan::Act(vec![Planned::new(step, "in the spec, and Astra has no peering for this database")])
        }
        (Goal::Present(_), Some(peering)) if is_going(peering) => Plan::Wait(Problem::new(
            Reason::PeeringPending,
            "Astra is still deleting an earlier peering of this database; a new one is asked for when it is gone",
        )),
        (Goal::Present(desired), Some(peering)) if !is_with(peering, &desired.network) => {
            Plan::Blocked(Problem::new(
                Reason::Conflict,
                format!(
                    "the database is already peered with {} of {}; Astra has one peering for each database. Delete that peering (DELETE in the DevOps API, or the Astra Portal) to make this one",
                    peering.other_vpc.vpc_id, peering.other_vpc.account
                ),
            ))
        }
        (Goal::Present(_), Some(peering)) => judge(peering, view.place.provider),
        (Goal::Absent, Some(peering)) if is_going(peering) => {
            Plan::Wait(Problem::new(Reason::Deleting, "Astra is deleting the peering"))
        }
        (Goal::Absent, Some(peering))
            if is_ours(peering, view) && view.owned.iter().any(|identity| view.may_remove(identity)) =>
        {
            let step = Step::Delete { connection: peering.connection_id.clone() };
            Plan::Act(vec![Planned::new(step, "this object is being deleted with deletionPolicy: Delete")])
        }
        (Goal::Absent, _) => Plan::Done,
    }
}

/// What a peering's status means. The set is open: an unknown one is waited for and shown as it is.
pub(crate) fn judge(peering: &Peering, provider: Provider) -> Plan<Step> {
    let status = peering.status.to_ascii_lowercase();
    match status.as_str() {
        "active" | "connected" | "accepted" => Plan::Done,
        "pending-acceptance" if provider == Provider::Aws => wait(
            peering,
            "accept the peering request in the AWS VPC console (Peering connections), or with `aws ec2 accept-vpc-peering-connection`",
        ),
        "pending-acceptance" => wait(peering, "accept it on the other side"),
        "disconnected" => failed(
            peering,
            "the other side broke it off: delete what is left of it there, delete this object, wait until it is gone, and make it again",
        ),
        "failed" | "expired" | "rejected" => failed(
            peering,
            "the request did not come through: check the ids in the spec and the rights on your side, then delete this object and make it again",
        ),
        _ if status.contains("remotepeeringisdisconnected") => failed(
            peering,
            "1. delete the disconnected peering of Astra DB from your virtual network in Azure; 2. delete this object, which deletes the configuration in Astra; 3. apply it again",
        ),
        _ if status.contains("error") || status.contains("conflict") => {
            failed(peering, "mend the cause, then delete this object and make it again")
        }
        _ => wait(peering, "nothing to do but wait"),
    }
}

fn wait(peering: &Peering, next: &str) -> Plan<Step> {
    Plan::Wait(Problem::new(
        Reason::PeeringPending,
        format!("Astra has the peering as {:?}: {next}", peering.status),
    ))
}

fn failed(peering: &Peering, next: &str) -> Plan<Step> {
    Plan::Blocked(Problem::new(
        Reason::PeeringFailed,
        format!("Astra has the peering as {:?}: {next}", peering.status),
    ))
}

/// Is it on its way out?
#[must_use]
pub fn is_going(peering: &Peering) -> bool {
    matches!(peering.status.to_ascii_lowercase().as_str(), "deleting" | "deleted")
}

/// Is it this object's? It must be with the declared network: the status also records a peering that stands in the way.
/// While the object is being deleted it must be the recorded connection too, if one was recorded.
#[must_use]
pub fn is_ours(peering: &Peering, view: &View<'_, AstraVpcPeering>) -> bool {
    let declared = view.declared.map(|desired| is_with(peering, &desired.network));
    let recorded = view.details.connection_id.as_ref().map(|recorded| *recorded == peering.connection_id);
    match view.goal {
        Goal::Present(_) => declared == Some(true),
        Goal::Absent => match (declared, recorded) {
            (Some(declared), recorded) => declared && recorded != Some(false),
            (None, recorded) => recorded == Some(true),
        },
    }
}

/// Compares by the fields that Astra is known to answer. Which side is whose is not documented, so either will do.
fn is_with(peering: &Peering, network: &Network) -> bool {
    [&peering.other_vpc, &peering.current_vpc].into_iter().any(|side| side_is(side, network))
}

fn side_is(side: &Vpc, network: &Network) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match network {
        Network::Aws { account_id, vpc_id, .. } => {
            same(&side.vpc_id, vpc_id) && same(&side.account, account_id)
        }
        Network::Azure { subscription_id, virtual_network_name, .. } => {
            // The vendor's example shows a UUID here, which the spec does not have: then the subscription must do.
            let by_name = same(side.vpc_id.rsplit('/').next().unwrap_or_default(), virtual_network_name);
            same(&side.account, subscription_id) && (by_name || is_uuid(&side.vpc_id))
        }
        Network::Gcp { project_id, vpc_network_name } => {
            let name = side.vpc_id.rsplit('/').next().unwrap_or_default();
            same(name, vpc_network_name) && same(&side.account, project_id)
        }
    }
}

fn is_uuid(text: &str) -> bool {
    crate::kinds::private_endpoint::desired::is_guid(text)
}

/// One side, for the status.
#[must_use]
pub fn network(side: &Vpc) -> NetworkReport {
    NetworkReport {
        account: side.account.clone(),
        network: side.vpc_id.clone(),
        cidr_block: side.cidr_block.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";

    fn peering(status: &str) -> Peering {
        let vpc = Vpc::default;
        Peering { connection_id: "c".into(), status: status.into(), current_vpc: vpc(), other_vpc: vpc() }
    }

    #[test]
    fn each_status_is_judged() {
        for (status, provider, reason, words) in [
            ("active", Provider::Aws, None, ""),
            ("ACTIVE", Provider::Gcp, None, ""),
            ("Connected", Provider::Azure, None, ""),
            (
                "pending-acceptance",
                Provider::Aws,
                Some(Reason::PeeringPending),
                "accept-vpc-peering-connection",
            ),
            ("pending-acceptance", Provider::Gcp, Some(Reason::PeeringPending), "on the other side"),
            ("provisioning", Provider::Azure, Some(Reason::PeeringPending), "wait"),
            ("", Provider::Azure, Some(Reason::PeeringPending), "wait"),
            ("a status of tomorrow", Provider::Aws, Some(Reason::PeeringPending), "a status of tomorrow"),
            ("failed", Provider::Aws, Some(Reason::PeeringFailed), "delete this object"),
            ("Expired", Provider::Aws, Some(Reason::PeeringFailed), "delete this object"),
            ("rejected", Provider::Aws, Some(Reason::PeeringFailed), "delete this object"),
            ("Some Error: Quota", Provider::Azure, Some(Reason::PeeringFailed), "Quota"),
            (
                "Conflict Error: RemotePeeringIsDisconnected",
                Provider::Azure,
                Some(Reason::PeeringFailed),
                "1. delete the disconnected peering",
            ),
        ] {
            let (found, message) = match judge(&peering(status), provider) {
                Plan::Done => (None, String::new()),
                Plan::Wait(problem) | Plan::Blocked(problem) => (Some(problem.reason), problem.message),
                Plan::Act(steps) => panic!("{status}: {steps:?}"),
            };
            assert_eq!(found, reason, "{status} on {provider}");
            assert!(message.contains(words), "{status} on {provider}: {message}");
        }
    }

    #[test]
    fn what_goes_is_going() {
        for (status, expected) in [("deleting", true), ("Deleted", true), ("active", false), ("", false)] {
            assert_eq!(is_going(&peering(status)), expected, "{status}");
        }
    }

    #[test]
    fn a_peering_is_with_the_network_that_astra_answers() {
        let text = |text: &str| text.to_owned();
        let aws = Network::Aws {
            account_id: text("111"),
            vpc_id: text("vpc-1"),
            region: text("r"),
            cidr_block: text("c"),
        };
        let azure = Network::Azure {
            tenant_id: text("t"),
            subscription_id: text("sub"),
            resource_group_name: text("g"),
            virtual_network_name: text("hub"),
        };
        let gcp = Network::Gcp { project_id: text("acme"), vpc_network_name: text("hub") };
        for (network, account, vpc_id, expected) in [
            (&aws, "111", "vpc-1", true),
            (&aws, "111", "vpc-2", false),
            (&aws, "222", "vpc-1", false),
            (&azure, "SUB", "HUB", true),
            (&azure, "sub", "/subscriptions/sub/x/virtualNetworks/hub", true),
            (&azure, "sub", GUID, true),
            (&azure, "sub", "spoke", false),
            (&azure, "other", GUID, false),
            (&gcp, "acme", "projects/acme/global/networks/hub", true),
            (&gcp, "acme", "hub", true),
            (&gcp, "acme", "spoke", false),
            (&gcp, "other", "hub", false),
        ] {
            let side = Vpc { account: account.into(), vpc_id: vpc_id.into(), ..Vpc::default() };
            let other = Peering { other_vpc: side.clone(), ..peering("active") };
            let current = Peering { current_vpc: side, ..peering("active") };
            assert_eq!(is_with(&other, network), expected, "{account} {vpc_id}");
            assert_eq!(is_with(&current, network), expected, "{account} {vpc_id} as the other side");
        }
    }
}
