//! Events on objects: what happened, in the past tense.

use kube::{
    Client, Resource,
    runtime::events::{Event as KubeEvent, EventType, Recorder, Reporter},
};

use super::within;
use crate::{
    engine::{Event, Problem},
    text::printable,
};

/// Publishes events. A failure is logged and stops nothing.
#[derive(Clone)]
pub struct Events {
    client: Client,
    reporter: Reporter,
}

/// The longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;

impl Events {
    /// Publishes as `instance`, e.g. the pod's name.
    #[must_use]
    pub fn new(client: Client, instance: Option<String>) -> Self {
        Self { client, reporter: Reporter { controller: "astra-operator".to_owned(), instance } }
    }

    /// Something was done.
    pub async fn happened<K: Resource<DynamicType = ()>>(&self, object: &K, event: &Event) {
        self.publish(object, EventType::Normal, event.reason, &event.note).await;
    }

    /// Something is wrong.
    pub async fn warn<K: Resource<DynamicType = ()>>(&self, object: &K, problem: &Problem) {
        self.publish(object, EventType::Warning, &problem.reason.to_string(), &problem.message).await;
    }

    /// Something was done that leaves a person with work.
    pub async fn warn_of<K: Resource<DynamicType = ()>>(&self, object: &K, event: &Event) {
        self.publish(object, EventType::Warning, event.reason, &event.note).await;
    }

    async fn publish<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        type_: EventType,
        reason: &str,
        note: &str,
    ) {
        // A recorder joins events of one reason into a series and drops the later notes, which hold the values; so
        // each event gets a recorder of its own.
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        let event = KubeEvent {
            type_,
            reason: reason.to_owned(),
            note: Some(shortened(note)),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        match within(recorder.publish(&event, &object.object_ref(&()))).await {
            Ok(()) => {}
            // A namespace that is going takes no new events.
            Err(error) if error.is_forbidden() && object.meta().deletion_timestamp.is_some() => {
                tracing::debug!(%error, reason, "an event could not be published");
            }
            Err(error) => tracing::warn!(%error, reason, "an event could not be published"),
        }
    }
}

/// Bounded, and nothing but text: some of it may be remote.
fn shortened(note: &str) -> String {
    let note = &*printable(note);
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_bounded_in_bytes_and_nothing_but_text() {
        assert_eq!(shortened("Added 10.0.0.1"), "Added 10.0.0.1");
        assert_eq!(shortened("two\nlines\u{9b}31m"), r"two\nlines\u{9b}31m");
        let long = shortened(&"ü\n".repeat(1000));
        assert!((LONGEST_NOTE - 3..=LONGEST_NOTE).contains(&long.len()), "{}", long.len());
    }
}
