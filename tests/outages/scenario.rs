//! What is ordered while the operator dies: making, widening, narrowing and deleting each kind.

use astra_simulator::Event;
use serde_json::{Value, json};

use crate::harness::{Stage, astra::id_of};

/// Which kind a scenario is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    AccessList,
    PrivateEndpoint,
    VpcPeering,
}

/// What is ordered.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Apply(Value),
    Delete,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: About,
    /// The spec that was carried out before, if there was one.
    pub(crate) before: Option<Value>,
    pub(crate) order: Order,
}

impl Scenario {
    /// The database that it is about, by name.
    pub(crate) fn database(&self) -> &'static str {
        match self.about {
            About::AccessList => "payments",
            About::PrivateEndpoint => "orders",
            About::VpcPeering => "archive",
        }
    }

    /// What is there that is nobody's here, and must stay.
    pub(crate) fn prepare(&self, stage: &Stage) {
        if matches!(self.about, About::AccessList) {
            stage.astra.happens(&Event::AddAddress {
                database: id_of(self.database()),
                address: "192.0.2.200".into(),
                description: "of others".into(),
                enabled: true,
            });
        }
    }
}

fn addresses(numbers: std::ops::Range<u8>) -> Value {
    numbers.map(|number| json!({ "address": format!("203.0.113.{number}") })).collect()
}

/// A whole list.
fn list(numbers: std::ops::Range<u8>) -> Value {
    json!({
        "database": { "name": "payments" },
        "deletionPolicy": "Delete",
        "addresses": addresses(numbers),
    })
}

/// A part of a list.
fn part(numbers: std::ops::Range<u8>) -> Value {
    let mut spec = list(numbers);
    spec["management"] = json!("Shared");
    spec
}

/// So many principals and endpoints, with this description.
fn link(principals: u8, endpoints: u8, description: &str) -> Value {
    let principal = |n| format!("arn:aws:iam::12345678901{n}:root");
    let endpoint = |n| json!({ "id": format!("vpce-0f7aed6e7a18a179{n}"), "description": description });
    json!({
        "database": { "name": "orders" },
        "deletionPolicy": "Delete",
        "allowedPrincipals": (0..principals).map(principal).collect::<Vec<_>>(),
        "endpoints": (0..endpoints).map(endpoint).collect::<Vec<_>>(),
    })
}

fn peering() -> Value {
    json!({
        "database": { "name": "archive" },
        "deletionPolicy": "Delete",
        "gcp": { "projectId": "acme-network", "network": "shared" },
    })
}

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let apply = |name, about, before, after| Scenario { name, about, before, order: Order::Apply(after) };
    let delete = |name, about, before| Scenario { name, about, before: Some(before), order: Order::Delete };
    use About::{AccessList, PrivateEndpoint, VpcPeering};
    vec![
        apply("a list is made", AccessList, None, list(1..3)),
        apply("a list is narrowed", AccessList, Some(list(1..5)), list(1..3)),
        apply("a list is widened", AccessList, Some(list(1..3)), list(1..5)),
        delete("a list is deleted", AccessList, list(1..4)),
        apply("a part is made", AccessList, None, part(1..3)),
        apply("a part is narrowed", AccessList, Some(part(1..7)), part(1..3)),
        apply("a part moves", AccessList, Some(part(1..4)), part(3..6)),
        delete("a part is deleted", AccessList, part(1..5)),
        apply("a link is made", PrivateEndpoint, None, link(1, 2, "")),
        apply("a link gets more", PrivateEndpoint, Some(link(1, 1, "")), link(2, 2, "")),
        apply("a link gets less", PrivateEndpoint, Some(link(3, 4, "")), link(1, 1, "")),
        apply("a link is described", PrivateEndpoint, Some(link(1, 3, "")), link(1, 3, "billing")),
        delete("a link is deleted", PrivateEndpoint, link(2, 3, "")),
        apply("a peering is made", VpcPeering, None, peering()),
        delete("a peering is deleted", VpcPeering, peering()),
    ]
}
