//! A database's peering as a manifest. Astra tells less of it than a manifest needs, but for Google Cloud.

use std::collections::BTreeMap;

use astra_devops::peering::{Peering, Provider, Vpc};

use super::{
    Draft,
    document::{self, Fields, Spec, Text},
    forms,
};
use crate::{
    engine::Plan,
    kinds::vpc_peering::plan,
    resource::{DatabaseRef, DeletionPolicy},
};

pub(super) fn draft(reference: &DatabaseRef, provider: Provider, peering: &Peering) -> Draft {
    let mut draft = Draft::default();
    let other = &peering.other_vpc;
    let what = format!("the peering with {:?} of {:?}", other.vpc_id, other.account);
    if let Some(why) = at_fault(provider, peering) {
        draft.left_out.push((what, why));
        return draft;
    }
    let (fields, missing) = fields(provider, other);
    draft.comments = comments(peering);
    draft.unfinished = !missing.is_empty();
    if draft.unfinished {
        let why = format!(
            "Astra does not tell {}, so the object is written as a comment: fill it in, and take away the # of its lines",
            missing.join(" and ")
        );
        draft.left_out.push((what, why));
    } else if !can_say(other) {
        let why = "no manifest can name such a project or network".to_owned();
        draft.left_out.push((what, why));
        return draft;
    }
    draft.spec = Some(Spec::VpcPeering(document::VpcPeering {
        database: reference.into(),
        // The default is Delete. What carries production traffic must not go because a manifest moved.
        deletion_policy: DeletionPolicy::Retain,
        network: BTreeMap::from([(provider.as_str(), fields)]),
    }));
    draft
}

/// Why it is no peering to be declared, if so: the operator itself judges.
fn at_fault(provider: Provider, peering: &Peering) -> Option<String> {
    if plan::is_going(peering) {
        return Some("Astra is deleting it".to_owned());
    }
    match plan::judge(peering, provider) {
        Plan::Blocked(problem) => Some(problem.message),
        Plan::Done | Plan::Wait(_) | Plan::Act(_) => None,
    }
}

/// The network's fields, and those of them that Astra does not tell.
fn fields(provider: Provider, other: &Vpc) -> (Fields, Vec<&'static str>) {
    let text = |text: &str| Text(text.to_owned());
    let name = other.vpc_id.rsplit('/').next().unwrap_or_default();
    match provider {
        Provider::Aws => {
            let fields = vec![
                ("accountId", text(&other.account)),
                ("region", text("FILL-IN")),
                ("vpcId", text(&other.vpc_id)),
                ("cidrBlock", text(&other.cidr_block)),
            ];
            (Fields(fields), vec!["the VPC's region"])
        }
        Provider::Azure => {
            let fields = vec![
                ("tenantId", text("FILL-IN")),
                ("subscriptionId", text(&other.account)),
                ("resourceGroup", text("FILL-IN")),
                ("virtualNetwork", text(name)),
            ];
            (Fields(fields), vec!["the tenant", "the resource group"])
        }
        Provider::Gcp => (Fields(vec![("projectId", text(&other.account)), ("network", text(name))]), vec![]),
    }
}

/// Of Google Cloud: the only one that is ever finished.
fn can_say(other: &Vpc) -> bool {
    let name = other.vpc_id.rsplit('/').next().unwrap_or_default();
    other.account.chars().count() <= 64 && forms::project(&other.account) && forms::gcp_network(name)
}

fn comments(peering: &Peering) -> Vec<String> {
    let mut comments = Vec::new();
    if !peering.connection_id.is_empty() {
        comments.push(format!("Connection {}, {}.", peering.connection_id, peering.status));
    }
    comments
        .push("deletionPolicy: Retain keeps the peering in Astra when this object is deleted.".to_owned());
    comments
}
