//! Says once when all objects that were there at the start have been looked at: from then on a restart is over.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use kube::{Resource, ResourceExt, runtime::watcher};
use tokio::time::Instant;

/// Namespace and name.
type Key = (String, String);

/// How far one kind has come since its start.
#[derive(Debug)]
pub struct CatchingUp {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Watches whose first list has not come yet.
    lists: usize,
    /// Objects that were listed first, and not looked at yet.
    left: HashSet<Key>,
    /// How many were listed first.
    count: usize,
    over: bool,
}

impl CatchingUp {
    /// Begins now, with so many watches.
    #[must_use]
    pub fn new(watches: usize) -> Self {
        let state = State { lists: watches, left: HashSet::new(), count: 0, over: false };
        Self { began: Instant::now(), state: Mutex::new(state) }
    }

    /// A watch tells something. Its first list ends with `InitDone`.
    pub fn told<K: Resource<DynamicType = ()>>(&self, event: &watcher::Event<K>) {
        self.change::<K>(|state| match event {
            watcher::Event::InitApply(object) if state.lists > 0 => {
                state.count += usize::from(state.left.insert(key(object)));
            }
            watcher::Event::InitDone => state.lists = state.lists.saturating_sub(1),
            watcher::Event::Delete(object) => {
                state.left.remove(&key(object));
            }
            _ => {}
        });
    }

    /// An object was looked at, and something is known of it.
    pub fn looked_at<K: Resource<DynamicType = ()>>(&self, object: &K) {
        self.change::<K>(|state| {
            state.left.remove(&key(object));
        });
    }

    fn change<K: Resource<DynamicType = ()>>(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return;
        }
        change(&mut state);
        if state.lists == 0 && state.left.is_empty() {
            state.over = true;
            state.left = HashSet::new();
            let (kind, objects, seconds) = (K::kind(&()), state.count, self.began.elapsed().as_secs_f64());
            tracing::info!(%kind, objects, seconds, "all objects that were there at the start have been looked at");
        }
    }

    /// Is it over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).over
    }
}

fn key<K: Resource>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use serde_json::json;
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

    use super::*;

    fn object(name: &str) -> Secret {
        serde_json::from_value(json!({ "metadata": { "name": name, "namespace": "team" } })).unwrap()
    }

    #[tokio::test]
    async fn it_is_over_when_every_list_has_come_and_every_object_of_them_was_looked_at_or_is_gone() {
        let two = CatchingUp::new(2);
        for event in [Init, InitApply(object("one")), InitApply(object("two")), InitDone] {
            two.told(&event);
        }
        two.looked_at(&object("one"));
        two.told(&Apply(object("new")));
        two.told(&Delete(object("two")));
        assert!(!two.is_over(), "the second list has not come");
        for event in [InitApply(object("three")), InitDone] {
            two.told(&event);
        }
        two.looked_at(&object("one"));
        assert!(!two.is_over(), "one is left");
        two.looked_at(&object("three"));
        assert!(two.is_over());
    }

    #[tokio::test]
    async fn without_objects_it_is_over_at_once() {
        let none = CatchingUp::new(1);
        none.told::<Secret>(&Init);
        assert!(!none.is_over());
        none.told::<Secret>(&InitDone);
        assert!(none.is_over());
    }
}
