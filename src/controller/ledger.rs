//! Announcements to the object's status, before anything is sent.

use futures::{FutureExt, future::BoxFuture};
use kube::{Api, ResourceExt};

use super::{KubeError, events::Events, object};
use crate::{
    engine::{
        Event, Kind,
        ledger::{Ledger, NotAnnounced, Order},
    },
    status::{Status, limits},
};

/// Writes announcements to the object, and keeps what was done for its events.
pub struct ObjectLedger<'a, K: Kind> {
    api: &'a Api<K>,
    object: &'a K,
    resource_version: Option<String>,
    written: Status<K::Details>,
    done: Vec<Event>,
}

impl<'a, K: Kind> ObjectLedger<'a, K> {
    /// A ledger for the object as it was read.
    pub fn new(api: &'a Api<K>, object: &'a K) -> Self {
        Self {
            api,
            object,
            resource_version: object.resource_version(),
            written: object.status().cloned().unwrap_or_default(),
            done: Vec::new(),
        }
    }

    /// Writes the status, within its limits, if it differs from the one that is there. Is the object, as the API server
    /// has it now, still the one that was read?
    ///
    /// # Errors
    /// As [`object::write_status`].
    pub async fn write(&mut self, status: &Status<K::Details>) -> Result<bool, KubeError> {
        let status = &limits::bounded(status);
        if *status != self.written {
            let version = self.resource_version.clone();
            let now = object::write_status(self.api, self.object, version, status).await?;
            self.resource_version = now.resource_version();
            self.written.clone_from(status);
            return Ok(self.is_same(&now));
        }
        Ok(true)
    }

    fn is_same(&self, now: &K) -> bool {
        let (read, now) = (self.object.meta(), now.meta());
        read.uid == now.uid
            && read.generation == now.generation
            && read.deletion_timestamp.is_some() == now.deletion_timestamp.is_some()
    }

    /// Was anything written in this turn?
    pub fn has_announced(&self) -> bool {
        self.resource_version != self.object.resource_version()
    }

    /// The resource version of the last write.
    pub fn resource_version(&self) -> Option<String> {
        self.resource_version.clone()
    }

    /// What was done and is not published yet.
    pub fn unpublished(&self) -> &[Event] {
        &self.done
    }

    /// Publishes what was done.
    pub async fn publish(&mut self, events: &Events) {
        for event in self.done.drain(..) {
            events.happened(self.object, &event).await;
        }
    }
}

impl<K: Kind> Ledger<K> for ObjectLedger<'_, K> {
    fn announce<'b>(
        &'b mut self,
        status: &'b Status<K::Details>,
        _: &'b [Order<K::Step>],
    ) -> BoxFuture<'b, Result<(), NotAnnounced>> {
        // An announcement has the time in it and so always differs: it is a write with the UID and the resource version
        // that were read. What comes back is the object as the API server has it, so that what is sent next never rests
        // on a stale view: not even after a restore of etcd, which gives resource versions a second time.
        async move {
            let failed = |error: KubeError| {
                let kind = if error.is_stale() { NotAnnounced::Stale } else { NotAnnounced::Failed };
                kind(error.to_string())
            };
            if self.write(status).await.map_err(failed)? {
                Ok(())
            } else {
                Err(NotAnnounced::Stale("it was changed or deleted meanwhile".to_owned()))
            }
        }
        .boxed()
    }

    fn done(&mut self, order: &Order<K::Step>, event: Event) {
        tracing::info!(why = order.why, call = %order.call, "{}", event.note);
        self.done.push(event);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;
    use kube::CustomResourceExt;
    use serde_json::json;
    use simulated_apiserver::ApiServer;

    use super::*;
    use crate::kinds::AstraAccessList;

    /// A restore of etcd gives a resource version a second time, to another state: the API server takes the write, and
    /// only its answer tells.
    #[tokio::test(start_paused = true)]
    async fn a_write_that_met_another_spec_under_the_same_version_is_told() {
        let kind = AstraAccessList::crd();
        let plural = kind.spec.names.plural.clone();
        let server = ApiServer::new(&[kind], Timestamp::now);
        let with = |address: &str| json!({ "spec": { "addresses": [{ "address": address }] } });
        let mut object = with("10.0.0.1");
        object["apiVersion"] = json!("astra.datastax.com/v1beta1");
        object["kind"] = json!("AstraAccessList");
        object["metadata"] = json!({ "name": "o", "namespace": "default" });
        object["spec"]["database"] = json!({ "name": "orders" });
        server.create(object).unwrap();
        let snapshot = server.snapshot();
        let noted = json!({ "metadata": { "annotations": { "team": "a" } } });
        server.merge(&plural, "default", "o", noted).unwrap();
        let api: Api<AstraAccessList> = Api::default_namespaced(server.client("operator", "default"));
        let read = api.get("o").await.unwrap();
        let status = |generation| Status { observed_generation: Some(generation), ..Status::default() };

        let mut ledger = ObjectLedger::new(&api, &read);
        assert!(ledger.write(&status(1)).await.unwrap(), "it is the one that was read");

        server.restore(&snapshot);
        server.merge(&plural, "default", "o", with("10.0.0.2")).unwrap();
        let mut ledger = ObjectLedger::new(&api, &read);
        assert!(!ledger.write(&status(1)).await.unwrap(), "it has another spec");
    }
}
