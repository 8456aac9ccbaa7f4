use astra_operator::{kinds::AstraPrivateEndpoint, resource::Management};
use astra_simulator::{
    Event, Recorded, SEED, names,
    state::{Database, Endpoint, PrivateLink},
};
use serde_json::{Value, json};

use super::{common, management};
use crate::{
    case::{Case, Thing, Wish},
    lawful::{Lawful, Things, Write},
    world,
};

/// Things below this are principals, the others endpoints.
const PRINCIPALS: u8 = 3;

fn principal(cloud: u8, id: u8) -> String {
    match cloud {
        0 => format!("arn:aws:iam::11111111111{id}:root"),
        1 => format!("9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a00{id}"),
        _ => format!("acme-network-{id}"),
    }
}

fn endpoint(cloud: u8, id: u8) -> String {
    match cloud {
        0 => format!("vpce-0a1b2c3d4e5f6070{id}"),
        1 => format!(
            "/subscriptions/{}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/app{id}",
            principal(1, 0)
        ),
        _ => format!("10020030040050{id}"),
    }
}

fn description(thing: Thing) -> &'static str {
    ["", "billing", "search"][usize::from(thing.variety) % 3]
}

fn spec(wish: &Wish, case: &Case) -> Value {
    let (principals, endpoints): (Vec<Thing>, Vec<Thing>) =
        wish.things.iter().partition(|thing| thing.id < PRINCIPALS);
    let mut principals: Vec<String> =
        principals.iter().map(|thing| principal(case.cloud, thing.id)).collect();
    // The one that all endpoints of the pool belong to: without it they are rejected.
    let owner = principal(case.cloud, 0);
    if !principals.contains(&owner) {
        principals.push(owner);
    }
    let endpoints: Vec<Value> = (endpoints.iter())
        .map(|thing| json!({ "id": endpoint(case.cloud, thing.id), "description": description(*thing) }))
        .collect();
    json!({
        "allowedPrincipals": principals,
        "endpoints": endpoints,
        "management": management(wish.exclusive),
        "deletionPolicy": if wish.delete { "Delete" } else { "Retain" },
    })
}

fn build(mut value: Value, wish: &Wish, case: &Case) -> AstraPrivateEndpoint {
    value["spec"].as_object_mut().unwrap().extend(spec(wish, case).as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

/// The link of the first region.
fn link(database: &Database) -> Option<&PrivateLink> {
    database.private_links.iter().find(|link| link.datacenter_id == database.datacenters[0].id)
}

fn posted(endpoint: &Endpoint) -> &str {
    endpoint.posted_id.as_deref().unwrap_or(&endpoint.endpoint_id)
}

/// How an endpoint is named in `status.owned`: Azure's ids do not care for case.
fn named(id: &str) -> String {
    if id.starts_with('/') {
        format!("endpoint/{}", id.to_ascii_lowercase())
    } else {
        format!("endpoint/{id}")
    }
}

impl Lawful for AstraPrivateEndpoint {
    fn database(case: &Case) -> Database {
        let mut database = world::database("01", "orders", case.cloud, "serverless", case.regions);
        let (principals, endpoints): (Vec<Thing>, Vec<Thing>) =
            case.foreign.iter().partition(|thing| thing.id < PRINCIPALS);
        let datacenter = database.datacenters[0].id.clone();
        let kept = |thing: &Thing| {
            let sent = endpoint(case.cloud, thing.id);
            let kept = names::endpoint(SEED, database.cloud_provider, &datacenter, &sent);
            Endpoint {
                posted_id: (kept != sent).then_some(sent),
                endpoint_id: kept,
                description: format!("foreign {}", description(*thing)),
                link_id: String::new(),
                status: if thing.variety == 5 { "Rejected" } else { "Accepted" }.into(),
                created: None,
            }
        };
        let link = |datacenter: &str| PrivateLink {
            datacenter_id: datacenter.to_owned(),
            service_name: String::new(),
            allowed_principals: principals.iter().map(|thing| principal(case.cloud, thing.id)).collect(),
            endpoints: endpoints.iter().map(kept).collect(),
        };
        let mut links = Vec::new();
        if case.flags & 1 != 0 || !case.foreign.is_empty() {
            links.push(link(&datacenter));
        }
        // The other region is nobody's business.
        links.extend(database.datacenters.iter().skip(1).map(|datacenter| link(&datacenter.id)));
        database.private_links = links;
        database
    }

    fn object(name: &str, wish: &Wish, case: &Case) -> Self {
        let mut value = common(name, "AstraPrivateEndpoint", wish);
        match (case.regions, wish.choice) {
            (1, 0 | 1) => {}
            (_, 0 | 2) => value["spec"]["region"] = json!("region-1"),
            _ => value["spec"]["datacenterId"] = json!(Self::database(case).datacenters[0].id),
        }
        build(value, wish, case)
    }

    fn edited(&self, wish: &Wish, case: &Case) -> Self {
        build(serde_json::to_value(self).unwrap(), wish, case)
    }

    fn is_exclusive(&self) -> bool {
        self.spec.management == Management::Exclusive
    }

    fn things(database: &Database) -> Things {
        let Some(link) = link(database) else { return Things::new() };
        let principals = link.allowed_principals.iter().map(|p| (format!("principal/{p}"), String::new()));
        let endpoints = link.endpoints.iter().map(|e| (named(posted(e)), e.description.clone()));
        principals.chain(endpoints).collect()
    }

    fn wants(&self) -> Things {
        let principals =
            self.spec.allowed_principals.iter().map(|p| (format!("principal/{p}"), String::new()));
        let endpoints = self.spec.endpoints.iter().map(|e| (named(&e.id), e.description.clone()));
        principals.chain(endpoints).collect()
    }

    fn drift(database: &Database, case: &Case, what: u8, thing: Thing) -> Option<Event> {
        let things = Self::things(database);
        let id = database.id.clone();
        let (principal, endpoint) = (principal(case.cloud, thing.id), endpoint(case.cloud, thing.id));
        match what {
            0..3 if things.contains_key(&format!("principal/{principal}")) => {
                let datacenter = Some(database.datacenters[0].id.clone());
                Some(Event::RemovePrincipal { database: id, datacenter, principal })
            }
            // An event finds an endpoint in any region; with two, it would be the wrong one.
            _ if !things.contains_key(&named(&endpoint)) || case.regions > 1 => None,
            3 => Some(Event::RejectEndpoint { database: id, endpoint }),
            _ => Some(Event::RemoveEndpoint { database: id, endpoint }),
        }
    }

    fn judge(write: &Write<'_, Self>) -> Vec<String> {
        let others = |database: &Database| {
            let first = database.datacenters[0].id.clone();
            let links = database.private_links.iter().filter(move |link| link.datacenter_id != first);
            links.cloned().collect::<Vec<_>>()
        };
        if others(write.before) == others(write.after) {
            Vec::new()
        } else {
            vec!["it changed another region".into()]
        }
    }

    fn reason(&self, _: &[&Self], database: &Database) -> &'static str {
        let endpoints = link(database).map(|link| link.endpoints.as_slice()).unwrap_or_default();
        let rejected = |id: &str| endpoints.iter().any(|e| posted(e) == id && e.status == "Rejected");
        if self.spec.endpoints.iter().any(|e| rejected(&e.id)) { "EndpointRejected" } else { "UpToDate" }
    }

    fn creates(request: &Recorded) -> Option<String> {
        let posts = request.method == "POST" && request.path.ends_with("/endpoints");
        let id = request.body.as_ref()?["endpointID"].as_str()?;
        // One of Azure's that is there may be asked for once more, to learn the id that Astra has it under.
        (posts && !id.starts_with('/')).then(|| named(id))
    }
}
