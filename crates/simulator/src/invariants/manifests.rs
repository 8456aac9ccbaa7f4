//! What is declared, told by whoever knows: a test harness that has the cluster too.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

/// Tells what is declared at this moment.
///
/// It is asked at every request, while the simulator is locked: it must not call the simulator. Answer the same `Arc`
/// while nothing has changed.
pub trait Manifests: Send + Sync {
    /// All declared objects. One that is gone counts for as long as a request that it announced may be under way.
    fn now(&self) -> Arc<[Declared]>;

    /// What was announced and sent before this moment, nobody can know any more: the records of it are lost, and who sent
    /// it is gone.
    fn forgotten_before(&self) -> Option<Timestamp> {
        None
    }
}

/// What an object is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A database's access list.
    AccessList,
    /// Principals and endpoints of one datacenter.
    PrivateEndpoint,
    /// A database's peering.
    VpcPeering,
}

/// One declared object.
#[derive(Clone)]
pub struct Declared {
    /// What it is about.
    pub kind: Kind,
    /// Namespace and name, for people.
    pub name: String,
    /// Tells it from another one of the same name.
    pub uid: String,
    /// Whose requests are its: the token in its Secret; empty when there is none.
    pub token: String,
    /// The id of its database, once it is known.
    pub database: Option<String>,
    /// The id of its datacenter, where that is known and matters.
    pub datacenter: Option<String>,
    /// What it was when its owner last announced something, and, as the last one, what it is now. Never empty.
    pub versions: Vec<Version>,
}

/// An object as it was at a moment.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a manifest")]
pub struct Version {
    /// Its generation.
    pub generation: i64,
    /// The generation its status is about; `None` (or a negative number) before its owner's first look.
    pub observed_generation: Option<i64>,
    /// The generation its status tells to have been carried out in full, if statuses tell that; a negative number before
    /// the first.
    pub applied_generation: Option<i64>,
    /// Has its status an announcement in flight?
    pub announced: bool,
    /// Must nothing be sent for it?
    pub paused: bool,
    /// Is it being deleted?
    pub deleting: bool,
    /// Is what it owns taken away when it is deleted?
    pub deletes: bool,
    /// Is its spec one that can be carried out?
    pub valid: bool,
    /// Has it to yield to another object at the same place? Then what it wants counts for nothing.
    pub yields: bool,
    /// Does it claim the whole place?
    pub exclusive: bool,
    /// Has a person allowed a mass removal?
    pub allows_mass_removal: bool,
    /// What shall be there: identities as in `status.owned` (`address/203.0.113.0/24`, `principal/…`, `endpoint/…`,
    /// `peering/…`), and for an address `off…` when its entry shall be disabled. Other values do not matter here.
    pub wants: BTreeMap<String, String>,
    /// Access lists: shall access be restricted to the list? `None`: it is left as it is.
    pub restricted: Option<bool>,
    /// What it has recorded as its own.
    pub owned: BTreeSet<String>,
}

impl Version {
    /// May anything be sent for it?
    pub(super) const fn writes(&self) -> bool {
        self.valid && !self.paused && !self.yields && (!self.deleting || self.deletes)
    }

    /// Does what it wants count? A pause stops its owner, and takes nothing back.
    pub(super) const fn counts(&self) -> bool {
        self.valid && !self.yields && !self.deleting
    }

    /// Why nothing may be sent for it.
    pub(super) const fn silence(&self) -> &'static str {
        if self.paused {
            "is paused"
        } else if !self.valid {
            "is not valid"
        } else if self.yields {
            "has to yield to another one"
        } else {
            "is deleted with everything to be retained"
        }
    }
}
