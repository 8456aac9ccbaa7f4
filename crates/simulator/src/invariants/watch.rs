//! The watch: what it remembers, and the way of a request through the invariants.

use std::{fmt, sync::Arc, time::Duration};

use astra_devops::Method;
use jiff::Timestamp;

use super::{
    Declared, Finding,
    Invariant::{I9, I10},
    Kind, Manifests, Violation, access,
    claims::{Claims, Memory},
    creates::Creates,
    gravest,
    mass::Rows,
    place::{self, Place, Target},
    reads::{self, Reads, Scope},
    removals::{self, Change},
    token::{self, Accepted},
};
use crate::{
    auth,
    clock::later,
    journal,
    state::{Database, State},
    wire::{Request, Response},
};

/// More violations than these are not kept: something is wrong with all requests then.
const KEPT: usize = 1_000;

/// Looks at every request, and keeps what must not have been.
#[derive(Clone, Default)]
pub struct Watch {
    manifests: Option<Arc<dyn Manifests>>,
    report: Option<fn(&Violation)>,
    violations: Vec<Violation>,
    past: Past,
}

/// What is remembered from request to request.
#[derive(Clone, Default)]
struct Past {
    memory: Memory,
    accepted: Accepted,
    reads: Reads,
    creates: Creates,
    rows: Rows,
}

/// The times of a request, on the world's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// It was sent.
    pub(crate) began: Timestamp,
    /// It was carried out.
    pub(crate) now: Timestamp,
    /// Its answer is in.
    pub(crate) answered: Timestamp,
}

impl Times {
    /// So much later.
    pub(crate) fn ahead(self, by: Duration) -> Self {
        Self { began: later(self.began, by), now: later(self.now, by), answered: later(self.answered, by) }
    }
}

/// The place of a write as it was before it.
pub(crate) struct Before {
    target: Target,
    database: Option<Database>,
}

/// A request and what came of it.
pub(crate) struct Looked<'a> {
    pub(crate) request: &'a Request,
    pub(crate) path: &'a [&'a str],
    pub(crate) times: Times,
    /// How far readings lag behind.
    pub(crate) lag: Duration,
    /// What the caller sees.
    pub(crate) answer: Option<&'a Response>,
    /// Is that the simulator's own answer, and no fault's?
    pub(crate) is_own: bool,
    pub(crate) before: Before,
    /// The state after it.
    pub(crate) state: &'a State,
}

/// One write to a place that is watched.
pub(super) struct Write<'a> {
    pub(super) request: &'a Request,
    pub(super) path: &'a [&'a str],
    pub(super) place: &'a Place,
    pub(super) before: Option<&'a Database>,
    pub(super) after: Option<&'a Database>,
    pub(super) state: &'a State,
    pub(super) token: &'a str,
    pub(super) now: Timestamp,
    pub(super) answered: Timestamp,
    pub(super) lag: Duration,
    pub(super) reads: &'a Reads,
    /// What is declared about the place, where that is known.
    pub(super) claims: Option<Claims<'a>>,
}

impl Watch {
    /// A watch that does not know what is declared, and judges only what is wrong in any case.
    #[must_use]
    pub fn alone() -> Self {
        Self::default()
    }

    /// A watch that is told what is declared.
    #[must_use]
    pub fn told_by(manifests: Arc<dyn Manifests>) -> Self {
        Self { manifests: Some(manifests), ..Self::default() }
    }

    /// The same watch, which also tells each violation at once.
    #[must_use]
    pub fn reporting(self, report: fn(&Violation)) -> Self {
        Self { report: Some(report), ..self }
    }

    /// What must not have been, in order.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Forgets what must not have been.
    pub(crate) fn clear(&mut self) {
        self.violations.clear();
    }

    /// The world was replaced: what was seen of the old one counts no more.
    pub(crate) fn restart(&mut self) {
        self.past = Past::default();
    }

    /// What must be remembered of a place before a request comes there. Only a write needs it.
    pub(crate) fn before(method: Method, path: &[&str], state: &State) -> Before {
        let target = Target::of(method, path);
        let database = match &target {
            Target::Of(place) => state.database(&place.database).cloned(),
            Target::Else | Target::Nothing => None,
        };
        Before { target, database }
    }

    /// Looks at a request after it was carried out, or lost.
    pub(crate) fn look(&mut self, looked: &Looked<'_>) {
        let token = looked.request.authorization.as_deref().and_then(auth::bearer).unwrap_or_default();
        let declared = self.manifests.as_ref().map(|manifests| manifests.now());
        if let Some(declared) = &declared {
            self.past.memory.note(declared);
        }
        if let Some(before) = self.manifests.as_ref().and_then(|manifests| manifests.forgotten_before()) {
            self.past.creates.forget(before);
        }
        let found = self.past.judge(looked, token, declared.as_deref());
        for Finding { invariant, why } in gravest(found) {
            let violation = Violation {
                time: looked.times.now,
                invariant,
                request: request_line(looked.request, token),
                who: who(token, looked.state),
                before: words(&looked.before.target, looked.before.database.as_ref()),
                after: match &looked.before.target {
                    Target::Of(place) => place::words(place, looked.state.database(&place.database)),
                    target => words(target, None),
                },
                why,
            };
            if let Some(report) = self.report {
                report(&violation);
            }
            if self.violations.len() < KEPT {
                self.violations.push(violation);
            }
        }
    }
}

impl Past {
    fn judge(&mut self, looked: &Looked<'_>, token: &str, declared: Option<&[Declared]>) -> Vec<Finding> {
        let writes = !matches!(looked.before.target, Target::Nothing);
        let known = self.accepted.knows(token, looked.state);
        let memory = declared.is_some().then_some(&self.memory);
        let mut found: Vec<Finding> = token::stranger(token, known, writes, memory).into_iter().collect();
        found.extend(token::leaked(token, looked.request, looked.answer.filter(|_| looked.is_own)));
        match &looked.before.target {
            Target::Of(place) => found.extend(self.judge_write(looked, token, place, declared)),
            Target::Else if declared.is_some() => {
                found.push(Finding::new(I9, "no declared object is ever about this"));
            }
            Target::Else => {}
            Target::Nothing => self.note_reading(looked, token),
        }
        found
    }

    fn note_reading(&mut self, looked: &Looked<'_>, token: &str) {
        if looked.request.method != Method::Get {
            return;
        }
        let Some(scope) = Scope::of(looked.path) else { return };
        let reading = self.reads.note(token, &looked.request.path, &scope, looked.times, looked.answer);
        self.creates.read(&reading, token, looked.lag, looked.state);
    }

    fn judge_write(
        &mut self,
        looked: &Looked<'_>,
        token: &str,
        place: &Place,
        declared: Option<&[Declared]>,
    ) -> Vec<Finding> {
        let write = Write {
            request: looked.request,
            path: looked.path,
            place,
            before: looked.before.database.as_ref(),
            after: looked.state.database(&place.database),
            state: looked.state,
            token,
            now: looked.times.now,
            answered: looked.times.answered,
            lag: looked.lag,
            reads: &self.reads,
            claims: declared.map(|declared| Claims::new(&self.memory, declared, place, token)),
        };
        let there = place::identities(place, write.before);
        let after = place::identities(place, write.after);
        let change = Change {
            gone: there.difference(&after).cloned().collect(),
            made: after.difference(&there).cloned().collect(),
        };
        let mut found = removals::judge(&write, &change);
        if place.kind == Kind::AccessList {
            found.extend(access::judge(&write));
        }
        if let Some(claims) = &write.claims {
            found.extend(unordered(claims));
            removals::judge_made(claims, &change, &mut found);
            found.extend(self.rows.judge(&write, claims, &there, &change));
        }
        found.extend(self.creates.judge(&write, looked.answer));
        self.creates.removed(&write, &change);
        if let Some(thing) = told(&write, looked.answer) {
            self.reads.told(token, thing, looked.times.answered);
        }
        found
    }
}

/// I9, and I10 on a write: is there an object for which this may have been sent?
fn unordered(claims: &Claims<'_>) -> Option<Finding> {
    let list = |objects: &[&Declared]| {
        objects.iter().map(|object| object.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if claims.all.is_empty() {
        return Some(Finding::new(I9, "no declared object is about this place"));
    }
    if claims.own.is_empty() && !claims.lost.is_empty() {
        return Some(Finding::new(I9, format!("the Secret of {} does not resolve", list(&claims.lost))));
    }
    if claims.own.is_empty() {
        let named = list(&claims.all);
        return Some(Finding::new(
            I10,
            format!("it carries another token than the objects about this place ({named})"),
        ));
    }
    let mut writers = claims.writers().peekable();
    if writers.peek().is_none() {
        let why = claims.own.iter().filter_map(|object| {
            let now = object.versions.last()?;
            Some(format!("{} {}", object.name, now.silence()))
        });
        return Some(Finding::new(I9, why.collect::<Vec<_>>().join(", ")));
    }
    (!writers.any(|version| version.announced)).then(|| {
        let named = list(&claims.own);
        Finding::new(
            I9,
            format!("no status announces it ({named}): after a crash nobody knows that it was sent"),
        )
    })
}

/// The endpoint that an answer to a write shows.
fn told(write: &Write<'_>, answer: Option<&Response>) -> Option<reads::Shown> {
    let answer = answer.filter(|answer| answer.status == 200 && write.path.contains(&"endpoints"))?;
    reads::endpoint(write.place, &answer.value()?)
}

/// Who sent a request: never the token, but where it stands in the state.
fn who(token: &str, state: &State) -> String {
    let Some((at, entry)) = state.tokens.iter().enumerate().find(|(_, entry)| entry.token == token) else {
        return if token.is_empty() { "nobody: no token" } else { "a token that is not known" }.to_owned();
    };
    let organization = state.organizations.iter().find(|one| one.id == entry.organization);
    let organization = organization.map_or(entry.organization.as_str(), |one| one.name.as_str());
    let role = entry.role.as_deref().unwrap_or("single permissions");
    format!("token {} of {organization} ({role})", at + 1)
}

fn request_line(request: &Request, token: &str) -> String {
    let query = if request.query.is_empty() { "" } else { "?" };
    let target = format!("{}{query}{}", request.path, request.query);
    format!("{} {}", request.method, journal::without(token, &target))
}

fn words(target: &Target, database: Option<&Database>) -> String {
    match target {
        Target::Of(place) => place::words(place, database),
        Target::Else | Target::Nothing => "not looked at".to_owned(),
    }
}

impl fmt::Debug for Watch {
    /// Without what is remembered: there are tokens in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("violations", &self.violations).finish_non_exhaustive()
    }
}
