//! A simulator with a watch, a clock in hand, and short ways to declare and to ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use astra_simulator::{
    Event, ManualClock, Method, Request, Response, Simulator, State, Watch,
    invariants::{Declared, Invariant, Kind, Manifests, Version},
    state::{ACME_TOKEN, AccessList, AddressEntry, Endpoint, PrivateLink, database_id},
};
use futures::executor::block_on;
use serde_json::{Value, json};

/// What is declared, on a board that a test changes.
#[derive(Default)]
pub(crate) struct Board(Mutex<Vec<Declared>>);

impl Manifests for Board {
    fn now(&self) -> Arc<[Declared]> {
        self.0.lock().unwrap().clone().into()
    }
}

/// A world under watch.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    clock: Arc<ManualClock>,
    board: Arc<Board>,
    pub(crate) token: String,
}

impl Bench {
    /// Without manifests.
    pub(crate) fn alone(state: State) -> Self {
        let bench = Self::new(state);
        bench.simulator.watch(Watch::alone());
        bench
    }

    /// With these objects declared.
    pub(crate) fn declaring(state: State, objects: impl IntoIterator<Item = Declared>) -> Self {
        let bench = Self::new(state);
        bench.simulator.watch(Watch::told_by(bench.board.clone()));
        bench.declare(objects);
        bench
    }

    fn new(state: State) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-03-01T10:20:30Z".parse().unwrap()));
        let simulator = Simulator::with_clock(state, clock.clone());
        Self { simulator, clock, board: Arc::default(), token: ACME_TOKEN.into() }
    }

    /// From now on these are declared.
    pub(crate) fn declare(&self, objects: impl IntoIterator<Item = Declared>) {
        *self.board.0.lock().unwrap() = objects.into_iter().collect();
    }

    pub(crate) fn ask(&self, method: Method, target: &str, body: &Value) -> Option<Response> {
        let request = Request::new(method, target).token(&self.token);
        let request = if body.is_null() { request } else { request.json(body) };
        block_on(self.simulator.answer(&request))
    }

    pub(crate) fn get(&self, target: &str) -> Option<Response> {
        self.ask(Method::Get, target, &Value::Null)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn event(&self, event: &Event) {
        self.simulator.apply(event).unwrap();
    }

    /// What was broken since the last time.
    pub(crate) fn tripped(&self) -> Vec<Invariant> {
        let all = self.simulator.violations();
        self.simulator.clear_violations();
        all.iter().map(|violation| violation.invariant).collect()
    }

    /// Nothing was broken.
    pub(crate) fn is_clean(&self, what: &str) {
        let all: Vec<String> = self.simulator.violations().iter().map(ToString::to_string).collect();
        assert!(all.is_empty(), "{what}: {all:#?}");
    }

    /// Adds entries; `!` before an address switches it off.
    pub(crate) fn add(&self, addresses: &[&str]) {
        self.ask(Method::Post, &list(), &json!(entries(addresses)));
    }

    /// Sets the list and the switch.
    pub(crate) fn replace(&self, restricted: bool, addresses: &[&str]) {
        let body = json!({ "addresses": entries(addresses), "configurations": switch(restricted) });
        self.ask(Method::Put, &list(), &body);
    }

    /// Sets the switch alone.
    pub(crate) fn restrict(&self, restricted: bool) {
        self.ask(Method::Patch, &list(), &json!({ "configurations": switch(restricted) }));
    }

    /// Removes an address as it should be.
    pub(crate) fn remove(&self, address: &str) {
        let target = format!("{}?addresses={}", list(), address.replace('/', "%2F"));
        self.ask(Method::Delete, &target, &json!({ "addresses": [{ "address": address }] }));
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Option<Response> {
        self.ask(Method::Post, &link("endpoints"), &json!({ "endpointID": endpoint, "description": "" }))
    }

    pub(crate) fn disconnect(&self, endpoint: &str) {
        self.ask(Method::Delete, &link(&format!("endpoints/{endpoint}")), &Value::Null);
    }
}

fn switch(restricted: bool) -> Value {
    json!({ "accessListEnabled": restricted })
}

fn entries(addresses: &[&str]) -> Vec<Value> {
    let entry = |text: &&str| {
        let address = text.trim_start_matches('!');
        json!({ "address": address, "enabled": !text.starts_with('!'), "description": "" })
    };
    addresses.iter().map(entry).collect()
}

/// The list of the first database.
pub(crate) fn list() -> String {
    format!("/v2/databases/{}/access-list", database_id("01"))
}

/// Below the first database's datacenter.
pub(crate) fn link(rest: &str) -> String {
    link_of("01", rest)
}

/// Below a database's first datacenter.
pub(crate) fn link_of(number: &str, rest: &str) -> String {
    let id = database_id(number);
    format!("/v2/organizations/clusters/{id}/datacenters/{id}-1/{rest}")
}

/// The default world, with this list in its first database.
pub(crate) fn with_list(restricted: bool, addresses: &[&str]) -> State {
    let mut state = State::default();
    let entry = |text: &&str| AddressEntry {
        address: text.trim_start_matches('!').into(),
        description: "there before".into(),
        enabled: !text.starts_with('!'),
        last_update_date_time: None,
    };
    state.databases[0].access_list = Some(AccessList {
        addresses: addresses.iter().map(entry).collect(),
        access_list_enabled: restricted,
    });
    state
}

/// The default world, with this link in its first database.
pub(crate) fn with_link(principals: &[&str], endpoints: &[&str]) -> State {
    let mut state = State::default();
    let endpoint = |id: &&str| Endpoint {
        endpoint_id: (*id).into(),
        posted_id: None,
        description: String::new(),
        link_id: String::new(),
        status: "Accepted".into(),
        created: None,
    };
    state.databases[0].private_links = vec![PrivateLink {
        datacenter_id: format!("{}-1", database_id("01")),
        service_name: String::new(),
        allowed_principals: principals.iter().map(ToString::to_string).collect(),
        endpoints: endpoints.iter().map(endpoint).collect(),
    }];
    state
}

/// An object with one version that is looked at, owns what it wants, and announces something.
pub(crate) fn object(kind: Kind, name: &str, wants: &[&str]) -> Declared {
    Declared {
        kind,
        name: format!("team/{name}"),
        uid: name.into(),
        token: ACME_TOKEN.into(),
        database: Some(database_id("01")),
        datacenter: None,
        versions: vec![version(wants)],
    }
}

/// A version that may write; identities in full, or addresses (`!` is switched off).
pub(crate) fn version(wants: &[&str]) -> Version {
    let identity = |text: &&str| {
        let address = text.trim_start_matches('!');
        let value = if text.starts_with('!') { "off" } else { "on" };
        let is_address = address.starts_with(|c: char| c.is_ascii_digit());
        let identity = if is_address { format!("address/{address}") } else { address.to_owned() };
        (identity, value.to_owned())
    };
    let wants: BTreeMap<String, String> = wants.iter().map(identity).collect();
    Version {
        generation: 1,
        observed_generation: Some(1),
        announced: true,
        valid: true,
        deletes: true,
        owned: wants.keys().cloned().collect(),
        wants,
        ..Version::default()
    }
}

/// A list that others may be beside.
pub(crate) fn shared(name: &str, wants: &[&str]) -> Declared {
    object(Kind::AccessList, name, wants)
}

impl Change for Declared {
    fn with(mut self, change: impl Fn(&mut Version)) -> Self {
        self.versions.iter_mut().for_each(change);
        self
    }

    fn then(mut self, version: Version) -> Self {
        self.versions.push(version);
        self
    }
}

/// Short ways to change an object.
pub(crate) trait Change {
    /// Changes all its versions.
    fn with(self, change: impl Fn(&mut Version)) -> Self;
    /// Gives it another version, which it is now.
    fn then(self, version: Version) -> Self;
}
