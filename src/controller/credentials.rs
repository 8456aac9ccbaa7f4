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

/// What was found in a Secret, also that nothing was, is not asked for again within this time, whoever asks: five thousand
/// objects that share a Secret that is wrong would otherwise read it five thousand times.
const ONCE_IN: Duration = Duration::from_secs(1);

/// Finds the organization that an object's token opens.
pub struct Credentials {
    client: Client,
    organizations: Arc<Organizations>,
    read: Mutex<HashMap<Place, Arc<Known>>>,
}

/// Namespace, Secret, key. The namespace is the object's own: there is no other way to name one.
type Place = (String, String, String);

/// What is known of one place. The lock is held while it is read, so that those who come meanwhile share the answer.
#[derive(Default)]
struct Known(tokio::sync::Mutex<Option<Read>>);

#[derive(Clone)]
struct Read {
    found: Result<Arc<Organization>, Problem>,
    at: Instant,
    /// The token was refused: it is to be read again, but not for each object that it was refused for.
    doubted: bool,
    /// It was read because the one before was doubted.
    again: bool,
}

impl Read {
    fn holds(&self) -> bool {
        let lifetime = if self.found.is_err() { ONCE_IN } else { LIFETIME };
        !self.doubted && self.at.elapsed() < lifetime
    }
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
        let known = self.known(namespace, from);
        let mut known = known.0.lock().await;
        if let Some(read) = known.as_ref().filter(|read| read.holds()) {
            return read.found.clone();
        }
        let again = known.as_ref().is_some_and(|read| read.doubted);
        let found = self.read(namespace, from).await.map(|token| self.organizations.of(&token));
        *known = Some(Read { found: found.clone(), at: Instant::now(), doubted: false, again });
        self.forget_unused();
        found
    }

    /// The token was refused, or a person asks for a look: the Secret may have a newer one.
    pub async fn forget(&self, namespace: &str, from: &CredentialsRef) {
        let known = self.known(namespace, from);
        let mut known = known.0.lock().await;
        if let Some(read) = known.as_mut().filter(|read| !read.again || read.at.elapsed() >= ONCE_IN) {
            read.doubted = true;
        }
    }

    /// What is known of this place, by whoever has read it last.
    fn known(&self, namespace: &str, from: &CredentialsRef) -> Arc<Known> {
        let place = (namespace.to_owned(), from.secret_name.clone(), from.key.clone());
        self.lock().entry(place).or_default().clone()
    }

    /// What nobody has used for a while is forgotten, and its token with it.
    fn forget_unused(&self) {
        self.lock().retain(|_, known| match known.0.try_lock() {
            Ok(read) => read.as_ref().is_some_and(|read| read.at.elapsed() < 2 * LIFETIME),
            // It is being read.
            Err(_) => true,
        });
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

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Arc<Known>>> {
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
        let message = format!(
            "the operator may not read Secret {namespace}/{secret_name}; with the chart, rbac.secretNames and watchNamespaces give that right: {error}"
        );
        Problem::new(Reason::PermissionDenied, message)
    } else {
        Problem::new(
            Reason::KubernetesUnavailable,
            format!("reading Secret {namespace}/{secret_name}: {error}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use astra_devops::{Answer, Call, Transport, transport::TransportError};
    use futures::{FutureExt, future::BoxFuture};
    use k8s_openapi::{ByteString, jiff::Timestamp};
    use serde_json::{Value, json};
    use simulated_apiserver::ApiServer;
    use tokio::time::sleep;

    use super::*;

    /// Nothing here asks Astra.
    struct Nowhere;

    impl Transport for Nowhere {
        fn send<'a>(&'a self, _: &'a Token, _: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            std::future::pending().boxed()
        }
    }

    struct Cluster {
        server: ApiServer,
        credentials: Credentials,
        organizations: Arc<Organizations>,
    }

    fn secret(namespace: &str, token: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "astra", "namespace": namespace },
            "data": { "token": ByteString(token.as_bytes().to_vec()) },
        })
    }

    fn from() -> CredentialsRef {
        CredentialsRef { secret_name: "astra".to_owned(), key: "token".to_owned() }
    }

    impl Cluster {
        fn new() -> Self {
            let server = ApiServer::new(&[], Timestamp::now);
            for name in ["team", "other"] {
                let metadata = json!({ "name": name });
                server
                    .create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }))
                    .unwrap();
            }
            let organizations = Arc::new(Organizations::new(Arc::new(Nowhere), 4, Duration::ZERO));
            let credentials = Credentials::new(server.client("operator", "default"), organizations.clone());
            Self { server, credentials, organizations }
        }

        fn put(&self, namespace: &str, token: &str) {
            self.remove(namespace);
            self.server.create(secret(namespace, token)).unwrap();
        }

        fn remove(&self, namespace: &str) {
            // There may be none.
            let _ = self.server.delete("secrets", namespace, "astra");
        }

        /// Is this the token that an object in `namespace` acts with? Or the reason why it has none.
        async fn uses(&self, namespace: &str, token: &str) -> Result<bool, Reason> {
            let organization = self.credentials.organization(namespace, &from()).await;
            let organization = organization.map_err(|problem| problem.reason)?;
            Ok(Arc::ptr_eq(&organization, &self.organizations.of(&Token::new(token).unwrap())))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_again_after_half_a_minute_and_at_once_when_its_token_was_refused() {
        let cluster = Cluster::new();
        cluster.put("team", "AstraCS:one");
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Ok(true));
        cluster.put("team", "AstraCS:two");
        sleep(LIFETIME.mul_f64(0.9)).await;
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Ok(true), "not for each look of each object");
        assert_eq!(cluster.server.requests().len(), 1);
        sleep(LIFETIME.mul_f64(0.2)).await;
        assert_eq!(cluster.uses("team", "AstraCS:two").await, Ok(true));

        cluster.put("team", "AstraCS:three");
        assert_eq!(cluster.uses("team", "AstraCS:two").await, Ok(true));
        cluster.credentials.forget("team", &from()).await;
        assert_eq!(cluster.uses("team", "AstraCS:three").await, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_once_for_all_who_come_together_and_once_a_second_for_all_whom_it_fails() {
        let cluster = Cluster::new();
        let all = async || {
            let uses = || cluster.uses("team", "AstraCS:one");
            futures::future::join_all((0..100).map(|_| uses())).await
        };
        assert!(all().await.iter().all(|found| *found == Err(Reason::SecretNotFound)));
        assert_eq!(cluster.server.requests().len(), 1, "it is missing for all of them");
        cluster.put("team", "AstraCS:one");
        sleep(ONCE_IN).await;
        assert!(all().await.iter().all(|found| *found == Ok(true)));
        assert_eq!(cluster.server.requests().len(), 2);
        for _ in 0..100 {
            cluster.credentials.forget("team", &from()).await;
            cluster.uses("team", "AstraCS:one").await.unwrap();
        }
        assert_eq!(cluster.server.requests().len(), 3, "it was refused for all of them");
        sleep(ONCE_IN).await;
        cluster.credentials.forget("team", &from()).await;
        cluster.uses("team", "AstraCS:one").await.unwrap();
        assert_eq!(cluster.server.requests().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_is_gone_leaves_no_token_behind() {
        let cluster = Cluster::new();
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Err(Reason::SecretNotFound));
        cluster.put("team", "AstraCS:one");
        sleep(ONCE_IN).await;
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Ok(true));
        cluster.remove("team");
        sleep(LIFETIME).await;
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Err(Reason::SecretNotFound));
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Err(Reason::SecretNotFound), "nor later");
    }

    #[tokio::test(start_paused = true)]
    async fn each_namespace_has_its_own_secret_and_they_are_read_by_name_alone() {
        let cluster = Cluster::new();
        cluster.put("team", "AstraCS:one");
        cluster.put("other", "AstraCS:two");
        assert_eq!(cluster.uses("team", "AstraCS:one").await, Ok(true));
        assert_eq!(cluster.uses("other", "AstraCS:two").await, Ok(true));
        assert_eq!(cluster.uses("third", "AstraCS:one").await, Err(Reason::SecretNotFound));
        cluster.credentials.forget("team", &from()).await;
        cluster.remove("other");
        assert_eq!(cluster.uses("other", "AstraCS:two").await, Ok(true), "the other's is not forgotten");
        let requests = cluster.server.requests();
        let asked: Vec<_> =
            requests.iter().map(|request| (request.method.as_str(), &*request.path)).collect();
        let path = |namespace: &str| format!("/api/v1/namespaces/{namespace}/secrets/astra");
        let paths = ["team", "other", "third"].map(path);
        assert_eq!(asked, paths.each_ref().map(|path| ("GET", path.as_str())));
    }
}
