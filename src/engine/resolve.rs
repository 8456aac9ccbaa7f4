//! Which database an object means, and whether it can be changed now. Pure.

use astra_devops::{databases::Database, id::DatabaseId};

use super::{Problem, Reason};
use crate::{organization::databases::Catalogue, resource::DatabaseRef};

/// The result of looking a database up in the list of those that are not terminated.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution<'a> {
    /// This one.
    Found(&'a Database),
    /// It is not in the list: ask Astra for this id, it may be terminated.
    Ask(DatabaseId),
    /// It cannot be known.
    Problem(Problem),
}

/// Finds the database that `reference` means. `recorded` is the id it was resolved to before.
#[must_use]
pub fn resolve<'a, C: Catalogue + ?Sized>(
    reference: &DatabaseRef,
    recorded: Option<&str>,
    all: &'a C,
) -> Resolution<'a> {
    match (&reference.id, &reference.name) {
        (Some(id), None) => by_id(id, all),
        (None, Some(name)) => by_name(name, recorded, all),
        _ => Resolution::Problem(Problem::invalid("spec.database", "give exactly one of id and name")),
    }
}

fn by_id<'a, C: Catalogue + ?Sized>(id: &str, all: &'a C) -> Resolution<'a> {
    match all.by_id(id) {
        Some(database) => Resolution::Found(database),
        None => match id.parse() {
            Ok(id) => Resolution::Ask(id),
            Err(error) => Resolution::Problem(Problem::invalid("spec.database.id", error)),
        },
    }
}

/// No database has this name: the one that had it may be gone, or be called otherwise.
fn unnamed<'a, C: Catalogue + ?Sized>(name: &str, recorded: Option<&str>, all: &'a C) -> Resolution<'a> {
    let renamed = recorded.and_then(|id| all.by_id(id));
    let message = match (renamed, recorded.and_then(|id| id.parse().ok())) {
        (Some(database), _) if !database.status.is_terminal() => format!(
            "no database is named {name:?} any more: {}, which this object was about, is now named {:?}; rename it back, or make this object anew",
            database.id, database.info.name
        ),
        (_, Some(id)) => return Resolution::Ask(id),
        _ => {
            format!("no database named {name:?} is in the token's organization, or the token may not see it")
        }
    };
    Resolution::Problem(Problem::new(Reason::DatabaseNotFound, message))
}

fn by_name<'a, C: Catalogue + ?Sized>(name: &str, recorded: Option<&str>, all: &'a C) -> Resolution<'a> {
    let mut found = all.named(name);
    found.retain(|database| !database.status.is_terminal());
    match found[..] {
        [] => unnamed(name, recorded, all),
        [one] => match recorded.and_then(|id| all.by_id(id)) {
            // The recorded one lives under another name now: following the name would leave it behind unmanaged.
            Some(before) if before.id != one.id && !before.status.is_terminal() => {
                Resolution::Problem(Problem::new(
                    Reason::Conflict,
                    format!(
                        "{name:?} was database {} and now is {}, while {0} still exists under the name {:?}; nothing is sent until one of the names is changed back or this object is made anew",
                        before.id, one.id, before.info.name
                    ),
                ))
            }
            _ => Resolution::Found(one),
        },
        _ => {
            let ids: Vec<String> = found.iter().map(|database| database.id.to_string()).collect();
            Resolution::Problem(Problem::new(
                Reason::DatabaseAmbiguous,
                format!(
                    "{} databases are named {name:?}: {}; use spec.database.id",
                    ids.len(),
                    ids.join(", ")
                ),
            ))
        }
    }
}

/// Why nothing may be sent to this database now, if so.
#[must_use]
pub fn unavailable(database: &Database) -> Option<Problem> {
    let status = &database.status;
    let (reason, what) = if status.is_terminal() {
        (Reason::DatabaseTerminated, "nothing can be managed there any more; delete this object")
    } else if status.is_parked() {
        (Reason::DatabaseParked, "unpark it to go on")
    } else if !status.takes_changes() {
        (Reason::DatabaseNotReady, "it takes no changes until it is ACTIVE again")
    } else {
        return None;
    };
    let name = &database.info.name;
    Some(Problem::new(reason, format!("database {name} ({}) is {}: {what}", database.id, status.0)))
}

/// A database that is not in the list: terminated, as `asked` shows, or unknown.
#[must_use]
pub fn missing(id: &DatabaseId, asked: Option<&Database>) -> Problem {
    match asked {
        Some(database) => unavailable(database).unwrap_or_else(|| {
            // Listed a moment ago or not yet: another look will tell.
            Problem::new(
                Reason::DatabaseNotReady,
                format!("database {id} is not in the organization's list yet"),
            )
        }),
        None => Problem::new(
            Reason::DatabaseNotFound,
            format!(
                "no database with the id {id} is in the token's organization, or the token may not see it"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01";
    const TWO: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02";
    const THREE: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b03";

    fn database(id: &str, name: &str, status: &str) -> Database {
        serde_json::from_value(json!({ "id": id, "info": { "name": name }, "status": status })).unwrap()
    }

    fn reference(id: Option<&str>, name: Option<&str>) -> DatabaseRef {
        DatabaseRef { id: id.map(ToOwned::to_owned), name: name.map(ToOwned::to_owned) }
    }

    /// The id found, or asked for with a `?`, or the reason.
    fn found(reference: &DatabaseRef, recorded: Option<&str>, all: &[Database]) -> String {
        match resolve(reference, recorded, all) {
            Resolution::Found(database) => database.id.to_string(),
            Resolution::Ask(id) => format!("{id}?"),
            Resolution::Problem(problem) => problem.reason.to_string(),
        }
    }

    #[test]
    fn a_database_is_found_by_id_or_by_an_unambiguous_name() {
        let all = [
            database(ONE, "orders", "ACTIVE"),
            database(TWO, "staging", "ACTIVE"),
            database(THREE, "staging", "ACTIVE"),
        ];
        let ask = format!("{TWO}0?");
        for (reference, expected) in [
            (reference(Some(ONE), None), ONE),
            (reference(Some(&ONE.to_uppercase()), None), ONE),
            (reference(Some(&format!("{TWO}0")), None), ask.as_str()),
            (reference(Some("not an id"), None), "InvalidSpec"),
            (reference(Some("../databases"), None), "InvalidSpec"),
            (reference(None, Some("orders")), ONE),
            (reference(None, Some("Orders")), "DatabaseNotFound"),
            (reference(None, Some("staging")), "DatabaseAmbiguous"),
            (reference(None, None), "InvalidSpec"),
            (reference(Some(ONE), Some("orders")), "InvalidSpec"),
        ] {
            assert_eq!(found(&reference, None, &all), expected, "{reference:?}");
        }
    }

    #[test]
    fn a_name_that_moved_is_not_followed_while_the_first_database_lives() {
        let by_name = reference(None, Some("orders"));
        let ask = format!("{ONE}?");
        for (all, expected) in [
            // Another one has the name, and the first goes on under a new one.
            ([database(ONE, "orders-old", "ACTIVE"), database(TWO, "orders", "ACTIVE")], "Conflict"),
            ([database(ONE, "orders-old", "TERMINATING"), database(TWO, "orders", "ACTIVE")], TWO),
            ([database(ONE, "orders", "TERMINATING"), database(TWO, "orders", "ACTIVE")], TWO),
            ([database(THREE, "other", "ACTIVE"), database(TWO, "orders", "ACTIVE")], TWO),
            // No other one has the name: the first is gone, or is called otherwise.
            ([database(ONE, "orders-old", "ACTIVE"), database(TWO, "other", "ACTIVE")], "DatabaseNotFound"),
            ([database(ONE, "orders", "TERMINATED"), database(TWO, "other", "ACTIVE")], &ask),
        ] {
            assert_eq!(found(&by_name, Some(ONE), &all), expected, "{all:?}");
        }
    }

    #[test]
    fn an_ambiguous_name_shows_the_ids() {
        let all = [database(TWO, "staging", "ACTIVE"), database(THREE, "staging", "ACTIVE")];
        let Resolution::Problem(problem) = resolve(&reference(None, Some("staging")), None, &all[..]) else {
            panic!("found one");
        };
        assert!(problem.message.contains(TWO) && problem.message.contains(THREE), "{}", problem.message);
    }

    #[test]
    fn a_status_tells_whether_changes_are_taken() {
        for (status, expected) in [
            ("ACTIVE", None),
            ("HIBERNATED", None),
            ("A_STATUS_OF_TOMORROW", None),
            ("MAINTENANCE", Some(Reason::DatabaseNotReady)),
            ("INITIALIZING", Some(Reason::DatabaseNotReady)),
            ("RESIZING", Some(Reason::DatabaseNotReady)),
            ("PARKED", Some(Reason::DatabaseParked)),
            ("UNPARKING", Some(Reason::DatabaseParked)),
            ("TERMINATING", Some(Reason::DatabaseTerminated)),
            ("TERMINATED", Some(Reason::DatabaseTerminated)),
        ] {
            let database = database(ONE, "orders", status);
            assert_eq!(unavailable(&database).map(|problem| problem.reason), expected, "{status}");
            let missing = missing(&database.id, Some(&database)).reason;
            assert_eq!(missing, expected.unwrap_or(Reason::DatabaseNotReady), "{status}, not listed");
        }
        assert_eq!(missing(&ONE.parse().unwrap(), None).reason, Reason::DatabaseNotFound);
    }
}
