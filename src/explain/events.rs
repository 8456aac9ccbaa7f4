//! The events on an object.

use k8s_openapi::{api::events::v1::Event, jiff::Timestamp};
use kube::{Api, Client, api::ListParams};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{controller::within, overview::refused::Asked};

/// How many are told.
pub const LAST: usize = 10;

/// How many are read at the most, should somebody have flooded the object with them.
const MOST: usize = 5_000;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventFacts {
    /// When it happened last, in RFC 3339.
    pub time: String,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub type_: String,
    /// In a word.
    pub reason: String,
    /// What happened.
    pub note: String,
    /// How often.
    pub count: i32,
}

/// The last events on the object with this UID, newest last.
///
/// # Errors
/// Why there is no answer, in words.
pub async fn read(client: &Client, namespace: &str, uid: &str) -> Result<Vec<EventFacts>, String> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    // Another object may have had the same name before.
    let mut params = ListParams::default().fields(&format!("regarding.uid={uid}")).limit(500);
    let mut all = Vec::new();
    loop {
        let page = within(api.list(&params)).await.map_err(|error| {
            let resource = "events.events.k8s.io";
            Asked { verb: "list", resource, name: None, namespace: Some(namespace) }.refused(&error)
        })?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) if all.len() < MOST => params = params.continue_token(&token),
            _ => return Ok(last(all)),
        }
    }
}

/// The newest of them, newest last.
#[must_use]
pub fn last(mut events: Vec<Event>) -> Vec<EventFacts> {
    events.sort_by_key(|event| (time(event), event.metadata.name.clone()));
    let first = events.len().saturating_sub(LAST);
    events.split_off(first).into_iter().map(facts).collect()
}

fn facts(event: Event) -> EventFacts {
    EventFacts {
        time: time(&event).map(|time| format!("{time:.0}")).unwrap_or_default(),
        count: event.series.as_ref().map_or(1, |series| series.count),
        type_: event.type_.unwrap_or_default(),
        reason: event.reason.unwrap_or_default(),
        note: event.note.unwrap_or_default(),
    }
}

fn time(event: &Event) -> Option<Timestamp> {
    let of_series = event.series.as_ref().map(|series| series.last_observed_time.0);
    let made = || event.metadata.creation_timestamp.as_ref().map(|time| time.0);
    of_series.or_else(|| event.event_time.as_ref().map(|time| time.0)).or_else(made)
}
