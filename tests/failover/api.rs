//! An API server that keeps one Lease, and a network that is not to be relied on.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use astra_operator::leader::{
    record::Record,
    store::{Store, StoreError},
};
use futures::{FutureExt, future::BoxFuture};
use k8s_openapi::api::coordination::v1::Lease;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// The API server.
#[derive(Default)]
pub(crate) struct Api(Mutex<State>);

#[derive(Default)]
struct State {
    lease: Option<Lease>,
    versions: u64,
    uids: u64,
    /// When the last write that was carried out was sent, by who is in it.
    sent: BTreeMap<String, Instant>,
    weather: Weather,
    /// A planted bug: writes are taken whatever version they carry.
    ignores_versions: bool,
}

/// How the network is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// How long a request and an answer each take, at the most.
    pub(crate) latency: Duration,
    /// Of 100 calls, how many fail in some way.
    pub(crate) faults: u8,
    /// Nothing gets through.
    pub(crate) down: bool,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Answered,
    /// It never arrives, and nobody says so.
    Lost,
    /// It is carried out, and the answer never comes.
    AnswerLost,
    /// The connection breaks after it was carried out.
    Broken,
    /// An error at once.
    Failed,
    /// It arrives when nobody waits any more, and is carried out then.
    Late(Duration),
}

enum Request {
    Read,
    Create(Record),
    Replace(Record),
}

type Answer = Result<Option<Record>, StoreError>;

impl Api {
    pub(crate) fn ignoring_versions(self: Arc<Self>) -> Arc<Self> {
        self.0.lock().unwrap().ignores_versions = true;
        self
    }

    pub(crate) fn weather(&self, weather: Weather) {
        self.0.lock().unwrap().weather = weather;
    }

    /// When the last write in this name that was carried out was sent.
    pub(crate) fn last_sent(&self, identity: &str) -> Option<Instant> {
        self.0.lock().unwrap().sent.get(identity).copied()
    }

    /// Somebody edits the Lease by hand.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Lease)) {
        let mut state = self.0.lock().unwrap();
        state.versions += 1;
        let version = state.versions.to_string();
        if let Some(lease) = &mut state.lease {
            edit(lease);
            lease.metadata.resource_version = Some(version);
        }
    }

    /// Somebody deletes the Lease.
    pub(crate) fn delete(&self) {
        self.0.lock().unwrap().lease = None;
    }

    fn carry_out(&self, request: Request, sent: Instant) -> Answer {
        let mut state = self.0.lock().unwrap();
        let (record, old) = match (request, &state.lease) {
            (Request::Read, lease) => return Ok(lease.clone().map(Record::from)),
            (Request::Create(_), Some(_)) | (Request::Replace(_), None) => return Err(StoreError::Conflict),
            (Request::Create(record), None) => (record, None),
            (Request::Replace(record), Some(old)) => (record, Some(old.metadata.clone())),
        };
        let mut lease = Lease::from(record);
        if let Some(old) = old {
            let same =
                (&old.resource_version, &old.uid) == (&lease.metadata.resource_version, &lease.metadata.uid);
            if !same && !state.ignores_versions {
                return Err(StoreError::Conflict);
            }
            lease.metadata.uid = old.uid;
        } else {
            state.uids += 1;
            lease.metadata.uid = Some(state.uids.to_string());
        }
        state.versions += 1;
        lease.metadata.resource_version = Some(state.versions.to_string());
        state.lease = Some(lease.clone());
        let record = Record::from(lease);
        if let Some(holder) = record.holder() {
            state.sent.insert(holder.to_owned(), sent);
        }
        Ok(Some(record))
    }
}

/// One replica's way to the API server.
pub(crate) struct Link {
    api: Arc<Api>,
    cut: Mutex<bool>,
}

impl Link {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self { api, cut: Mutex::default() }
    }

    /// A partition: what was sent and what comes back is lost, silently.
    pub(crate) fn cut(&self, cut: bool) {
        *self.cut.lock().unwrap() = cut;
    }

    fn is_down(&self) -> bool {
        *self.cut.lock().unwrap() || self.api.0.lock().unwrap().weather.down
    }

    fn fate(&self) -> (Fate, Duration, Duration) {
        let Weather { latency, faults, .. } = self.api.0.lock().unwrap().weather;
        let dice = || latency.mul_f64(fastrand::f64());
        let fate = match fastrand::u8(0..100) {
            roll if roll >= faults => Fate::Answered,
            _ => match fastrand::u8(0..5) {
                0 => Fate::Lost,
                1 => Fate::AnswerLost,
                2 => Fate::Broken,
                3 => Fate::Failed,
                _ => Fate::Late(Duration::from_secs(20).mul_f64(fastrand::f64())),
            },
        };
        (fate, dice(), dice())
    }

    async fn call(self: Arc<Self>, request: Request) -> Answer {
        let sent = Instant::now();
        let (fate, way, back) = self.fate();
        let broken = || Err(StoreError::Failed("the connection broke".to_owned()));
        let (answer, answered) = oneshot::channel();
        let link = self.clone();
        // What is on its way arrives, whether its sender still lives or not.
        tokio::spawn(async move {
            let way = if let Fate::Late(late) = fate { way + late } else { way };
            sleep(way).await;
            if link.is_down() || fate == Fate::Lost {
                return pending().await;
            }
            if fate == Fate::Failed {
                let _ = answer.send(broken());
                return;
            }
            let result = link.api.carry_out(request, sent);
            sleep(back).await;
            if link.is_down() || fate == Fate::AnswerLost {
                return pending().await;
            }
            let _ = answer.send(if fate == Fate::Broken { broken() } else { result });
        });
        answered.await.unwrap_or_else(|_| broken())
    }
}

/// The way as the elector knows it.
pub(crate) struct Wire(pub(crate) Arc<Link>);

impl Store for Wire {
    fn read(&self) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.0.clone().call(Request::Read).boxed()
    }

    fn create(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
        self.write(Request::Create(record))
    }

    fn replace(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
        self.write(Request::Replace(record))
    }

    fn blank(&self) -> Record {
        Record::named("ns", "lease")
    }
}

impl Wire {
    fn write(&self, request: Request) -> BoxFuture<'_, Result<Record, StoreError>> {
        let answer = self.0.clone().call(request);
        async { Ok(answer.await?.expect("a write answers with what it wrote")) }.boxed()
    }
}
