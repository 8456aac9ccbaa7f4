//! A database's IP access list (`/v2/databases/{id}/access-list`, `/v2/access-lists`).
//!
//! There is no operation here that deletes a whole list: without an address, `DELETE` reopens public access.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Answer, Call, Endpoint, Method, answer::ReadError, id::DatabaseId, lenient::or_default};

const READ: &str = "accesslist-read";
const WRITE: &str = "accesslist-write";

/// A database's access list as Astra has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessList {
    /// Whose list it is.
    pub database_id: DatabaseId,
    /// Its entries, in the order they were added.
    #[serde(default, deserialize_with = "or_default")]
    pub addresses: Vec<Entry>,
    /// Its switches.
    #[serde(default, deserialize_with = "or_default")]
    pub configurations: Configurations,
}

/// The switches of a list (`configurations`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Configurations {
    /// Is access restricted to the list? With `true` and no entry, nobody gets in from the internet.
    #[serde(default, deserialize_with = "or_default")]
    pub access_list_enabled: bool,
}

/// One entry of a list. All three fields are required in requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry {
    /// An IPv4 address or network, in the text that Astra has it in.
    pub address: String,
    /// What it is for.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// A disabled entry lets nobody in.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
}

/// `GET /v2/access-lists`: the lists of all databases that have one.
#[derive(Clone, Copy, Debug)]
pub struct ListAccessLists;

impl Endpoint for ListAccessLists {
    type Output = Vec<AccessList>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "access-lists"], READ)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // An organization without any list is answered as a database without one.
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<Vec<AccessList>, ReadError> {
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        Ok(answer.read::<Option<_>>()?.unwrap_or_default())
    }
}

/// `GET /v2/databases/{id}/access-list`. `None` when the database has no list, and so is open.
#[derive(Clone, Debug)]
pub struct GetAccessList(pub DatabaseId);

impl Endpoint for GetAccessList {
    type Output = Option<AccessList>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &list(&self.0), READ)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // "No list yet" is 404 with a bare string; an errors object says that the database itself is unknown.
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<Option<AccessList>, ReadError> {
        if answer.status == 404 { Ok(None) } else { answer.read().map(Some) }
    }
}

/// `PUT`: the whole list and its switch in one call, so that there is no moment in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplaceAccessList {
    /// Whose list.
    pub database: DatabaseId,
    /// All its entries.
    pub addresses: Vec<Entry>,
    /// Its switches.
    pub configurations: Configurations,
}

impl Endpoint for ReplaceAccessList {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Put, &list(&self.database), WRITE)
            .body(json!({ "addresses": self.addresses, "configurations": self.configurations }))
            .safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// `POST`: adds entries, or changes those that are there. Works also while access is not restricted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAddresses {
    /// To whose list.
    pub database: DatabaseId,
    /// The entries.
    pub addresses: Vec<Entry>,
}

impl Endpoint for AddAddresses {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Post, &list(&self.database), WRITE).body(json!(self.addresses)).safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// `PATCH` of the switch alone: restricts access to the list as it is. The way back is not offered: public access is
/// reopened only by a [`ReplaceAccessList`] that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictAccess(pub DatabaseId);

impl Endpoint for RestrictAccess {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Patch, &list(&self.0), WRITE)
            .body(json!({ "configurations": Configurations { access_list_enabled: true } }))
            .safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// `DELETE` of one entry.
///
/// The current API reads the address from the query, and only the first; an older one read it from the body, and
/// either would take a request without addresses for "the whole list". So it is one address a call, in both places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveAddress {
    /// From whose list.
    pub database: DatabaseId,
    /// The address in the very text that Astra has.
    pub address: AddressText,
}

impl Endpoint for RemoveAddress {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Delete, &list(&self.database), WRITE)
            .query("addresses", self.address.as_str())
            .body(json!({ "addresses": [{ "address": self.address.as_str() }] }))
            .safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// An address as Astra writes it: never empty, because an empty one in a `DELETE` could be read as "everything".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressText(String);

impl AddressText {
    /// Takes an address' text; `None` when it is not what Astra takes for one: four numbers of up to three digits, and
    /// maybe a prefix length of 0 to 32. Numbers above 255 pass, because the text must be Astra's own, letter by letter.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        let is_address = address.split('.').count() == 4 && address.split('.').all(|part| digits(part, 3));
        let is_prefix = prefix.is_none_or(|p| {
            let padded = p.len() > 1 && p.starts_with('0');
            digits(p, 2) && !padded && p.parse::<u8>().is_ok_and(|length| length <= 32)
        });
        (is_address && is_prefix).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `POST /v2/access-list/validate`: what Astra thinks of a list, without changing anything.
#[derive(Clone, Debug)]
pub struct ValidateAccessList(pub Vec<Entry>);

/// What [`ValidateAccessList`] found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Is it valid?
    pub valid: bool,
    /// Why not.
    #[serde(default, deserialize_with = "or_default")]
    pub validation_failures: Vec<String>,
}

impl Endpoint for ValidateAccessList {
    type Output = Validation;

    fn call(&self) -> Call {
        Call::new(Method::Post, &["v2", "access-list", "validate"], READ).body(json!(self.0)).safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<Validation, ReadError> {
        answer.read()
    }
}

/// `POST /v2/access-list/template`: an example of a list.
#[derive(Clone, Copy, Debug)]
pub struct AccessListTemplate;

impl Endpoint for AccessListTemplate {
    type Output = serde_json::Value;

    fn call(&self) -> Call {
        Call::new(Method::Post, &["v2", "access-list", "template"], READ).safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<serde_json::Value, ReadError> {
        answer.read()
    }
}

fn list(database: &DatabaseId) -> [&str; 4] {
    ["v2", "databases", database.as_str(), "access-list"]
}
