//! The simulator as a process, and its control surface.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use astra_simulator::{
    Event, Fault, Recorded, State,
    state::{AddressEntry, Database, PrivateLink, database_id},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::cluster::Cluster;

/// A running `astra-simulator`, in its default state: what stands for Astra in a test.
#[derive(Debug)]
pub(crate) struct Astra {
    child: Child,
    pub(crate) url: String,
}

/// The databases of the default state that are used here, by name, for texts that people read.
const NAMES: [(&str, &str); 15] = [
    ("01", "orders"),
    ("02", "catalog"),
    ("03", "ledger"),
    ("04", "fraud"),
    ("05", "sessions"),
    ("06", "warehouse"),
    ("07", "legacy"),
    ("08", "archive"),
    ("09", "staging1"),
    ("0a", "staging2"),
    ("0b", "migrating"),
    ("0c", "retired"),
    ("0d", "dormant"),
    ("0e", "payments"),
    ("0f", "analytics"),
];

/// The id of a database of the default state.
pub(crate) fn id_of(name: &str) -> String {
    let found = NAMES.iter().find(|(_, known)| *known == name);
    database_id(found.unwrap_or_else(|| panic!("there is no database {name}")).0)
}

/// A text with `{name}` in place of the ids of databases.
pub(crate) fn with_names(text: &str) -> String {
    NAMES.iter().fold(text.to_owned(), |text, (number, name)| {
        text.replace(&database_id(number), &format!("{{{name}}}"))
    })
}

impl Astra {
    /// Starts it on a free port.
    pub(crate) fn start(cluster: &Cluster, flags: &[&str]) -> Self {
        let mut child = Command::new(&cluster.simulator)
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("the simulator said {line:?} and no address")).to_owned();
        Self { child, url }
    }

    /// All that it was asked, in order.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.get("requests")
    }

    /// What was asked to be changed, in order, one line each: method, path and body.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests().iter().filter(|request| request.is_write()).map(line).collect()
    }

    /// As [`Self::writes`], one text.
    pub(crate) fn written(&self) -> String {
        self.writes().into_iter().map(|line| line + "\n").collect()
    }

    /// How often something was read whose path ends so.
    pub(crate) fn reads(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| !request.is_write() && request.path.ends_with(path)).count()
    }

    /// The requests that no client may ever send.
    pub(crate) fn violations(&self) -> Vec<Value> {
        self.get("violations")
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        let url = self.control("requests");
        ureq::delete(&url).call().unwrap();
    }

    /// Something happens behind the operator's back.
    pub(crate) fn happens(&self, event: &Event) {
        self.post("events", event);
    }

    /// Something goes wrong on purpose.
    pub(crate) fn fails(&self, fault: &Fault) {
        self.post("faults", fault);
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heals(&self) {
        ureq::delete(&self.control("faults")).call().unwrap();
    }

    /// The true state.
    pub(crate) fn state(&self) -> State {
        self.get("state")
    }

    /// Changes the true state, as if it had always been so.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        ureq::put(&self.control("state")).send_json(&state).unwrap();
    }

    /// One database, by name.
    pub(crate) fn database(&self, name: &str) -> Database {
        self.state().database(&id_of(name)).unwrap().clone()
    }

    /// The addresses of a database's list, as `ADDRESS DESCRIPTION`, with `off` for those that are not enabled; `None`
    /// when it has no list.
    pub(crate) fn addresses(&self, name: &str) -> Option<Vec<String>> {
        let text = |entry: &AddressEntry| {
            let off = if entry.enabled { "" } else { " off" };
            format!("{} {}{off}", entry.address, entry.description).trim().to_owned()
        };
        self.database(name).access_list.map(|list| list.addresses.iter().map(text).collect())
    }

    /// Is access to the database restricted to its list?
    pub(crate) fn is_restricted(&self, name: &str) -> bool {
        self.database(name).access_list.is_some_and(|list| list.access_list_enabled)
    }

    /// The private link of a database's first datacenter; an empty one when there is none.
    pub(crate) fn link(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let database = self.database(name);
        let first = format!("{}-1", database.id);
        let link: Option<&PrivateLink> =
            database.private_links.iter().find(|link| link.datacenter_id == first);
        link.map(|link| {
            let endpoints = link.endpoints.iter().map(|endpoint| endpoint.endpoint_id.clone());
            (link.allowed_principals.clone(), endpoints.collect())
        })
        .unwrap_or_default()
    }

    /// The default token.
    pub(crate) fn token(&self) -> String {
        self.state().tokens[0].token.clone()
    }

    fn control(&self, path: &str) -> String {
        format!("{}/_simulator/{path}", self.url)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let text = ureq::get(&self.control(path))
            .call()
            .unwrap()
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string();
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    fn post(&self, path: &str, body: &impl Serialize) {
        let body = serde_json::to_value(body).unwrap();
        if let Err(error) = ureq::post(&self.control(path)).send_json(&body) {
            panic!("the simulator refuses {body}: {error}");
        }
    }
}

impl Drop for Astra {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request for people: `PUT /v2/databases/{orders}/access-list {"addresses":…}`.
pub(crate) fn line(request: &Recorded) -> String {
    let body = request.body.as_ref().map(|body: &Value| format!(" {body}")).unwrap_or_default();
    with_names(&format!("{} {}{body}", request.method, request.target()))
}
