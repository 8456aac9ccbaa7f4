//! Judged by the real API server: dry runs, in a namespace without an operator.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, DynamicObject, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::json;

use crate::{
    cluster::cluster,
    table::{Refusals, Row, object},
};

/// The API server, and where the rows are tried.
pub(crate) struct Server {
    client: Client,
    namespace: String,
}

impl Server {
    pub(crate) async fn new() -> Self {
        let client = cluster().client().await;
        let namespace: Namespace =
            serde_json::from_value(json!({ "metadata": { "generateName": "cel-" } })).unwrap();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let namespace = namespaces.create(&PostParams::default(), &namespace).await.unwrap().name_any();
        Self { client, namespace }
    }

    /// Makes or changes an object as the row says, and undoes it.
    pub(crate) async fn judge(&self, row: &Row) -> Refusals {
        let gvk = GroupVersionKind::gvk("astra.datastax.com", "v1beta1", row.kind);
        let plural = format!("{}s", row.kind.to_lowercase());
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let body = |spec| {
            let mut object: DynamicObject = serde_json::from_value(object(row.kind, spec)).unwrap();
            object.metadata.namespace = Some(self.namespace.clone());
            object
        };
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let result = match &row.old {
            None => api.create(&dry, &body(&row.spec)).await,
            Some(old) => {
                let old = api.create(&PostParams::default(), &body(old)).await.unwrap();
                let mut new = body(&row.spec);
                new.metadata.resource_version = old.resource_version();
                let result = api.replace("row", &dry, &new).await;
                api.delete("row", &DeleteParams::default()).await.unwrap();
                result
            }
        };
        match result {
            Ok(_) => Refusals::new(),
            Err(kube::Error::Api(status)) => {
                let causes =
                    status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
                causes.iter().map(|cause| (cause.field.clone(), cause.message.clone())).collect()
            }
            Err(error) => panic!("{}: {error}", row.name),
        }
    }
}
