//! The fields of a spec, read from the definition: nothing here is listed by hand, so a new field is operated on too.

use std::fmt;

use astra_operator::kinds::Entry;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use serde_json::Value;

/// One step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    /// Into a list; the first item stands for all.
    Item,
}

/// A field, or a part of a spec that has fields: `spec.addresses`, `spec.addresses[]`, `spec.addresses[].address`.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    steps: Vec<Step>,
    pub(crate) schema: JSONSchemaProps,
    /// Must its parent have it?
    pub(crate) required: bool,
    /// Is it, or its list, judged by rules (CEL)?
    pub(crate) ruled: bool,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("spec")?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Item => f.write_str("[]"),
        })
    }
}

impl Field {
    /// Is it a field that holds a value, and not more fields?
    pub(crate) fn is_leaf(&self) -> bool {
        !matches!(self.schema.type_.as_deref(), Some("object" | "array"))
    }

    /// Its value in a spec, if the spec has it.
    pub(crate) fn get<'a>(&self, spec: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(spec, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Item => value.get(0),
        })
    }

    /// The spec with another value of this field; `None` where the spec has no place for it.
    pub(crate) fn set(&self, spec: &Value, new: Value) -> Option<Value> {
        let mut changed = spec.clone();
        let Some((last, way)) = self.steps.split_last() else { return Some(new) };
        let parent = way.iter().try_fold(&mut changed, |value, step| match step {
            Step::Field(name) => value.get_mut(name),
            Step::Item => value.get_mut(0),
        })?;
        match last {
            Step::Field(name) => {
                parent.as_object_mut()?.insert(name.clone(), new);
            }
            Step::Item => *parent.get_mut(0)? = new,
        }
        Some(changed)
    }
}

/// All fields of a kind's spec, the spec itself first.
pub(crate) fn of(entry: &Entry) -> Vec<Field> {
    let crd = (entry.crd)();
    let root = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
    let mut found = Vec::new();
    let spec = root.properties.unwrap().remove("spec").unwrap();
    collect(&Field { steps: Vec::new(), schema: spec, required: true, ruled: false }, &mut found);
    found
}

fn collect(field: &Field, found: &mut Vec<Field>) {
    found.push(field.clone());
    let child = |step: Step, schema: &JSONSchemaProps, required: bool, inherited: bool| {
        let own = schema.x_kubernetes_validations.as_ref().is_some_and(|rules| !rules.is_empty());
        Field {
            steps: field.steps.iter().cloned().chain([step]).collect(),
            schema: schema.clone(),
            required,
            ruled: own || inherited,
        }
    };
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &field.schema.items {
        // A rule on a list of texts is a rule on each of them.
        collect(
            &child(Step::Item, item, true, field.ruled && item.type_.as_deref() == Some("string")),
            found,
        );
    }
    for (name, schema) in field.schema.properties.iter().flatten() {
        let required = field.schema.required.iter().flatten().any(|required| required == name);
        collect(&child(Step::Field(name.clone()), schema, required, false), found);
    }
}
