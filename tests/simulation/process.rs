//! The operator's process: the controllers as `astra-operator run` starts them.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
    time::Duration,
};

use astra_devops::Transport;
use astra_operator::{
    controller::{Context, Scope, credentials::Credentials, events::Events},
    engine::timing::Timing,
    kinds::KINDS,
    metrics::Metrics,
    organization::registry::Organizations,
};
use futures::{FutureExt, future::BoxFuture};
use simulated_apiserver::ApiServer;
use tokio::sync::watch;

use crate::{clock, weather::OPERATOR};

/// As `run` has it.
const CONCURRENCY: u16 = 32;
const CALLS: usize = 16;
const PACE: Duration = Duration::from_millis(500);

/// A process. Dropping it is a crash.
pub(crate) struct Process {
    pub(crate) running: BoxFuture<'static, ()>,
    stop: watch::Sender<bool>,
}

thread_local! {
    /// Something that every part of a process holds, of each that was started in this world.
    static HELD: RefCell<Vec<Weak<Metrics>>> = const { RefCell::new(Vec::new()) };
}

/// How many processes of this world are not gone, although the world is over. Parts that hold each other would keep all
/// that was watched, and the tokens, for as long as the program runs.
pub(crate) fn still_held() -> usize {
    HELD.take().iter().filter(|metrics| metrics.strong_count() > 0).count()
}

impl Process {
    /// A process that has just started: it remembers nothing.
    pub(crate) fn start(server: &ApiServer, wire: Arc<dyn Transport>) -> Self {
        let client = server.client(OPERATOR, "default");
        let organizations = Arc::new(Organizations::new(wire, CALLS, PACE));
        let (stop, stopped) = watch::channel(false);
        let metrics = Arc::<Metrics>::default();
        HELD.with_borrow_mut(|held| held.push(Arc::downgrade(&metrics)));
        let context = Context {
            credentials: Arc::new(Credentials::new(client.clone(), organizations.clone())),
            organizations,
            events: Events::new(client.clone(), Some("simulated".to_owned())),
            client,
            scope: Scope::Cluster,
            concurrency: CONCURRENCY,
            timing: Timing::default(),
            clock: clock::on_the_machine,
            stop: stopped,
            metrics,
        };
        let controllers: Vec<_> = KINDS.iter().map(|entry| (entry.run)(&context)).collect();
        Self { running: futures::future::join_all(controllers).map(drop).boxed(), stop }
    }

    /// Tells it to end. It ends when the turns under way are finished.
    pub(crate) fn tell_to_stop(&self) {
        let _ = self.stop.send(true);
    }
}
