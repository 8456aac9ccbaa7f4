//! The stream of a watch: what happened since, in order, and all that the weather does to it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, stream};
use http_body_util::combinators::UnsyncBoxBody;
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{
    managers::Managers,
    read::Form,
    refusal::{self, Refusal},
    request::Query,
    resource::Resource,
    selector::Selector,
    state::State,
    store::{ChangeKind, Entry, Key, Stored},
    weather::WatchStrike,
};

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How often a bookmark comes.
const BOOKMARKS_EVERY: Duration = Duration::from_mins(1);
/// The last bookmark comes this long before the end.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// The end of a watch that does not say when. A real server takes a random time of 30 to 60 minutes.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(45);
/// An event that is to come after its follower waits this long for one.
const SWAP_WAITS: Duration = Duration::from_secs(1);

/// The state, and the bell that rings when something changed in it.
pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    pub(crate) bell: Notify,
}

impl Shared {
    /// The state. Whoever panicked while it was held was a test that failed, or has left it whole.
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is watched.
pub(crate) struct Watched {
    resource: Arc<Resource>,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    bookmarks: bool,
}

impl Watched {
    fn is_about(&self, key: &Key) -> bool {
        *key.plural == *self.resource.plural
            && self.namespace.as_deref().is_none_or(|namespace| &*key.namespace == namespace)
    }

    /// What an entry is for this watch: an object that comes into the selection is new to it.
    fn kind_of(&self, entry: &Entry) -> Option<ChangeKind> {
        if !self.is_about(&entry.key) {
            return None;
        }
        let was = entry.before.as_ref().is_some_and(|before| self.selector.matches(&before.value));
        let is = entry.kind != ChangeKind::Deleted && self.selector.matches(&entry.after.value);
        match (was, is) {
            (false, false) => None,
            (false, true) => Some(ChangeKind::Added),
            (true, true) => Some(ChangeKind::Modified),
            (true, false) => Some(ChangeKind::Deleted),
        }
    }

    fn line(&self, kind: ChangeKind, stored: &Stored) -> Bytes {
        let kind = match kind {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        };
        let object = self.form.render(stored);
        let mut line = Vec::with_capacity(object.len() + 40);
        line.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
        line.extend_from_slice(&object);
        line.extend_from_slice(b"}\n");
        line.into()
    }

    /// What is told of an entry. An object that leaves the selection is told as it was in it, with the new revision.
    fn entry_line(&self, kind: ChangeKind, entry: &Entry) -> Bytes {
        match &entry.before {
            Some(before) if kind == ChangeKind::Deleted && entry.kind != ChangeKind::Deleted => {
                let mut last = (*before.value).clone();
                last["metadata"]["resourceVersion"] = json!(entry.revision.to_string());
                self.line(kind, &Stored::new(last, entry.revision, Managers::default(), true))
            }
            _ => self.line(kind, &entry.after),
        }
    }

    fn bookmark(&self, revision: u64, initial: bool) -> Bytes {
        let (kind, version) = match self.form {
            Form::Whole => (self.resource.kind.clone(), self.resource.api_version()),
            Form::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if initial {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = json!({ "kind": kind, "apiVersion": version, "metadata": metadata });
        format!("{}\n", json!({ "type": "BOOKMARK", "object": object })).into()
    }
}

/// An event that is to be sent.
struct Event {
    /// Not before.
    at: Instant,
    key: Option<Key>,
    line: Bytes,
}

/// An open watch.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    watched: Watched,
    weather: WatchStrike,
    /// What happened up to here is in the queue, or sent.
    seen: u64,
    epoch: u64,
    queue: VecDeque<Event>,
    /// An event that waits to be overtaken.
    held: Option<Event>,
    counted: u64,
    opened: Instant,
    ends: Instant,
    next_bookmark: Option<Instant>,
    /// Nothing comes after the queue.
    last: bool,
}

impl Feed {
    /// Opens a watch.
    ///
    /// # Errors
    /// If the query makes no sense.
    pub(crate) fn open(
        shared: &Arc<Shared>,
        state: &State,
        (resource, namespace): (&Arc<Resource>, Option<&str>),
        query: &Query,
        form: Form,
        weather: WatchStrike,
    ) -> Result<Self, Refusal> {
        let watched = Watched {
            resource: resource.clone(),
            namespace: namespace.map(str::to_owned),
            selector: Selector::of(resource, query)?,
            form,
            bookmarks: query.is("allowWatchBookmarks"),
        };
        let from = query.version().map_err(refusal::internal)?.filter(|version| *version > 0);
        let opened = Instant::now();
        let timeout = query.number("timeoutSeconds").filter(|seconds| *seconds > 0);
        let mut feed = Self {
            shared: shared.clone(),
            watched,
            weather,
            seen: from.unwrap_or(state.store.revision),
            epoch: state.epoch,
            queue: VecDeque::new(),
            held: None,
            counted: 0,
            opened,
            ends: opened + timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
            next_bookmark: None,
            last: false,
        };
        feed.next_bookmark = feed.bookmark_after(opened);
        feed.begin(state, from, query.is("sendInitialEvents"));
        Ok(feed)
    }

    /// What stands at the head of the stream.
    fn begin(&mut self, state: &State, from: Option<u64>, initial: bool) {
        let error = if self.weather.error_500_in_stream {
            Some(refusal::failure(
                500,
                "InternalError",
                "an error on the server has prevented the request from succeeding".to_owned(),
            ))
        } else if self.weather.gone.is_some() {
            Some(refusal::too_old(from.unwrap_or_default(), state.store.revision))
        } else {
            from.filter(|from| *from < state.store.compacted)
                .map(|from| refusal::too_old(from, state.store.compacted))
        };
        if let Some(error) = error {
            self.send(error_line(&refusal::to_json(&error)));
            self.last = true;
            return;
        }
        if from.is_none() || initial {
            let namespace = self.watched.namespace.clone();
            let plural = self.watched.resource.plural.clone();
            for (key, stored) in state.store.of(&plural, namespace.as_deref()) {
                if self.watched.selector.matches(&stored.value) {
                    let line = self.watched.line(ChangeKind::Added, stored);
                    self.enqueue(self.opened, key, line);
                }
            }
            self.seen = state.store.revision;
            if initial {
                self.send(self.watched.bookmark(self.seen, true));
            }
        }
    }

    fn send(&mut self, line: Bytes) {
        let at = self.opened + self.weather.delay;
        self.queue.push_back(Event { at, key: None, line });
    }

    /// Takes an event in, as the weather lets it.
    fn enqueue(&mut self, happened: Instant, key: &Key, line: Bytes) {
        self.counted += 1;
        let strikes =
            |every: Option<u64>| every.is_some_and(|every| every > 0 && self.counted.is_multiple_of(every));
        let (drops, repeats, swaps) = (
            strikes(self.weather.drop_every),
            strikes(self.weather.repeat_every),
            strikes(self.weather.swap_every),
        );
        if drops {
            return;
        }
        let at = happened + self.weather.delay;
        let event = |line| Event { at, key: Some(key.clone()), line };
        if swaps && self.held.is_none() {
            self.held = Some(Event { at: at + SWAP_WAITS, key: Some(key.clone()), line });
            return;
        }
        if let Some(held) = self.held.take() {
            if held.key.as_ref() == Some(key) {
                self.queue.push_back(Event { at, ..held });
                self.queue.push_back(event(line.clone()));
            } else {
                self.queue.push_back(event(line.clone()));
                self.queue.push_back(Event { at, ..held });
            }
        } else {
            self.queue.push_back(event(line.clone()));
        }
        if repeats {
            self.queue.push_back(event(line));
        }
    }

    /// Takes in what happened meanwhile.
    fn look(&mut self) -> Now {
        let shared = self.shared.clone();
        let state = shared.lock();
        if state.epoch != self.epoch {
            return Now::Cut;
        }
        for entry in state.store.since(self.seen) {
            if let Some(kind) = self.watched.kind_of(entry) {
                let line = self.watched.entry_line(kind, entry);
                self.enqueue(entry.instant, &entry.key, line);
            }
        }
        self.seen = self.seen.max(state.store.revision);
        let same = state.served.get(&self.watched.resource.plural);
        if same.is_some_and(|served| Arc::ptr_eq(served, &self.watched.resource)) {
            Now::Goes
        } else {
            Now::Ends
        }
    }

    /// When the next bookmark comes: every minute, and shortly before the end.
    fn bookmark_after(&self, now: Instant) -> Option<Instant> {
        if !self.watched.bookmarks {
            return None;
        }
        let before_end = self.ends.checked_sub(LAST_BOOKMARK).filter(|last| *last > now);
        let regular = now + BOOKMARKS_EVERY;
        Some(before_end.map_or(regular, |last| last.min(regular)))
    }

    /// The next line. `None` is the end of the stream.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let shared = self.shared.clone();
        loop {
            // Before looking: what happens from now on rings.
            let mut rings = std::pin::pin!(shared.bell.notified());
            rings.as_mut().enable();
            let now = Instant::now();
            let swallows = self.weather.black_hole_after.map(|after| self.opened + after);
            if swallows.is_some_and(|at| at <= now) {
                return std::future::pending().await;
            }
            let cut = self.weather.cut_after.map(|after| self.opened + after);
            if cut.is_some_and(|at| at <= now) {
                return Some(Err(reset()));
            }
            let state = if self.last { Now::Goes } else { self.look() };
            if let Now::Cut = state {
                return Some(Err(reset()));
            }
            if self.held.as_ref().is_some_and(|held| held.at <= now) {
                self.queue.extend(self.held.take());
            }
            if let Some(event) = self.queue.pop_front_if(|event| event.at <= now) {
                return Some(Ok(event.line));
            }
            if self.ends <= now || matches!(state, Now::Ends) || (self.last && self.queue.is_empty()) {
                return None;
            }
            if self.next_bookmark.is_some_and(|at| at <= now) {
                self.next_bookmark = self.bookmark_after(now);
                // None from a watch that waits for a future revision, nor before what it has to tell.
                if let Some(line) = self.due_bookmark() {
                    return Some(Ok(line));
                }
            }
            let held = self.held.as_ref().map(|held| held.at);
            let first = self.queue.front().map(|event| event.at);
            let wake = [held, first, swallows, cut, self.next_bookmark]
                .into_iter()
                .flatten()
                .fold(self.ends, Instant::min);
            tokio::select! {
                biased;
                () = rings => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    fn due_bookmark(&self) -> Option<Bytes> {
        let revision = self.shared.lock().store.revision;
        let quiet = self.queue.is_empty() && self.held.is_none();
        (quiet && self.seen <= revision).then(|| self.watched.bookmark(revision, false))
    }

    /// The lines.
    pub(crate) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold(Some(self), |feed| async {
            let mut feed = feed?;
            let item = feed.next().await?;
            let next = item.is_ok().then_some(feed);
            Some((item, next))
        })
    }
}

/// What a look at the state tells of the connection.
enum Now {
    Goes,
    Cut,
    /// The kind is not served any more.
    Ends,
}

fn error_line(status: &Value) -> Bytes {
    format!("{}\n", json!({ "type": "ERROR", "object": status })).into()
}

/// The connection breaks.
pub(crate) fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer")
}
