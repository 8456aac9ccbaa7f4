//! What is counted: calls to Astra out of the simulator's journal, requests to Kubernetes out of the API server's audit
//! log, memory and processor time out of `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::simulator::Request;

/// Calls to Astra.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Astra {
    /// Everything but `GET`.
    pub(super) writes: usize,
    /// Readings of a list of the whole organization.
    pub(super) lists: usize,
    /// Pages of the list of all databases.
    pub(super) pages: usize,
    /// Readings of one thing.
    pub(super) singles: usize,
    /// Calls that were refused.
    pub(super) refused: usize,
}

impl Astra {
    /// Counts a journal.
    pub(super) fn of(journal: &[Request]) -> Self {
        let mut counts = Self::default();
        for request in journal {
            let path = request.path.split('?').next().unwrap_or_default();
            let count = match path {
                _ if request.is_write() => &mut counts.writes,
                "/v2/databases" => &mut counts.pages,
                "/v2/access-lists" | "/v2/organizations/private-link" => &mut counts.lists,
                _ => &mut counts.singles,
            };
            *count += 1;
            counts.refused += usize::from(request.status >= 400);
        }
        counts
    }

    /// Adds what came later.
    pub(super) const fn add(&mut self, more: Self) {
        self.writes += more.writes;
        self.lists += more.lists;
        self.pages += more.pages;
        self.singles += more.singles;
        self.refused += more.refused;
    }

    /// Everything that was read.
    pub(super) const fn reads(self) -> usize {
        self.lists + self.pages + self.singles
    }

    pub(super) fn json(self) -> Value {
        let Self { writes, lists, pages, singles, refused } = self;
        json!({ "writes": writes, "lists": lists, "pages": pages, "singles": singles, "refused": refused })
    }
}

/// Requests of one user to the Kubernetes API, by `VERB RESOURCE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kubernetes(pub(super) BTreeMap<String, usize>);

impl Kubernetes {
    /// Counts lines of an audit log. A watch that goes on is not in it, and one that ended is no request of an object.
    pub(super) fn of(log: &str, user: &str) -> Self {
        let mut counts = Self::default();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for event in events.filter(|event| event["user"]["username"] == user && event["verb"] != "watch") {
            let target = &event["objectRef"];
            let resource = target["resource"].as_str().unwrap_or("other");
            let part = target["subresource"].as_str().map(|part| format!("/{part}")).unwrap_or_default();
            let verb = event["verb"].as_str().unwrap_or("other");
            *counts.0.entry(format!("{verb} {resource}{part}")).or_default() += 1;
        }
        counts
    }

    /// Adds what came later.
    pub(super) fn add(&mut self, more: &Self) {
        for (what, count) in &more.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    fn sum(&self, wanted: impl Fn(&str, &str) -> bool) -> usize {
        let parts = self.0.iter().filter_map(|(what, count)| Some((what.split_once(' ')?, count)));
        parts.filter(|((verb, resource), _)| wanted(verb, resource)).map(|(_, count)| count).sum()
    }

    /// Writes but those of the lease.
    pub(super) fn writes(&self) -> usize {
        self.sum(|verb, resource| !is_read(verb) && resource != "leases")
    }

    /// Events published.
    pub(super) fn events(&self) -> usize {
        self.sum(|verb, resource| !is_read(verb) && resource == "events")
    }

    /// Readings of Secrets.
    pub(super) fn secrets(&self) -> usize {
        self.sum(|verb, resource| is_read(verb) && resource == "secrets")
    }

    /// Readings of single objects.
    pub(super) fn gets(&self) -> usize {
        self.sum(|verb, resource| verb == "get" && resource.starts_with("astra"))
    }

    pub(super) fn json(&self) -> Value {
        json!(self.0)
    }
}

fn is_read(verb: &str) -> bool {
    matches!(verb, "get" | "list" | "watch")
}

/// The API server's audit log, read on from where it was left.
#[derive(Debug)]
pub(super) struct Audit {
    path: PathBuf,
    read: u64,
}

impl Audit {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// What came since the last time, of this user.
    pub(super) fn since(&mut self, user: &str) -> Result<Kubernetes> {
        let name = || format!("cannot read the audit log {}", self.path.display());
        let mut file = fs::File::open(&self.path).with_context(name)?;
        file.seek(SeekFrom::Start(self.read)).with_context(name)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(name)?;
        // A line that is being written is for the next time.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        Ok(Kubernetes::of(&String::from_utf8_lossy(&text[..whole]), user))
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Process {
    /// Resident memory, in KiB.
    pub(super) resident: u64,
    /// The most that it ever was, in KiB.
    pub(super) peak: u64,
    /// Processor time so far, in seconds.
    pub(super) processor: f64,
}

impl Process {
    /// Of a process that runs.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("no process {pid}"))
        };
        let status = read("status")?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
        };
        let stat = read("stat")?;
        Ok(Self {
            resident: field("VmRSS").context("no VmRSS")?,
            peak: field("VmHWM").context("no VmHWM")?,
            processor: ticks(&stat).context("no processor time")? / f64::from(TICKS),
        })
    }
}

/// Linux counts processor time for programs in hundredths of a second, on all machines that matter here.
const TICKS: u32 = 100;

/// User and system time of `/proc/PID/stat`. The second field is the program's name, which may have spaces.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn ticks(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((number(11)? + number(12)?) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, status: u64) -> Request {
        let (time, method, path) = ("2026-11-21T08:09:10Z".into(), method.into(), path.into());
        Request { time, method, path, body: Value::Null, status }
    }

    #[test]
    fn calls_are_told_apart_by_what_they_read() {
        let found = Astra::of(&[
            request("GET", "/v2/databases?limit=100&starting_after=x", 200),
            request("GET", "/v2/databases/x", 200),
            request("GET", "/v2/access-lists", 200),
            request("GET", "/v2/organizations/private-link", 429),
            request("PUT", "/v2/databases/x/access-list", 204),
        ]);
        assert_eq!(found, Astra { writes: 1, lists: 2, pages: 1, singles: 1, refused: 1 });
        assert_eq!(found.reads(), 4);
    }

    #[test]
    fn requests_are_the_operators_own() {
        let line = |user: &str, verb: &str, resource: &str, part: &str| {
            json!({
                "user": { "username": user }, "verb": verb,
                "objectRef": { "resource": resource, "subresource": Some(part).filter(|part| !part.is_empty()) },
            })
            .to_string()
        };
        let log = [
            line("operator", "patch", "astraaccesslists", ""),
            line("operator", "patch", "astraaccesslists", "status"),
            line("operator", "patch", "astraaccesslists", "status"),
            line("operator", "create", "events", ""),
            line("operator", "update", "leases", ""),
            line("operator", "watch", "astraaccesslists", ""),
            line("operator", "get", "secrets", ""),
            line("admin", "create", "astraaccesslists", ""),
            "half a li".to_owned(),
        ]
        .join("\n");
        let found = Kubernetes::of(&log, "operator");
        assert_eq!((found.writes(), found.events(), found.secrets(), found.gets()), (4, 1, 1, 0));
        assert_eq!(found.0["patch astraaccesslists/status"], 2);
    }

    #[test]
    fn processor_time_is_found_behind_a_name_with_spaces() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(stat), Some(300.0));
        assert!(Process::of(std::process::id()).unwrap().resident > 0);
    }
}
