//! The safety invariants: what no client may ever do to a database's network, looked at on every request.
//!
//! The simulator knows what is truly there before and after a request, which readings were answered when and with what,
//! and the time. What it cannot know is what the requests are *for*: that a test tells it through [`Manifests`]. Without
//! them ([`Watch::alone`], as in the program `astra-simulator`) only that is judged which is wrong whatever was declared.
//!
//! ```text
//!  request ─► state before ─► handler ─► state after ─► answer
//!                  └───────────── Watch ─────┘             │
//!         Manifests (what is declared now) ─┘   readings ◄─┘
//! ```
//!
//! Each invariant, and the threat, is told at its name in [`Invariant`]. Of one request only the gravest violation is
//! told: what follows from it (a list that is wiped also lets everybody in) would hide it. What happens by an
//! [`Event`](crate::Event) is no request, and is never a violation.

mod access;
mod claims;
mod creates;
mod manifests;
mod mass;
mod place;
mod ranges;
mod reads;
mod removals;
mod token;
mod watch;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use manifests::{Declared, Kind, Manifests, Version};
pub use watch::Watch;
pub(crate) use watch::{Looked, Times};

/// What must hold of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Invariant {
    /// `DELETE …/access-list` without an address in the query: it deletes the whole list and opens the database to the
    /// internet. No declaration orders that: an open database is ordered with a PUT.
    I1,
    /// The restriction is switched off, or the list emptied, only because a declaration says so; it is switched on only
    /// together with the wanted addresses in one PUT, or after a GET has shown them. As a *step* towards something else
    /// each of these opens the door or shuts everybody out until the next request, which may never come.
    ///
    /// Without manifests: switching on by itself while the last reading showed no entry.
    I2,
    /// Never open while narrowing: who gets in after a request got in before it, or is let in by what is declared. Both
    /// are sets of addresses: a restriction that is off lets everybody in, a disabled entry nobody, a network all that is
    /// within it. An entry that nobody declares is one too while the restriction is off: it opens the door later.
    I3,
    /// Never lock out: who got in before, and is wanted in all that is declared, gets in after. Delete-then-add shuts
    /// out the people who were to stay. The same for endpoints, principals and peerings that are wanted throughout.
    ///
    /// What an object wants that its owner has not looked at counts only for its own requests, and an entry that the last
    /// reading showed counts as there: nobody can know what others do in the same moment.
    I4,
    /// Addresses are removed one in a request, named in the query and in the body: Astra takes only the first of several,
    /// and a reader that looks at the other place takes none for "all". And none that no declared object owns, unless
    /// one claims the whole list: it is somebody else's door.
    I5,
    /// An endpoint, principal or peering is removed only when a declared object has it recorded as its own (or, but for
    /// a peering, claims the whole place), and only under an id that Astra showed to this token: an id from anywhere else
    /// may be somebody else's.
    I6,
    /// A removal never rests on an empty or failed reading of the place: "not found" on the parent says nothing about the
    /// child. Judged on `DELETE`s: when the last answer about the place failed or was empty, the thing must have been
    /// shown to this token within the last minute (a reading may be shared, and acted on a little later).
    ///
    /// A PUT says what shall be there, and takes nothing away on the strength of a reading.
    I7,
    /// One create at a time: before an endpoint or a peering is asked for again, by anyone, a GET has begun when the
    /// first answer was in and the lag of readings had passed, and did not show it. A crash between create and record
    /// makes two otherwise. A refusal in Astra's own words (4xx) made nothing. What is created was recorded as owned
    /// before. (Under Azure's changed ids a reading cannot prove absence: there any reading after the lag will do.)
    I8,
    /// No write without an order: for a database nobody declares, or whose objects are paused, not valid, without their
    /// Secret, or have to yield; without an announcement in a status; or of something that nobody wants.
    I9,
    /// A write carries the token of an object that is about that place; any request one that some object has. Otherwise
    /// one tenant acts with another's rights. Without manifests: no token at all, or a write with one that was never
    /// known. (A request to another origin does not come by here.)
    I10,
    /// A token stands in the `Authorization` header and nowhere else: not in a path, a query or a body, where proxies log
    /// it, and not in an answer of the simulator's own.
    I11,
    /// The mass-change guard: more than half of a list (and at least three), or more than twenty entries, go in a row of
    /// requests only for an object's own new generation, its deletion, or with an annotation that allows it. Otherwise a
    /// wrong reading or a damaged record would empty a list within a second.
    I12,
}

impl Invariant {
    /// The law in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::I1 => "no list is deleted whole",
            Self::I2 => "the restriction is no step",
            Self::I3 => "access never widens by the way",
            Self::I4 => "what is wanted throughout is never taken away",
            Self::I5 => "one owned address in a removal",
            Self::I6 => "only what is owned and was shown is removed",
            Self::I7 => "no removal rests on an empty or failed reading",
            Self::I8 => "one create at a time, recorded before",
            Self::I9 => "no write without an order",
            Self::I10 => "each tenant's token for its own",
            Self::I11 => "the token stands in its header only",
            Self::I12 => "no mass removal by drift",
        }
    }

    /// Of one request the lowest is told; those of one rank are told together.
    const fn rank(self) -> u8 {
        match self {
            Self::I1 | Self::I11 => 0,
            Self::I10 => 1,
            Self::I9 => 2,
            Self::I2 => 3,
            Self::I5 => 4,
            Self::I6 => 5,
            Self::I7 => 6,
            Self::I8 => 7,
            Self::I3 | Self::I4 => 8,
            Self::I12 => 9,
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A request that must not have been. Never with a token in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// When, on the simulator's clock.
    pub time: Timestamp,
    /// What it breaks.
    pub invariant: Invariant,
    /// Method and target.
    pub request: String,
    /// Who sent it: the token by its place in the state.
    pub who: String,
    /// The place before it, in words.
    pub before: String,
    /// The place after it, in words.
    pub after: String,
    /// What is wrong with it, and what may come of that.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, invariant, request, who, before, after, why } = self;
        let title = invariant.title();
        write!(
            f,
            "{invariant} ({title}) at {time}: {request} by {who}: {why}; before: {before}; after: {after}"
        )
    }
}

/// One thing that is wrong with a request.
struct Finding {
    invariant: Invariant,
    why: String,
}

impl Finding {
    fn new(invariant: Invariant, why: impl Into<String>) -> Self {
        Self { invariant, why: why.into() }
    }
}

/// Keeps only what is gravest, each invariant once: the rest follows from it.
fn gravest(findings: Vec<Finding>) -> Vec<Finding> {
    let least = findings.iter().map(|finding| finding.invariant.rank()).min();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings.into_iter().filter(|finding| Some(finding.invariant.rank()) == least) {
        match kept.iter_mut().find(|known| known.invariant == finding.invariant) {
            Some(known) => known.why = format!("{}; {}", known.why, finding.why),
            None => kept.push(finding),
        }
    }
    kept
}
