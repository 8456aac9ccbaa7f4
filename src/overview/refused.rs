//! What the Kubernetes API said no to, in words: which right is missing, or what is not installed.

use crate::controller::KubeError;

/// Something that was asked of the Kubernetes API.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The verb, as in the rule of a role.
    pub verb: &'a str,
    /// The resource, as in the rule of a role: `secrets`, `astraaccesslists.astra.datastax.com`.
    pub resource: &'a str,
    /// The name, if it is about one.
    pub name: Option<&'a str>,
    /// The namespace; all of them without it.
    pub namespace: Option<&'a str>,
}

impl Asked<'_> {
    /// Why there is no answer, and what to do.
    #[must_use]
    pub fn refused(&self, error: &KubeError) -> String {
        let Self { verb, resource, name, namespace } = self;
        let name = name.map_or_else(String::new, |name| format!(" {name}"));
        let place = namespace.map_or_else(
            || "in all namespaces".to_owned(),
            |namespace| format!("in the namespace {namespace}"),
        );
        let words = words(error);
        if error.is_forbidden() {
            format!(
                "you may not {verb} {resource}{name} {place}: ask for that right, or use another context ({words})"
            )
        } else if error.is_not_found() && name.is_empty() {
            format!(
                "this cluster has no {resource}: install the definitions with astra-operator crds | kubectl apply --server-side -f -"
            )
        } else {
            format!("to {verb} {resource}{name} {place} failed: {words}")
        }
    }
}

/// What the API server said, without the form that it came in.
#[must_use]
pub fn words(error: &KubeError) -> String {
    match error {
        KubeError::Api(kube::Error::Api(status)) if !status.message.is_empty() => status.message.clone(),
        error => error.to_string(),
    }
}
