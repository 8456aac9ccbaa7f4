//! What the operator may do in a cluster: exactly what it does, made from the registry.
//!
//! The chart's roles, `deploy/` and the reference are rendered from here; a live test takes each right away and sees
//! that something fails, and another one sees that no other is asked for.

use std::fmt::Write as _;

use k8s_openapi::api::rbac::v1::PolicyRule;

use crate::{kinds::KINDS, resource::GROUP};

/// Some rights of one sort, and why the operator has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// Resources and subresources, in the plural.
    pub resources: Vec<String>,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Only things of this sort of name.
    pub only: Option<Only>,
    /// What it is for, for whoever reviews it.
    pub why: &'static str,
}

/// Names that a right is held to, which are known when the operator is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// The Secrets that the one who installs it lists; all Secrets when none is listed.
    Secrets,
    /// The operator's own Lease.
    Lease,
}

/// In every namespace that is watched.
#[must_use]
pub fn watched() -> Vec<Right> {
    vec![
        Right {
            group: GROUP,
            resources: plurals(""),
            verbs: &["list", "watch", "patch"],
            only: None,
            why: "Objects are watched. A patch is only ever of the finalizer: it is added before anything is made in Astra, and removed when that is cleaned up. A spec is never written.",
        },
        Right {
            group: GROUP,
            resources: plurals("/status"),
            verbs: &["update"],
            only: None,
            why: "What was found and done.",
        },
        Right {
            group: "",
            resources: vec!["secrets".to_owned()],
            verbs: &["get"],
            only: Some(Only::Secrets),
            why: "The Secret that an object names, by its name. Secrets are never listed and never watched.",
        },
        Right {
            group: "events.k8s.io",
            resources: vec!["events".to_owned()],
            verbs: &["create"],
            only: None,
            why: "What was done and what is wrong, on the object.",
        },
    ]
}

/// In the operator's own namespace, while replicas elect a leader.
#[must_use]
pub fn lease() -> Vec<Right> {
    let right = |verbs, only, why| Right {
        group: "coordination.k8s.io",
        resources: vec!["leases".to_owned()],
        verbs,
        only,
        why,
    };
    vec![
        right(
            &["get", "update"],
            Some(Only::Lease),
            "Its one Lease, by its name. Whoever may write it can stop the operator, and choose who works.",
        ),
        right(
            &["create"],
            None,
            "The Lease, once. A right to create cannot be held to a name: there is none yet.",
        ),
    ]
}

/// What those have who may look at things in a namespace.
#[must_use]
pub fn viewers() -> Vec<Right> {
    vec![Right {
        group: GROUP,
        resources: [plurals(""), plurals("/status")].concat(),
        verbs: &["get", "list", "watch"],
        only: None,
        why: "To read the objects.",
    }]
}

/// What those have on top who may change things in a namespace.
#[must_use]
pub fn editors() -> Vec<Right> {
    vec![Right {
        group: GROUP,
        resources: plurals(""),
        verbs: &["create", "update", "patch", "delete", "deletecollection"],
        only: None,
        why: "To declare what shall be. Statuses stay the operator's.",
    }]
}

/// The names of all kinds in URLs, followed by `sub`.
fn plurals(sub: &str) -> Vec<String> {
    let mut plurals: Vec<_> = KINDS.iter().map(|entry| (entry.crd)().spec.names.plural + sub).collect();
    plurals.sort();
    plurals
}

impl Right {
    /// As it is written in a role, held to these names.
    #[must_use]
    pub fn rule(&self, names: &[String]) -> PolicyRule {
        PolicyRule {
            api_groups: Some(vec![self.group.to_owned()]),
            resources: Some(self.resources.clone()),
            resource_names: (!names.is_empty()).then(|| names.to_vec()),
            verbs: self.verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            ..PolicyRule::default()
        }
    }
}

/// The chart's named templates with the rules of its roles: the file's text.
#[must_use]
pub fn templates() -> String {
    let mut text =
        "{{- /* Written by `cargo xtask generate` from src/rights.rs. Do not edit. */ -}}\n".to_owned();
    for (name, rights) in
        [("watched", watched()), ("lease", lease()), ("viewers", viewers()), ("editors", editors())]
    {
        let _ = writeln!(text, "\n{{{{- define \"astra-operator.rights.{name}\" -}}}}");
        for right in &rights {
            text.push_str(&template(right));
        }
        text.push_str("{{- end }}\n");
    }
    text
}

/// One rule, in the flow style that keeps a role short enough to be read.
fn template(right: &Right) -> String {
    let words = |words: &[String]| words.join(", ");
    let verbs: Vec<_> = right.verbs.iter().map(|verb| (*verb).to_owned()).collect();
    let mut text = format!("- apiGroups: [{:?}]\n  resources:\n", right.group);
    for resource in &right.resources {
        let _ = writeln!(text, "    - {resource}");
    }
    match right.only {
        None => {}
        Some(Only::Lease) => text.push_str("  resourceNames: [{{ include \"astra-operator.leaseName\" . }}]\n"),
        Some(Only::Secrets) => text.push_str(
            "  {{- with .Values.rbac.secretNames }}\n  resourceNames:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n",
        ),
    }
    let _ = writeln!(text, "  verbs: [{}]", words(&verbs));
    text
}

/// The page of the reference: the name of its file, and its text.
#[must_use]
pub fn page() -> (String, String) {
    let mut text = String::from(
        "# Rights in Kubernetes\n\nWritten by `cargo xtask generate`; do not edit. The chart and `deploy/` give exactly \
         these. Each is needed: a test takes\nthem away one at a time.\n",
    );
    for (heading, words, rights) in [
        (
            "The operator, in each namespace that it watches",
            "A `ClusterRole` when it watches all, else a `Role` in each.",
            watched(),
        ),
        ("The operator, in its own namespace", "Only while a leader is elected.", lease()),
        (
            "People who may `view`",
            "Aggregated into the roles `view`, `edit` and `admin` of the cluster.",
            viewers(),
        ),
        ("People who may `edit`", "Aggregated into `edit` and `admin`.", editors()),
    ] {
        let _ = write!(
            text,
            "\n## {heading}\n\n{words}\n\n| group | resources | verbs | why |\n|---|---|---|---|\n"
        );
        for right in rights {
            let group = if right.group.is_empty() { "core" } else { right.group };
            let names = match right.only {
                None => "",
                Some(Only::Lease) => ", of its own name",
                Some(Only::Secrets) => ", or only those named at the installation",
            };
            let code = |words: &[String]| format!("`{}`", words.join("`, `"));
            let verbs: Vec<_> = right.verbs.iter().map(|verb| (*verb).to_owned()).collect();
            let _ = writeln!(
                text,
                "| `{group}` | {}{names} | {} | {} |",
                code(&right.resources),
                code(&verbs),
                right.why
            );
        }
    }
    ("rights.md".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_operator_is_a_wildcard_and_secrets_are_only_read_by_name() {
        for right in [watched(), lease()].concat() {
            assert!(!right.verbs.contains(&"*") && !right.resources.iter().any(|name| name.contains('*')));
            assert!(!right.verbs.contains(&"delete"), "{right:?}");
            if right.resources.iter().any(|name| name == "secrets") {
                assert_eq!(right.verbs, ["get"]);
            }
        }
    }

    #[test]
    fn every_kind_of_the_registry_is_in_the_rules() {
        let rights = watched();
        for entry in KINDS {
            let plural = (entry.crd)().spec.names.plural;
            assert!(rights[0].resources.contains(&plural), "{}", entry.kind);
            assert!(rights[1].resources.contains(&format!("{plural}/status")), "{}", entry.kind);
        }
    }

    #[test]
    fn a_rule_is_held_to_names() {
        let secrets = &watched()[2];
        assert_eq!(secrets.rule(&[]).resource_names, None);
        assert_eq!(secrets.rule(&["astra".to_owned()]).resource_names, Some(vec!["astra".to_owned()]));
    }
}
