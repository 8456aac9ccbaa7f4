//! A watch that cannot go deaf.
//!
//! The stock watcher resumes from the last resource version that it saw. When etcd was restored from an older snapshot
//! that version lies in the future: the API server answers 200 and then nothing, no event, no bookmark, no error, until
//! the versions have caught up, and what happened meanwhile is lost. A connection that was cut without a word is as
//! silent. So what the watch knows is compared with a plain list once in a while, and a watch that is found deaf begins
//! anew with a list. Whole objects are compared: after a restore the same versions are given to other states, and they may
//! differ in nothing but the status. The same is done when a watch is refused with 410, which the stock watcher would try
//! again for ever from the same version.
//!
//! The first list is taken as a stream of events where the API server serves that: then neither side has all objects in
//! memory at once. Where it does not, it is read page by page.

mod audit;

use std::{pin::Pin, time::Duration};

use futures::{
    FutureExt, Stream, StreamExt,
    future::{BoxFuture, OptionFuture},
    stream,
};
use kube::{
    Api,
    core::DeserializeGuard,
    runtime::{reflector::Store, watcher},
};
use tokio::time::sleep;

use crate::engine::Kind;
use audit::{Unheard, audit};

/// How many objects one answer holds: all of them are in memory at once, with all that the API server keeps beside them.
const PAGE: u32 = 50;

/// What is watched: objects, also those that cannot be read.
type Watched<K> = DeserializeGuard<K>;

/// A server that knows no streamed list may take the request for a plain watch, and never say that the list is whole.
const WHOLE_WITHIN: Duration = Duration::from_mins(1);

type Events<K> = Pin<Box<dyn Stream<Item = watcher::Result<watcher::Event<Watched<K>>>> + Send>>;

/// Watches, and begins anew where the stock watcher would wait for ever. `store` must be fed with what comes out.
pub fn watch<K: Kind>(
    api: Api<Watched<K>>,
    store: Store<Watched<K>>,
) -> impl Stream<Item = watcher::Result<watcher::Event<Watched<K>>>> + Send {
    let mut ear = Ear {
        events: stream::pending().boxed(),
        audit: audit(api.clone(), store.clone()),
        whole: None,
        now: List::Streamed,
        served: List::Streamed,
        api,
        store,
    };
    ear.begin(List::Streamed);
    stream::unfold(ear, |mut ear| async move {
        let event = ear.next().await;
        Some((event, ear))
    })
}

/// How the first list is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Streamed,
    Paged,
}

fn listen<K: Kind>(api: &Api<Watched<K>>, list: List) -> Events<K> {
    let config = match list {
        List::Streamed => watcher::Config::default().streaming_lists(),
        List::Paged => watcher::Config::default().page_size(PAGE),
    };
    watcher(api.clone(), config).boxed()
}

struct Ear<K: Kind> {
    api: Api<Watched<K>>,
    store: Store<Watched<K>>,
    events: Events<K>,
    audit: BoxFuture<'static, Option<Unheard>>,
    /// While a streamed list is under way: ends when it should be whole by now. Until it is, the store lacks it all, and a
    /// comparison would begin it anew each time shortly before it is given up.
    whole: Option<BoxFuture<'static, ()>>,
    /// How the list under way is had, or the last one was.
    now: List,
    /// How the API server serves lists, as far as it has said.
    served: List,
}

impl<K: Kind> Ear<K> {
    async fn next(&mut self) -> watcher::Result<watcher::Event<Watched<K>>> {
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => match event {
                    Some(Err(error)) if is_gone(&error) => {
                        self.begin_anew();
                        return Err(error);
                    }
                    Some(Err(error)) if self.now == List::Streamed && is_not_served(&error) => {
                        tracing::debug!(kind = %K::kind(&()), %error, "the API server serves no streamed lists; they are read page by page");
                        self.served = List::Paged;
                        self.begin_anew();
                    }
                    Some(event) => {
                        self.heed(&event);
                        return event;
                    }
                    // The stock watcher never ends.
                    None => self.begin_anew(),
                },
                Some(()) = OptionFuture::from(self.whole.as_mut()) => {
                    tracing::debug!(kind = %K::kind(&()), "a streamed list did not become whole; it is read page by page");
                    self.begin(List::Paged);
                }
                unheard = &mut self.audit, if self.whole.is_none() => {
                    self.audit = audit(self.api.clone(), self.store.clone());
                    if let Some(unheard) = unheard {
                        tracing::warn!(kind = %K::kind(&()), object = unheard.object, objects = unheard.count, "the watch did not tell of changes that a list shows (was etcd restored, or the connection cut?); it begins anew");
                        self.begin_anew();
                    }
                }
            }
        }
    }

    fn begin_anew(&mut self) {
        self.begin(self.served);
    }

    fn begin(&mut self, list: List) {
        self.now = list;
        self.events = listen(&self.api, list);
        self.await_whole();
    }

    /// Also the stock watcher begins anew by itself.
    fn heed(&mut self, event: &watcher::Result<watcher::Event<Watched<K>>>) {
        match event {
            Ok(watcher::Event::Init) => self.await_whole(),
            Ok(watcher::Event::InitDone) => self.whole = None,
            _ => {}
        }
    }

    fn await_whole(&mut self) {
        self.whole = (self.now == List::Streamed).then(|| sleep(WHOLE_WITHIN).boxed());
    }
}

/// Does the API server not know what a streamed list is, or not serve it?
fn is_not_served(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if matches!(status.code, 400 | 422))
}

/// Is the version that the watch was to begin from forgotten? Trying it again cannot help.
fn is_gone(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future};

    use bytes::Bytes;
    use futures::stream::iter;
    use http::{Request, Response};
    use http_body::Frame;
    use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
    use kube::{Client, client::Body, runtime::reflector::store};
    use serde_json::{Value, json};
    use watcher::Event::{Init, InitApply, InitDone};

    use super::*;
    use crate::kinds::AstraAccessList;

    type Answer = UnsyncBoxBody<Bytes, Infallible>;

    /// What the API server does with a request for a streamed list.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Server {
        Serves,
        Refuses,
        /// Takes it for a plain watch.
        KnowsNothingOfIt,
        /// Says nothing at all.
        IsSilent,
    }

    fn object() -> Value {
        json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
            "metadata": { "name": "orders", "namespace": "team", "resourceVersion": "5" },
            "spec": { "database": { "name": "orders" }, "publicAccess": "Open" },
        })
    }

    /// These lines, and then nothing for ever.
    fn lines(events: &[Value]) -> Answer {
        let lines: Vec<_> = events.iter().map(|event| Ok(Frame::data(format!("{event}\n").into()))).collect();
        StreamBody::new(iter(lines).chain(stream::pending::<Result<_, Infallible>>())).boxed_unsync()
    }

    fn text(text: &Value) -> Answer {
        Full::from(text.to_string()).boxed_unsync()
    }

    fn answer(server: Server, query: &str) -> Response<Answer> {
        let added = json!({ "type": "ADDED", "object": object() });
        let whole = json!({ "type": "BOOKMARK", "object": {
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList",
            "metadata": { "resourceVersion": "5", "annotations": { "k8s.io/initial-events-end": "true" } },
        } });
        let (code, body) = match (
            query.contains("sendInitialEvents=true"),
            query.contains("watch=true"),
            server,
        ) {
            (true, _, Server::Serves) => (200, lines(&[added, whole])),
            (true, _, Server::KnowsNothingOfIt | Server::IsSilent) => (200, lines(&[added])),
            (true, _, Server::Refuses) => {
                let status = json!({ "kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422,
                    "message": "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled" });
                (422, text(&status))
            }
            (false, true, _) => (200, lines(&[])),
            (false, false, _) => {
                let list = json!({ "metadata": { "resourceVersion": "5" }, "items": [object()] });
                (200, text(&list))
            }
        };
        Response::builder().status(code).body(body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_list_becomes_whole_whether_streamed_lists_are_served_or_not() {
        for (server, lists) in
            [(Server::Serves, 1), (Server::Refuses, 1), (Server::KnowsNothingOfIt, 2), (Server::IsSilent, 1)]
        {
            let service = tower::service_fn(move |request: Request<Body>| async move {
                let query = request.uri().query().unwrap_or_default();
                if server == Server::IsSilent && query.contains("watch=true") {
                    future::pending::<()>().await;
                }
                Ok::<_, Infallible>(answer(server, query))
            });
            let api: Api<Watched<AstraAccessList>> = Api::namespaced(Client::new(service, "team"), "team");
            let (store, _writer) = store();
            let events = watch(api, store).filter_map(|event| future::ready(event.ok()));
            let mut events = std::pin::pin!(events);
            for list in 1..=lists {
                assert!(matches!(events.next().await, Some(Init)));
                assert!(matches!(events.next().await, Some(InitApply(DeserializeGuard(Ok(_))))));
                if list == lists {
                    assert!(matches!(events.next().await, Some(InitDone)));
                }
            }
        }
    }
}
