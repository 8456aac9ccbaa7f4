//! What happened, for people who read a failing seed.

use std::{cell::RefCell, rc::Rc};

use astra_simulator::Simulator;
use jiff::Timestamp;
use simulated_apiserver::ApiServer;

use crate::clock;

/// A line of a story.
type Line = (Timestamp, &'static str, String);

/// What happened in one world. Clones share it. It is only told when somebody listens.
#[derive(Clone, Default)]
pub(crate) struct Story(Rc<RefCell<Option<Vec<Line>>>>);

impl Story {
    /// A story that is told.
    pub(crate) fn told() -> Self {
        Self(Rc::new(RefCell::new(Some(Vec::new()))))
    }

    /// Something happened.
    pub(crate) fn tell(&self, who: &'static str, what: impl FnOnce() -> String) {
        if let Some(lines) = self.0.borrow_mut().as_mut() {
            lines.push((clock::now(), who, what()));
        }
    }

    /// The whole story: what people did, what was written to the API server, what was asked of Astra.
    pub(crate) fn whole(&self, server: &ApiServer, simulator: &Simulator) -> String {
        let Some(mut lines) = self.0.borrow().clone() else { return String::new() };
        for request in
            server.requests().iter().filter(|request| request.is_write() && !request.path.contains("/events"))
        {
            let answer = request.status.map_or("no answer".to_owned(), |status| status.to_string());
            lines.push((request.at, "kube", format!("{} {} -> {answer}", request.method, request.path)));
        }
        for change in server.changes(0) {
            let object = &change.object;
            let text = format!(
                "{:?} {}/{} by {} rv {}: {}",
                change.kind,
                object["kind"].as_str().unwrap_or_default(),
                object["metadata"]["name"].as_str().unwrap_or_default(),
                change.by,
                change.revision,
                if change.subresource_status {
                    object["status"].to_string()
                } else {
                    object["metadata"].to_string()
                },
            );
            if object["kind"] != "Event" {
                lines.push((change.at, "stored", text));
            }
        }
        for request in simulator.requests() {
            let status = request.status.map_or("no answer".to_owned(), |status| status.to_string());
            let body = request.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
            lines.push((
                request.time,
                "astra",
                format!("{} {}{body} -> {status}", request.method, request.target()),
            ));
        }
        lines.sort_by_key(|(at, _, _)| *at);
        let start = lines.first().map(|(at, _, _)| *at).unwrap_or_default();
        let text = |(at, who, what): &Line| {
            format!("{:>9.3} s  {who:<7} {what}\n", at.duration_since(start).as_secs_f64())
        };
        lines.iter().map(text).collect()
    }
}
