//! Whether a watch has gone deaf: what it knows is compared with a list, once in a while.

use std::{
    collections::BTreeMap,
    future::Future,
    hash::{DefaultHasher, Hasher as _},
    io,
    time::Duration,
};

use futures::{TryFutureExt, future::BoxFuture};
use kube::{
    Api, ResourceExt,
    api::{ListParams, ObjectMeta},
    runtime::reflector::Store,
};
use serde::Serialize;
use tokio::time::sleep;

use super::{
    super::{KubeError, within},
    PAGE, Watched,
};
use crate::engine::{Kind, backoff::jittered};

/// How often the watch is compared with a list.
const AUDIT: Duration = Duration::from_mins(1);

/// How long an event may be on its way.
const GRACE: Duration = Duration::from_secs(5);

/// What a list shows and the watch did not tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unheard {
    /// One of the objects, `namespace/name`.
    pub(super) object: String,
    /// How many they are.
    pub(super) count: usize,
}

/// What is known of objects, by name: of each a digest of all of it, for there may be very many.
type Versions = BTreeMap<String, u64>;

/// Takes in what is written, and keeps no more than a digest of it.
#[derive(Default)]
struct Digest(DefaultHasher);

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn digest(value: &impl Serialize) -> u64 {
    let mut digest = Digest::default();
    // A digest takes everything, and objects that were read can be written.
    let _ = serde_json::to_writer(&mut digest, value);
    digest.0.finish()
}

/// After a while, compares what the watch knows with a list.
pub(super) fn audit<K: Kind>(
    api: Api<Watched<K>>,
    store: Store<Watched<K>>,
) -> BoxFuture<'static, Option<Unheard>> {
    Box::pin(async move {
        sleep(jittered(AUDIT, fastrand::f64())).await;
        let list = || {
            list(&api).inspect_err(|error| {
                tracing::warn!(kind = %K::kind(&()), %error, "the watch cannot be compared with a list, so that nobody would notice if it went deaf; may the operator list these objects (with the chart: rbac.create and watchNamespaces)?");
            })
        };
        compare(list, || known(&store)).await
    })
}

/// What the list has, the watch has not, and has not moved to within the grace. A watch that is slow tells something
/// meanwhile; one that is deaf stays where it was.
async fn compare<L>(list: impl Fn() -> L, known: impl Fn() -> Versions) -> Option<Unheard>
where
    L: Future<Output = Result<Versions, KubeError>>,
{
    // A list that fails says nothing about the watch.
    let listed = list().await.ok()?;
    let before = known();
    let differing: Vec<&String> =
        (listed.keys().chain(before.keys())).filter(|name| listed.get(*name) != before.get(*name)).collect();
    if differing.is_empty() {
        return None;
    }
    sleep(GRACE).await;
    let after = known();
    let mut unheard: Vec<&String> =
        differing.into_iter().filter(|name| before.get(*name) == after.get(*name)).collect();
    // An object that was made or changed by the list's time, or removed again since, is no proof: it must still differ.
    let listed = if unheard.is_empty() { return None } else { list().await.ok()? };
    unheard.retain(|name| listed.get(*name) != after.get(*name));
    unheard.sort();
    unheard.dedup();
    let object = (*unheard.first()?).clone();
    Some(Unheard { object, count: unheard.len() })
}

fn known<K: Kind>(store: &Store<Watched<K>>) -> Versions {
    store.state().iter().map(|object| version(object)).collect()
}

fn version<K: Kind>(object: &Watched<K>) -> (String, u64) {
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let version = match &object.0 {
        Ok(object) => digest(object),
        // No more than this is known of it.
        Err(invalid) => digest(&ObjectMeta { managed_fields: None, ..invalid.metadata.clone() }),
    };
    (name, version)
}

/// All objects as the API server has them now: without a resource version the answer is never an old one.
async fn list<K: Kind>(api: &Api<Watched<K>>) -> Result<Versions, KubeError> {
    let mut versions = Versions::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = within(api.list(&params)).await?;
        versions.extend(page.items.into_iter().map(|mut object| {
            // The watch does not keep them either.
            object.managed_fields_mut().clear();
            version(&object)
        }));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(versions),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;
    use crate::kinds::AstraAccessList;

    #[test]
    fn what_was_restored_is_another_state_though_it_has_the_same_version() {
        let stored = |count: u32, generation: u32| -> Watched<AstraAccessList> {
            serde_json::from_value(json!({
                "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
                "metadata": { "name": "orders", "namespace": "team", "resourceVersion": "40", "generation": generation },
                "spec": { "database": { "name": "orders" }, "publicAccess": "Open" },
                "status": { "observedGeneration": 1, "addressCount": count },
            }))
            .unwrap()
        };
        let (name, before) = version(&stored(1, 1));
        assert_eq!(name, "team/orders");
        assert_eq!(version(&stored(1, 1)).1, before);
        assert_ne!(version(&stored(2, 1)).1, before, "only its status differs");
        assert_ne!(version(&stored(1, 2)).1, before);
    }

    fn versions(all: &[(&str, &str)]) -> Versions {
        all.iter().map(|(name, version)| ((*name).to_owned(), digest(version))).collect()
    }

    /// What is found when the list says one thing after the other, and so does the watch.
    async fn found(listed: [&[(&str, &str)]; 2], known: [&[(&str, &str)]; 2]) -> Option<(String, usize)> {
        let (lists, stores) = (Cell::new(0), Cell::new(0));
        let next = |count: &Cell<usize>| {
            let now = count.get();
            count.set(now + 1);
            now
        };
        compare(|| std::future::ready(Ok(versions(listed[next(&lists)]))), || versions(known[next(&stores)]))
            .await
            .map(|unheard| (unheard.object, unheard.count))
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_stays_behind_a_list_is_deaf() {
        let deaf = |object: &str, count| Some((object.to_owned(), count));
        for (what, listed, known, expected) in [
            ("all is known", [&[("a", "1")][..], &[][..]], [&[("a", "1")][..], &[][..]], None),
            ("nothing is there", [&[], &[]], [&[], &[]], None),
            ("changed", [&[("a", "2")], &[("a", "2")]], [&[("a", "1")], &[("a", "1")]], deaf("a", 1)),
            ("went back", [&[("a", "1")], &[("a", "1")]], [&[("a", "9")], &[("a", "9")]], deaf("a", 1)),
            (
                "made",
                [&[("a", "1"), ("b", "2")], &[("a", "1"), ("b", "2")]],
                [&[("a", "1")], &[("a", "1")]],
                deaf("b", 1),
            ),
            ("gone", [&[], &[]], [&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")]], deaf("a", 2)),
            ("only slow", [&[("a", "2")], &[("a", "2")]], [&[("a", "1")], &[("a", "2")]], None),
            ("moving on", [&[("a", "2")], &[("a", "4")]], [&[("a", "1")], &[("a", "3")]], None),
            ("deleted meanwhile", [&[("a", "1")], &[]], [&[], &[]], None),
        ] {
            assert_eq!(found(listed, known).await, expected, "{what}");
        }
    }
}
