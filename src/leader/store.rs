//! Where the Lease is kept: the API server, or in tests something that loses answers.

use futures::{FutureExt, future::BoxFuture};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};

use super::record::Record;

/// Reads and writes one Lease. No retries and no deadlines of its own.
pub trait Store: Send + Sync {
    /// What is there now, or nothing.
    fn read(&self) -> BoxFuture<'_, Result<Option<Record>, StoreError>>;

    /// Makes the Lease.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is there already.
    fn create(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>>;

    /// Replaces the Lease whose resource version `record` has.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has another version now, or another one has its name.
    fn replace(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>>;

    /// A Lease to be made, which nobody holds.
    fn blank(&self) -> Record;
}

/// Why the Lease was not read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster.
    #[error("somebody else has written it meanwhile")]
    Conflict,
    /// A right is missing, or the namespace: a person has to do something. It says what.
    #[error("{0}")]
    Refused(String),
    /// Anything else: another try may go better.
    #[error("{0}")]
    Failed(String),
}

/// The Lease in a cluster.
#[derive(Clone, Debug)]
pub struct KubernetesStore {
    api: Api<Lease>,
    namespace: String,
    name: String,
}

impl KubernetesStore {
    /// The Lease `name` in `namespace`. The client's own retries must be off: they know no deadline.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        let api = Api::namespaced(client, namespace);
        Self { api, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn judge(&self, verb: &str, error: &kube::Error) -> StoreError {
        let Self { namespace, name, .. } = self;
        match error {
            kube::Error::Api(status) if status.is_conflict() || status.is_already_exists() => {
                StoreError::Conflict
            }
            // A Lease that is gone was changed by somebody, too: reading it again tells. It is only a create that a
            // missing namespace answers so.
            kube::Error::Api(status) if status.is_not_found() && verb == "create" => {
                StoreError::Refused(format!(
                    "the Lease {name} cannot be made: there is no namespace {namespace}; make it, or name another with --lease-namespace"
                ))
            }
            kube::Error::Api(status) if status.is_not_found() => StoreError::Conflict,
            kube::Error::Api(status) if status.is_forbidden() => StoreError::Refused(format!(
                "the operator may not {verb} the Lease {namespace}/{name} ({}); give its service account the verbs get, create and update on leases of coordination.k8s.io in the namespace {namespace}, or name another namespace with --lease-namespace",
                status.message
            )),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

impl Store for KubernetesStore {
    fn read(&self) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        let read = async {
            let lease = self.api.get_opt(&self.name).await.map_err(|error| self.judge("get", &error))?;
            Ok(lease.map(Record::from))
        };
        read.boxed()
    }

    fn create(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
        let create = async move {
            let made = self.api.create(&PostParams::default(), &record.into()).await;
            made.map(Record::from).map_err(|error| self.judge("create", &error))
        };
        create.boxed()
    }

    fn replace(&self, record: Record) -> BoxFuture<'_, Result<Record, StoreError>> {
        let replace = async move {
            let replaced = self.api.replace(&self.name, &PostParams::default(), &record.into()).await;
            replaced.map(Record::from).map_err(|error| self.judge("update", &error))
        };
        replace.boxed()
    }

    fn blank(&self) -> Record {
        Record::named(&self.namespace, &self.name)
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[tokio::test]
    async fn what_the_api_server_answers_is_judged_by_what_can_be_done_about_it() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, std::convert::Infallible>>()
        });
        let store = KubernetesStore::new(Client::new(service, "team"), "team", "lease");
        let judged = |verb: &str, code: u16, reason: &str| {
            let status = Status::failure("its words", reason).with_code(code);
            store.judge(verb, &kube::Error::Api(Box::new(status)))
        };
        // Somebody else was faster, or deleted it: another look tells.
        assert_eq!(judged("update", 409, "Conflict"), StoreError::Conflict);
        assert_eq!(judged("create", 409, "AlreadyExists"), StoreError::Conflict);
        assert_eq!(judged("update", 404, "NotFound"), StoreError::Conflict);
        // A person has to do something.
        let refused = |error| match error {
            StoreError::Refused(words) => words,
            error => panic!("{error:?}"),
        };
        assert!(refused(judged("create", 404, "NotFound")).contains("there is no namespace team"));
        let forbidden = refused(judged("get", 403, "Forbidden"));
        assert!(forbidden.contains("may not get the Lease team/lease (its words)"), "{forbidden}");
        // Another try may go better.
        assert!(matches!(judged("get", 500, "InternalError"), StoreError::Failed(_)));
    }
}
