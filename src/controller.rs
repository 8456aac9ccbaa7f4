//! Everything that touches Kubernetes: watches, the queue, finalizers, statuses, events, Secrets.

pub mod catching_up;
pub mod changes;
pub mod credentials;
pub mod events;
pub mod first_reading;
pub mod index;
pub mod ledger;
pub mod memories;
pub mod object;
pub mod peers;
pub mod reconcile;
mod standings;
pub mod turns;
mod unreadable;
pub mod waiting_room;
pub mod wakes;
pub mod watching;

use std::{
    future::{Future, pending, ready},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, StreamExt, TryStreamExt, channel::mpsc::UnboundedReceiver, future::BoxFuture};
use kube::{
    Api, Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        Config, Controller, WatchStreamExt,
        controller::{Action, Error as ControllerError},
        reflector, watcher,
    },
};
use tokio::sync::watch;

use crate::{
    engine::{
        Kind,
        timing::{Clock, Timing},
    },
    metrics::Metrics,
    organization::registry::Organizations,
};
use catching_up::CatchingUp;
use credentials::Credentials;
use events::Events;
use first_reading::FirstReading;
use index::Index;
use memories::Memories;
use peers::Stores;
use turns::Turns;
use waiting_room::WaitingRoom;
use wakes::{Reference, Wakes};

/// A Kubernetes call without an answer after this long has failed. The stock client would wait for ever.
const DEADLINE: Duration = Duration::from_secs(10);

/// So many namespaces may have all their turns at once; more of them share these.
const NAMESPACES_AT_ONCE: usize = 8;

/// A controller that runs until it is told to stop.
pub type Running = BoxFuture<'static, ()>;

/// What all controllers share.
#[derive(Clone)]
pub struct Context {
    /// The client of the Kubernetes API. Its own retries must be off.
    pub client: Client,
    /// The organizations in Astra.
    pub organizations: Arc<Organizations>,
    /// Tokens, read from Secrets.
    pub credentials: Arc<Credentials>,
    /// Events on objects.
    pub events: Events,
    /// Where objects are watched.
    pub scope: Scope,
    /// How many objects of one kind and namespace are looked at at once.
    pub concurrency: u16,
    /// Times.
    pub timing: Timing,
    /// The time of day, for statuses.
    pub clock: Clock,
    /// Becomes true when the process is to end.
    pub stop: watch::Receiver<bool>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Where objects are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In all namespaces.
    Cluster,
    /// In these namespaces only; no right on others is needed.
    Namespaces(Vec<String>),
}

impl Scope {
    fn apis<K: Kind>(&self, client: &Client) -> Vec<Api<DeserializeGuard<K>>> {
        match self {
            Self::Cluster => vec![Api::all(client.clone())],
            Self::Namespaces(names) => {
                names.iter().map(|name| Api::namespaced(client.clone(), name)).collect()
            }
        }
    }
}

/// What the controllers of one kind share.
pub struct KindContext<K: Kind> {
    /// What all controllers share.
    pub context: Context,
    /// The objects of the kind, as the watches know them.
    pub stores: Stores<K>,
    /// What is remembered of each object.
    pub memories: Memories<K>,
    /// Has objects looked at because of others.
    pub wakes: Wakes<K>,
    /// Shares the work fairly among namespaces.
    pub turns: Arc<Turns>,
    /// Those that wait for a turn or a reading.
    pub waiting_room: WaitingRoom<K>,
    /// How far the kind has come since the start.
    pub catching_up: CatchingUp,
    /// Begins the first reading of Astra.
    pub first_reading: FirstReading,
    /// Numbers the looks.
    pub looks: Looks,
}

/// Numbers the looks of a kind since the start, so that the log lines of one can be told from those of the next.
#[derive(Debug, Default)]
pub struct Looks(AtomicU64);

impl Looks {
    /// The next one's number.
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl<K: Kind> KindContext<K> {
    /// Something happened to this object, or at its place in Astra, that may matter to others.
    fn wake_neighbours(&self, object: &K) {
        self.wakes.wake(self.stores.neighbours(object));
    }
}

/// Runs a kind: one watch for each namespace, or one for the whole cluster.
#[must_use = "nothing runs until it is awaited"]
pub fn run<K: Kind>(context: &Context) -> Running {
    let apis = context.scope.apis::<K>(&context.client);
    let (stores, writers): (Vec<_>, Vec<_>) =
        apis.iter().map(|_| reflector::store::<DeserializeGuard<K>>()).unzip();
    let indices: Vec<Arc<Index>> = apis.iter().map(|_| Arc::default()).collect();
    let (wakes, woken) = Wakes::new(&context.scope);
    let (first_reading, reading) = FirstReading::new(context);
    let shared = Arc::new(KindContext {
        context: context.clone(),
        stores: Stores::new(stores.iter().cloned().zip(indices.iter().cloned()).collect()),
        memories: Memories::default(),
        wakes,
        turns: Turns::new(context.concurrency.into(), NAMESPACES_AT_ONCE),
        waiting_room: WaitingRoom::default(),
        catching_up: CatchingUp::new(apis.len()),
        first_reading,
        looks: Looks::default(),
    });
    // The metrics must not hold what holds them.
    let counted = Arc::downgrade(&shared);
    context.metrics.count_objects(K::KIND, move || {
        counted.upgrade().map(|kind| kind.stores.standings()).unwrap_or_default()
    });
    let controllers = apis.into_iter().zip(stores).zip(writers).zip(woken).zip(indices);
    let running = controllers.map(|((((api, store), writer), woken), index)| {
        one::<K>(api, store, writer, index, woken, shared.clone())
    });
    let running = futures::future::join_all(running.collect::<Vec<_>>());
    async move {
        tokio::select! {
            biased;
            _ = running => {}
            () = reading.then(|()| pending()) => {}
        }
    }
    .boxed()
}

/// One watch and its queue.
///
/// What the operator itself writes does not come back as work: see [`changes`].
fn one<K: Kind>(
    api: Api<DeserializeGuard<K>>,
    store: reflector::Store<DeserializeGuard<K>>,
    writer: reflector::store::Writer<DeserializeGuard<K>>,
    index: Arc<Index>,
    woken: UnboundedReceiver<Reference<K>>,
    shared: Arc<KindContext<K>>,
) -> impl Future<Output = ()> + Send {
    let mut stop = shared.context.stop.clone();
    let stopped = async move {
        // An error means that the sender is gone, and then the process is ending too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let (ends, kind) = (shared.clone(), shared.clone());
    let events = watching::watch(api, store.clone())
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .inspect_ok(move |event| {
            index.told(event);
            ends.catching_up.told(event);
            ends.first_reading.told(event);
            if let watcher::Event::Delete(DeserializeGuard(Ok(gone))) = event {
                ends.wake_neighbours(gone);
            }
        });
    Controller::for_stream(changes::changes(events), store)
        .reconcile_on(woken)
        // Turns are given out by `turns`, fairly; the queue itself would give them to whoever came first. Who has none waits
        // in the waiting room.
        .with_config(Config::default().concurrency(0))
        .graceful_shutdown_on(stopped.shared())
        .run(reconcile::reconcile::<K>, |_, never, _| match *never {}, shared)
        .for_each(move |result| {
            if let Err(ControllerError::ObjectNotFound(gone)) = &result {
                let namespace = gone.namespace.as_deref().unwrap_or_default();
                kind.waiting_room.is_gone(&Reference::new(&gone.name).within(namespace));
            }
            log::<K>(result);
            ready(())
        })
}

/// How one turn of the queue ended.
type Turn<K> = Result<
    (reflector::ObjectRef<DeserializeGuard<K>>, Action),
    ControllerError<std::convert::Infallible, watcher::Error>,
>;

/// What the queue itself has to tell: a watch that fails is retried, with a word on why.
fn log<K: Kind>(turn: Turn<K>) {
    let kind = K::kind(&());
    match turn {
        Ok(_) | Err(ControllerError::ObjectNotFound(_)) => {}
        Err(ControllerError::QueueError(error)) if is_refused(&error) => {
            tracing::warn!(%kind, %error, "watching was refused and is tried again; are the CRDs installed (`astra-operator crds | kubectl apply --server-side -f -`), and may the operator list and watch them (with the chart: rbac.create and watchNamespaces)?");
        }
        Err(ControllerError::QueueError(error)) => {
            tracing::warn!(%kind, %error, "watching failed and is tried again");
        }
        Err(error) => tracing::warn!(%kind, %error, "the queue reports an error"),
    }
}

/// Did the API server answer, and say no?
fn is_refused(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => {
            status.is_not_found() || status.is_forbidden()
        }
        _ => false,
    }
}

/// Calls the Kubernetes API with a deadline.
///
/// # Errors
/// What the API answered, or that it did not answer in time.
pub(crate) async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, KubeError> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(KubeError::Late),
    }
}

/// A call to the Kubernetes API that failed.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    /// No answer in time.
    #[error("the Kubernetes API did not answer within {} s", DEADLINE.as_secs())]
    Late,
    /// It answered with an error, or could not be reached. (kube's own text includes the causes.)
    #[error("{0}")]
    Api(#[from] kube::Error),
}

impl KubeError {
    /// Was it a no because the object changed meanwhile, or is gone?
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found())
    }

    /// Is the thing not there?
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.is_not_found())
    }

    /// Is the operator not allowed to do it?
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.is_forbidden())
    }
}
