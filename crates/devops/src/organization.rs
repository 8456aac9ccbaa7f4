//! The organization that a token belongs to (`/v2/currentOrg`).

use serde::Deserialize;

use crate::{Answer, Call, Endpoint, Method, answer::ReadError};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Organization {
    /// Its id, a UUID.
    pub id: String,
}

/// `GET /v2/currentOrg`: the organization of the token.
#[derive(Clone, Copy, Debug)]
pub struct GetCurrentOrganization;

impl Endpoint for GetCurrentOrganization {
    type Output = Organization;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "currentOrg"], "org-read")
    }

    fn read(&self, answer: &Answer) -> Result<Organization, ReadError> {
        answer.read()
    }
}
