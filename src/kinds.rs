//! The kinds: one folder each, and one line each in the registry.

pub mod access_list;
pub mod private_endpoint;
pub mod vpc_peering;

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSON, SelectableField,
};
use kube::CustomResourceExt;
use serde_json::json;

pub use access_list::AstraAccessList;
pub use private_endpoint::AstraPrivateEndpoint;
pub use vpc_peering::AstraVpcPeering;

use crate::{
    controller::{Context, Running},
    engine::Kind,
    organization::needs::Needs,
    preview::{self, Planned, Subject, stage::World},
};

/// All kinds, in the order in which they are listed everywhere.
pub const KINDS: &[Entry] =
    &[Entry::of::<AstraPrivateEndpoint>(), Entry::of::<AstraAccessList>(), Entry::of::<AstraVpcPeering>()];

/// One kind, for code that treats all kinds alike.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub kind: &'static str,
    /// Its definition for the API server.
    pub crd: fn() -> CustomResourceDefinition,
    /// Its own conditions, and what each tells.
    pub conditions: &'static [(&'static str, &'static str)],
    /// Its controller.
    pub run: fn(&Context) -> Running,
    /// Notes what has to be read of Astra for an object that names its database by these ids and names.
    pub needs: fn(&mut Needs, &BTreeSet<String>),
    /// What would come of objects of this kind.
    pub rehearse: for<'a> fn(Vec<Subject>, &'a World) -> BoxFuture<'a, Planned>,
}

impl Entry {
    const fn of<K: Kind>() -> Self {
        Self {
            kind: K::KIND,
            crd: definition::<K>,
            conditions: K::CONDITIONS,
            run: crate::controller::run::<K>,
            needs: K::needs,
            rehearse: preview::of_kind::<K>,
        }
    }
}

/// The definition of a kind: what the derive makes of its types, and what is the same for all kinds.
fn definition<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut definition = K::crd();
    for version in &mut definition.spec.versions {
        let own = version.additional_printer_columns.take().unwrap_or_default();
        version.additional_printer_columns = Some(columns(own));
        version.selectable_fields =
            Some([".spec.database.id", ".spec.database.name"].map(selectable).to_vec());
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(status) = schema.and_then(|schema| schema.properties.as_mut()?.get_mut("status")) {
            // Without it a fresh object has no status, and kstatus (Flux, Helm, `kubectl wait`) takes it for ready.
            status.default = Some(JSON(json!({ "observedGeneration": -1 })));
            status.description = Some("What the operator found and did.".to_owned());
            status.nullable = None;
        }
    }
    definition
}

/// One line of `kubectl get`: what is it, is it ready, why not.
fn columns(own: Vec<CustomResourceColumnDefinition>) -> Vec<CustomResourceColumnDefinition> {
    let column = |name: &str, type_: &str, json_path: &str| CustomResourceColumnDefinition {
        name: name.to_owned(),
        type_: type_.to_owned(),
        json_path: json_path.to_owned(),
        ..CustomResourceColumnDefinition::default()
    };
    let ready =
        |name, part| column(name, "string", &format!(".status.conditions[?(@.type=='Ready')].{part}"));
    let database = column("Database", "string", ".status.databaseName");
    let why = [ready("Ready", "status"), ready("Reason", "reason"), ready("Message", "message")];
    let age = column("Age", "date", ".metadata.creationTimestamp");
    let paused = CustomResourceColumnDefinition {
        description: Some("With -o wide: True while the object is left alone".to_owned()),
        priority: Some(1),
        ..column("Paused", "string", ".status.conditions[?(@.type=='Paused')].status")
    };
    [database].into_iter().chain(own).chain(why).chain([paused, age]).collect()
}

fn selectable(json_path: &str) -> SelectableField {
    SelectableField { json_path: json_path.to_owned() }
}
