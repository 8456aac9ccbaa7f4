//! What an object owns: kept in its status, written before the call that makes it.

use super::{Identities, Kind, View};

/// What the object owns after this look at Astra.
///
/// Owned or wanted, and there: owned (what is wanted and there already is adopted, because its identity was given by
/// the user). Announced and perhaps on its way: still owned, or a crash would leave something that nobody knows.
#[must_use]
pub fn after_look<K: Kind>(view: &View<'_, K>, in_flight: bool) -> Identities {
    let wanted = view.wanted();
    let there = wanted.union(view.owned).filter(|identity| K::has(view, identity)).cloned();
    let on_its_way = view.owned.iter().filter(|_| in_flight).cloned();
    there.chain(on_its_way).collect()
}
