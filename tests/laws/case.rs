//! A case: what is in Astra, who wants what, and what happens. It speaks of no kind: things are numbers, which each kind
//! reads in its own way, so that one strategy makes, and shrinks, worlds for all kinds.

use proptest::{collection::vec, prelude::*};

/// Something that can be in Astra: which one, and in which variety (description, switch, spelling).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) id: u8,
    pub(crate) variety: u8,
}

/// What an object's spec says.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) things: Vec<Thing>,
    pub(crate) exclusive: bool,
    /// The database is named, not given by its id.
    pub(crate) by_name: bool,
    /// `deletionPolicy: Delete`.
    pub(crate) delete: bool,
    /// What else a kind has to choose.
    pub(crate) choice: u8,
}

/// Something that a person, or Astra itself, does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// An object is made.
    Create(Wish),
    /// An object's spec is changed.
    Edit(usize, Wish),
    /// An object is deleted.
    Delete(usize),
    /// Somebody changes a thing in Astra.
    Drift(u8, Thing),
    /// The database takes no changes for a while, or again.
    Status(&'static str),
}

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// 0: AWS, 1: Azure, 2: Google Cloud.
    pub(crate) cloud: u8,
    /// How many regions the database has, from 1.
    pub(crate) regions: u8,
    /// What else a kind's database may be.
    pub(crate) flags: u8,
    /// What is in Astra before.
    pub(crate) foreign: Vec<Thing>,
    /// How far reads lag behind writes, in seconds.
    pub(crate) lag: u64,
    /// How long a call takes, in milliseconds.
    pub(crate) latency: u64,
    /// What happens, each so many seconds after the one before.
    pub(crate) script: Vec<(u64, Action)>,
}

impl Case {
    /// The same case with so much time between two actions that each is finished before the next.
    pub(crate) fn slow(mut self) -> Self {
        for (after, _) in &mut self.script {
            *after = 400;
        }
        self
    }

    /// The same case without what changes Astra behind the operator's back.
    pub(crate) fn without_drift(mut self) -> Self {
        self.script.retain(|(_, action)| !matches!(action, Action::Drift(..) | Action::Status(_)));
        self
    }

    /// The same case with reads that do not lag.
    pub(crate) fn consistent(mut self) -> Self {
        self.lag = 0;
        self
    }

    /// All wishes of the script.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = &Wish> {
        self.script.iter().filter_map(|(_, action)| match action {
            Action::Create(wish) | Action::Edit(_, wish) => Some(wish),
            _ => None,
        })
    }
}

fn thing() -> impl Strategy<Value = Thing> {
    (0..7_u8, 0..6_u8).prop_map(|(id, variety)| Thing { id, variety })
}

/// Each id once.
fn things(most: usize) -> impl Strategy<Value = Vec<Thing>> {
    vec(thing(), 0..=most).prop_map(|mut things| {
        let mut seen = Vec::new();
        things.retain(|thing| {
            let new = !seen.contains(&thing.id);
            seen.push(thing.id);
            new
        });
        things
    })
}

/// A spec.
pub(crate) fn wish() -> impl Strategy<Value = Wish> {
    (things(4), prop::bool::weighted(0.35), any::<bool>(), any::<bool>(), 0..4_u8).prop_map(
        |(things, exclusive, by_name, delete, choice)| Wish { things, exclusive, by_name, delete, choice },
    )
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => wish().prop_map(Action::Create),
        4 => (0..3_usize, wish()).prop_map(|(i, wish)| Action::Edit(i, wish)),
        2 => (0..3_usize).prop_map(Action::Delete),
        3 => (0..6_u8, thing()).prop_map(|(what, thing)| Action::Drift(what, thing)),
        1 => prop::sample::select(vec!["MAINTENANCE", "ACTIVE", "PARKED", "HIBERNATED", "NEWLY_INVENTED"])
            .prop_map(Action::Status),
    ]
}

/// Any case.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let world = (0..3_u8, 1..3_u8, 0..8_u8, things(4));
    let slowness = (prop::sample::select(vec![0, 0, 3, 8, 30]), prop::sample::select(vec![0, 40, 300]));
    let after = || prop::sample::select(vec![0_u64, 1, 4, 15, 70]);
    (world, slowness, wish(), vec((after(), action()), 0..6)).prop_map(
        |(world, slowness, first, mut script)| {
            let (cloud, regions, flags, foreign) = world;
            let (lag, latency) = slowness;
            script.insert(0, (0, Action::Create(first)));
            Case { cloud, regions, flags, foreign, lag, latency, script }
        },
    )
}
