//! The token: where it is, what is wrong with it, and that it can be changed.

use astra_operator::resource::annotation;
use astra_simulator::{
    Event, Fault, Method,
    state::{ACME, GLOBEX_TOKEN, READ_ONLY_TOKEN, TokenEntry},
};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::DeleteParams};
use serde_json::{Value, json};

use crate::harness::{
    Stage,
    stage::{AccessList, PrivateEndpoint, VpcPeering},
    wait::{condition, gone, until},
};

fn list(secret: &str) -> Value {
    json!({
        "database": { "name": "orders" },
        "credentials": { "secretName": secret },
        "deletionPolicy": "Delete",
        "addresses": [{ "address": "203.0.113.7" }],
    })
}

/// A second token of the same organization.
const NEWER: &str =
    "AstraCS:AcmeSimulatorAdmin000002:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn issue_newer(stage: &Stage) {
    stage.astra.change(|state| {
        state.tokens.push(TokenEntry {
            token: NEWER.into(),
            organization: ACME.into(),
            role: Some("Organization Administrator".into()),
            permissions: Vec::new(),
        });
    });
}

async fn delete_secret(stage: &Stage, name: &str) {
    let secrets: Api<Secret> = Api::namespaced(stage.client.clone(), &stage.namespace);
    secrets.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_missing_secret_is_named_and_found_when_it_is_made() {
    let stage = Stage::new().await;
    stage.apply::<AccessList>("orders", list("later")).await;
    let object = stage.stalled::<AccessList>("orders", "SecretNotFound").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains(&format!("Secret {}/later does not exist", stage.namespace)), "{said}");
    assert!(said.contains(r#"key "token""#), "{said}");
    assert!(stage.astra.requests().is_empty(), "nobody can be asked without a token");
    stage.put_token("later", &stage.astra.token()).await;
    stage.ready::<AccessList>("orders").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_cannot_be_a_token_is_told_and_never_sent() {
    let stage = Stage::new().await;
    let token = stage.astra.token();
    for (name, data, reason, words) in [
        ("no-key", json!({ "password": token }), "SecretKeyNotFound", r#"has no key "token""#),
        ("empty", json!({ "token": "" }), "TokenInvalid", "empty"),
        ("newline", json!({ "token": format!("{token}\n") }), "TokenInvalid", "has a newline"),
        ("space", json!({ "token": format!("Bearer {token}") }), "TokenInvalid", "has a space"),
    ] {
        stage.put_secret(name, data).await;
        stage.apply::<AccessList>(name, list(name)).await;
        let object = stage.stalled::<AccessList>(name, reason).await;
        let said = &condition(&object, "Ready").unwrap().message;
        assert!(said.contains(&format!("Secret {}/{name}", stage.namespace)), "{said}");
        assert!(said.contains(words), "{name}: {said}");
        assert!(!said.contains(&token), "{said}");
        stage.delete_and_wait::<AccessList>(name).await;
    }
    assert!(stage.astra.requests().is_empty());
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_refused_token_stalls_and_recovers_by_itself() {
    let stage = Stage::new().await;
    stage.put_token("refused", &NEWER.replace("Admin", "Never")).await;
    stage.apply::<AccessList>("orders", list("refused")).await;
    let object = stage.stalled::<AccessList>("orders", "TokenRefused").await;
    let said = &condition(&object, "Ready").unwrap().message;
    assert!(said.contains("401"), "{said}");
    assert_eq!(stage.astra.written(), "");
    stage.put_token("refused", &stage.astra.token()).await;
    stage.annotate::<AccessList>("orders", annotation::RECONCILE, "now").await;
    stage.ready::<AccessList>("orders").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_rotated_token_is_found_when_the_old_one_is_revoked() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("orders", list("astra-credentials")).await;
    issue_newer(&stage);
    let old = stage.astra.token();
    stage.put_token("astra-credentials", NEWER).await;
    stage.astra.happens(&Event::RevokeToken { token: old });
    stage.astra.forget();
    stage.two_looks().await;
    let mut spec = list("astra-credentials");
    spec["addresses"][0]["description"] = json!("after the rotation");
    stage.apply_ready::<AccessList>("orders", spec).await;
    assert_eq!(stage.astra.writes().len(), 1);
    assert!(!stage.log().contains(NEWER));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_token_of_another_organization_removes_nothing_and_ends_no_deletion() {
    let mut stage = Stage::new().await;
    stage.apply_ready::<AccessList>("orders", list("astra-credentials")).await;
    let right = stage.astra.token();
    // A fresh process has no token in memory.
    stage.take_operator().kill();
    stage.put_token("astra-credentials", GLOBEX_TOKEN).await;
    stage.astra.forget();
    stage.start(&[]);
    let object = stage.stalled::<AccessList>("orders", "TokenRefused").await;
    assert_eq!(object.status.as_ref().unwrap().owned, ["address/203.0.113.7/32"]);

    let object = stage.delete::<AccessList>("orders").await;
    let said = |object: &AccessList| {
        condition(object, "Ready").is_some_and(|ready| ready.message.contains("the token is of organization"))
    };
    stage.object("orders", "to say whose token it is", said).await;
    assert_eq!(stage.astra.written(), "");

    stage.put_token("astra-credentials", &right).await;
    stage.annotate::<AccessList>("orders", annotation::RECONCILE, "again").await;
    gone(&stage.api(), &object).await;
    assert_eq!(stage.astra.writes().len(), 1, "then its address is removed");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_missing_permission_is_told_in_astras_words() {
    let stage = Stage::new().await;
    stage.put_token("reader", READ_ONLY_TOKEN).await;
    let credentials = json!({ "secretName": "reader" });
    stage.apply::<AccessList>("list", list("reader")).await;
    let endpoint = json!({
        "database": { "name": "orders" },
        "credentials": credentials,
        "allowedPrincipals": ["arn:aws:iam::123456789012:root"],
    });
    stage.apply::<PrivateEndpoint>("endpoint", endpoint).await;
    let peering = json!({
        "database": { "name": "archive" },
        "credentials": credentials,
        "gcp": { "projectId": "acme-network", "network": "shared" },
    });
    stage.apply::<VpcPeering>("peering", peering).await;

    let list = stage.stalled::<AccessList>("list", "PermissionDenied").await;
    let said = &condition(&list, "Ready").unwrap().message;
    assert!(said.contains("403"), "{said}");
    // Astra answers 401 `null` here, which may be the token or its role: both are told.
    let endpoint = stage.stalled::<PrivateEndpoint>("endpoint", "TokenRefused").await;
    let said = &condition(&endpoint, "Ready").unwrap().message;
    assert!(said.contains("401") && said.contains("permission"), "{said}");
    stage.stalled::<VpcPeering>("peering", "PermissionDenied").await;
    assert_eq!(stage.astra.written(), "");
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_deletion_without_its_secret_waits_and_can_be_forced() {
    let mut stage = Stage::new().await;
    stage.apply_ready::<AccessList>("orders", list("astra-credentials")).await;
    stage.take_operator().kill();
    delete_secret(&stage, "astra-credentials").await;
    stage.astra.forget();
    stage.start(&[]);
    let object = stage.delete::<AccessList>("orders").await;
    let said = |object: &AccessList| {
        condition(object, "Ready").is_some_and(|ready| ready.reason == "SecretNotFound")
    };
    stage.object("orders", "to say what the deletion waits for", said).await;

    stage.annotate::<AccessList>("orders", annotation::FORCE_FINALIZE, "true").await;
    gone(&stage.api(), &object).await;
    assert_eq!(stage.astra.written(), "");
    let words = "May be left behind in Astra: address/203.0.113.7/32";
    until("the log to tell what may be left", || stage.log().contains(words).then_some(())).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_deletion_that_needs_nothing_from_astra_needs_no_secret() {
    let stage = Stage::new().await;
    stage.apply::<AccessList>("never", list("not-there")).await;
    stage.stalled::<AccessList>("never", "SecretNotFound").await;
    stage.delete_and_wait::<AccessList>("never").await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn the_token_is_shown_nowhere() {
    let mut stage = Stage::empty().await;
    stage.start(&["--log", "trace"]);
    let token = stage.astra.token();
    // Also where Astra's answer has it.
    let echo =
        Fault::status(500).text(&format!("bad header: Bearer {token}")).on(Method::Put, "/v2/databases/*");
    stage.astra.fails(&echo);
    stage.apply::<AccessList>("orders", list("astra-credentials")).await;
    stage.reconciling::<AccessList>("orders", "AstraUnavailable").await;
    let everything = ["-n", &stage.namespace, "get", "astra,events", "-o", "json"];
    let shown = stage.cluster.kubectl(&everything);
    assert!(shown.contains("bad header"), "{shown}");
    assert!(!shown.contains(&token), "{shown}");
    assert!(!stage.log().contains(&token));
}
