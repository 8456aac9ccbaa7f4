//! The operator's process: the controllers as `astra-operator run` starts them.

use std::{sync::Arc, time::Duration};

use astra_devops::Transport;
use astra_operator::{
    controller::{Context, Scope, credentials::Credentials, events::Events},
    engine::timing::Timing,
    kinds::KINDS,
    organization::registry::Organizations,
};
use futures::{FutureExt, future::BoxFuture};
use simulated_apiserver::ApiServer;
use tokio::sync::watch;

use crate::{clock, weather::OPERATOR};

/// As `run` has it.
const CONCURRENCY: u16 = 16;
const PACE: Duration = Duration::from_millis(500);

/// A process. Dropping it is a crash.
pub(crate) struct Process {
    pub(crate) running: BoxFuture<'static, ()>,
    stop: watch::Sender<bool>,
}

impl Process {
    /// A process that has just started: it remembers nothing.
    pub(crate) fn start(server: &ApiServer, wire: Arc<dyn Transport>) -> Self {
        let client = server.client(OPERATOR, "default");
        let organizations = Arc::new(Organizations::new(wire, CONCURRENCY.into(), PACE));
        let (stop, stopped) = watch::channel(false);
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
            metrics: Arc::default(),
        };
        let controllers: Vec<_> = KINDS.iter().map(|entry| (entry.run)(&context)).collect();
        Self { running: futures::future::join_all(controllers).map(drop).boxed(), stop }
    }

    /// Tells it to end. It ends when the turns under way are finished.
    pub(crate) fn tell_to_stop(&self) {
        let _ = self.stop.send(true);
    }
}
