//! The Secret that an object names. Its value leaves this module as a [`Token`] and in no other way.

use astra_devops::Token;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    controller::within,
    engine::{Problem, Reason},
    overview::refused::Asked,
    resource::CredentialsRef,
};

/// What was found of a Secret: never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The Secret's name; it is in the object's namespace.
    pub secret_name: String,
    /// The key.
    pub key: String,
    /// Can it be a token?
    pub state: SecretState,
    /// A sentence on it.
    pub message: String,
    /// What the operator makes of that.
    #[serde(skip)]
    pub problem: Option<Problem>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretState {
    /// It is there, has the key, and what is under it can be a token.
    Usable,
    /// The Secret, the key or the token is not there or not good.
    Wrong,
    /// It could not be read.
    Unknown,
}

/// Reads the Secret.
pub async fn read(client: &Client, namespace: &str, from: &CredentialsRef) -> (Credentials, Option<Token>) {
    let CredentialsRef { secret_name, key } = from;
    let place = format!("Secret {namespace}/{secret_name}");
    let found = |state, message: String, problem| Credentials {
        secret_name: secret_name.clone(),
        key: key.clone(),
        state,
        message,
        problem,
    };
    let wrong = |reason, message: String| {
        let problem = Problem::new(reason, message.clone());
        (found(SecretState::Wrong, message, Some(problem)), None)
    };
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = match within(secrets.get(secret_name)).await {
        Ok(secret) => secret,
        Err(error) if error.is_not_found() => {
            return wrong(Reason::SecretNotFound, format!("{place} does not exist"));
        }
        Err(error) => {
            let asked = Asked {
                verb: "get",
                resource: "secrets",
                name: Some(secret_name),
                namespace: Some(namespace),
            };
            return (found(SecretState::Unknown, asked.refused(&error), None), None);
        }
    };
    let mut data = secret.data.unwrap_or_default();
    let Some(bytes) = data.remove(key) else {
        let others: Vec<&str> = data.keys().map(String::as_str).collect();
        let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        let message = format!("{place} has no key {key:?}; the keys that it has: {others}");
        return wrong(Reason::SecretKeyNotFound, message);
    };
    let token = std::str::from_utf8(&bytes.0)
        .map_err(|_| "it is not text".to_owned())
        .and_then(|text| Token::new(text).map_err(|error| error.to_string()));
    match token {
        Ok(token) => {
            let message = format!("{place} has the key {key:?}, and what is there can be a token");
            (found(SecretState::Usable, message, None), Some(token))
        }
        Err(why) => {
            wrong(Reason::TokenInvalid, format!("{place}, key {key:?}: what is there is no token: {why}"))
        }
    }
}
