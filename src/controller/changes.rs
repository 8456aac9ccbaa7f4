//! What of a watch is work: objects whose spec, deletion or annotations changed. The operator's own status and finalizer
//! writes come back through the watch too, and are none.
//!
//! What a new list brings is always work, whatever was seen before: after a restore of etcd an object may be back that
//! was gone, or have another spec under a generation that was seen already.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use futures::{Stream, StreamExt, future};
use kube::{
    Resource, ResourceExt,
    runtime::{Predicate, predicates, watcher},
};

/// The changes that are work, out of all that a watch tells.
pub fn changes<K>(
    events: impl Stream<Item = watcher::Result<watcher::Event<K>>>,
) -> impl Stream<Item = watcher::Result<K>>
where
    K: Resource<DynamicType = ()>,
{
    let mut seen = Seen::default();
    events.filter_map(move |event| {
        future::ready(match event {
            Ok(event) => seen.work(event).map(Ok),
            Err(error) => Some(Err(error)),
        })
    })
}

/// What each object was like when it last was work: hashes of the name, and of what makes an object work. There may be very
/// many, so nothing else is kept.
#[derive(Default)]
struct Seen {
    all: HashMap<u64, u64>,
    hasher: RandomState,
}

impl Seen {
    fn work<K: Resource<DynamicType = ()>>(&mut self, event: watcher::Event<K>) -> Option<K> {
        match event {
            watcher::Event::Init => {
                self.all.clear();
                None
            }
            watcher::Event::InitDone => None,
            watcher::Event::InitApply(object) => {
                self.is_new(&object);
                Some(object)
            }
            watcher::Event::Apply(object) => self.is_new(&object).then_some(object),
            watcher::Event::Delete(object) => {
                self.all.remove(&self.name(&object));
                None
            }
        }
    }

    /// Notes what the object is like. Is that another than before?
    fn is_new<K: Resource<DynamicType = ()>>(&mut self, object: &K) -> bool {
        let rest = predicates::generation.combine(predicates::annotations).hash_property(object);
        let like = self.hasher.hash_one((object.uid(), rest));
        self.all.insert(self.name(object), like) != Some(like)
    }

    fn name<K: Resource>(&self, object: &K) -> u64 {
        self.hasher.hash_one((object.namespace(), object.name_any()))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use serde_json::json;
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

    use super::*;

    fn object(uid: &str, generation: i64, annotation: &str) -> Secret {
        let metadata = json!({ "name": "o", "namespace": "team", "uid": uid, "generation": generation, "annotations": { "a": annotation } });
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn work_is_what_changed_and_all_that_a_list_brings() {
        let mut seen = Seen::default();
        for (n, (event, expected)) in [
            (Init, false),
            (InitApply(object("one", 1, "")), true),
            (InitDone, false),
            (Apply(object("one", 1, "")), false),
            (Apply(object("one", 2, "")), true),
            (Apply(object("one", 2, "")), false),
            (Apply(object("one", 2, "now")), true),
            (Apply(object("two", 2, "now")), true),
            (Delete(object("two", 2, "now")), false),
            (Apply(object("two", 2, "now")), true),
            // A new list, though nothing of it changed.
            (Init, false),
            (InitApply(object("two", 2, "now")), true),
            (InitDone, false),
            // Back in an older time, where the same generation comes a second time.
            (Init, false),
            (InitApply(object("one", 1, "")), true),
            (InitDone, false),
            (Apply(object("one", 2, "")), true),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(seen.work(event).is_some(), expected, "event {n}");
        }
    }
}
