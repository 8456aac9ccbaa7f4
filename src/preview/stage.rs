//! A stage for rehearsals: the part of Astra that some objects are about, as it was read, and what the calls of the
//! rehearsal make of it. Nothing leaves it.
//!
//! The engine works here as it works on Astra itself, through the same client; so what is shown of a plan is what the
//! engine does, and not a second opinion. A law compares the stage with the simulator, call by call.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    change::{self, Change},
    danger::{self, Danger},
};
use astra_devops::{
    Answer, Call, Method, Token, Transport,
    access_list::{AccessList, Entry},
    databases::Database,
    id::{DatabaseId, DatacenterId, EndpointId},
    peering::{Peering, Provider, Vpc},
    private_link::{DatabaseLinks, PrivateEndpoint, PrivateLink},
    transport::TransportError,
};
use futures::{FutureExt, future::BoxFuture};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is there. All of it was read from Astra, or assumed where there is no Astra to be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// The organization's id, if it is known.
    pub organization: String,
    /// The databases.
    pub databases: Vec<Database>,
    /// The access lists, by database. One that is missing lets everybody in.
    pub access_lists: BTreeMap<DatabaseId, AccessList>,
    /// The private links, by database.
    pub links: BTreeMap<DatabaseId, DatabaseLinks>,
    /// The peerings, by cloud (as in paths) and database.
    pub peerings: BTreeMap<(String, DatabaseId), Peering>,
}

impl World {
    /// Takes over what a part of it has become.
    pub fn take(&mut self, part: Self) {
        for database in &part.databases {
            self.access_lists.remove(&database.id);
            self.links.remove(&database.id);
            self.peerings.retain(|(_, id), _| *id != database.id);
        }
        self.access_lists.extend(part.access_lists);
        self.links.extend(part.links);
        self.peerings.extend(part.peerings);
    }
}

/// What a call made of the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The call.
    pub call: Call,
    /// What it changed.
    pub changes: Vec<Change>,
    /// What is dangerous about that.
    pub dangers: Vec<Danger>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Stage(Mutex<Played>);

#[derive(Debug, Default)]
struct Played {
    world: World,
    effects: Vec<Effect>,
}

impl Stage {
    /// A stage with this world on it.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self(Mutex::new(Played { world, effects: Vec::new() }))
    }

    /// The world as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).world.clone()
    }

    /// What this call has done, when it was last carried out. It is told once.
    #[must_use]
    pub fn effect_of(&self, call: &Call) -> Option<Effect> {
        let mut played = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = played.effects.iter().rposition(|effect| effect.call == *call)?;
        Some(played.effects.remove(at))
    }

    fn answer(&self, call: &Call) -> Answer {
        let mut played = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = (call.method != Method::Get).then(|| played.world.clone());
        let segments: Vec<String> = call.path.split('/').skip(1).map(decoded).collect();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let body = call.body.clone().unwrap_or_default();
        let answer = played.world.carry_out(call, &path, &body).unwrap_or_else(|answer| answer);
        if let Some(before) = before {
            let (changes, dangers) =
                (change::between(&before, &played.world), danger::of(&before, &played.world));
            played.effects.push(Effect { call: call.clone(), changes, dangers });
        }
        answer
    }
}

impl Transport for Stage {
    fn send<'a>(&'a self, _: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        async move {
            // As on the way to Astra, others have their turn meanwhile.
            tokio::task::yield_now().await;
            Ok(self.answer(call))
        }
        .boxed()
    }
}

/// What Astra answers is an answer, too, when it is a refusal.
type Answered = Result<Answer, Answer>;

impl World {
    fn carry_out(&mut self, call: &Call, path: &[&str], body: &Value) -> Answered {
        use Method::{Delete, Get, Patch, Post, Put};
        match (call.method, path) {
            (Get, ["v2", "currentOrg"]) => Ok(Answer::json(200, &json!({ "id": self.organization }))),
            (Get, ["v2", "databases"]) => Ok(self.databases_after(call)),
            (Get, ["v2", "databases", id]) => {
                let found = self.databases.iter().find(|database| database.id.as_str() == *id);
                found.map(given).ok_or_else(unknown)
            }
            (Get, ["v2", "access-lists"]) => Ok(given(&self.access_lists.values().collect::<Vec<_>>())),
            (Get, ["v2", "databases", id, "access-list"]) => {
                self.access_lists.get(&parsed(id)?).map(given).ok_or_else(none)
            }
            (method, ["v2", "databases", id, "access-list"]) => {
                let id = self.database(id)?;
                match method {
                    Put => self.replace_list(id, body),
                    Post => self.add_addresses(id, body),
                    Patch => self.switch_list(&id, body),
                    Delete => self.remove_address(&id, call),
                    Get => Err(none()),
                }
            }
            (Get, ["v2", "organizations", "private-link"]) => {
                Ok(Answer::json(200, &json!({ "clusters": self.links.values().collect::<Vec<_>>() })))
            }
            (Get, ["v2", "organizations", "clusters", id, "private-link"]) => {
                self.links.get(&parsed(id)?).map(given).ok_or_else(none)
            }
            (method, ["v2", "organizations", "clusters", id, "datacenters", datacenter, rest @ ..]) => {
                let id = self.database(id)?;
                let datacenter: DatacenterId = datacenter.parse().map_err(|_| unknown())?;
                self.private_link(method, &id, &datacenter, rest, body)
            }
            (method, ["v2", "peering", "provider", provider, "database", id]) => {
                let key = ((*provider).to_owned(), self.database(id)?);
                self.peering(method, key, body)
            }
            _ => Err(Answer::json(501, &json!("a rehearsal knows no such call"))),
        }
    }

    fn databases_after(&self, call: &Call) -> Answer {
        let after = call.query.iter().find(|(name, _)| *name == "starting_after").map(|(_, id)| id.as_str());
        let start =
            after.and_then(|id| self.databases.iter().position(|database| database.id.as_str() == id));
        let left = self.databases[start.map_or(0, |at| at + 1)..].iter();
        // What is terminated can be asked for by its id, and is not listed.
        let listed = left.filter(|database| database.status.0 != "TERMINATED");
        given(&listed.take(astra_devops::databases::PAGE).collect::<Vec<_>>())
    }

    fn database(&self, id: &str) -> Result<DatabaseId, Answer> {
        let id = parsed(id)?;
        if self.databases.iter().any(|database| database.id == id) { Ok(id) } else { Err(unknown()) }
    }

    fn list(&mut self, id: DatabaseId) -> &mut AccessList {
        self.access_lists.entry(id.clone()).or_insert_with(|| AccessList {
            database_id: id,
            addresses: Vec::new(),
            configurations: astra_devops::access_list::Configurations::default(),
        })
    }

    fn replace_list(&mut self, id: DatabaseId, body: &Value) -> Answered {
        let list = self.list(id);
        list.addresses = read(&body["addresses"])?;
        list.configurations = read(&body["configurations"])?;
        Ok(Answer::empty(204))
    }

    fn add_addresses(&mut self, id: DatabaseId, body: &Value) -> Answered {
        let entries: Vec<Entry> = read(body)?;
        let list = self.list(id);
        for entry in entries {
            match list.addresses.iter_mut().find(|known| known.address == entry.address) {
                Some(known) => *known = entry,
                None => list.addresses.push(entry),
            }
        }
        Ok(Answer::empty(204))
    }

    fn switch_list(&mut self, id: &DatabaseId, body: &Value) -> Answered {
        let list = self.access_lists.get_mut(id).ok_or_else(|| missing("access list"))?;
        list.configurations = read(&body["configurations"])?;
        Ok(Answer::empty(204))
    }

    fn remove_address(&mut self, id: &DatabaseId, call: &Call) -> Answered {
        // The client cannot make such a call; were there one, a rehearsal shows it as what it is: no removal of an entry.
        let named = call.query.iter().find(|(name, _)| *name == "addresses").map(|(_, address)| address);
        let Some(address) = named.filter(|_| !call.would_delete_whole_list()) else {
            return Err(Answer::json(400, &json!("no address in the query")));
        };
        let list = self.access_lists.get_mut(id).ok_or_else(none)?;
        list.addresses.retain(|entry| entry.address != *address);
        Ok(Answer::empty(204))
    }

    fn private_link(
        &mut self,
        method: Method,
        id: &DatabaseId,
        datacenter: &DatacenterId,
        rest: &[&str],
        body: &Value,
    ) -> Answered {
        let links = self.links.get_mut(id).map(|links| &mut links.datacenters);
        let link = links.and_then(|all| all.iter_mut().find(|link| link.datacenter == datacenter.as_str()));
        match (method, rest, link) {
            (Method::Post, ["private-link" | "allowed-principals"], _) => self.allow(id, datacenter, body),
            (Method::Get, ["private-link"], Some(link)) => Ok(given(link)),
            (Method::Delete, ["allowed-principals"], Some(link)) => {
                let principal = body["allowedPrincipal"].as_str().unwrap_or_default();
                let at = link.allowed_principals.iter().position(|known| known == principal);
                link.allowed_principals.remove(at.ok_or_else(none)?);
                Ok(Answer::empty(204))
            }
            (Method::Post, ["endpoints"], Some(link)) => connect(link, body),
            (Method::Put, ["endpoints", endpoint], Some(link)) => {
                let known = link.endpoints.iter_mut().find(|known| known.id.as_str() == *endpoint);
                let known = known.ok_or_else(|| missing("endpoint"))?;
                body["description"].as_str().unwrap_or_default().clone_into(&mut known.description);
                Ok(given(known))
            }
            (Method::Delete, ["endpoints", endpoint], Some(link)) => {
                let at = link.endpoints.iter().position(|known| known.id.as_str() == *endpoint);
                link.endpoints.remove(at.ok_or_else(|| missing("endpoint"))?);
                Ok(Answer::empty(204))
            }
            (_, _, None) => Err(none()),
            _ => Err(Answer::json(501, &json!("a rehearsal knows no such call"))),
        }
    }

    fn allow(&mut self, id: &DatabaseId, datacenter: &DatacenterId, body: &Value) -> Answered {
        let principals: Vec<String> = read(&body["allowedPrincipals"])?;
        let links = self
            .links
            .entry(id.clone())
            .or_insert_with(|| DatabaseLinks { database: id.clone(), datacenters: Vec::new() });
        let at = links.datacenters.iter().position(|link| link.datacenter == datacenter.as_str());
        let at = at.unwrap_or_else(|| {
            links.datacenters.push(PrivateLink {
                datacenter: datacenter.to_string(),
                // Astra gives it a name that nobody can know before.
                service_name: "(known after the first principal is allowed)".to_owned(),
                ..PrivateLink::default()
            });
            links.datacenters.len() - 1
        });
        let link = &mut links.datacenters[at];
        for principal in principals {
            if !link.allowed_principals.contains(&principal) {
                link.allowed_principals.push(principal);
            }
        }
        Ok(Answer::json(
            200,
            &json!({ "serviceName": link.service_name, "allowedPrincipals": link.allowed_principals }),
        ))
    }

    fn peering(&mut self, method: Method, key: (String, DatabaseId), body: &Value) -> Answered {
        match method {
            Method::Get => self.peerings.get(&key).map(given).ok_or_else(none),
            Method::Post if self.peerings.contains_key(&key) => {
                Err(Answer::json(409, &json!("there is a peering")))
            }
            Method::Post => {
                let peering = asked_for(&key.0, body);
                let answer = given(&peering);
                self.peerings.insert(key, peering);
                Ok(answer)
            }
            Method::Delete => self.peerings.remove(&key).map(|_| Answer::empty(202)).ok_or_else(none),
            Method::Put | Method::Patch => Err(Answer::json(501, &json!("a rehearsal knows no such call"))),
        }
    }
}

/// An endpoint that is connected is accepted if any principal is allowed: of which account it is, only Astra knows. One
/// that is there already is answered as it is. On Azure Astra makes an id of its own, which begins with the endpoint's
/// name.
fn connect(link: &mut PrivateLink, body: &Value) -> Answered {
    let sent = body["endpointID"].as_str().unwrap_or_default();
    let id = match sent.rsplit_once('/') {
        // One of this name that is there may be of another resource group: to take it for this one would hide a step.
        Some((_, name)) => format!("{name}.(made-by-astra)"),
        None => sent.to_owned(),
    };
    let id: EndpointId = id.parse().map_err(|_| Answer::json(400, &json!("no endpoint id")))?;
    let description = body["description"].as_str().unwrap_or_default().to_owned();
    if let Some(known) = link.endpoints.iter().find(|known| known.id == id) {
        return Ok(given(known));
    }
    let status = if link.allowed_principals.is_empty() { "Rejected" } else { "Accepted" };
    let endpoint = PrivateEndpoint {
        id,
        description,
        link_id: String::new(),
        status: status.to_owned(),
        created: String::new(),
    };
    let answer = given(&endpoint);
    link.endpoints.push(endpoint);
    Ok(answer)
}

/// A peering that was asked for, before the other side has accepted it.
fn asked_for(provider: &str, body: &Value) -> Peering {
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let (account, network) = match Provider::parse(provider) {
        Some(Provider::Aws) | None => (text("accountId"), text("vpcId")),
        Some(Provider::Azure) => (text("subscriptionId"), text("virtualNetworkName")),
        Some(Provider::Gcp) => (text("projectId"), text("vpcNetworkName")),
    };
    Peering {
        connection_id: "(known after it is made)".to_owned(),
        status: "pending-acceptance".to_owned(),
        current_vpc: Vpc { provider: provider.to_owned(), ..Vpc::default() },
        other_vpc: Vpc {
            provider: provider.to_owned(),
            account,
            vpc_id: network,
            cidr_block: text("cidrBlock"),
        },
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn parsed(id: &str) -> Result<DatabaseId, Answer> {
    id.parse().map_err(|_| unknown())
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, Answer> {
    T::deserialize(value).map_err(|error| Answer::json(400, &json!(error.to_string())))
}

fn given(value: &impl serde::Serialize) -> Answer {
    Answer::json(200, &json!(value))
}

/// What Astra says of a database that it does not know.
fn unknown() -> Answer {
    Answer::json(404, &json!({ "errors": [{ "ID": 2_000_031, "message": "database not found" }] }))
}

/// What it says of a thing within a part that a database has.
fn missing(what: &str) -> Answer {
    Answer::json(404, &json!({ "errors": [{ "ID": 2_000_404, "message": format!("{what} not found") }] }))
}

/// What it says of a part that a database does not have.
fn none() -> Answer {
    Answer::json(404, &json!("not found"))
}
