//! The kinds: one folder each, and one line each in the registry.

pub mod access_list;
pub mod private_endpoint;
pub mod vpc_peering;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, JSON};
use kube::CustomResourceExt;
use serde_json::json;

pub use access_list::AstraAccessList;
pub use private_endpoint::AstraPrivateEndpoint;
pub use vpc_peering::AstraVpcPeering;

use crate::{
    controller::{Context, Running},
    engine::Kind,
};

/// All kinds, in the order in which they are listed everywhere.
pub const KINDS: &[Entry] =
    &[Entry::of::<AstraPrivateEndpoint>(), Entry::of::<AstraAccessList>(), Entry::of::<AstraVpcPeering>()];

/// One kind, for code that treats all kinds alike.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its definition for the API server.
    pub crd: fn() -> CustomResourceDefinition,
    /// Its own conditions, and what each tells.
    pub conditions: &'static [(&'static str, &'static str)],
    /// Its controller.
    pub run: fn(&Context) -> Running,
}

impl Entry {
    const fn of<K: Kind>() -> Self {
        Self { crd: definition::<K>, conditions: K::CONDITIONS, run: crate::controller::run::<K> }
    }
}

/// The definition of a kind, with a status that says "not looked at yet" from the first moment.
///
/// Without that default a fresh object has no status, and kstatus (Flux, Helm, `kubectl wait`) takes it for ready.
fn definition<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut definition = K::crd();
    for version in &mut definition.spec.versions {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        let status = schema.and_then(|schema| schema.properties.as_mut()?.get_mut("status"));
        if let Some(status) = status {
            status.default = Some(JSON(json!({ "observedGeneration": -1 })));
            status.description = Some("What the operator found and did.".to_owned());
            status.nullable = None;
        }
    }
    definition
}
