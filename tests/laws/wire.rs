//! The way to Astra: the simulator, with a witness at each write. What no law may ever break is looked at here, on every
//! state that the simulator passes through, and not only at the end.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use astra_devops::{Answer, Call, Method, Token, Transport, transport::TransportError};
use astra_simulator::{Request, Simulator, State};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    fuse::Fuse,
    lawful::{Lawful, Things, Write, owned},
};

/// What was seen that must not be.
#[derive(Clone, Default)]
pub(crate) struct Violations(Arc<Mutex<Vec<String>>>);

impl Violations {
    /// Keeps one.
    pub(crate) fn add(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Carries calls to the simulator, and watches what they do.
pub(crate) struct Wire<K: Lawful> {
    pub(crate) simulator: Simulator,
    pub(crate) cluster: Cluster<K>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) violations: Violations,
    /// The database that all objects are about.
    pub(crate) database: String,
    pub(crate) latency: Duration,
    /// Must every write change something? Not so where reads lag, or where others write too.
    pub(crate) strict: bool,
    pub(crate) kind: PhantomData<K>,
}

impl<K: Lawful> Transport for Wire<K> {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            self.fuse.alive().await;
            if call.method == Method::Get {
                self.pause().await;
                let answer = self.simulator.send(token, call).await;
                self.pause().await;
                return answer;
            }
            self.fuse.effect(self.write(token, call)).await
        })
    }
}

impl<K: Lawful> Wire<K> {
    async fn pause(&self) {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency / 2).await;
        }
    }

    async fn write(&self, token: &Token, call: &Call) -> Result<Answer, TransportError> {
        self.pause().await;
        // The simulator itself never waits here, so nothing comes between these three.
        let before = self.simulator.state();
        let answer = self.simulator.send(token, call).await;
        let after = self.simulator.state();
        let request = Request::of(token, call);
        let done = answer.as_ref().is_ok_and(|answer| answer.is_success() && !answer.is_html());
        for violation in self.judge(&request, done, &before, &after) {
            self.violations.add(format!("{call}: {violation}"));
        }
        self.pause().await;
        answer
    }

    fn judge(&self, request: &Request, done: bool, before: &State, after: &State) -> Vec<String> {
        let mut found = no_unnamed_removal(request);
        let others = |state: &State| {
            let mut state = state.clone();
            state.databases.retain(|database| database.id != self.database);
            state
        };
        if others(before) != others(after) {
            found.push("it changed another database".into());
        }
        let (Some(before), Some(after)) = (before.database(&self.database), after.database(&self.database))
        else {
            return found;
        };
        let moments = self.cluster.moments();
        let write = Write { before, after, moments: &moments };
        found.extend(self.ownership(&write));
        found.extend(K::judge(&write));
        if self.strict
            && done
            && !asks_for_a_name(request)
            && K::things(before) == K::things(after)
            && before.access_list.as_ref().map(|list| list.access_list_enabled)
                == after.access_list.as_ref().map(|list| list.access_list_enabled)
        {
            found.push("it changed nothing".into());
        }
        found
    }

    /// What is made must be owned before it is made, and wanted; what goes must be owned, or the place be claimed whole;
    /// what was there and is wanted throughout stays.
    fn ownership(&self, write: &Write<'_, K>) -> Vec<String> {
        let (before, after) = (K::things(write.before), K::things(write.after));
        let stored: Vec<String> = self.cluster.objects().iter().flat_map(|object| owned(object)).collect();
        let always = write.always_wanted();
        let exclusive = write.moments.iter().flatten().any(K::takes_over);
        let mut found = Vec::new();
        for (identity, value) in &after {
            match before.get(identity) {
                Some(old) if old == value => {}
                Some(old) => {
                    // Where one network is there in two texts, each of the two counts.
                    let wanted: Vec<Things> =
                        write.moments.iter().flatten().map(<K as Lawful>::wants).collect();
                    let is_wanted = |part: &str| {
                        wanted.iter().any(|wants| wants.get(identity).is_some_and(|w| w == part))
                    };
                    let was_there = |part: &str| old.split(" and ").any(|known| known == part);
                    if !value.split(" and ").all(|part| is_wanted(part) || was_there(part)) {
                        found.push(format!(
                            "it changed {identity} from {old:?} to {value:?}, which nobody wants"
                        ));
                    }
                }
                None => {
                    if !stored.contains(identity) {
                        found.push(format!("it made {identity}, which no status had as owned before"));
                    }
                    if !write.ever_wanted(identity) {
                        found.push(format!("it made {identity}, which nobody who may write wants"));
                    }
                }
            }
        }
        for identity in before.keys().filter(|identity| !after.contains_key(*identity)) {
            if always.contains(identity) {
                found.push(format!("it removed {identity}, which is wanted throughout"));
            }
            if !exclusive && !stored.contains(identity) {
                found.push(format!("it removed {identity}, which nobody owns"));
            }
        }
        found
    }
}

/// A removal from an access list names exactly one address, in the query and in the body: anything else may be read as
/// "the whole list", which reopens the database to everybody.
/// An Azure endpoint that is there already is asked for all the same, to learn the id that Astra has it under: its name
/// alone proves nothing.
fn asks_for_a_name(request: &Request) -> bool {
    let body = String::from_utf8_lossy(&request.body);
    request.path.ends_with("/endpoints") && body.contains("\"/subscriptions/")
}

fn no_unnamed_removal(request: &Request) -> Vec<String> {
    if request.method != Method::Delete || !request.path.ends_with("/access-list") {
        return Vec::new();
    }
    let in_query = request.parameters("addresses").into_iter().filter(|address| !address.is_empty()).count();
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    let in_body = body.as_ref().and_then(|body| body["addresses"].as_array()).map_or(0, Vec::len);
    if in_query == 1 && in_body == 1 {
        Vec::new()
    } else {
        vec![format!("it does not name exactly one address in query and body: {body:?}")]
    }
}
