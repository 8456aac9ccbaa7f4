//! What a list does as a whole: its switch, and its end.

use super::{
    Found,
    collection::{Object, Objects},
    rules,
};
use crate::{
    kinds::access_list::{AstraAccessListSpec, PublicAccess},
    resource::{DeletionPolicy, Management},
};

pub(super) fn check(object: &Object<'_>, objects: &Objects<'_>, found: &mut Found<'_>) {
    let Some(spec) = object.list() else { return };
    match (spec.public_access, spec.management) {
        (Some(PublicAccess::Open), _) => {
            let kept = match spec.addresses.len() {
                0 => String::new(),
                1 => "; its address does not count".to_owned(),
                more => format!("; its {more} addresses do not count"),
            };
            found.of(&rules::OPEN, object, "spec.publicAccess", format!("everybody gets in{kept}"));
        }
        (None, Management::Shared) => {
            let mut beside = objects.beside(object).filter_map(Object::list);
            if !beside.any(decides) {
                let message = "nothing that was read switches the restriction of this database on";
                found.of(&rules::SWITCH, object, "spec.publicAccess", message.to_owned());
            }
        }
        (Some(PublicAccess::Blocked), _)
            if !objects.beside(object).any(|beside| beside.endpoint().is_some() || beside.is_peering()) =>
        {
            let message = "nothing that was read gives this database a private way in";
            found.of(&rules::BLOCKED_ALONE, object, "spec.publicAccess", message.to_owned());
        }
        _ => {}
    }
    let is_restriction =
        spec.management == Management::Exclusive && spec.public_access != Some(PublicAccess::Open);
    // A Blocked list has no address to take away.
    if is_restriction && !spec.addresses.is_empty() && spec.deletion_policy == DeletionPolicy::Delete {
        let message = "deleting this object locks out everybody who comes from the internet";
        found.of(&rules::DELETE_LOCKS, object, "spec.deletionPolicy", message.to_owned());
    }
}

/// Does it decide over the switch? (What is Open is told by a rule of its own.)
pub(super) fn decides(spec: &AstraAccessListSpec) -> bool {
    spec.public_access.is_some() || spec.management == Management::Exclusive
}
