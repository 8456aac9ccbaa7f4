//! What the demo prints about the cluster and about what was sent to Astra.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use crate::kubectl::{Kubectl, condition};
use crate::simulator::Request;
use crate::terminal;

/// `kubectl get astra`.
pub(super) fn table(kubectl: &Kubectl, namespace: &str) -> Result<()> {
    terminal::heading(&format!("kubectl get astra -n {namespace}"));
    terminal::block(&kubectl.output(&["get", "astra", "-n", namespace])?);
    Ok(())
}

/// One `kubectl describe`.
pub(super) fn describe(kubectl: &Kubectl, namespace: &str) -> Result<()> {
    let names = kubectl.output(&["get", "astraprivateendpoints", "-n", namespace, "-o", "name"])?;
    if let Some(name) = names.lines().next() {
        terminal::heading(&format!("kubectl describe {name} -n {namespace}"));
        terminal::block(&kubectl.output(&["describe", name, "-n", namespace])?);
    }
    Ok(())
}

/// The conditions of each object that is not Ready.
pub(super) fn not_ready(kubectl: &Kubectl, namespace: &str, kinds: &str) -> Result<()> {
    terminal::heading("Not Ready");
    let objects = kubectl.json(&["get", kinds, "-n", namespace])?;
    terminal::block(&conditions_of_unready(objects["items"].as_array().map_or(&[], Vec::as_slice)));
    Ok(())
}

fn conditions_of_unready(objects: &[Value]) -> String {
    let mut text = String::new();
    let text_of = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let is_ready =
        |object: &&Value| condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
    for object in objects.iter().filter(|object| !is_ready(object)) {
        let _ = writeln!(text, "{} {}", text_of(&object["kind"]), text_of(&object["metadata"]["name"]));
        let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
        if conditions.is_empty() {
            text.push_str("  no condition: the operator has not seen it\n");
        }
        for condition in conditions {
            let [kind, status, reason, message] =
                ["type", "status", "reason", "message"].map(|field| text_of(&condition[field]));
            let _ = writeln!(text, "  {kind}={status} {reason}: {message}");
        }
    }
    text
}

/// What was sent to Astra: each write in full, the reads counted.
pub(super) fn journal(requests: &[Request]) {
    terminal::heading("What was sent to Astra, in order");
    terminal::block(&writes(requests));
    anstream::println!();
    terminal::block(&reads(requests));
}

/// Each write: time, method, status, path, and below it the body.
pub(super) fn writes(requests: &[Request]) -> String {
    let mut text = String::new();
    for request in requests.iter().filter(|request| request.is_write()) {
        let Request { method, status, path, .. } = request;
        let _ = writeln!(text, "{:<12}  {method:<6}  {status}  {path}", time_of_day(&request.time));
        if !request.body.is_null() {
            let _ = writeln!(text, "{:27}{}", "", request.body);
        }
    }
    text
}

/// How often each thing was read.
fn reads(requests: &[Request]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests.iter().filter(|request| !request.is_write()) {
        *counts.entry(without_ids(&request.path)).or_default() += 1;
    }
    let mut text = format!("and {} reads:\n", counts.values().sum::<usize>());
    for (path, count) in counts {
        let _ = writeln!(text, "{count:>5} × GET  {path}");
    }
    text
}

/// `12:34:56.789` of an RFC 3339 time; anything else as it is.
fn time_of_day(time: &str) -> &str {
    match time.split_once('T') {
        Some((_, clock)) => {
            let clock = clock.split(['Z', '+']).next().unwrap_or(clock);
            clock.get(..12).unwrap_or(clock)
        }
        None => time,
    }
}

/// A path whose UUIDs are written `{id}`, so that the same question about two databases counts as one.
fn without_ids(path: &str) -> String {
    let is_id = |part: &str| {
        part.len() == 36 && part.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && part.contains('-')
    };
    // A datacenter's id is its database's with a number.
    let part = |part: &str| match part.get(..36).filter(|id| is_id(id)) {
        Some(_) => format!("{{id}}{}", &part[36..]),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(method: &str, path: &str, body: Value) -> Request {
        let (time, method, path) = ("2026-11-21T08:09:10.123456Z".into(), method.into(), path.into());
        Request { time, method, path, body, status: 201 }
    }

    #[test]
    fn writes_are_shown_in_full_and_reads_are_counted() {
        let id = "0f1e2d3c-0000-4000-8000-000000000001";
        let list = format!("/v2/databases/{id}/access-list");
        let requests = [
            request("GET", &list, Value::Null),
            request("PUT", &list, json!({ "addresses": [] })),
            request("GET", &list.replace('1', "2"), Value::Null),
            request("GET", &format!("/v2/x/{id}-1/y"), Value::Null),
            request("DELETE", "/v2/y?addresses=a", Value::Null),
        ];
        assert_eq!(
            writes(&requests),
            format!(
                "08:09:10.123  PUT     201  {list}\n                           {{\"addresses\":[]}}\n\
                 08:09:10.123  DELETE  201  /v2/y?addresses=a\n"
            )
        );
        assert_eq!(
            reads(&requests),
            "and 3 reads:\n    2 × GET  /v2/databases/{id}/access-list\n    1 × GET  /v2/x/{id}-1/y\n"
        );
    }

    #[test]
    fn times_are_cut_to_the_clock() {
        for (time, clock) in [
            ("2026-11-21T08:09:10Z", "08:09:10"),
            ("2026-11-21T08:09:10.5+01:00", "08:09:10.5"),
            ("soon", "soon"),
        ] {
            assert_eq!(time_of_day(time), clock);
        }
    }

    #[test]
    fn only_what_is_not_ready_is_named_with_its_reasons() {
        let object = |name: &str, conditions: Value| {
            json!({ "kind": "AstraAccessList", "metadata": { "name": name },
                    "status": { "conditions": conditions } })
        };
        let text = conditions_of_unready(&[
            object("good", json!([{ "type": "Ready", "status": "True" }])),
            object(
                "bad",
                json!([{ "type": "Ready", "status": "False", "reason": "Why", "message": "because" }]),
            ),
            object("new", Value::Null),
        ]);
        assert_eq!(
            text,
            "AstraAccessList bad\n  Ready=False Why: because\nAstraAccessList new\n  no condition: the operator has \
             not seen it\n"
        );
    }
}
