//! What of a watch is work: objects whose spec, deletion or annotations changed. The operator's own status and finalizer
//! writes come back through the watch too, and are none.
//!
//! What a new list brings is always work, whatever was seen before: after a restore of etcd an object may be back that
//! was gone, or have another spec under a generation that was seen already.

use std::collections::HashMap;

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

/// What each object was like when it last was work.
#[derive(Default)]
struct Seen(HashMap<(String, String), Like>);

/// UID, and a hash over the rest of what makes an object work.
type Like = (Option<String>, Option<u64>);

impl Seen {
    fn work<K: Resource<DynamicType = ()>>(&mut self, event: watcher::Event<K>) -> Option<K> {
        match event {
            watcher::Event::Init => {
                self.0.clear();
                None
            }
            watcher::Event::InitDone => None,
            watcher::Event::InitApply(object) => {
                self.0.insert(key(&object), like(&object));
                Some(object)
            }
            watcher::Event::Apply(object) => {
                let like = like(&object);
                let before = self.0.insert(key(&object), like.clone());
                (before != Some(like)).then_some(object)
            }
            watcher::Event::Delete(object) => {
                self.0.remove(&key(&object));
                None
            }
        }
    }
}

fn key<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn like<K: Resource>(object: &K) -> Like {
    (object.uid(), predicates::generation.combine(predicates::annotations).hash_property(object))
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
