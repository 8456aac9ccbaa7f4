//! Private endpoints, and the public side beside them.

use std::collections::BTreeMap;

use super::{
    Found,
    collection::{Object, Objects},
    rules,
};
use crate::kinds::access_list::PublicAccess;

pub(super) fn check(objects: &Objects<'_>, found: &mut Found<'_>) {
    for group in objects.groups() {
        public_side(&group, found);
    }
    regions(objects, found);
}

/// Said once for each database, at its first endpoint.
fn public_side(group: &[&Object<'_>], found: &mut Found<'_>) {
    let Some(endpoint) = group.iter().find(|object| object.endpoint().is_some()) else { return };
    let lists = || group.iter().filter_map(|object| Some((*object, object.list()?)));
    if lists().next().is_none() {
        let message = "nothing that was read restricts the public side of this database".to_owned();
        found.of(&rules::ENDPOINT_ALONE, endpoint, "spec.database", message);
    }
    if let Some((list, _)) = lists().find(|(_, spec)| spec.public_access == Some(PublicAccess::Open)) {
        let message =
            "the endpoint adds a private way in, and the access list leaves the public one open".to_owned();
        found.between(
            &rules::ENDPOINT_OPEN,
            (endpoint, "spec.database"),
            (list, "spec.publicAccess"),
            message,
        );
    }
}

/// Several databases of one region may share an endpoint, so only regions are compared.
fn regions(objects: &Objects<'_>, found: &mut Found<'_>) {
    let mut seen: BTreeMap<String, (&Object<'_>, String, &str)> = BTreeMap::new();
    for object in objects.all() {
        let Some(spec) = object.endpoint() else { continue };
        let Some(region) = spec.region.as_deref() else { continue };
        for (i, endpoint) in spec.endpoints.iter().enumerate() {
            let field = format!("spec.endpoints[{i}].id");
            match seen.get(&endpoint.id.to_lowercase()) {
                Some((other, other_field, elsewhere)) if !elsewhere.eq_ignore_ascii_case(region) => {
                    let message = format!("{} is for {region} here, and for {elsewhere} there", endpoint.id);
                    found.between(&rules::REGIONS, (object, &field), (other, other_field), message);
                }
                Some(_) => {}
                None => {
                    seen.insert(endpoint.id.to_lowercase(), (object, field, region));
                }
            }
        }
    }
}
