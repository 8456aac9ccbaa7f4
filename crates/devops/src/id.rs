//! Ids that go into paths. What could climb out of its path segment does not parse.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An id that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}: expected {expected}")]
pub struct InvalidId {
    /// What it should have been.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// The form that is expected.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as Astra writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { what: $what, found: text.to_owned(), expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A database's id, a UUID in all known cases (`clusterID` in the private link paths is the same id).
    DatabaseId, "database id", "letters, digits and hyphens, as in 8fbcfe1d-56fa-4ed0-9aff-f57029feef1b", plain
);
id!(
    /// A datacenter's id: one region of one database. Looked up, never computed: for one region it is often the
    /// database's id with `-1` behind it, but not always.
    DatacenterId, "datacenter id", "letters, digits and hyphens, as in 8fbcfe1d-56fa-4ed0-9aff-f57029feef1b-1", plain
);
id!(
    /// A private endpoint's id as a cloud names it; an Azure resource id has slashes, which are encoded in paths.
    EndpointId, "endpoint id", "1 to 1024 bytes without white space", |text| {
        // `.` and `..` would be taken for path steps by URL parsers, even encoded. Azure's resource groups may have
        // letters of any alphabet in their names.
        (1..=1024).contains(&text.len())
            && !matches!(text, "." | "..")
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    }
);

fn plain(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
