//! All databases of an organization, found by id or name without walking them: every look at every object asks for one.

use std::{collections::HashMap, ops::Deref};

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

/// A list with an index.
#[derive(Debug, Default)]
pub struct Databases {
    all: Vec<Database>,
    /// By the id in lower case.
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl From<Vec<Database>> for Databases {
    fn from(all: Vec<Database>) -> Self {
        let mut by_id = HashMap::with_capacity(all.len());
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::with_capacity(all.len());
        for (at, database) in all.iter().enumerate() {
            // Of two with one id the first is found, as in the list.
            by_id.entry(database.id.as_str().to_ascii_lowercase()).or_insert(at);
            by_name.entry(database.info.name.clone()).or_default().push(at);
        }
        Self { all, by_id, by_name }
    }
}

impl Deref for Databases {
    type Target = [Database];

    fn deref(&self) -> &[Database] {
        &self.all
    }
}

impl Catalogue for Databases {
    fn by_id(&self, id: &str) -> Option<&Database> {
        self.by_id.get(&id.to_ascii_lowercase()).and_then(|at| self.all.get(*at))
    }

    fn named(&self, name: &str) -> Vec<&Database> {
        let found = self.by_name.get(name).into_iter().flatten();
        found.filter_map(|at| self.all.get(*at)).collect()
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
