use astra_devops::peering::{Peering, Vpc};
use astra_operator::kinds::AstraVpcPeering;
use astra_simulator::{Event, Recorded, state::Database};
use serde_json::{Value, json};

use super::common;
use crate::{
    case::{Case, Thing, Wish},
    lawful::{Lawful, Things},
    world,
};

const TENANT: &str = "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10";

/// One of two networks of a cloud: its account and its name.
fn network(cloud: u8, thing: Thing) -> (String, String) {
    let n = thing.id % 2;
    match cloud {
        0 => (format!("11111111111{n}"), format!("vpc-0a1b2c3d4e5f6070{n}")),
        1 => (format!("9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a00{n}"), format!("hub{n}")),
        _ => (format!("acme-network-{n}"), format!("hub{n}")),
    }
}

fn provider(database: &Database) -> String {
    database.cloud_provider.as_str().to_ascii_lowercase()
}

impl Lawful for AstraVpcPeering {
    fn database(case: &Case) -> Database {
        let tier = if case.flags == 7 { "serverless" } else { "C10" };
        let mut database = world::database("01", "orders", case.cloud, tier, 1);
        if let Some(thing) = case.foreign.first().filter(|_| tier != "serverless") {
            let (account, vpc_id) = network(case.cloud, *thing);
            let provider = provider(&database);
            let vpc = |account: String, vpc_id: String| Vpc {
                provider: provider.clone(),
                account,
                vpc_id,
                cidr_block: "10.9.0.0/16".into(),
            };
            let status = match thing.variety {
                4 => "failed",
                5 => "Conflict Error: RemotePeeringIsDisconnected",
                _ => "active",
            };
            database.peering = Some(Peering {
                connection_id: "foreign".into(),
                status: status.into(),
                current_vpc: vpc("astra".into(), "astra-vpc".into()),
                other_vpc: vpc(account, vpc_id),
            });
        }
        database
    }

    fn object(name: &str, wish: &Wish, case: &Case) -> Self {
        let thing = wish.things.first().copied().unwrap_or(Thing { id: 0, variety: 0 });
        let (account, name_of_network) = network(case.cloud, thing);
        let mut value = common(name, "AstraVpcPeering", wish);
        let (field, network) = match case.cloud {
            0 => (
                "aws",
                json!({ "accountId": account, "region": "region-1", "vpcId": name_of_network, "cidrBlock": "10.1.0.0/16" }),
            ),
            1 => (
                "azure",
                json!({ "tenantId": TENANT, "subscriptionId": account, "resourceGroup": "net", "virtualNetwork": name_of_network }),
            ),
            _ => ("gcp", json!({ "projectId": account, "network": name_of_network })),
        };
        value["spec"][field] = network;
        serde_json::from_value(value).unwrap()
    }

    fn edited(&self, wish: &Wish, _: &Case) -> Self {
        let mut value = serde_json::to_value(self).unwrap();
        value["spec"]["deletionPolicy"] = json!(if wish.delete { "Delete" } else { "Retain" });
        serde_json::from_value(value).unwrap()
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn takes_over(&self) -> bool {
        false
    }

    fn things(database: &Database) -> Things {
        let peering = database.peering.iter().filter(|peering| peering.status != "deleting");
        peering
            .map(|peering| {
                let Vpc { account, vpc_id, .. } = &peering.other_vpc;
                (format!("peering/{}/{account}/{vpc_id}", provider(database)), String::new())
            })
            .collect()
    }

    fn wants(&self) -> Things {
        let spec = serde_json::to_value(&self.spec).unwrap();
        let text = |field: &Value| field.as_str().unwrap().to_owned();
        let one = |cloud: &str, account: &str, name: &str| {
            let network = spec.get(cloud)?;
            Some((
                format!("peering/{cloud}/{}/{}", text(&network[account]), text(&network[name])),
                String::new(),
            ))
        };
        let all = [
            one("aws", "accountId", "vpcId"),
            one("azure", "subscriptionId", "virtualNetwork"),
            one("gcp", "projectId", "network"),
        ];
        all.into_iter().flatten().collect()
    }

    fn drift(database: &Database, _: &Case, what: u8, _: Thing) -> Option<Event> {
        let id = database.id.clone();
        database.peering.as_ref().filter(|peering| peering.status != "deleting")?;
        let status = match what {
            0 | 1 => return Some(Event::RemovePeering { database: id }),
            2 => "failed",
            3 => "Conflict Error: RemotePeeringIsDisconnected",
            4 => "a status of tomorrow",
            _ => "active",
        };
        Some(Event::SetPeeringStatus { database: id, status: status.into() })
    }

    fn reason(&self, _: &[&Self], database: &Database) -> &'static str {
        if database.is_serverless() {
            return "InvalidSpec";
        }
        let Some(peering) = &database.peering else { return "a peering" };
        if Self::things(database) != self.wants() {
            return "Conflict";
        }
        match peering.status.as_str() {
            "active" => "UpToDate",
            "a status of tomorrow" => "PeeringPending",
            _ => "PeeringFailed",
        }
    }

    fn creates(request: &Recorded) -> Option<String> {
        (request.method == "POST").then(|| request.path.clone())
    }
}
