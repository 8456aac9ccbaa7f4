//! What is declared about the place of one write: by whom, and who of them could have sent it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Declared, Kind, Version,
    place::{Place, is_same, tidy},
    ranges::Ranges,
};
use crate::{address, state::State};

/// What is remembered of the manifests from request to request.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// The tokens that each object ever had.
    tokens: BTreeMap<String, BTreeSet<String>>,
    /// The generation of each object that was carried out to its end.
    settled: BTreeMap<String, i64>,
}

impl Memory {
    /// Takes note of what is declared now.
    pub(super) fn note(&mut self, declared: &[Declared]) {
        for object in declared {
            let known = self.tokens.entry(object.uid.clone()).or_default();
            if !object.token.is_empty() && !known.contains(&object.token) {
                known.insert(object.token.clone());
            }
            if let Some(now) = object.versions.last().filter(|now| is_settled(now)) {
                self.settled.insert(object.uid.clone(), now.generation);
            }
        }
    }

    /// Had any object ever this token?
    pub(super) fn knows(&self, token: &str) -> bool {
        self.tokens.values().any(|tokens| tokens.contains(token))
    }

    /// Had this object the token, and has no Secret any more?
    fn has_lost(&self, object: &Declared, token: &str) -> bool {
        object.token.is_empty() && self.tokens.get(&object.uid).is_some_and(|tokens| tokens.contains(token))
    }

    /// A token that is replaced is good for what was announced under it.
    fn is_of(&self, object: &Declared, token: &str) -> bool {
        let before = || self.tokens.get(&object.uid).is_some_and(|tokens| tokens.contains(token));
        object.token == token || (object.versions.iter().any(|version| version.announced) && before())
    }
}

/// Was this generation looked at, and is nothing left to be done for it? What is owned and not wanted is still to go.
fn is_settled(now: &Version) -> bool {
    let looked_at = now.observed_generation == Some(now.generation) && !now.announced && !now.deleting;
    let applied = now.applied_generation.is_none_or(|applied| applied == now.generation);
    looked_at
        && applied
        && now.owned.iter().all(|owned| now.wants.keys().any(|wanted| tidy(wanted) == tidy(owned)))
}

/// What is declared about one place.
pub(super) struct Claims<'a> {
    memory: &'a Memory,
    /// The objects about this place.
    pub(super) all: Vec<&'a Declared>,
    /// Those of them whose token the request carries.
    pub(super) own: Vec<&'a Declared>,
    /// Those that had this token, and have no Secret any more.
    pub(super) lost: Vec<&'a Declared>,
    /// What the own ones have recorded as theirs.
    owned: BTreeSet<String>,
    /// What anybody wants.
    wanted: BTreeSet<String>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(memory: &'a Memory, declared: &'a [Declared], place: &Place, token: &str) -> Self {
        let here = |object: &&Declared| {
            let of_datacenter = object.datacenter.as_ref().is_none_or(|id| *id == place.datacenter);
            object.kind == place.kind
                && object.database.as_ref() == Some(&place.database)
                && (place.kind != Kind::PrivateEndpoint || of_datacenter)
        };
        let all: Vec<&Declared> = declared.iter().filter(here).collect();
        let own: Vec<&Declared> = all.iter().copied().filter(|object| memory.is_of(object, token)).collect();
        let lost = all.iter().copied().filter(|object| memory.has_lost(object, token)).collect();
        let owned = versions(&own).flat_map(|version| &version.owned).map(|text| tidy(text)).collect();
        let wishes = versions(&all).filter(|version| version.counts());
        let wanted = wishes.flat_map(|version| version.wants.keys()).map(|text| tidy(text)).collect();
        Self { memory, all, own, lost, owned, wanted }
    }

    /// The versions for which this request may have been sent.
    pub(super) fn writers(&self) -> impl Iterator<Item = &'a Version> {
        versions(&self.own).filter(|version| version.writes())
    }

    /// Does an object that may have sent this request claim the whole place?
    pub(super) fn takes_all(&self) -> bool {
        self.writers().any(|version| version.exclusive && !version.deleting)
    }

    /// Has an object that may have sent this request recorded the thing as its own?
    pub(super) fn owns(&self, identity: &str) -> bool {
        has(&self.owned, identity)
    }

    /// Does anybody want this thing?
    pub(super) fn wants(&self, identity: &str) -> bool {
        has(&self.wanted, identity)
    }

    /// Whom any declaration lets in.
    pub(super) fn lets_in(&self) -> Ranges {
        let wishes = versions(&self.all).filter(|version| version.counts());
        wishes.fold(Ranges::default(), |all, version| all.union(&lets_in(version)))
    }

    /// Whom the declarations let in all the time. What one of them wants to be switched off is left out: two that
    /// contradict each other are judged by neither.
    pub(super) fn lets_in_throughout(&self, state: &State) -> Ranges {
        let of_object = |object: &Declared| {
            let versions =
                object.versions.iter().map(|v| if v.counts() { lets_in(v) } else { Ranges::default() });
            versions.reduce(|one, other| one.intersection(&other)).unwrap_or_default()
        };
        let counted = self.known(state).map(of_object);
        let wanted = counted.fold(Ranges::default(), |all, more| all.union(&more));
        wanted.minus(&Ranges::of(versions(&self.all).flat_map(|version| networks(version, false))))
    }

    /// Is this thing wanted all the time?
    pub(super) fn wants_throughout(&self, state: &State, identity: &str) -> bool {
        let wants = |version: &Version| {
            version.counts() && version.wants.keys().any(|wanted| is_same(&tidy(wanted), identity))
        };
        self.known(state).any(|object| object.versions.iter().all(wants))
    }

    /// May the entries of a list be taken away in great number?
    pub(super) fn allows_mass_removal(&self) -> bool {
        let settled = |object: &Declared, version: &Version| {
            self.memory.settled.get(&object.uid) == Some(&version.generation)
        };
        self.own.iter().any(|object| {
            let mut versions = object.versions.iter().filter(|version| version.writes());
            versions.any(|v| v.allows_mass_removal || v.deleting || !settled(object, v))
        })
    }

    /// The objects whose wishes the sender must know: the one that it writes for, and those whose owner has looked at
    /// what they say now. One with a token of another organization cannot be about this database, whatever it says.
    fn known(&self, state: &State) -> impl Iterator<Item = &'a Declared> {
        let organization = |object: &Declared| {
            let database = object.database.as_deref().and_then(|id| state.database(id));
            let token = state.tokens.iter().find(|entry| entry.token == object.token);
            database.zip(token).is_some_and(|(database, token)| database.organization == token.organization)
        };
        let announces = |object: &&Declared| object.versions.iter().any(|version| version.announced);
        let mut senders = self.own.iter().copied().filter(announces);
        // Of several that announce something at once it is not known which this is.
        let sender = senders.next().filter(|_| senders.next().is_none()).map(|object| object.uid.as_str());
        self.all.iter().copied().filter(move |object| {
            let now = object.versions.last();
            let looked_at = now.is_some_and(|now| now.observed_generation == Some(now.generation));
            organization(object) && (looked_at || sender == Some(object.uid.as_str()))
        })
    }
}

fn versions<'a>(objects: &[&'a Declared]) -> impl Iterator<Item = &'a Version> {
    objects.iter().flat_map(|object| &object.versions)
}

fn has(all: &BTreeSet<String>, identity: &str) -> bool {
    // Only endpoints have two names.
    let by_other_name = || all.range("endpoint//".to_owned()..).any(|text| is_same(text, identity));
    all.contains(identity) || (identity.starts_with("endpoint/") && by_other_name())
}

/// Whom a declaration lets in.
pub(super) fn lets_in(version: &Version) -> Ranges {
    if version.restricted == Some(false) { Ranges::everybody() } else { Ranges::of(networks(version, true)) }
}

/// The networks that a declaration wants with entries switched so.
pub(super) fn networks(version: &Version, on: bool) -> impl Iterator<Item = ipnet::Ipv4Net> {
    let addresses = version.wants.iter().filter(move |(_, value)| value.starts_with("off") != on);
    addresses.filter_map(|(identity, _)| address::network(identity.strip_prefix("address/")?))
}
