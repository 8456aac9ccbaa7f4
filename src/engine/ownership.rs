//! What an object owns: kept in its status, written before the call that makes it.

use super::{Identities, Kind, View};

/// What the object owns after this look at Astra.
///
/// Owned or wanted, and there: owned (what is wanted and there already is adopted, because its identity was given by
/// the user). Announced and perhaps on its way: still owned, or a crash would leave something that nobody knows. No
/// longer wanted, and both wanted and owned by another object: given up, for it is that object's business now.
#[must_use]
pub fn after_look<K: Kind>(view: &View<'_, K>, in_flight: bool) -> Identities {
    let wanted = view.wanted();
    let given_up = |identity: &str| {
        !wanted.contains(identity) && view.peers.iter().any(|peer| peer.has_taken_over(identity))
    };
    let there =
        (wanted.union(view.owned)).filter(|identity| K::has(view, identity) && !given_up(identity)).cloned();
    let on_its_way = view.owned.iter().filter(|_| in_flight).cloned();
    there.chain(on_its_way).collect()
}

#[cfg(test)]
mod tests {
    use astra_devops::access_list::{AccessList, Configurations, Entry};
    use serde_json::json;

    use super::*;
    use crate::{
        engine::{Goal, Peer},
        kinds::{
            AstraAccessList,
            access_list::{AccessListDetails, observed::Observed},
        },
    };

    fn set(texts: &[&str]) -> Identities {
        texts.iter().map(|text| format!("address/{text}/32")).collect()
    }

    /// What an object that wants `wanted` and owned `owned` owns after a look at `there`.
    fn owns(wanted: &[&str], owned: &[&str], there: &[&str], peer: &Peer, in_flight: bool) -> Identities {
        let addresses: Vec<_> = wanted.iter().map(|text| json!({ "address": text })).collect();
        let object: AstraAccessList = serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "metadata": {},
            "spec": { "database": { "name": "orders" }, "addresses": addresses, "management": "Shared" },
        }))
        .unwrap();
        let desired = object.desired().ok();
        let entry =
            |text: &&str| Entry { address: (*text).into(), description: String::new(), enabled: true };
        let place = "8fbcfe1d".parse().unwrap();
        let view = View::<AstraAccessList> {
            goal: desired.as_ref().map_or(Goal::Absent, Goal::Present),
            declared: desired.as_ref(),
            place: &place,
            database: None,
            observed: &Observed::new(Some(AccessList {
                database_id: place.clone(),
                addresses: there.iter().map(entry).collect(),
                configurations: Configurations::default(),
            })),
            owned: &set(owned),
            details: &AccessListDetails::default(),
            peers: std::slice::from_ref(peer),
        };
        after_look(&view, in_flight)
    }

    #[test]
    fn what_is_wanted_or_owned_and_there_is_owned() {
        let nobody = Peer::default();
        for (wanted, owned, there, in_flight, expected) in [
            // Adopted; not adopted because nobody wants it; gone; announced and not seen yet.
            (&["10.0.0.1"][..], &[][..], &["10.0.0.1", "10.0.0.2"][..], false, &["10.0.0.1"][..]),
            (&["10.0.0.1"], &["10.0.0.2"], &["10.0.0.2"], false, &["10.0.0.2"]),
            (&["10.0.0.1"], &["10.0.0.1", "10.0.0.2"], &[], false, &[]),
            (&["10.0.0.1"], &["10.0.0.1"], &[], true, &["10.0.0.1"]),
            (&["10.0.0.1"], &[], &[], true, &[]),
            // Deletion.
            (&[], &["10.0.0.1"], &["10.0.0.1", "10.0.0.2"], false, &["10.0.0.1"]),
        ] {
            assert_eq!(
                owns(wanted, owned, there, &nobody, in_flight),
                set(expected),
                "wanted {wanted:?}, owned {owned:?}, there {there:?}, in flight: {in_flight}"
            );
        }
    }

    #[test]
    fn what_another_has_taken_over_is_given_up() {
        let x = "10.0.0.2";
        let peer =
            |wants: &[&str], owns: &[&str]| Peer { wants: set(wants), owns: set(owns), ..Peer::default() };
        for (peer, expected) in [
            (peer(&[x], &[x]), &[][..]),
            // Not taken over yet, or given up too: then somebody must still remove it.
            (peer(&[x], &[]), &[x]),
            (peer(&[], &[x]), &[x]),
            (Peer { deleting: true, ..peer(&[x], &[x]) }, &[x]),
        ] {
            assert_eq!(owns(&["10.0.0.1"], &[x], &[x], &peer, false), set(expected), "{peer:?}");
            assert_eq!(owns(&[x], &[x], &[x], &peer, false), set(&[x]), "still wanted, beside {peer:?}");
            assert_eq!(owns(&["10.0.0.1"], &[x], &[x], &peer, true), set(&[x]), "in flight, beside {peer:?}");
        }
    }
}
