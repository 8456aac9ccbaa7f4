//! The election on a thread of its own, with a runtime and connections of its own: work that keeps the main runtime busy
//! cannot delay a renewal.

use std::{io, sync::Arc, thread};

use kube::{Client, Config};
use tokio::sync::{oneshot, watch};

use super::{
    Times,
    clock::SystemClock,
    elector::{Elector, Standing},
    fence::Fence,
    store::KubernetesStore,
    tenure::Lost,
};

/// Which lease, for whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The name of the Lease.
    pub name: String,
    /// What this replica is called in it; no other may be called so.
    pub identity: String,
    /// The times.
    pub times: Times,
}

/// The election as the rest of the process sees it. Dropping it gives the lease back, without waiting for that.
#[derive(Debug)]
pub struct Election {
    fence: Fence,
    standing: watch::Receiver<Standing>,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Election {
    /// Starts to run for the lease on the cluster of `config`. When it was won and is lost, `on_lost` is called on the
    /// election's own thread: it must end the process.
    ///
    /// # Errors
    /// When the thread or the client cannot be made.
    pub fn start(
        mut config: Config,
        settings: Settings,
        on_lost: impl FnOnce(&Lost) + Send + 'static,
    ) -> io::Result<Self> {
        // Each call has its own deadline here; retries below that would hide for how long it really hangs.
        config.default_retry = false;
        config.connect_timeout = Some(settings.times.call());
        let clock = Arc::new(SystemClock);
        let fence = Fence::new(clock.clone(), settings.times);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A client starts tasks, and they must be on this runtime and not on the caller's.
        let client = {
            let _inside = runtime.enter();
            Client::try_from(config).map_err(io::Error::other)?
        };
        let store = KubernetesStore::new(client, &settings.namespace, &settings.name);
        let elector = Elector::new(store, clock, settings.times, settings.identity, fence.clone());
        let standing = elector.standing();
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        thread::Builder::new().name("election".to_owned()).spawn(move || {
            runtime.block_on(run(elector, stopped, on_lost));
            // Nobody may wait for it any more.
            let _ = end.send(());
        })?;
        Ok(Self { fence, standing, stop, ended })
    }

    /// What every write to Astra must ask.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits until the lease is held.
    ///
    /// # Errors
    /// In words for a person, when waiting would not help.
    pub async fn won(&mut self) -> Result<(), String> {
        let decided = |standing: &Standing| matches!(standing, Standing::Leading | Standing::Hopeless(_));
        match self.standing.wait_for(decided).await.as_deref() {
            Ok(Standing::Hopeless(words)) => Err(words.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err("the election ended unexpectedly".to_owned()),
        }
    }

    /// Waits until the election's thread has ended by itself, which it does only by a bug of it: without it nothing is
    /// renewed.
    pub async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }

    /// Gives the lease back if it is held, and waits for that.
    pub async fn release(self) {
        let _ = self.stop.send(());
        let _ = self.ended.await;
    }
}

async fn run(
    mut elector: Elector<KubernetesStore>,
    mut stopped: oneshot::Receiver<()>,
    on_lost: impl FnOnce(&Lost) + Send,
) {
    // Biased: who is told to end does not start to lead. An error means that the process is ending without a word.
    tokio::select! {
        biased;
        _ = &mut stopped => return elector.release().await,
        result = elector.campaign() => if result.is_err() {
            // The caller was told, and decides.
            let _ = stopped.await;
            return;
        },
    }
    tokio::select! {
        biased;
        _ = &mut stopped => elector.release().await,
        lost = elector.keep() => on_lost(&lost),
    }
}
