//! The way to Astra: the one place where it is decided where tokens are sent.

use astra_devops::http::{self, HttpTransport};
use clap::Args;

use super::Failure;

/// Where the DevOps API is. Only a command line or its environment says so, never a resource.
#[derive(Clone, Debug, Args)]
pub(super) struct DevopsArgs {
    /// Base URL of the Astra DevOps API
    #[arg(long, value_name = "URL", env = "ASTRA_OPERATOR_DEVOPS_URL", default_value = http::PRODUCTION)]
    pub(super) devops_url: String,
}

impl DevopsArgs {
    /// Nothing is sent yet.
    pub(super) fn transport(&self) -> Result<HttpTransport, Failure> {
        let agent = concat!("astra-operator/", env!("CARGO_PKG_VERSION"));
        HttpTransport::new(&self.devops_url, agent)
            .map_err(|error| format!("--devops-url (or ASTRA_OPERATOR_DEVOPS_URL): {error}").into())
    }
}
