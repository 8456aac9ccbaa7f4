//! Tokens, read from Secrets by name, one at a time. Secrets are never listed or watched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use astra_devops::Token;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::time::Instant;

use super::{KubeError, within};
use crate::{
    engine::{Problem, Reason},
    organization::{Organization, registry::Organizations},
    resource::CredentialsRef,
};

/// A token that was read is used this long before a look reads its Secret again; one that is refused is read again at
/// once.
const LIFETIME: Duration = Duration::from_secs(30);

/// Finds the organization that an object's token opens.
pub struct Credentials {
    client: Client,
    organizations: Arc<Organizations>,
    read: Mutex<HashMap<Place, Read>>,
}

/// Namespace, Secret, key. The namespace is the object's own: there is no other way to name one.
type Place = (String, String, String);

#[derive(Clone)]
struct Read {
    organization: Arc<Organization>,
    at: Instant,
}

impl Credentials {
    /// Reads Secrets with `client`.
    #[must_use]
    pub fn new(client: Client, organizations: Arc<Organizations>) -> Self {
        Self { client, organizations, read: Mutex::default() }
    }

    /// The organization of the token in this Secret.
    ///
    /// # Errors
    /// Which Secret, key or content is wrong.
    pub async fn organization(
        &self,
        namespace: &str,
        from: &CredentialsRef,
    ) -> Result<Arc<Organization>, Problem> {
        let place = (namespace.to_owned(), from.secret_name.clone(), from.key.clone());
        if let Some(read) = self.lock().get(&place).filter(|read| read.at.elapsed() < LIFETIME) {
            return Ok(read.organization.clone());
        }
        let result = self.read(namespace, from).await;
        let mut all = self.lock();
        all.retain(|_, read| read.at.elapsed() < 2 * LIFETIME);
        match result {
            Ok(token) => {
                let organization = self.organizations.of(&token);
                all.insert(place, Read { organization: organization.clone(), at: Instant::now() });
                Ok(organization)
            }
            Err(problem) => {
                all.remove(&place);
                Err(problem)
            }
        }
    }

    /// The token was refused: the Secret may have a newer one.
    pub fn forget(&self, namespace: &str, from: &CredentialsRef) {
        self.lock().remove(&(namespace.to_owned(), from.secret_name.clone(), from.key.clone()));
    }

    async fn read(&self, namespace: &str, from: &CredentialsRef) -> Result<Token, Problem> {
        let CredentialsRef { secret_name, key } = from;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret =
            within(secrets.get(secret_name)).await.map_err(|error| unread(namespace, from, &error))?;
        let bytes = secret.data.and_then(|mut data| data.remove(key)).ok_or_else(|| {
            Problem::new(
                Reason::SecretKeyNotFound,
                format!("Secret {namespace}/{secret_name} has no key {key:?}; put the Astra application token there, or name another key in spec.credentials.key"),
            )
        })?;
        let invalid = |why: String| {
            Problem::new(
                Reason::TokenInvalid,
                format!("Secret {namespace}/{secret_name}, key {key:?}: {why}"),
            )
        };
        let text = std::str::from_utf8(&bytes.0).map_err(|_| invalid("the token is not text".to_owned()))?;
        Token::new(text).map_err(|error| invalid(error.to_string()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unread(
    namespace: &str,
    CredentialsRef { secret_name, key }: &CredentialsRef,
    error: &KubeError,
) -> Problem {
    if error.is_not_found() {
        Problem::new(
            Reason::SecretNotFound,
            format!(
                "Secret {namespace}/{secret_name} does not exist; make it with the Astra application token under the key {key:?}: kubectl -n {namespace} create secret generic {secret_name} --from-literal={key}=AstraCS:…"
            ),
        )
    } else if error.is_forbidden() {
        let message = format!("the operator may not read Secret {namespace}/{secret_name}: {error}");
        Problem::new(Reason::PermissionDenied, message)
    } else {
        Problem::new(
            Reason::KubernetesUnavailable,
            format!("reading Secret {namespace}/{secret_name}: {error}"),
        )
    }
}
