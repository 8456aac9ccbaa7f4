//! What was read, when, and what it showed: to each token, for each place. A client is judged by what it could know.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Kind,
    place::{self, Place},
    watch::Times,
};
use crate::wire::Response;

/// So long after a reading it may still be acted on: several objects share one, and wait in a queue with it.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// What a reading is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// `None`: the database itself.
    kind: Option<Kind>,
    /// `None`: all of the organization.
    database: Option<String>,
    /// `None`: all of the database.
    datacenter: Option<String>,
    /// One endpoint of it only: its absence says nothing of the others.
    single: bool,
}

impl Scope {
    /// What a path is about, when it is a reading of something that is watched.
    pub(super) fn of(path: &[&str]) -> Option<Self> {
        let (kind, database, datacenter) = match path {
            ["v2", "access-lists"] => (Some(Kind::AccessList), None, None),
            ["v2", "databases", id] => (None, Some(id), None),
            ["v2", "databases", id, "access-list"] => (Some(Kind::AccessList), Some(id), None),
            ["v2", "peering", "provider", _, "database", id] => (Some(Kind::VpcPeering), Some(id), None),
            ["v2", "organizations", "private-link"] => (Some(Kind::PrivateEndpoint), None, None),
            ["v2", "organizations", "clusters", id, "private-link"] => {
                (Some(Kind::PrivateEndpoint), Some(id), None)
            }
            ["v2", "organizations", "clusters", id, "datacenters", datacenter, "private-link"]
            | ["v2", "organizations", "clusters", id, "datacenters", datacenter, "endpoints", _] => {
                (Some(Kind::PrivateEndpoint), Some(id), Some(datacenter))
            }
            _ => return None,
        };
        let owned = |text: &&str| (*text).to_owned();
        let (database, datacenter) = (database.map(owned), datacenter.map(owned));
        Some(Self { kind, database, datacenter, single: path.contains(&"endpoints") })
    }

    /// Would a thing of this place be in it?
    pub(super) fn covers(&self, place: &Place) -> bool {
        !self.single
            && self.kind == Some(place.kind)
            && self.database.as_ref().is_none_or(|id| *id == place.database)
            && self.datacenter.as_ref().is_none_or(|id| *id == place.datacenter)
    }

    /// Does its failure cast doubt on this place?
    fn is_parent_of(&self, place: &Place) -> bool {
        let of_database = self.kind.is_none() && self.database.as_ref() == Some(&place.database);
        of_database || self.covers(place)
    }
}

/// Something that an answer showed, by the name that it has there.
pub(super) type Shown = (Place, String);

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// What is there; perhaps nothing.
    Told,
    /// There is no such place.
    Absent,
    /// Nothing that can be relied on.
    Failed,
}

/// The last answers of one path to one token.
#[derive(Clone)]
struct Source {
    scope: Scope,
    last: Outcome,
    answered: Timestamp,
    /// When the last answer came that told something.
    told: Timestamp,
    body: Vec<u8>,
    /// What it showed; of addresses, whether they are switched on.
    shown: BTreeMap<Shown, bool>,
}

#[derive(Clone, Default)]
struct OfToken {
    sources: BTreeMap<String, Source>,
    /// When a thing was shown last that is not shown any more.
    past: BTreeMap<Shown, Timestamp>,
}

/// All that was read.
#[derive(Clone, Default)]
pub(super) struct Reads(BTreeMap<String, OfToken>);

/// A reading that was answered just now.
pub(super) struct Reading<'a> {
    pub(super) scope: &'a Scope,
    pub(super) times: Times,
    shown: Option<&'a BTreeMap<Shown, bool>>,
}

impl Reading<'_> {
    /// Did it show this thing? `None`: it says nothing about it.
    pub(super) fn shows(&self, thing: &Shown) -> Option<bool> {
        let shown = self.shown.filter(|_| self.scope.covers(&thing.0))?;
        Some(shown.contains_key(thing))
    }

    /// Did it show anything at this place? `None`: it says nothing about it.
    pub(super) fn shows_any(&self, place: &Place) -> Option<bool> {
        let shown = self.shown.filter(|_| self.scope.covers(place))?;
        Some(shown.keys().any(|(there, _)| there == place))
    }
}

impl Reads {
    /// Takes note of an answer. `None` is none.
    pub(super) fn note<'a>(
        &'a mut self,
        token: &str,
        path: &str,
        scope: &'a Scope,
        times: Times,
        answer: Option<&Response>,
    ) -> Reading<'a> {
        // Not `entry`: this is on the way of every request, and nearly always finds what it looks for.
        if !self.0.contains_key(token) {
            self.0.insert(token.to_owned(), OfToken::default());
        }
        let shown = self.0.get_mut(token).and_then(|of_token| of_token.note(path, scope, times, answer));
        Reading { scope, times, shown }
    }

    /// Another answer than a reading's showed a thing.
    pub(super) fn told(&mut self, token: &str, thing: Shown, at: Timestamp) {
        self.0.entry(token.to_owned()).or_default().past.insert(thing, at);
    }

    /// When this thing was last shown to this token.
    pub(super) fn shown(&self, token: &str, thing: &Shown) -> Option<Timestamp> {
        let of_token = self.0.get(token)?;
        let now = of_token.sources.values().filter(|source| source.shown.contains_key(thing));
        now.map(|source| source.told).chain(of_token.past.get(thing).copied()).max()
    }

    /// Would a removal of this thing rest on an answer that failed or was empty? Then when that came.
    pub(super) fn baseless(&self, token: &str, thing: &Shown, now: Timestamp) -> Option<Timestamp> {
        let place = &thing.0;
        let sources = self.0.get(token)?.sources.values();
        let parents = sources.filter(|source| source.scope.is_parent_of(place));
        let doubtful = parents.filter(|source| match source.last {
            Outcome::Failed | Outcome::Absent => true,
            Outcome::Told => {
                source.scope.kind.is_some() && !source.shown.keys().any(|(there, _)| there == place)
            }
        });
        let doubt = doubtful.map(|source| source.answered).max()?;
        let shown = self.shown(token, thing);
        let stands = shown.is_some_and(|shown| shown >= doubt || now.duration_since(shown) <= RECENT);
        (!stands).then_some(doubt)
    }

    /// The last readings of an access list that told something: each with its entries, and whether they are switched on.
    pub(super) fn lists(&self, token: &str, place: &Place) -> Vec<Vec<(String, bool)>> {
        let sources = self.0.get(token).into_iter().flat_map(|of_token| of_token.sources.values());
        let about = sources.filter(|source| source.scope.covers(place));
        let entries = |source: &Source| {
            let here = source.shown.iter().filter(|((there, _), _)| there == place);
            here.map(|((_, identity), on)| (identity.clone(), *on)).collect()
        };
        about.map(entries).collect()
    }
}

impl OfToken {
    fn note(
        &mut self,
        path: &str,
        scope: &Scope,
        times: Times,
        answer: Option<&Response>,
    ) -> Option<&BTreeMap<Shown, bool>> {
        let read = answer.map_or((Outcome::Failed, None), |answer| self.read(path, scope, answer));
        if !self.sources.contains_key(path) {
            let source = Source {
                scope: scope.clone(),
                last: Outcome::Failed,
                answered: times.answered,
                told: Timestamp::MIN,
                body: Vec::new(),
                shown: BTreeMap::new(),
            };
            self.sources.insert(path.to_owned(), source);
        }
        let source = self.sources.get_mut(path)?;
        (source.last, source.answered) = (read.0, times.answered);
        if let Some(shown) = read.1 {
            let before = std::mem::replace(&mut source.shown, shown);
            for thing in before.into_keys().filter(|thing| !source.shown.contains_key(thing)) {
                let at = self.past.entry(thing).or_insert(source.told);
                *at = source.told.max(*at);
            }
            source.body = answer.map(|answer| answer.body.clone()).unwrap_or_default();
        }
        if source.last == Outcome::Failed {
            return None;
        }
        source.told = times.answered;
        Some(&source.shown)
    }

    /// What an answer says; the things only when they are others than last time.
    fn read(&self, path: &str, scope: &Scope, answer: &Response) -> (Outcome, Option<BTreeMap<Shown, bool>>) {
        match answer.status {
            200 if scope.kind.is_none() => (Outcome::Told, None),
            200 => {
                let known = self.sources.get(path).filter(|source| source.told != Timestamp::MIN);
                if known.is_some_and(|source| source.body == answer.body) {
                    return (Outcome::Told, None);
                }
                match answer.value().and_then(|body| shown(scope, &body)) {
                    Some(shown) => (Outcome::Told, Some(shown)),
                    None => (Outcome::Failed, None),
                }
            }
            // A list or link that is not there is a bare text; a peering is not; all else is about the parent.
            404 if scope.kind == Some(Kind::VpcPeering) || (scope.kind.is_some() && is_bare(answer)) => {
                (Outcome::Absent, Some(BTreeMap::new()))
            }
            _ => (Outcome::Failed, None),
        }
    }
}

fn is_bare(answer: &Response) -> bool {
    answer.value().is_some_and(|body| body.is_string() || body.is_null())
}

/// What a body shows; `None` when it is not of the form it should have.
fn shown(scope: &Scope, body: &Value) -> Option<BTreeMap<Shown, bool>> {
    let mut all = BTreeMap::new();
    match (scope.kind?, &scope.database, &scope.datacenter) {
        (Kind::AccessList, None, _) => {
            body.as_array()?.iter().try_for_each(|list| entries(list, &mut all))?;
        }
        (Kind::AccessList, Some(_), _) => entries(body, &mut all)?,
        (Kind::PrivateEndpoint, None, _) => {
            body["clusters"].as_array()?.iter().try_for_each(|one| cluster(one, &mut all))?;
        }
        (Kind::PrivateEndpoint, Some(_), None) => cluster(body, &mut all)?,
        (Kind::PrivateEndpoint, Some(database), Some(datacenter)) => {
            let place = at(Kind::PrivateEndpoint, database, datacenter);
            if scope.single {
                all.insert(endpoint(&place, body)?, true);
            } else {
                link(&place, body, &mut all)?;
            }
        }
        (Kind::VpcPeering, database, _) => {
            let connection = text(body, &["connectionID", "connectionId"])?;
            all.insert((at(Kind::VpcPeering, database.as_ref()?, ""), connection.to_owned()), true);
        }
    }
    Some(all)
}

fn entries(list: &Value, all: &mut BTreeMap<Shown, bool>) -> Option<()> {
    let place = at(Kind::AccessList, list["databaseId"].as_str()?, "");
    for entry in list["addresses"].as_array()? {
        let Some(identity) = place::of_address(entry["address"].as_str()?) else { continue };
        let on = entry["enabled"].as_bool()?;
        // One network may be there in two texts, and each lets in by itself.
        *all.entry((place.clone(), identity)).or_default() |= on;
    }
    Some(())
}

fn cluster(cluster: &Value, all: &mut BTreeMap<Shown, bool>) -> Option<()> {
    let database = cluster["clusterID"].as_str()?;
    cluster["datacenters"].as_array()?.iter().try_for_each(|datacenter| {
        link(&at(Kind::PrivateEndpoint, database, datacenter["datacenterID"].as_str()?), datacenter, all)
    })
}

fn link(place: &Place, link: &Value, all: &mut BTreeMap<Shown, bool>) -> Option<()> {
    for principal in link["allowedPrincipals"].as_array()? {
        all.insert((place.clone(), place::of_principal(principal.as_str()?)), true);
    }
    for one in link["endpoints"].as_array()? {
        all.insert(endpoint(place, one)?, true);
    }
    Some(())
}

/// An endpoint by the id that Astra answers, as [`removed`](super::removals) asks for it.
pub(super) fn endpoint(place: &Place, body: &Value) -> Option<Shown> {
    let id = text(body, &["endpointID", "endpointId"])?;
    Some((place.clone(), format!("endpoint/{id}").to_ascii_lowercase()))
}

fn text<'a>(body: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| body[*name].as_str())
}

fn at(kind: Kind, database: &str, datacenter: &str) -> Place {
    Place { kind, database: database.to_owned(), datacenter: datacenter.to_owned() }
}
