//! The spec of an `AstraVpcPeering` after parsing, and whether the database can be peered at all.

use astra_devops::{
    databases::Database,
    peering::{GetPeering, Network, Provider},
};

use super::resource::AstraVpcPeeringSpec;
use crate::engine::Problem;

/// What the database shall be peered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The network.
    pub network: Network,
}

impl Desired {
    /// Parses a spec.
    ///
    /// # Errors
    /// When it names none or several networks.
    pub fn parse(spec: &AstraVpcPeeringSpec) -> Result<Self, Problem> {
        let network = match (spec.azure.clone(), spec.aws.clone(), spec.gcp.clone()) {
            (Some(azure), None, None) => Network::Azure {
                tenant_id: azure.tenant_id,
                subscription_id: azure.subscription_id,
                resource_group_name: azure.resource_group,
                virtual_network_name: azure.virtual_network,
            },
            (None, Some(aws), None) => Network::Aws {
                account_id: aws.account_id,
                vpc_id: aws.vpc_id,
                region: aws.region,
                cidr_block: aws.cidr_block,
            },
            (None, None, Some(gcp)) => {
                Network::Gcp { project_id: gcp.project_id, vpc_network_name: gcp.network }
            }
            _ => return Err(Problem::invalid("spec", "give exactly one of azure, aws and gcp")),
        };
        Ok(Self { network })
    }

    /// Checks that the database is a Classic one in the same cloud.
    ///
    /// # Errors
    /// When it is not.
    pub fn place(&self, database: &Database) -> Result<GetPeering, Problem> {
        let provider = self.network.provider();
        let name = &database.info.name;
        if let Some(cloud) = Provider::parse(&database.info.cloud_provider).filter(|cloud| *cloud != provider)
        {
            let problem =
                format!("database {name} is on {cloud}; it can only be peered with a network there");
            return Err(Problem::invalid(&format!("spec.{}", provider.as_str()), problem));
        }
        if database.info.tier.eq_ignore_ascii_case("serverless") {
            let problem = format!(
                "database {name} is serverless; Astra peers Classic databases only. Use an AstraPrivateEndpoint for it"
            );
            return Err(Problem::invalid("spec.database", problem));
        }
        Ok(GetPeering { provider, database: database.id.clone() })
    }
}

/// A network's name, for people.
#[must_use]
pub fn name(network: &Network) -> String {
    match network {
        Network::Aws { account_id, vpc_id, .. } => format!("{vpc_id} of account {account_id}"),
        Network::Azure { subscription_id, virtual_network_name, .. } => {
            format!("{virtual_network_name} of subscription {subscription_id}")
        }
        Network::Gcp { project_id, vpc_network_name } => {
            format!("{vpc_network_name} of project {project_id}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn azure() -> Value {
        json!({ "tenantId": "t", "subscriptionId": "s", "resourceGroup": "g", "virtualNetwork": "n" })
    }

    fn aws() -> Value {
        json!({ "accountId": "a", "region": "r", "vpcId": "vpc-1", "cidrBlock": "10.1.0.0/16" })
    }

    fn gcp() -> Value {
        json!({ "projectId": "p", "network": "n" })
    }

    /// Where it would be, or what is wrong.
    fn place(networks: &Value, cloud: &str, tier: &str) -> String {
        let mut spec = json!({ "database": { "name": "warehouse" } });
        spec.as_object_mut().unwrap().extend(networks.as_object().unwrap().clone());
        let info = json!({ "name": "warehouse", "cloudProvider": cloud, "tier": tier });
        let database =
            serde_json::from_value(json!({ "id": "db", "info": info, "status": "ACTIVE" })).unwrap();
        let desired = Desired::parse(&serde_json::from_value(spec).unwrap());
        match desired.and_then(|desired| desired.place(&database)) {
            Ok(place) => place.provider.as_str().to_owned(),
            Err(problem) => format!("{}: {}", problem.reason, problem.message),
        }
    }

    #[test]
    fn one_network_of_the_classic_databases_cloud() {
        for (networks, cloud, tier, expected) in [
            (json!({ "azure": azure() }), "AZURE", "C10", "azure"),
            (json!({ "aws": aws() }), "aws", "C20", "aws"),
            (json!({ "gcp": gcp() }), "GCP", "D10", "gcp"),
            (json!({}), "AWS", "C10", "InvalidSpec: spec: give exactly one"),
            (json!({ "aws": aws(), "gcp": gcp() }), "AWS", "C10", "InvalidSpec: spec: give exactly one"),
            (
                json!({ "aws": aws(), "gcp": gcp(), "azure": azure() }),
                "AWS",
                "C10",
                "InvalidSpec: spec: give exactly one",
            ),
            (json!({ "aws": aws() }), "AZURE", "C10", "InvalidSpec: spec.aws: "),
            (json!({ "gcp": gcp() }), "AWS", "C10", "InvalidSpec: spec.gcp: "),
            (json!({ "aws": aws() }), "AWS", "serverless", "InvalidSpec: spec.database: "),
            (json!({ "aws": aws() }), "AWS", "Serverless", "InvalidSpec: spec.database: "),
        ] {
            let found = place(&networks, cloud, tier);
            assert!(found.starts_with(expected), "{networks} on {cloud} {tier}: {found}");
        }
    }
}
