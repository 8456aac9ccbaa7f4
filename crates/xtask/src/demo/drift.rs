//! A change behind the operator's back, and how it is put right.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::report;
use crate::simulator::{Request, Simulator};
use crate::terminal::{self, Step};
use crate::wait;

/// How long putting right may take: the operator of the demo looks every five seconds.
const WITHIN: Duration = Duration::from_secs(30);

/// One address of one list that the operator made.
#[derive(Debug, PartialEq)]
struct Listed {
    database: String,
    address: String,
}

impl Listed {
    fn path(&self) -> String {
        format!("/v2/databases/{}/access-list", self.database)
    }
}

/// Takes an address from a list, and waits until the operator has put it back and Astra has it.
pub(super) fn show(simulator: &Simulator, token: &str) -> Result<()> {
    terminal::heading(
        "Something is changed behind the operator's back (it looks every 5 s here, by default every minute)",
    );
    let before = simulator.journal()?;
    let target = choose(&before).context("no example has made an access list with an address")?;
    let Listed { database, address } = &target;
    terminal::line(&format!("{address} is taken from the access list of database {database}"));
    let step = Step::start("put right");
    let start = Instant::now();
    simulator.event(&json!({ "removeAddress": { "database": database, "address": address } }))?;
    let every = Duration::from_millis(50);
    let repairs = wait::until("the operator to put the address back", WITHIN, every, || {
        let journal = simulator.journal()?;
        let since = journal.get(before.len()..).unwrap_or_default();
        let repairs: Vec<Request> = since.iter().filter(|request| request.is_write()).cloned().collect();
        Ok(repairs.iter().any(|request| puts_back(request, &target)).then_some(repairs))
    })?;
    let time = start.elapsed();
    wait::until("Astra to have the address again", WITHIN, every, || {
        let list = simulator.read(&target.path(), token)?;
        Ok(addresses(&list).any(|listed| is_same(listed, address)).then_some(()))
    })?;
    let calls = if repairs.len() == 1 { "one call".to_owned() } else { format!("{} calls", repairs.len()) };
    step.done(&format!("{calls}, after {}", terminal::duration(time)));
    terminal::block(&report::writes(&repairs));
    Ok(())
}

/// The first address of the first list that was written with one.
fn choose(journal: &[Request]) -> Option<Listed> {
    journal.iter().filter(|request| request.is_write() && is_success(request)).find_map(|request| {
        let database = request.path.strip_prefix("/v2/databases/")?.strip_suffix("/access-list")?.to_owned();
        let address = addresses(&request.body).next()?.to_owned();
        Some(Listed { database, address })
    })
}

fn puts_back(request: &Request, target: &Listed) -> bool {
    request.path == target.path()
        && is_success(request)
        && addresses(&request.body).any(|address| is_same(address, &target.address))
}

fn is_success(request: &Request) -> bool {
    (200..300).contains(&request.status)
}

/// The addresses of a body or an answer: an object with a list of them, or (POST) the bare list.
fn addresses(body: &Value) -> impl Iterator<Item = &str> {
    let list = body["addresses"].as_array().or_else(|| body.as_array()).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|entry| entry["address"].as_str())
}

/// Whether two spellings are the same address: Astra may write a single one as `/32`.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches("/32") == other.trim_end_matches("/32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, body: Value, status: u64) -> Request {
        Request { time: "t".into(), method: "PUT".into(), path: path.into(), body, status }
    }

    #[test]
    fn the_first_address_that_was_listed_is_chosen_and_recognized_when_it_is_put_back() {
        let list = "/v2/databases/db2/access-list";
        let body = json!({ "addresses": [{ "address": "203.0.113.7/32" }], "configurations": {} });
        let journal = [
            write("/v2/databases/db0/access-list", body.clone(), 403),
            write("/v2/databases/db1/access-list", json!({ "addresses": [] }), 204),
            write("/v2/organizations/clusters/x/private-link", json!({}), 200),
            write(list, body.clone(), 204),
        ];
        let target = choose(&journal).unwrap();
        assert_eq!(target, Listed { database: "db2".into(), address: "203.0.113.7/32".into() });
        assert!(puts_back(&journal[3], &target));
        assert!(puts_back(&write(list, json!([{ "address": "203.0.113.7" }]), 201), &target));
        assert!(!puts_back(&write(list, body, 500), &target));
        assert!(!puts_back(&write(list, json!([{ "address": "203.0.113.8" }]), 201), &target));
        assert_eq!(choose(&journal[..3]), None);
    }
}
