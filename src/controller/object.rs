//! Writes to the object itself. Each carries the resource version that was read, so a stale view can change nothing.

use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{KubeError, within};
use crate::{engine::Kind, resource::FINALIZER, status::Status};

/// The field manager of all statuses.
pub const MANAGER: &str = "astra-operator";

/// Does the object wait for the operator before it goes?
pub fn has_finalizer<K: Kind>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// Makes the object wait for the operator before it goes. Done before anything is made in Astra, so nothing can leak.
///
/// # Errors
/// Also when the object changed meanwhile.
pub async fn add_finalizer<K: Kind>(api: &Api<K>, object: &K) -> Result<K, KubeError> {
    let finalizers = object.finalizers().iter().map(String::as_str).chain([FINALIZER]).collect::<Vec<_>>();
    set_finalizers(api, object, object.resource_version(), &finalizers).await
}

/// Lets the object go.
///
/// # Errors
/// Also when the object changed meanwhile.
pub async fn remove_finalizer<K: Kind>(
    api: &Api<K>,
    object: &K,
    resource_version: Option<String>,
) -> Result<(), KubeError> {
    let others =
        object.finalizers().iter().map(String::as_str).filter(|name| *name != FINALIZER).collect::<Vec<_>>();
    match set_finalizers(api, object, resource_version, &others).await {
        Err(error) if error.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}

async fn set_finalizers<K: Kind>(
    api: &Api<K>,
    object: &K,
    resource_version: Option<String>,
    finalizers: &[&str],
) -> Result<K, KubeError> {
    let uid = object.meta().uid.as_deref();
    let patch =
        json!({ "metadata": { "uid": uid, "resourceVersion": resource_version, "finalizers": finalizers } });
    within(api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch))).await
}

/// Replaces the whole status, and returns the object as it is then.
///
/// Not a server-side apply: what somebody else has put into the status would be theirs, and stay there for ever.
///
/// # Errors
/// Also when the object is not the one that was read: made anew under the same name, edited, or being deleted.
pub async fn write_status<K: Kind>(
    api: &Api<K>,
    object: &K,
    resource_version: Option<String>,
    status: &Status<K::Details>,
) -> Result<K, KubeError> {
    let mut written = object.with_status(status.clone());
    let meta = written.meta_mut();
    // The UID goes out too: after a restore of etcd, resource versions are given a second time.
    meta.resource_version = resource_version;
    // The watch has emptied them, and an empty list would be taken for "forget who owns what".
    meta.managed_fields = None;
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    within(api.replace_status(&object.name_any(), &params, &written)).await
}
