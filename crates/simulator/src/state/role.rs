//! What the roles that every organization has by default may do, as far as it matters for the paths that are simulated.

/// A permission of each area, in the service's words.
const EVERYTHING: &[&str] = &[
    "accesslist-read",
    "accesslist-write",
    "db-cql",
    "db-keyspace-create",
    "db-keyspace-drop",
    "db-manage-privateendpoint",
    "db-manage-region",
    "org-db-addpeering",
    "org-db-create",
    "org-db-expand",
    "org-db-passwordreset",
    "org-db-readpeering",
    "org-db-suspend",
    "org-db-terminate",
    "org-db-view",
];

/// The default roles. What a database administrator may do is documented for private endpoints; the rest is inferred
/// from the roles' names.
const ROLES: &[(&str, &[&str])] = &[
    ("Organization Administrator", EVERYTHING),
    ("Database Administrator", EVERYTHING),
    ("Read/Write User", &["db-cql", "db-keyspace-create", "org-db-view"]),
    ("Read Only User", &["org-db-view"]),
    ("Billing Administrator", &[]),
];

/// What a token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Vec<String>);

impl Permissions {
    /// The permissions of a role, if there is such a role, and more.
    #[must_use]
    pub fn new(role: Option<&str>, more: &[String]) -> Self {
        let of_role = role.and_then(of_role).unwrap_or_default().iter().map(ToString::to_string);
        Self(of_role.chain(more.iter().cloned()).collect())
    }

    /// Is any of these among them? Nothing asked is always granted.
    #[must_use]
    pub fn any(&self, of: &[&str]) -> bool {
        of.is_empty() || of.iter().any(|permission| self.0.iter().any(|have| have == permission))
    }
}

pub(super) fn of_role(name: &str) -> Option<&'static [&'static str]> {
    ROLES.iter().find(|(role, _)| role.eq_ignore_ascii_case(name)).map(|(_, permissions)| *permissions)
}

pub(super) fn names() -> Vec<&'static str> {
    ROLES.iter().map(|(name, _)| *name).collect()
}
