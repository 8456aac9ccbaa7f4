//! Is a state file one that makes sense? Every mistake is named with its field.

use std::collections::BTreeSet;

use super::{Database, State, TokenEntry, role};
use crate::address;

/// A state that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is not of the expected form.
    #[error("the state cannot be read: {0}")]
    Unreadable(String),
    /// It cannot be written as YAML.
    #[error("the state cannot be written: {0}")]
    Unwritable(String),
    /// It has the right form, and makes no sense. One text for each mistake, each with the field's path.
    #[error("the state is not valid: {}", .0.join("; "))]
    Invalid(Vec<String>),
}

impl State {
    /// Looks for mistakes.
    pub fn validate(&self) -> Result<(), StateError> {
        let mut mistakes = Mistakes::default();
        if self.organizations.is_empty() {
            mistakes.add("organizations", "at least one is needed");
        }
        mistakes.unique(
            "organizations",
            "id",
            self.organizations.iter().map(|organization| &*organization.id),
        );
        mistakes.unique("tokens", "token", self.tokens.iter().map(|token| &*token.token));
        mistakes.unique("databases", "id", self.databases.iter().map(|database| &*database.id));
        for (i, organization) in self.organizations.iter().enumerate() {
            for (j, entry) in organization.devops_acl.iter().flatten().enumerate() {
                mistakes.address(&format!("organizations[{i}].devopsAcl[{j}].address"), &entry.address);
            }
        }
        for (i, token) in self.tokens.iter().enumerate() {
            self.check_token(&format!("tokens[{i}]"), token, &mut mistakes);
        }
        for (i, database) in self.databases.iter().enumerate() {
            self.check_database(&format!("databases[{i}]"), database, &mut mistakes);
        }
        if mistakes.0.is_empty() { Ok(()) } else { Err(StateError::Invalid(mistakes.0)) }
    }

    fn knows_organization(&self, id: &str) -> bool {
        self.organizations.iter().any(|organization| organization.id == id)
    }

    fn check_token(&self, field: &str, token: &TokenEntry, mistakes: &mut Mistakes) {
        if !token.token.starts_with("AstraCS:") {
            // The text itself is not shown: somebody may have put a real one here.
            mistakes.add(&format!("{field}.token"), "must start with AstraCS:");
        }
        if !self.knows_organization(&token.organization) {
            let text = format!("there is no organization {:?}", token.organization);
            mistakes.add(&format!("{field}.organization"), &text);
        }
        match &token.role {
            Some(name) if role::of_role(name).is_none() => {
                let text = format!("unknown role {name:?}, known are {}", role::names().join(", "));
                mistakes.add(&format!("{field}.role"), &text);
            }
            _ => {}
        }
    }

    fn check_database(&self, field: &str, database: &Database, mistakes: &mut Mistakes) {
        if !self.knows_organization(&database.organization) {
            let text = format!("there is no organization {:?}", database.organization);
            mistakes.add(&format!("{field}.organization"), &text);
        }
        let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain(&database.id) {
            mistakes.add(&format!("{field}.id"), "must be letters, digits and hyphens");
        }
        if database.datacenters.is_empty() {
            mistakes.add(&format!("{field}.datacenters"), "at least one is needed");
        }
        let datacenters = database.datacenters.iter().map(|datacenter| &*datacenter.id);
        mistakes.unique(&format!("{field}.datacenters"), "id", datacenters);
        for (i, entry) in database.access_list.iter().flat_map(|list| &list.addresses).enumerate() {
            mistakes.address(&format!("{field}.accessList.addresses[{i}].address"), &entry.address);
        }
        for (i, link) in database.private_links.iter().enumerate() {
            if database.datacenter(&link.datacenter_id).is_none() {
                let text = format!("the database has no datacenter {:?}", link.datacenter_id);
                mistakes.add(&format!("{field}.privateLinks[{i}].datacenterId"), &text);
            }
        }
        let links = database.private_links.iter().map(|link| &*link.datacenter_id);
        mistakes.unique(&format!("{field}.privateLinks"), "datacenterId", links);
    }
}

#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, field: &str, text: &str) {
        self.0.push(format!("{field}: {text}"));
    }

    fn address(&mut self, field: &str, address: &str) {
        if let Err(reason) = address::check(address) {
            self.add(field, &reason);
        }
    }

    fn unique<'a>(&mut self, list: &str, field: &str, values: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (i, value) in values.enumerate() {
            if !seen.insert(value) {
                self.add(&format!("{list}[{i}].{field}"), "is there twice");
            }
        }
    }
}
