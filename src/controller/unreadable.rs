//! An object that does not fit the types: stored under an older schema, or changed past the API server. It is left alone,
//! and told of.

use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::{DeserializeGuard, error_boundary::InvalidObject},
};

use super::{KindContext, within};
use crate::engine::{Event, Kind};

/// Tells of it in the log and in an event, with the field that does not fit.
pub(super) async fn tell<K: Kind>(
    guard: &DeserializeGuard<K>,
    invalid: &InvalidObject,
    kind: &KindContext<K>,
) {
    let name = invalid.metadata.name.as_deref().unwrap_or_default();
    let namespace = invalid.metadata.namespace.as_deref().unwrap_or_default();
    let fault = fault::<K>(namespace, name, kind).await.unwrap_or_else(|| invalid.error.clone());
    tracing::error!(kind = %K::kind(&()), namespace, name, error = %fault, "this object cannot be read and is left alone; it was stored under an older schema or changed by hand");
    let note = format!(
        "This object cannot be read and is left alone: {fault}. It was stored under an older schema; mend it with kubectl edit"
    );
    kind.context.events.warn_of(guard, &Event { reason: "Unreadable", note }).await;
    kind.catching_up.looked_at(guard);
}

/// Which field does not fit, and why. The watch keeps only the second, so the object is read anew. `None` where that fails,
/// or it fits by now.
async fn fault<K: Kind>(namespace: &str, name: &str, kind: &KindContext<K>) -> Option<String> {
    let client = kind.context.client.clone();
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &ApiResource::erase::<K>(&()));
    let stored = within(api.get(name)).await.ok()?;
    let stored = serde_json::to_value(stored).ok()?;
    serde_path_to_error::deserialize::<_, K>(stored).err().map(|error| error.to_string())
}
