//! Many requests to the API server at once, through `kubectl proxy`, which has the certificates and the token.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::world::Kind;
use crate::control_plane::free_ports;
use crate::kubectl::{Kubectl, condition};
use crate::process::{Service, Stop};
use crate::wait;

/// How many objects are made at once.
const AT_ONCE: usize = 8;
/// The longest answer that is read: ten thousand objects.
const LONGEST: u64 = 1 << 30;

/// A proxy that runs. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Proxy {
    service: Service,
    url: String,
    agent: ureq::Agent,
}

impl Proxy {
    pub(super) fn start(kubectl: &Kubectl, directory: &Path) -> Result<Self> {
        let [port] = free_ports()?;
        let mut command: Command = kubectl.command(&["proxy", &format!("--port={port}")]);
        let service = Service::start("kubectl-proxy", &mut command, directory, Stop::Kill, false)?;
        let config = ureq::Agent::config_builder().proxy(None).max_idle_connections_per_host(AT_ONCE).build();
        let proxy = Self { service, url: format!("http://127.0.0.1:{port}"), agent: config.into() };
        wait::until("kubectl proxy to answer", Duration::from_secs(10), Duration::from_millis(20), || {
            proxy.service.check()?;
            Ok(proxy.agent.get(format!("{}/readyz", proxy.url)).call().ok())
        })?;
        Ok(proxy)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.service.check()
    }

    /// Makes objects, several at once.
    pub(super) fn create(&self, path: &str, objects: &[Value]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            while let Some(object) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
                let url = format!("{}{path}", self.url);
                self.agent.post(&url).send_json(object).with_context(|| format!("POST {url}"))?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => bail!("a worker panicked"),
            })
        })
    }

    /// Tells when objects become Ready, from now on. An object may be told of more than once.
    pub(super) fn ready(&self, kind: Kind, namespace: &str) -> Result<Receiver<(String, Instant)>> {
        let watch = Watch { url: format!("{}{}", self.url, kind.path(namespace)), agent: self.agent.clone() };
        let version = watch.list(&mut |_| true)?;
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            // Whoever listens sees the end of this by the channel's.
            let _ = watch.run(version, &mut |name| send.send((name.to_owned(), Instant::now())).is_ok());
        });
        Ok(receive)
    }
}

/// A watch, begun anew with a list whenever the API server ends it.
struct Watch {
    url: String,
    agent: ureq::Agent,
}

impl Watch {
    /// Tells of those that are Ready, as long as somebody listens; the list's version.
    fn list(&self, tell: &mut impl FnMut(&str) -> bool) -> Result<String> {
        let mut answer = self.agent.get(&self.url).call().with_context(|| format!("GET {}", self.url))?;
        let list: Value = answer.body_mut().with_config().limit(LONGEST).read_json()?;
        for object in list["items"].as_array().into_iter().flatten() {
            if !ready(object).is_none_or(&mut *tell) {
                break;
            }
        }
        let version = list["metadata"]["resourceVersion"].as_str().context("a list without a version")?;
        Ok(version.to_owned())
    }

    fn run(&self, mut version: String, tell: &mut impl FnMut(&str) -> bool) -> Result<()> {
        loop {
            let url = format!("{}?watch=1&timeoutSeconds=3600&resourceVersion={version}", self.url);
            let answer = self.agent.get(&url).call().with_context(|| format!("GET {url}"))?;
            let reader = BufReader::new(answer.into_body().into_with_config().limit(u64::MAX).reader());
            for line in reader.lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if !ready(&event["object"]).is_none_or(&mut *tell) {
                    return Ok(());
                }
            }
            version = self.list(tell)?;
        }
    }
}

/// The object's name, if it is Ready.
fn ready(object: &Value) -> Option<&str> {
    let is_ready = condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
    object["metadata"]["name"].as_str().filter(|_| is_ready)
}
