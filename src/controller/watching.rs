//! A watch that cannot go deaf.
//!
//! The stock watcher resumes from the last resource version that it saw. When etcd was restored from an older snapshot
//! that version lies in the future: the API server answers 200 and then nothing, no event, no bookmark, no error, until
//! the versions have caught up, and what happened meanwhile is lost. A connection that was cut without a word is as
//! silent. So what the watch knows is compared with a plain list once in a while, and a watch that is found deaf begins
//! anew with a list. The same is done when a watch is refused with 410, which the stock watcher would try again for ever
//! from the same version.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    pin::Pin,
    time::Duration,
};

use futures::{Stream, StreamExt, future::BoxFuture, stream};
use kube::{
    Api, Resource, ResourceExt,
    api::ListParams,
    runtime::{reflector::Store, watcher},
};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::{KubeError, within};
use crate::engine::backoff::jittered;

/// How often the watch is compared with a list.
const AUDIT: Duration = Duration::from_mins(1);

/// How long an event may be on its way.
const GRACE: Duration = Duration::from_secs(5);

/// How many objects one answer holds.
const PAGE: u32 = 500;

type Events<K> = Pin<Box<dyn Stream<Item = watcher::Result<watcher::Event<K>>> + Send>>;

/// Watches, and begins anew where the stock watcher would wait for ever. `store` must be fed with what comes out.
pub fn watch<K>(api: Api<K>, store: Store<K>) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let ear = Ear { events: listen(&api), audit: audit(api.clone(), store.clone()), api, store };
    stream::unfold(ear, |mut ear| async move {
        let event = ear.next().await;
        Some((event, ear))
    })
}

fn listen<K>(api: &Api<K>) -> Events<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    watcher(api.clone(), watcher::Config::default()).boxed()
}

struct Ear<K: Resource<DynamicType = ()> + 'static> {
    api: Api<K>,
    store: Store<K>,
    events: Events<K>,
    audit: BoxFuture<'static, Option<Unheard>>,
}

impl<K> Ear<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    async fn next(&mut self) -> watcher::Result<watcher::Event<K>> {
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => match event {
                    Some(Err(error)) if is_gone(&error) => {
                        self.events = listen(&self.api);
                        return Err(error);
                    }
                    Some(event) => return event,
                    // The stock watcher never ends.
                    None => self.events = listen(&self.api),
                },
                unheard = &mut self.audit => {
                    self.audit = audit(self.api.clone(), self.store.clone());
                    if let Some(unheard) = unheard {
                        tracing::warn!(kind = %K::kind(&()), object = unheard.object, objects = unheard.count, "the watch did not tell of changes that a list shows (was etcd restored, or the connection cut?); it begins anew");
                        self.events = listen(&self.api);
                    }
                }
            }
        }
    }
}

/// Is the version that the watch was to begin from forgotten? Trying it again cannot help.
fn is_gone(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

/// What a list shows and the watch did not tell.
#[derive(Debug, PartialEq, Eq)]
struct Unheard {
    /// One of the objects, `namespace/name`.
    object: String,
    /// How many they are.
    count: usize,
}

/// What is known of objects, by name: of each a digest of its [`Version`], for there may be very many.
type Versions = BTreeMap<String, u64>;

/// What tells one state of an object from another. The resource version alone does not: after a restore of etcd the
/// same ones are given to other states.
#[derive(Default, Hash)]
struct Version<'a> {
    uid: Option<&'a str>,
    revision: Option<&'a str>,
    generation: Option<i64>,
    deletion: Option<i128>,
    finalizers: Option<&'a [String]>,
    annotations: Option<&'a BTreeMap<String, String>>,
}

impl Version<'_> {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// After a while, compares what the watch knows with a list.
fn audit<K>(api: Api<K>, store: Store<K>) -> BoxFuture<'static, Option<Unheard>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    Box::pin(async move {
        sleep(jittered(AUDIT, fastrand::f64())).await;
        compare(|| list(&api), || known(&store)).await
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

fn known<K: Resource<DynamicType = ()> + Clone>(store: &Store<K>) -> Versions {
    store.state().iter().map(|object| version(&**object)).collect()
}

fn version<K: Resource>(object: &K) -> (String, u64) {
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let meta = object.meta();
    let version = Version {
        uid: meta.uid.as_deref(),
        revision: meta.resource_version.as_deref(),
        generation: meta.generation,
        deletion: meta.deletion_timestamp.as_ref().map(|at| at.0.as_nanosecond()),
        finalizers: meta.finalizers.as_deref(),
        annotations: meta.annotations.as_ref(),
    };
    (name, version.digest())
}

/// All objects as the API server has them now: without a resource version the answer is never an old one.
async fn list<K>(api: &Api<K>) -> Result<Versions, KubeError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let mut versions = Versions::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = within(api.list_metadata(&params)).await?;
        versions.extend(page.items.iter().map(version));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(versions),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn versions(all: &[(&str, &str)]) -> Versions {
        all.iter()
            .map(|(name, version)| {
                let version = Version { revision: Some(*version), ..Version::default() };
                ((*name).to_owned(), version.digest())
            })
            .collect()
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
