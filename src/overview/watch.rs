//! Watches the objects of all kinds, and shows each change.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use futures::{StreamExt, stream, stream::BoxStream};
use kube::{
    Client,
    core::DynamicObject,
    runtime::{WatchStreamExt, watcher, watcher::Event},
};
use serde_json::Value;
use tokio::time::timeout;

use super::read::{Seen, api, key, refusal, value};
use crate::{controller::KubeError, kinds::KINDS};

/// What comes this close together is shown at once: one step of the operator changes an object more than once.
const TOGETHER: Duration = Duration::from_millis(100);

/// Which kind, and what happened.
type Happened = (usize, Result<Event<DynamicObject>, watcher::Error>);

/// Calls `show` with all that is there, and again after each change. It never ends by itself.
///
/// # Errors
/// Of `show`.
pub async fn watch(
    client: &Client,
    namespace: Option<&str>,
    mut show: impl FnMut(&Seen) -> io::Result<()>,
) -> io::Result<()> {
    let streams = KINDS.iter().enumerate().map(|(kind, entry)| -> BoxStream<'_, Happened> {
        let events = watcher(api(client, entry, namespace), watcher::Config::default()).default_backoff();
        events.map(move |event| (kind, event)).boxed()
    });
    let mut events = stream::select_all(streams);
    let mut view = View::default();
    while let Some(happened) = events.next().await {
        view.take(happened, namespace);
        while let Ok(Some(happened)) = timeout(TOGETHER, events.next()).await {
            view.take(happened, namespace);
        }
        // A half of the first lists would look like objects that are missing.
        if view.is_whole() {
            show(&view.seen)?;
        }
    }
    Ok(())
}

/// What the watches have told so far.
#[derive(Default)]
struct View {
    seen: Seen,
    /// Lists that are being read, by kind.
    coming: BTreeMap<usize, Vec<Value>>,
    /// Kinds of which something is known: a list, or why there is none.
    known: BTreeSet<usize>,
}

impl View {
    fn is_whole(&self) -> bool {
        self.known.len() == KINDS.len()
    }

    fn take(&mut self, (kind, happened): Happened, namespace: Option<&str>) {
        let whole = |object| value(&KINDS[kind], object);
        match happened {
            Ok(Event::Init) => {
                self.coming.insert(kind, Vec::new());
            }
            Ok(Event::InitApply(object)) => self.coming.entry(kind).or_default().push(whole(object)),
            Ok(Event::InitDone) => {
                self.seen.objects.retain(|(of, ..), _| *of != kind);
                self.seen.put(kind, self.coming.remove(&kind).unwrap_or_default());
                self.works(kind);
            }
            Ok(Event::Apply(object)) => {
                self.seen.put(kind, [whole(object)]);
                self.works(kind);
            }
            Ok(Event::Delete(object)) => {
                self.seen.objects.remove(&key(kind, &whole(object)));
                self.works(kind);
            }
            Err(error) => {
                self.known.insert(kind);
                let (verb, error) = failed(error);
                self.seen.refused.insert(kind, refusal(verb, &KINDS[kind], namespace, &error));
            }
        }
    }

    fn works(&mut self, kind: usize) {
        self.known.insert(kind);
        self.seen.refused.remove(&kind);
    }
}

/// What was tried, and what came of it.
fn failed(error: watcher::Error) -> (&'static str, KubeError) {
    match error {
        watcher::Error::InitialListFailed(error) => ("list", error.into()),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            ("watch", error.into())
        }
        watcher::Error::WatchError(status) => ("watch", kube::Error::Api(status).into()),
        watcher::Error::NoResourceVersion => {
            let text = "the API server gave no resource version to watch from";
            ("watch", kube::Error::Service(text.into()).into())
        }
    }
}
