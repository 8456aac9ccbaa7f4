//! What to do about each reason, in one or two sentences and where there is one with a command. Pure.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{engine::Reason, resource::annotation};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advised {
    /// In one or two sentences.
    pub text: String,
    /// A command for it, as it can be pasted after a look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Advised {
    /// Something to be done without a command of its own.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None }
    }

    /// The same with a command.
    #[must_use]
    pub fn with(self, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), ..self }
    }
}

/// What advice is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The kind's short name.
    pub kind: &'a str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The Secret's name.
    pub secret: &'a str,
    /// The key in it.
    pub key: &'a str,
    /// What the condition, or the plan, says of the reason.
    pub message: &'a str,
}

impl About<'_> {
    /// `kubectl -n NAMESPACE VERB KIND NAME …`
    #[must_use]
    pub fn kubectl(&self, verb: &str, rest: &str) -> String {
        let Self { kind, namespace, name, .. } = self;
        format!("kubectl -n {namespace} {verb} {kind} {name} {rest}").trim_end().to_owned()
    }

    fn look_at_it(&self) -> String {
        self.kubectl("edit", "")
    }

    fn write_the_token(&self) -> String {
        let Self { namespace, secret, key, .. } = self;
        format!(
            "kubectl -n {namespace} create secret generic {secret} --from-literal={key}=AstraCS:… --dry-run=client -o yaml | kubectl apply -f -"
        )
    }

    /// Has the operator look at once.
    #[must_use]
    pub fn look_now(&self) -> String {
        self.kubectl("annotate", &format!("--overwrite {}=\"$(date -Is)\"", annotation::RECONCILE))
    }
}

/// What to do about this reason.
#[must_use]
pub fn advice(reason: Reason, about: &About<'_>) -> Advised {
    let About { secret, key, namespace, .. } = about;
    match reason {
        Reason::UpToDate => Advised::new("Nothing: Astra is as the spec says."),
        Reason::InvalidSpec => {
            Advised::new("Change the field that the message names; it says what is expected there.")
                .with(about.look_at_it())
        }
        Reason::SecretNotFound => Advised::new(format!(
            "Make the Secret {secret} in the namespace {namespace}, with an Astra application token under the key {key:?}; or name another in spec.credentials.secretName."
        ))
        .with(about.write_the_token()),
        Reason::SecretKeyNotFound => Advised::new(format!(
            "Put the token under the key {key:?} of the Secret {secret}, or name the key that it is under in spec.credentials.key."
        ))
        .with(about.look_at_it()),
        Reason::TokenInvalid => Advised::new(format!(
            "Write exactly the AstraCS:… text under the key {key:?} of the Secret {secret}: no newline, no space, no quotes."
        ))
        .with(about.write_the_token()),
        Reason::TokenRefused => Advised::new(format!(
            "Look in the Astra Portal whether the token of the Secret {secret} still exists, belongs to the database's organization, and has a role with the permissions that docs/guide/credentials.md lists; then write the new one into the Secret."
        ))
        .with(about.write_the_token()),
        Reason::PermissionDenied => Advised::new(
            "Give the token's role the permission that the message names, and see that the organization's DevOps API access list has the operator's address. If it is the Secret that may not be read, give the operator get on it.",
        ),
        Reason::DatabaseNotFound => Advised::new(format!(
            "Compare spec.database with the Astra Portal, and check that the token in the Secret {secret} is of the organization that has the database. spec.database cannot be changed: for another one delete this object and make it anew."
        )),
        Reason::DatabaseAmbiguous => Advised::new(
            "Make the object anew with spec.database.id: one of the ids in the message. A name that several databases have tells nobody which is meant.",
        )
        .with(about.kubectl("delete", "")),
        Reason::DatabaseTerminated => {
            Advised::new("Delete the object: its database is gone, so it goes at once.")
                .with(about.kubectl("delete", ""))
        }
        Reason::DatabaseParked => Advised::new(
            "Unpark the database in the Astra Portal (its menu, Unpark): the object goes on by itself when it is active.",
        ),
        Reason::DatabaseNotReady => Advised::new(
            "Wait: the database takes no changes while it is in the state that is shown above. The object goes on by itself.",
        ),
        Reason::Conflict => Advised::new(
            "Decide which object shall have the say: the message names the other. Delete one of them, or make both management: Shared; if no other object is named, do as the message says.",
        )
        .with(about.look_at_it()),
        Reason::WaitingForPeer => Advised::new(
            "Wait for the object that the message names. If it stays like this for minutes, explain that object: whatever holds it up holds up this one, too.",
        ),
        Reason::MassRemoval => mass_removal(about),
        Reason::ChangeRefused => Advised::new(
            "Change in the spec what Astra's words in the message name: the same call would be refused again.",
        )
        .with(about.look_at_it()),
        Reason::KubernetesUnavailable => Advised::new(
            "Look at the API server: the operator could not read from it. It tries again by itself.",
        ),
        Reason::AstraUnavailable => Advised::new(
            "Wait: it is tried again by itself. If it stays for more than some minutes, check the way from the operator to the DevOps API (proxy, firewall, DNS) and Astra's status page.",
        ),
        Reason::RateLimited => Advised::new(format!(
            "Wait: Astra asked for fewer calls, and none goes out before it said so. If it comes again, see who else uses the token of the Secret {secret}."
        )),
        Reason::WaitingForAstra => Advised::new(
            "Wait: a change was sent and Astra does not show it yet. After a minute without it, it is looked into anew.",
        ),
        Reason::EndpointRejected => Advised::new(
            "Allow the endpoint's account in spec.allowedPrincipals, make the endpoint anew in the cloud, and put its new id into spec.endpoints: one that was rejected stays so.",
        )
        .with(about.look_at_it()),
        Reason::EndpointPending => Advised::new(
            "Wait, and look at the endpoint in the cloud's console: Astra has not accepted it yet, and mostly that is because it is still being made there.",
        ),
        Reason::PeeringPending => Advised::new(
            "On AWS accept the peering request in the console of the other account (VPC, Peering connections); on the other clouds wait, and check that the peering is made on your side too.",
        ),
        Reason::PeeringFailed => Advised::new(
            "Mend what the message names, then delete this object, wait until it is gone, and make it anew: a peering that failed cannot be changed.",
        )
        .with(about.kubectl("delete", "")),
        Reason::Deleting => Advised::new(
            "Wait: what the object owns is being removed, and the object goes when Astra shows that it is gone.",
        ),
    }
}

/// The number that a person has to allow is in the message.
fn mass_removal(about: &About<'_>) -> Advised {
    let advised = Advised::new(
        "Look at what is in Astra: most of it would be removed, and not because the spec changed. What shall stay, put into the spec; only if all of it shall really go, allow that number.",
    );
    let flag = format!("{}=", annotation::ALLOW_MASS_REMOVAL);
    let number = about.message.split_once(&flag).map(|(_, rest)| rest);
    let number: String = number.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    if number.is_empty() {
        return advised;
    }
    advised.with(about.kubectl("annotate", &format!("--overwrite {flag}{number}")))
}
