//! Every request that came, in the order in which they came.

use jiff::Timestamp;

use crate::weather::Seen;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When it came.
    pub at: Timestamp,
    /// Who sent it.
    pub user: String,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query without its question mark, as it was sent.
    pub query: String,
    /// The code of the answer, if one was given.
    pub status: Option<u16>,
    /// Was it carried out with success, whether or not the answer arrived?
    pub applied: bool,
}

impl Recorded {
    /// Could it change something?
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

/// All of them, since they were last cleared.
#[derive(Default)]
pub(crate) struct Journal {
    /// How many there were before those that are kept.
    cleared: u64,
    kept: Vec<Recorded>,
}

impl Journal {
    /// The number that the next one gets.
    pub(crate) fn next(&self) -> u64 {
        self.cleared + u64::try_from(self.kept.len()).unwrap_or(u64::MAX) + 1
    }

    pub(crate) fn arrived(&mut self, at: Timestamp, seen: &Seen<'_>) {
        self.kept.push(Recorded {
            at,
            user: seen.user.to_owned(),
            method: seen.method.to_owned(),
            path: seen.path.to_owned(),
            query: seen.query.to_owned(),
            status: None,
            applied: false,
        });
    }

    /// The request of this number, unless it was cleared.
    pub(crate) fn of(&mut self, number: u64) -> Option<&mut Recorded> {
        let index = number.checked_sub(self.cleared + 1)?;
        self.kept.get_mut(usize::try_from(index).ok()?)
    }

    pub(crate) fn all(&self) -> &[Recorded] {
        &self.kept
    }

    pub(crate) fn clear(&mut self) {
        self.cleared = self.next() - 1;
        self.kept.clear();
    }
}
