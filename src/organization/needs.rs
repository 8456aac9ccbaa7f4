//! What has to be read of an organization to know all about some objects.

use std::collections::BTreeSet;

/// What is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// All access lists.
    pub access_lists: bool,
    /// All private links.
    pub private_links: bool,
    /// The peerings of the databases with these ids or names: Astra has no list of peerings.
    pub peerings_of: BTreeSet<String>,
    /// The ids of databases that are to be known even when they are gone.
    pub databases: BTreeSet<String>,
}
