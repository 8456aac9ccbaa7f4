//! Which databases are meant.

use astra_devops::databases::Database;

use crate::kinds::private_endpoint::desired::is_guid;

/// The databases that are wanted, each by its name or id; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(pub Vec<String>);

/// A database is wanted that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no database with the name or id {wanted:?} is in the token's organization, or the token may not see it{}",
    hint(.known)
)]
pub struct Unknown {
    /// What was asked for.
    pub wanted: String,
    /// The names there are, that are most like it.
    pub known: Vec<String>,
}

impl Selection {
    /// The wanted ones of `all`, in the order of `all`. A name that several have means all of them.
    ///
    /// # Errors
    /// When one is not there.
    pub fn of<'a>(&self, all: &'a [Database]) -> Result<Vec<&'a Database>, Unknown> {
        let is = |database: &Database, wanted: &str| database.info.name == wanted || is_id(database, wanted);
        if let Some(wanted) = self.0.iter().find(|wanted| !all.iter().any(|database| is(database, wanted))) {
            return Err(Unknown { wanted: wanted.clone(), known: like(wanted, all) });
        }
        let wanted =
            |database: &&Database| self.0.is_empty() || self.0.iter().any(|wanted| is(database, wanted));
        Ok(all.iter().filter(wanted).collect())
    }

    /// What of it looks like an id: such a database may be known to Astra, although it is in no list.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|wanted| is_guid(wanted))
    }
}

fn is_id(database: &Database, wanted: &str) -> bool {
    database.id.as_str().eq_ignore_ascii_case(wanted)
}

/// The names that differ in case only, or that one of the two begins.
fn like(wanted: &str, all: &[Database]) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut like: Vec<String> = (all.iter().map(|database| &database.info.name))
        .filter(|name| {
            let name = name.to_lowercase();
            !name.is_empty() && (name.starts_with(&wanted) || wanted.starts_with(&name))
        })
        .cloned()
        .collect();
    // One that is the same but for its case is what was meant.
    if like.iter().any(|name| name.to_lowercase() == wanted) {
        like.retain(|name| name.to_lowercase() == wanted);
    }
    like.sort();
    like.dedup();
    like.truncate(5);
    like
}

fn hint(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; did you mean {}?", known.join(" or ")) }
}
