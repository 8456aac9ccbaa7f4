//! All databases of an organization, found by id or name without walking them: every look at every object asks for one.

use std::{cmp::Ordering, ops::Deref};

use astra_devops::databases::Database;

/// What databases are looked up in.
pub trait Catalogue {
    /// The database with this id, in whatever case.
    fn by_id(&self, id: &str) -> Option<&Database>;

    /// The databases of this name, in the order they are listed in.
    fn named(&self, name: &str) -> Vec<&Database>;
}

/// A list, for whoever looks up few.
impl Catalogue for [Database] {
    fn by_id(&self, id: &str) -> Option<&Database> {
        self.iter().find(|database| database.id.as_str().eq_ignore_ascii_case(id))
    }

    fn named(&self, name: &str) -> Vec<&Database> {
        self.iter().filter(|database| database.info.name == name).collect()
    }
}

/// A list with an index: its places in the order of the ids, and in that of the names.
#[derive(Debug, Default)]
pub struct Databases {
    all: Vec<Database>,
    by_id: Vec<usize>,
    by_name: Vec<usize>,
}

impl From<Vec<Database>> for Databases {
    fn from(mut all: Vec<Database>) -> Self {
        all.shrink_to_fit();
        // The sort keeps the order of equals: of two with one id the first is found, as in the list.
        let sorted = |order: &dyn Fn(&Database, &Database) -> Ordering| {
            let mut places: Vec<usize> = (0..all.len()).collect();
            places.sort_by(|one, other| order(&all[*one], &all[*other]));
            places
        };
        let by_id = sorted(&|one, other| without_case(one.id.as_str(), other.id.as_str()));
        let by_name = sorted(&|one, other| one.info.name.cmp(&other.info.name));
        Self { all, by_id, by_name }
    }
}

/// The order of ids, which mean the same in whatever case.
fn without_case(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|id| id.bytes().map(|byte| byte.to_ascii_lowercase()));
    one.cmp(other)
}

impl Deref for Databases {
    type Target = [Database];

    fn deref(&self) -> &[Database] {
        &self.all
    }
}

impl Catalogue for Databases {
    fn by_id(&self, id: &str) -> Option<&Database> {
        self.equal(&self.by_id, |database| without_case(database.id.as_str(), id)).first().copied()
    }

    fn named(&self, name: &str) -> Vec<&Database> {
        self.equal(&self.by_name, |database| database.info.name.as_str().cmp(name))
    }
}

impl Databases {
    /// Those of a sorted index that are equal in `order` to what is looked for.
    fn equal(&self, index: &[usize], order: impl Fn(&Database) -> Ordering) -> Vec<&Database> {
        let start = index.partition_point(|at| order(&self.all[*at]) == Ordering::Less);
        let found = index[start..].iter().map(|at| &self.all[*at]);
        found.take_while(|database| order(database) == Ordering::Equal).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_index_finds_what_the_list_finds() {
        let database = |n: u32, name: &str| -> Database {
            let id = format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b{n:02}");
            serde_json::from_value(json!({ "id": id, "info": { "name": name } })).unwrap()
        };
        let list =
            [database(1, "orders"), database(2, "staging"), database(3, "staging"), database(1, "twice")];
        let index = Databases::from(list.to_vec());
        for id in [list[0].id.as_str(), &list[1].id.as_str().to_uppercase(), "unknown", ""] {
            assert_eq!(index.by_id(id), list[..].by_id(id), "{id}");
        }
        for name in ["orders", "staging", "Staging", "twice", ""] {
            assert_eq!(index.named(name), list[..].named(name), "{name}");
        }
        assert_eq!(index.named("staging").len(), 2);
    }
}
