//! Plays a scenario: Astra, the API server, the operator, the people and what goes wrong, in virtual time.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use astra_operator::kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering, KINDS};
use astra_simulator::{
    Event, Simulator, State,
    invariants::{Invariant, Violation, Watch},
    state::{ACME, ACME_TOKEN, Database, TokenEntry},
};
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use simulated_apiserver::ApiServer;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    clock,
    fuse::Fuse,
    lawful::Lawful,
    manifests::Declarations,
    play::{Acts, Play},
    process::Process,
    scenario::{Incident, Scenario},
    story::Story,
    weather::{Clouds, OPERATOR, Wire},
    world,
};

/// The namespace of all objects.
pub(crate) const NAMESPACE: &str = "team";

/// The token that takes the first one's place.
const SECOND_TOKEN: &str =
    "AstraCS:simulationsecond:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// After this long without trouble all must be quiet: longer than the longest pause after failures, the settle time, the
/// longest lag, an audit of the watches and two resyncs together.
const SETTLED: Duration = Duration::from_secs(700);

/// How long a quiet world is watched.
const WATCHED: Duration = Duration::from_secs(150);

/// How a world ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// What is not as it must be.
    pub(crate) violations: Vec<String>,
    /// The same for the same bytes.
    pub(crate) trace: u64,
    /// Requests to both APIs.
    pub(crate) requests: usize,
    /// Calls that change something.
    pub(crate) effects: usize,
    /// Deaths and restarts of the process.
    pub(crate) lives: usize,
    /// Virtual time.
    pub(crate) lasted: Duration,
    /// What is in Astra in the end, and what each object says, without times.
    pub(crate) world: String,
    /// How often each thing was made by a call that is not safe to repeat.
    pub(crate) creates: BTreeMap<String, usize>,
    /// What happened, if it was asked for.
    pub(crate) story: String,
}

/// A world being played.
pub(crate) struct Universe {
    scenario: Scenario,
    server: ApiServer,
    simulator: Simulator,
    clouds: Arc<Clouds>,
    fuse: Arc<Fuse>,
    declarations: Arc<Declarations>,
    plays: Vec<Box<dyn Acts>>,
    story: Story,
    kill: Notify,
    restart: Notify,
    lives: Cell<usize>,
    began: Instant,
}

/// Plays a scenario to its end.
pub(crate) async fn play(scenario: Scenario, told: bool) -> End {
    let universe = Rc::new(Universe::new(scenario, if told { Story::told() } else { Story::default() }));
    universe.play().await
}

impl Universe {
    fn new(scenario: Scenario, story: Story) -> Self {
        let clock = clock::start();
        let database = database(&scenario);
        let cloud = scenario.cases.iter().flatten().next().map_or(0, |case| case.cloud);
        let flags = scenario.cases.iter().flatten().next().map_or(0, |case| case.flags);
        let mut state =
            State { databases: vec![world::bystander(cloud), database.clone()], ..State::default() };
        state.normalize_addresses = flags & 4 != 0;
        state.tokens.push(TokenEntry {
            token: SECOND_TOKEN.into(),
            organization: ACME.into(),
            role: Some("Organization Administrator".into()),
            permissions: Vec::new(),
        });
        state.validate().unwrap();
        let simulator = Simulator::with_clock(state, Arc::new(clock));
        simulator.set_eventual_consistency(Duration::from_secs(scenario.lag));
        let definitions: Vec<_> = KINDS.iter().map(|entry| (entry.crd)()).collect();
        let server = ApiServer::new(&definitions, clock::now);
        server
            .create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }))
            .unwrap();
        server.create(secret(ACME_TOKEN)).unwrap();
        let declarations = Arc::new(Declarations::new(&server));
        simulator.watch(Watch::told_by(declarations.clone()));
        let fuse = Arc::new(Fuse::new(scenario.deaths.iter().copied()));
        let clouds = Arc::new(Clouds::new(scenario.seed, scenario.weather, fuse.clone()));
        server.set_weather(Some(clouds.clone()));
        let [endpoints, lists, peerings] = scenario.cases.clone();
        let mut plays: Vec<Box<dyn Acts>> = Vec::new();
        if let Some(case) = endpoints {
            plays.push(Box::new(Play::<AstraPrivateEndpoint>::new(
                case, &server, &simulator, &database, &story,
            )));
        }
        if let Some(case) = lists {
            plays.push(Box::new(Play::<AstraAccessList>::new(case, &server, &simulator, &database, &story)));
        }
        if let Some(case) = peerings {
            plays.push(Box::new(Play::<AstraVpcPeering>::new(case, &server, &simulator, &database, &story)));
        }
        Self {
            scenario,
            server,
            simulator,
            clouds,
            fuse,
            declarations,
            plays,
            story,
            kill: Notify::new(),
            restart: Notify::new(),
            lives: Cell::new(0),
            began: Instant::now(),
        }
    }

    async fn play(&self) -> End {
        let end = self.began + self.scenario.end();
        futures::join!(self.operate(end + SETTLED), self.troubles(end));
        let mut violations: Vec<String> = self.plays.iter().flat_map(|play| play.at_rest()).collect();
        let world = self.world();
        violations.extend(self.nothing_moves().await);
        violations.extend(self.secrets_are_only_read());
        violations.extend(self.unsafe_requests());
        End {
            violations,
            trace: self.trace(),
            requests: self.server.requests().len() + self.simulator.requests().len(),
            effects: self.fuse.effects(),
            lives: self.lives.get(),
            lasted: self.began.elapsed(),
            world,
            creates: self.creates(),
            story: self.story.whole(&self.server, &self.simulator),
        }
    }

    /// What people do and what goes wrong, until `end`; from then on all is well.
    async fn troubles(&self, end: Instant) {
        let incidents = self.scenario.incidents.iter().map(|(at, incident)| self.incident(*at, *incident));
        futures::join!(
            futures::future::join_all(self.plays.iter().map(|play| play.people())),
            futures::future::join_all(incidents),
            sleep_until(end)
        );
        self.clouds.clear_up();
        self.fuse.defuse();
        clock::set_wrong_by(0);
        if self.server.get("secrets", NAMESPACE, SECRET).is_none() {
            // The snapshot that was restored had none.
            self.server.create(secret(SECOND_TOKEN)).unwrap();
        }
        let status = "ACTIVE".to_owned();
        self.simulator
            .apply(Event::SetDatabaseStatus { database: database(&self.scenario).id, status })
            .unwrap();
        self.story.tell("people", || "all is well from now on".into());
    }

    async fn incident(&self, at: u64, incident: Incident) {
        let before = 20.min(at);
        sleep(Duration::from_secs(at - before)).await;
        let snapshot = (incident == Incident::EtcdRestored).then(|| self.server.snapshot());
        sleep(Duration::from_secs(before)).await;
        self.story.tell("trouble", || format!("{incident:?}"));
        let seconds = Duration::from_secs;
        match incident {
            Incident::Kill => self.kill.notify_one(),
            Incident::Restart => self.restart.notify_one(),
            Incident::ApiServerRestarts => self.server.restart(),
            Incident::Compaction => self.server.compact(),
            Incident::EtcdRestored => {
                for play in &self.plays {
                    play.forgive();
                }
                if let Some(snapshot) = snapshot {
                    self.server.restore(&snapshot);
                }
            }
            Incident::WatchesGoDark => {
                self.clouds.set_dark(true);
                self.server.restart();
                sleep(seconds(20)).await;
                self.clouds.set_dark(false);
            }
            Incident::SecretLost => {
                let kept = self.server.get("secrets", NAMESPACE, SECRET);
                let _ = self.server.delete("secrets", NAMESPACE, SECRET);
                sleep(seconds(25)).await;
                if let Some(mut secret) =
                    kept.filter(|_| self.server.get("secrets", NAMESPACE, SECRET).is_none())
                {
                    for field in ["uid", "resourceVersion", "creationTimestamp"] {
                        secret["metadata"].as_object_mut().unwrap().remove(field);
                    }
                    self.server.create(secret).unwrap();
                }
            }
            Incident::TokenRotated => {
                let data = secret(SECOND_TOKEN)["data"].clone();
                if self.server.merge("secrets", NAMESPACE, SECRET, json!({ "data": data })).is_ok() {
                    sleep(seconds(35)).await;
                    // Unless the Secret was restored with the old one.
                    let current =
                        self.server.get("secrets", NAMESPACE, SECRET).map(|secret| secret["data"].clone());
                    if current == Some(data) && !self.scenario.restores_etcd() {
                        // It may be revoked already.
                        let _ = self.simulator.apply(Event::RevokeToken { token: ACME_TOKEN.into() });
                    }
                }
            }
            Incident::RightsTaken => {
                let plurals = ["astraaccesslists", "astraprivateendpoints", "astravpcpeerings"];
                let rights = plurals.map(|plural| ("update", format!("{plural}/status")));
                for (verb, what) in &rights {
                    self.server.forbid(OPERATOR, verb, what);
                }
                sleep(seconds(20)).await;
                for (verb, what) in &rights {
                    self.server.allow(OPERATOR, verb, what);
                }
            }
            Incident::ClockJumps(hours) => clock::set_wrong_by(hours),
            Incident::StatusTampered => {
                if let Some(play) = self.plays.get(usize::try_from(at).unwrap_or(0) % self.plays.len().max(1))
                {
                    play.tamper(at.is_multiple_of(2));
                }
            }
        }
    }

    /// The operator works until `end`. When it dies, it is started again.
    async fn operate(&self, end: Instant) {
        loop {
            self.lives.set(self.lives.get() + 1);
            self.story.tell("process", || format!("life {}", self.lives.get()));
            self.declarations.process_begins();
            let wire = Wire { simulator: self.simulator.clone(), clouds: self.clouds.clone() };
            let mut process = Process::start(&self.server, Arc::new(wire));
            tokio::select! {
                biased;
                () = self.fuse.burnt() => {
                    // What it has under way reaches its end, and nobody hears of it.
                    let _ = timeout(Duration::from_millis(400), &mut process.running).await;
                    self.story.tell("process", || "died at a call".into());
                }
                () = self.kill.notified() => self.story.tell("process", || "was killed".into()),
                () = self.restart.notified() => {
                    process.tell_to_stop();
                    let _ = timeout(Duration::from_secs(25), &mut process.running).await;
                    self.story.tell("process", || "ended".into());
                }
                () = &mut process.running => panic!("the controllers ended by themselves"),
                () = sleep_until(end) => return,
            }
            drop(process);
            sleep(Duration::from_secs(2)).await;
            self.fuse.renew();
        }
    }

    /// Nothing is sent any more and nothing written, neither in this process' life nor in the next.
    async fn nothing_moves(&self) -> Vec<String> {
        let stored = || self.plays.iter().flat_map(|play| play.stored()).collect::<Vec<_>>();
        let (before, kube, astra) = (stored(), self.server.requests().len(), self.simulator.requests().len());
        self.operate(Instant::now() + WATCHED).await;
        let mut found: Vec<String> = Vec::new();
        for request in self.server.requests()[kube..].iter().filter(|request| request.is_write()) {
            found.push(format!("in a quiet world: {} {}", request.method, request.path));
        }
        let requests = self.simulator.requests();
        for request in requests[astra..].iter().filter(|request| request.is_write()) {
            found.push(format!(
                "in a quiet world: {} {} {:?}",
                request.method,
                request.target(),
                request.body
            ));
        }
        for (one, other) in before.iter().zip(stored()).filter(|(one, other)| *one != other) {
            found.push(format!("in a quiet world: {one} became {other}"));
        }
        if !before.is_empty() && requests.len() == astra {
            found.push("nobody looked at Astra".into());
        }
        found
    }

    /// What the invariants found. After a restore of etcd the records that requests rest on are gone: whether there was an
    /// order for each cannot be told.
    fn unsafe_requests(&self) -> Vec<String> {
        let untold = |violation: &&Violation| {
            self.scenario.restores_etcd() && matches!(violation.invariant, Invariant::I9 | Invariant::I10)
        };
        let violations = self.simulator.violations();
        violations.iter().filter(|violation| !untold(violation)).map(ToString::to_string).collect()
    }

    fn secrets_are_only_read(&self) -> Vec<String> {
        let requests = self.server.requests();
        let secrets =
            requests.iter().filter(|request| request.user == OPERATOR && request.path.contains("/secrets"));
        secrets
            .filter(|request| request.method != "GET" || request.path.ends_with("/secrets"))
            .map(|request| format!("{} {}?{}", request.method, request.path, request.query))
            .collect()
    }

    /// What is in Astra, and what each object says of it: without times, ids and versions.
    fn world(&self) -> String {
        let mut state = self.simulator.state();
        state.databases.retain(|database| database.id == world::database("01", "", 0, "", 1).id);
        let mut text = String::new();
        for database in &mut state.databases {
            for entry in database.access_list.iter_mut().flat_map(|list| &mut list.addresses) {
                entry.last_update_date_time = None;
            }
            for endpoint in database.private_links.iter_mut().flat_map(|link| &mut link.endpoints) {
                endpoint.created = None;
            }
            if let Some(peering) = &mut database.peering {
                // Another one each time.
                peering.connection_id.clear();
            }
            let _ = write!(
                text,
                "{:?}\n{:?}\n{:?}\n",
                database.access_list, database.private_links, database.peering
            );
        }
        for object in self.plays.iter().flat_map(|play| play.stored()) {
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let said = conditions.iter().map(|c| format!("{}={}({})", c["type"], c["status"], c["reason"]));
            let _ = writeln!(
                text,
                "{} {} {} {}",
                object["kind"],
                object["metadata"]["name"],
                said.collect::<Vec<_>>().join(" "),
                object["status"]["owned"],
            );
        }
        text
    }

    fn creates(&self) -> BTreeMap<String, usize> {
        let mut creates = BTreeMap::new();
        for request in self.simulator.requests().iter().filter(|request| request.applied) {
            let made =
                AstraPrivateEndpoint::creates(request).filter(|_| request.path.ends_with("/endpoints"));
            let made = made
                .or_else(|| AstraVpcPeering::creates(request).filter(|_| request.path.contains("/peering/")));
            if let Some(identity) = made {
                *creates.entry(identity).or_default() += 1;
            }
        }
        creates
    }

    fn trace(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        for request in self.server.requests() {
            (request.at.as_nanosecond(), request.method, request.path, request.query, request.status)
                .hash(&mut hash);
        }
        for request in self.simulator.requests() {
            (request.time.as_nanosecond(), request.target(), request.status, format!("{:?}", request.body))
                .hash(&mut hash);
        }
        for object in self.plays.iter().flat_map(|play| play.stored()) {
            object.to_string().hash(&mut hash);
        }
        hash.finish()
    }
}

const SECRET: &str = "astra-credentials";

fn secret(token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": SECRET, "namespace": NAMESPACE },
        "data": { "token": ByteString(token.as_bytes().to_vec()) },
    })
}

/// One database that has what each kind's case begins with.
fn database(scenario: &Scenario) -> Database {
    let [endpoints, lists, peerings] = &scenario.cases;
    let any = scenario.cases.iter().flatten().next();
    let (cloud, regions) = any.map_or((0, 1), |case| (case.cloud, case.regions));
    let serverless = peerings.as_ref().is_none_or(|case| case.flags == 7);
    let tier = if serverless { "serverless" } else { "C10" };
    let mut database = world::database("01", "orders", cloud, tier, regions);
    if let Some(case) = endpoints {
        database.private_links = AstraPrivateEndpoint::database(case).private_links;
    }
    if let Some(case) = lists {
        database.access_list = AstraAccessList::database(case).access_list;
    }
    if let Some(case) = peerings {
        database.peering = AstraVpcPeering::database(case).peering;
    }
    database
}
