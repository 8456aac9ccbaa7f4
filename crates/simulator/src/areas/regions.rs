//! `/v2/regions/serverless` and `/v2/availableRegions`. Without the permission to make databases: 401 and `null`.

use astra_devops::Method::{self, Get};
use serde_json::{Value, json};

use super::or_null;
use crate::{
    context::{Context, Reply, Route},
    state::Cloud,
    wire::Response,
};

const CREATE: &[&str] = &["org-db-create"];

/// Cloud, name, name for people, zone, and whether it is a region for vector databases too.
const REGIONS: &[(Cloud, &str, &str, &str, bool)] = &[
    (Cloud::Aws, "us-east-1", "US East (N. Virginia)", "na", true),
    (Cloud::Aws, "us-east-2", "US East (Ohio)", "na", true),
    (Cloud::Aws, "us-west-2", "US West (Oregon)", "na", true),
    (Cloud::Aws, "eu-west-1", "Europe (Ireland)", "emea", false),
    (Cloud::Aws, "eu-central-1", "Europe (Frankfurt)", "emea", false),
    (Cloud::Aws, "ap-south-1", "Asia Pacific (Mumbai)", "apac", true),
    (Cloud::Aws, "ap-southeast-2", "Asia Pacific (Sydney)", "apac", false),
    (Cloud::Azure, "eastus", "East US (Virginia)", "na", false),
    (Cloud::Azure, "westus2", "West US 2 (Washington)", "na", false),
    (Cloud::Azure, "westeurope", "West Europe (Netherlands)", "emea", true),
    (Cloud::Azure, "australiaeast", "Australia East (New South Wales)", "apac", false),
    (Cloud::Gcp, "us-east1", "Moncks Corner, South Carolina", "na", true),
    (Cloud::Gcp, "us-east4", "Ashburn, Virginia", "na", true),
    (Cloud::Gcp, "us-central1", "Council Bluffs, Iowa", "na", false),
    (Cloud::Gcp, "europe-west1", "Saint Ghislain, Belgium", "emea", false),
    (Cloud::Gcp, "asia-south1", "Mumbai, India", "apac", false),
];

const CLASSIC_TIERS: &[&str] = &["C10", "C20", "C40", "D10", "D20", "D40"];

pub(super) fn route(method: Method, path: &[&str]) -> Option<Route> {
    match (method, path) {
        (Get, ["v2", "regions", "serverless"]) => or_null(CREATE, serverless),
        (Get, ["v2", "availableRegions"]) => or_null(CREATE, classic),
        _ => None,
    }
}

/// Is there such a region?
pub(super) fn has(cloud: Cloud, region: &str) -> bool {
    REGIONS.iter().any(|known| known.0 == cloud && known.1 == region)
}

/// Is there such a tier?
pub(super) fn has_tier(tier: &str) -> bool {
    ["serverless", "developer"].iter().chain(CLASSIC_TIERS).any(|known| known.eq_ignore_ascii_case(tier))
}

/// A region's zone.
pub(super) fn zone(cloud: Cloud, region: &str) -> &'static str {
    REGIONS.iter().find(|known| known.0 == cloud && known.1 == region).map_or("na", |known| known.3)
}

/// `region-type` is `vector`, `all`, or anything else for the ordinary ones; other values are ignored.
fn serverless(ctx: &mut Context<'_>) -> Reply {
    let kind = ctx.request.parameter("region-type").unwrap_or_default();
    let (ordinary, vector) = match kind.as_str() {
        "all" => (true, true),
        "vector" => (false, true),
        _ => (true, false),
    };
    let of_kind = |kind: &'static str, wanted: bool| {
        let found = REGIONS.iter().filter(move |region| wanted && (kind == "serverless" || region.4));
        found.map(move |region| shown(kind, region))
    };
    let regions = of_kind("serverless", ordinary).chain(of_kind("vector", vector));
    Ok(Response::json(200, &regions.collect::<Vec<_>>()))
}

fn shown(kind: &str, region: &(Cloud, &str, &str, &str, bool)) -> Value {
    json!({
        "cloudProvider": region.0,
        "name": region.1,
        "displayName": region.2,
        "zone": region.3,
        "classification": "standard",
        "enabled": true,
        "reservedForQualifiedUsers": false,
        "region_type": kind,
    })
}

/// Every combination is there twice, as clients have seen it.
fn classic(ctx: &mut Context<'_>) -> Reply {
    let used =
        ctx.databases().filter(|database| !database.is_serverless() && !database.is_terminated()).count();
    let one = |tier: &&str, region: &(Cloud, &str, &str, &str, bool)| {
        json!({
            "tier": tier,
            "cloudProvider": region.0,
            "region": region.1,
            "cost": { "costPerMinCents": 0, "costPerHourCents": 0, "costPerDayCents": 0, "costPerMonthCents": 0,
                "costPerMinParkedCents": 0, "costPerHourParkedCents": 0, "costPerDayParkedCents": 0,
                "costPerMonthParkedCents": 0 },
            "databaseCountUsed": used,
            "databaseCountLimit": 100,
            "capacityUnitsUsed": used,
            "capacityUnitsLimit": 100,
            "defaultStoragePerCapacityUnitGb": 500,
        })
    };
    let all = CLASSIC_TIERS.iter().flat_map(|tier| REGIONS.iter().map(move |region| one(tier, region)));
    let all: Vec<Value> = all.flat_map(|combination| [combination.clone(), combination]).collect();
    Ok(Response::json(200, &all))
}
