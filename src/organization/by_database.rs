//! A list of an organization in the order of its databases: they are found without a second copy of their ids, and there may
//! be ten thousand.

use std::fmt;

use astra_devops::id::DatabaseId;

/// What a list has of each database.
pub struct ByDatabase<T> {
    entries: Vec<T>,
    of: fn(&T) -> &DatabaseId,
}

impl<T> ByDatabase<T> {
    /// Of these entries, which are each `of` a database.
    #[must_use]
    pub fn new(mut entries: Vec<T>, of: fn(&T) -> &DatabaseId) -> Self {
        entries.shrink_to_fit();
        entries.sort_by(|one, other| of(one).cmp(of(other)));
        Self { entries, of }
    }

    /// What there is of this database; of several entries the last one.
    #[must_use]
    pub fn get(&self, database: &DatabaseId) -> Option<&T> {
        let end = self.entries.partition_point(|entry| (self.of)(entry) <= database);
        self.entries[..end].last().filter(|entry| (self.of)(entry) == database)
    }
}

impl<T> fmt::Debug for ByDatabase<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByDatabase").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_finds_its_own_and_of_several_the_last() {
        let id =
            |n: u32| -> DatabaseId { format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b{n:02}").parse().unwrap() };
        let entries = [(5, "a"), (1, "b"), (3, "c"), (1, "d"), (5, "e")];
        let list = ByDatabase::new(entries.map(|(n, text)| (id(n), text)).to_vec(), |(id, _)| id);
        let found = |n| list.get(&id(n)).map(|(_, text)| *text);
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6].map(found),
            [None, Some("d"), None, Some("c"), None, Some("e"), None]
        );
        assert!(ByDatabase::new(vec![], |id: &DatabaseId| id).get(&id(1)).is_none());
    }
}
