//! What to do about a database's peering. Pure.

use astra_devops::peering::{Network, Peering, Provider, Vpc};

use super::{AstraVpcPeering, Step, identity, resource::NetworkReport};
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
            if is_ours(peering, view) && view.may_remove(&identity(view.place.provider)) =>
        {
            let step = Step::Delete { connection: peering.connection_id.clone() };
            Plan::Act(vec![Planned::new(step, "this object is being deleted with deletionPolicy: Delete")])
        }
        (Goal::Absent, _) => Plan::Done,
    }
}

/// What a peering's status means. The set is open: an unknown one is waited for and shown as it is.
fn judge(peering: &Peering, provider: Provider) -> Plan<Step> {
    let status = peering.status.to_ascii_lowercase();
    match status.as_str() {
        "active" | "connected" | "accepted" => Plan::Done,
        "pending-acceptance" if provider == Provider::Aws => wait(
            peering,
            "accept the peering request in the AWS VPC console (Peering connections), or with `aws ec2 accept-vpc-peering-connection`",
        ),
        "pending-acceptance" => wait(peering, "accept it on the other side"),
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

/// Is it this object's? The recorded connection is; before one was recorded, one with the declared network is.
#[must_use]
pub fn is_ours(peering: &Peering, view: &View<'_, AstraVpcPeering>) -> bool {
    let declared = view.declared.is_some_and(|desired| is_with(peering, &desired.network));
    match (view.goal, &view.details.connection_id) {
        (Goal::Present(_), _) | (Goal::Absent, None) => declared,
        (Goal::Absent, Some(recorded)) => *recorded == peering.connection_id,
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
