//! What was asked for by calls that are not safe to repeat, and is not seen yet: two objects that come to the same plan in
//! the same moment must not both carry it out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What was asked for, by place. Filed so, because every look at every object asks what of its own place is settled.
#[derive(Debug, Default)]
pub struct Asked(Mutex<HashMap<String, BTreeMap<String, Instant>>>);

impl Asked {
    /// Is about to ask for this thing at this place. False when any object has asked for it within `window`, and nobody
    /// has seen it since.
    #[must_use]
    pub fn ask(&self, place: &str, thing: &str, now: Instant, window: Duration) -> bool {
        let mut all = self.lock();
        let here = all.entry(place.to_owned()).or_default();
        here.retain(|_, at| now.duration_since(*at) < window);
        if here.contains_key(thing) {
            return false;
        }
        here.insert(thing.to_owned(), now);
        true
    }

    /// What of this place was asked for and is not awaited any more: it was seen, or the call certainly made nothing.
    pub fn settled(&self, place: &str, is_settled: impl Fn(&str) -> bool) {
        let mut all = self.lock();
        if let Some(here) = all.get_mut(place) {
            here.retain(|thing, _| !is_settled(thing));
            if here.is_empty() {
                all.remove(place);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thing_is_asked_for_once_until_it_is_settled_or_the_window_has_passed() {
        let (asked, window) = (Asked::default(), Duration::from_mins(1));
        let ask = |place: &str| asked.ask(place, "endpoint/vpce-1", Instant::now(), window);
        assert!(ask("here") && ask("there"), "each place has its own");
        assert!(!ask("here"));
        asked.settled("here", |thing| thing == "endpoint/vpce-2");
        assert!(!ask("here"), "another one was settled");
        asked.settled("here", |thing| thing == "endpoint/vpce-1");
        assert!(ask("here"));
        tokio::time::advance(window).await;
        assert!(ask("there"), "what was asked for so long ago would be seen by now");
    }
}
