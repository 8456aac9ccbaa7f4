//! Making, changing and deleting objects: the rules that hold however the request is made.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    managers::Managers,
    object,
    refusal::{self, Refusal},
    resource::{NAMESPACES, Resource},
    state::{Author, State},
    store::{Key, Stored},
};

/// How an object is changed.
pub(crate) struct Change {
    /// Through the status subresource?
    pub(crate) status: bool,
    /// Is it a whole object, and not a patch?
    pub(crate) whole: bool,
    /// Who owns what afterwards, if that is known already.
    pub(crate) managers: Option<Managers>,
}

/// What a deletion depends on.
#[derive(Default)]
pub(crate) struct Preconditions {
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
}

/// What came of a deletion.
pub(crate) enum Deletion {
    /// It is gone. This was its id.
    Gone(String),
    /// It goes later.
    Going(Arc<Stored>),
}

impl State {
    /// Makes an object.
    pub(crate) fn create(
        &mut self,
        resource: &Resource,
        namespace: &str,
        body: Value,
        author: &Author,
        managers: Option<Managers>,
    ) -> Result<Arc<Stored>, Refusal> {
        let mut new = object::normalise(resource, body);
        let sent = new["metadata"]["namespace"].as_str().unwrap_or_default();
        if !sent.is_empty() && sent != namespace {
            return Err(refusal::bad_request(OTHER_NAMESPACE));
        }
        if resource.namespaced {
            new["metadata"]["namespace"] = json!(namespace);
        }
        let mut name = new["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if let Some(prefix) = new["metadata"]["generateName"].as_str().filter(|_| name.is_empty()) {
            name = format!("{prefix}{}", self.suffix());
            new["metadata"]["name"] = json!(name);
        }
        if resource.namespaced {
            self.check_namespace(resource, namespace, &name)?;
        }
        if self.closing.contains(&resource.plural) {
            let message = "create not allowed while custom resource definition is terminating";
            return Err(refusal::failure(405, "MethodNotAllowed", message.to_owned()));
        }
        if !new["metadata"]["resourceVersion"].is_null() {
            return Err(refusal::internal("resourceVersion should not be set on objects to be created"));
        }
        object::check_name(resource, &name)?;
        let key = Key::new(&resource.plural, namespace, &name);
        self.begin(resource, &mut new);
        object::check_content(resource, &name, &new, None, self.judges_rules)?;
        if let Some(old) = self.store.objects.get(&key) {
            return Err(refusal::already_exists(resource, &name, old.is_going()));
        }
        let managers = managers.unwrap_or_else(|| {
            let mut managers = Managers::default();
            managers.updated(
                &resource.schema,
                &author.manager(false, false),
                &json!({}),
                &owned_part(&new, false),
            );
            managers
        });
        Ok(self.store(&key, new, managers, !resource.status, (author, false)))
    }

    /// Objects are made in a namespace that is there and stays.
    fn check_namespace(&self, resource: &Resource, namespace: &str, name: &str) -> Result<(), Refusal> {
        let found = self.store.objects.get(&Key::new(NAMESPACES, "", namespace));
        match (found, self.served.get(NAMESPACES)) {
            (None, Some(namespaces)) => Err(refusal::not_found(namespaces, namespace)),
            (Some(found), _) if found.is_going() => Err(refusal::terminating(resource, namespace, name)),
            _ => Ok(()),
        }
    }

    /// What the server itself says of a fresh object.
    fn begin(&mut self, resource: &Resource, new: &mut Value) {
        let metadata = &mut new["metadata"];
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
            metadata.as_object_mut().map(|metadata| metadata.remove(field));
        }
        metadata["uid"] = json!(self.new_uid());
        metadata["creationTimestamp"] = self.now();
        if resource.custom {
            metadata["generation"] = json!(1);
        }
        if resource.plural == NAMESPACES {
            metadata["labels"]["kubernetes.io/metadata.name"] = metadata["name"].clone();
        }
        if resource.status {
            new.as_object_mut().map(|new| new.remove("status"));
            // Only the defaults of the status come back.
            resource.schema.default(new);
        }
    }

    /// Changes an object.
    pub(crate) fn change(
        &mut self,
        resource: &Resource,
        key: &Key,
        body: Value,
        how: Change,
        author: &Author,
    ) -> Result<Arc<Stored>, Refusal> {
        let Some(old) = self.store.objects.get(key).cloned() else {
            return Err(refusal::not_found(resource, &key.name));
        };
        let mut new = object::normalise(resource, body);
        check_identity(resource, key, &old, &new, how.whole)?;
        let was = &old.value["metadata"];
        let mut claims = false;
        if how.status {
            let status = new["status"].take();
            new = (*old.value).clone();
            new["status"] = status;
            if new["status"].is_null() {
                new.as_object_mut().map(|new| new.remove("status"));
                resource.schema.default(&mut new);
            }
        } else {
            let metadata = &mut new["metadata"];
            // These are the server's own: what is sent does not count.
            for field in ["creationTimestamp", "generation", "resourceVersion"] {
                metadata[field] = was[field].clone();
            }
            for field in ["namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
                if metadata[field].is_null() {
                    metadata[field] = was[field].clone();
                }
            }
            if old.is_going() && metadata["deletionTimestamp"] != was["deletionTimestamp"] {
                // Not refused and not taken over; but the sender owns the field from now on, and that is a write.
                metadata["deletionTimestamp"] = was["deletionTimestamp"].clone();
                claims = true;
            }
            object::check_metadata(resource, &key.name, was, metadata)?;
            metadata
                .as_object_mut()
                .into_iter()
                .for_each(|fields| fields.retain(|_, value| !value.is_null()));
            if resource.status {
                new["status"] = old.value["status"].clone();
            }
            if resource.custom && !object::same_content(&old.value, &new) {
                bump(&mut new);
            }
        }
        object::check_content(resource, &key.name, &new, Some(&old.value), self.judges_rules)?;
        let managers = how.managers.unwrap_or_else(|| {
            let mut managers = old.managers.clone();
            let (before, after) = (owned_part(&old.value, how.status), owned_part(&new, how.status));
            let by = author.manager(false, how.status);
            managers.updated(&resource.schema, &by, &before, &after);
            if claims {
                managers.claim(by, ".metadata.deletionTimestamp");
            }
            managers
        });
        if old.has_status && *old.value == new && old.managers == managers {
            return Ok(old);
        }
        if old.is_going() && new["metadata"]["finalizers"].is_null() {
            // The last write is not stored: watches are told of the object as it was, the finalizer still on it. The
            // answer has what was written, and the version that was there before.
            self.remove(key, (*old.value).clone(), (author, how.status));
            return Ok(Arc::new(Stored::new(new, old.revision, managers, true)));
        }
        Ok(self.store(key, new, managers, true, (author, how.status)))
    }

    /// Deletes an object: at once, or later if it has finalizers.
    pub(crate) fn delete(
        &mut self,
        resource: &Resource,
        key: &Key,
        conditions: &Preconditions,
        author: &Author,
    ) -> Result<Deletion, Refusal> {
        let Some(old) = self.store.objects.get(key).cloned() else {
            return Err(refusal::not_found(resource, &key.name));
        };
        check_preconditions(resource, key, &old, conditions)?;
        if resource.plural == NAMESPACES {
            return Ok(self.delete_namespace(key, &old, author));
        }
        if old.meta("finalizers").is_null() {
            self.remove(key, (*old.value).clone(), (author, false));
            return Ok(Deletion::Gone(old.text("uid").to_owned()));
        }
        if old.is_going() {
            return Ok(Deletion::Going(old));
        }
        let mut new = (*old.value).clone();
        new["metadata"]["deletionTimestamp"] = self.now();
        new["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        if resource.custom {
            bump(&mut new);
        }
        Ok(Deletion::Going(self.store(key, new, old.managers.clone(), true, (author, false))))
    }

    /// All that is in it is deleted; it goes with the last of them. What a controller does a little later on a real
    /// cluster is done at once here.
    fn delete_namespace(&mut self, key: &Key, old: &Arc<Stored>, author: &Author) -> Deletion {
        let mut going = old.clone();
        if !old.is_going() {
            let mut new = (*old.value).clone();
            new["metadata"]["deletionTimestamp"] = self.now();
            new["status"]["phase"] = json!("Terminating");
            going = self.store(key, new, old.managers.clone(), true, (author, false));
        }
        let inside: Vec<Key> =
            self.store.objects.keys().filter(|other| other.namespace == key.name).cloned().collect();
        if inside.is_empty() {
            self.remove(key, (*going.value).clone(), (author, false));
        }
        self.delete_all(&inside, author);
        Deletion::Going(going)
    }

    /// Deletes these objects, as far as their finalizers let them go.
    pub(crate) fn delete_all(&mut self, keys: &[Key], author: &Author) {
        for key in keys {
            if let Some(resource) = self.resource(&key.plural) {
                // One that is gone meanwhile need not be deleted.
                let _ = self.delete(&resource, key, &Preconditions::default(), author);
            }
        }
    }
}

/// Said when path and body differ.
pub(crate) const OTHER_NAMESPACE: &str =
    "the namespace of the provided object does not match the namespace sent on the request";

/// Is the body about the object that is there, as it is there?
fn check_identity(
    resource: &Resource,
    key: &Key,
    old: &Stored,
    new: &Value,
    whole: bool,
) -> Result<(), Refusal> {
    let sent = |field: &str| new["metadata"][field].as_str().unwrap_or_default();
    if sent("name").is_empty() {
        return Err(refusal::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            key.name
        )));
    }
    if sent("name") != &*key.name {
        return Err(refusal::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            sent("name"),
            key.name
        )));
    }
    if !sent("namespace").is_empty() && sent("namespace") != &*key.namespace {
        return Err(refusal::bad_request(OTHER_NAMESPACE));
    }
    let uid = sent("uid");
    if whole && !uid.is_empty() && uid != old.text("uid") {
        let place = resource.storage_key(&key.namespace, &key.name);
        return Err(refusal::another_uid(resource, &place, &key.name, uid, old.text("uid")));
    }
    match sent("resourceVersion") {
        "" | "0" if resource.unconditional => Ok(()),
        "" | "0" => Err(refusal::version_missing(resource, &key.name)),
        version if version == old.text("resourceVersion") => Ok(()),
        _ => Err(refusal::modified(resource, &key.name)),
    }
}

fn check_preconditions(
    resource: &Resource,
    key: &Key,
    old: &Stored,
    conditions: &Preconditions,
) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(refusal::precondition(resource, &key.name, why));
    if let Some(uid) = conditions.uid.as_ref().filter(|uid| *uid != old.text("uid")) {
        return refuse(&format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            old.text("uid")
        ));
    }
    if let Some(version) =
        conditions.version.as_ref().filter(|version| *version != old.text("resourceVersion"))
    {
        return refuse(&format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            old.text("resourceVersion")
        ));
    }
    Ok(())
}

fn bump(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
    object["metadata"]["generation"] = json!(generation + 1);
}

/// The fields that a request may own: only the status through its subresource, all else otherwise.
pub(crate) fn owned_part(object: &Value, status: bool) -> Value {
    let mut part = serde_json::Map::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        let belongs = match name.as_str() {
            "apiVersion" | "kind" => false,
            "status" => status,
            _ => !status,
        };
        if belongs && name != "metadata" {
            part.insert(name.clone(), value.clone());
        }
    }
    if !status {
        let mut metadata = serde_json::Map::new();
        for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
            if !object["metadata"][field].is_null() {
                metadata.insert(field.to_owned(), object["metadata"][field].clone());
            }
        }
        if !metadata.is_empty() {
            part.insert("metadata".to_owned(), Value::Object(metadata));
        }
    }
    Value::Object(part)
}
