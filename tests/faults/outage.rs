//! A thousand access lists with one token, and Astra is down for ten minutes: how much is asked meanwhile, and how soon
//! all is well afterwards.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use astra_devops::{Answer, Call, Token, Transport, error::Sent, transport::TransportError};
use astra_operator::{kinds::AstraAccessList, organization::registry::Organizations};
use astra_simulator::{
    Simulator, State,
    state::{ACME_TOKEN, Database},
};
use futures::future::BoxFuture;
use kube::ResourceExt;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::{
    clock, cluster::Cluster, fuse::Fuse, kstatus::is_ready, process::Process, stage::in_virtual_time, world,
};

const OBJECTS: usize = 1_000;
const OUTAGE: Duration = Duration::from_mins(10);

/// In what way Astra is down.
#[derive(Clone, Copy, Debug)]
enum Down {
    Unavailable,
    Unreachable,
    /// A connection is taken, and nothing comes back.
    Silent,
}

/// The way to Astra, which is down for a while.
struct Way {
    simulator: Simulator,
    down: Down,
    from: Instant,
    to: Instant,
    /// When each call during the outage was sent.
    asked: Mutex<Vec<Instant>>,
}

impl Transport for Way {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            let now = Instant::now();
            if !(self.from..self.to).contains(&now) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return self.simulator.send(token, call).await;
            }
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(now);
            let failed = |sent| TransportError { what: "down".into(), sent, source: None };
            match self.down {
                Down::Unavailable => Ok(Answer { body: b"upstream".to_vec(), ..Answer::empty(503) }),
                Down::Unreachable => Err(failed(Sent::No)),
                Down::Silent => {
                    tokio::time::sleep(crate::fault::DEADLINE).await;
                    Err(failed(Sent::Maybe))
                }
            }
        })
    }
}

fn name(n: usize) -> String {
    format!("orders-{n:04}")
}

fn database(n: usize) -> Database {
    let mut database = world::database("01", &name(n), 0, "serverless", 1);
    database.id = format!("00000000-0000-4000-8000-{n:012}");
    for datacenter in &mut database.datacenters {
        datacenter.id = format!("{}-1", database.id);
    }
    database
}

fn object(n: usize) -> AstraAccessList {
    serde_json::from_value(json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": "AstraAccessList",
        "metadata": { "name": name(n) },
        "spec": {
            "database": { "id": database(n).id },
            "addresses": [{ "address": "203.0.113.0/24" }],
            "publicAccess": "Listed",
        },
    }))
    .unwrap()
}

/// What an outage cost, and how long it took to get over.
#[derive(Debug)]
struct Cost {
    /// Calls during the outage.
    calls: usize,
    /// The most calls in any ten seconds of its last four minutes, when the last objects have met it.
    at_once: usize,
    /// From the end of the outage until all objects were Ready.
    recovery: Duration,
}

/// `created` objects are there and Ready before the outage; the others are made in the middle of it.
async fn outage(down: Down, created: usize) -> Cost {
    let clock = clock::start();
    let state = State { databases: (0..OBJECTS).map(database).collect(), ..State::default() };
    state.validate().unwrap();
    let simulator = Simulator::with_clock(state, Arc::new(clock));
    let (cluster, stores) = Cluster::<AstraAccessList>::unwatched();
    let from = Instant::now() + Duration::from_mins(5);
    let to = from + OUTAGE;
    let way = Arc::new(Way { simulator, down, from, to, asked: Mutex::default() });
    let organizations = Organizations::new(way.clone(), 16, Duration::from_millis(500));
    let organization = organizations.of(&Token::new(ACME_TOKEN).unwrap());
    (0..created).for_each(|n| cluster.create(object(n)));
    let fuse = Arc::new(Fuse::default());
    let process = Process::new(cluster.clone(), &stores, organization, fuse);
    let people = async {
        sleep_until(from).await;
        let ready = cluster.objects().iter().filter(|object| is_ready(*object)).count();
        assert_eq!(ready, created, "before the outage");
        sleep_until(from + OUTAGE / 2).await;
        (created..OBJECTS).for_each(|n| cluster.create(object(n)));
        sleep_until(to).await;
        let unready = cluster.objects().iter().filter(|object| !is_ready(*object)).count();
        assert_eq!(unready, OBJECTS, "during the outage nothing may be called ready for long");
        let limit = to + Duration::from_mins(6);
        loop {
            let waiting = cluster.objects().iter().filter(|object| !is_ready(*object)).count();
            if waiting == 0 {
                return to.elapsed();
            }
            assert!(Instant::now() < limit, "{waiting} objects are not ready six minutes after the outage");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let run = process.run(to + Duration::from_mins(10));
    let recovery = tokio::select! {
        recovery = people => recovery,
        () = run => panic!("the operator ended"),
    };
    let asked = way.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let late: Vec<_> = asked.iter().filter(|at| **at > from + Duration::from_mins(6)).collect();
    let window = |start: &Instant| {
        late.iter().filter(|at| (*start..*start + Duration::from_secs(10)).contains(**at)).count()
    };
    let at_once = late.iter().map(|at| window(at)).max().unwrap_or_default();
    assert!(cluster.objects().iter().all(|object| object.name_any().starts_with("orders")));
    Cost { calls: asked.len(), at_once, recovery }
}

#[test]
fn a_thousand_objects_ask_as_one_and_are_back_within_a_minute() {
    let thorough = std::env::var_os("THOROUGH").is_some();
    for (down, created, always) in [
        (Down::Unavailable, OBJECTS, true),
        (Down::Unreachable, OBJECTS / 2, true),
        (Down::Unavailable, 0, false),
        (Down::Silent, OBJECTS, false),
    ] {
        if !always && !thorough {
            continue;
        }
        let cost = in_virtual_time(outage(down, created));
        println!(
            "figures: outage: {OBJECTS} access lists, {created} of them ready before, {down:?} for {OUTAGE:?}: {cost:?}"
        );
        assert!(cost.calls <= 120, "{cost:?}");
        assert!(cost.at_once <= 2, "{cost:?}");
        assert!(cost.recovery <= Duration::from_mins(1), "{cost:?}");
    }
}
