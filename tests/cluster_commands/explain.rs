//! `explain` of objects in every state that an operator leaves them in.

use astra_operator::resource::annotation;
use astra_simulator::state::AddressEntry;
use serde_json::{Value, json};

use crate::{
    command::{ask, command, said},
    harness::{
        Stage,
        astra::id_of,
        stage::{AccessList, PrivateEndpoint, VpcPeering},
        trio::{all_ready, apply_all},
        wait::condition,
    },
};

fn list(database: &str) -> Value {
    json!({ "database": { "name": database }, "deletionPolicy": "Delete", "addresses": [{ "address": "203.0.113.7" }] })
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_is_ready_is_told_in_full_and_nothing_is_to_be_done() {
    let stage = Stage::new().await;
    apply_all(&stage).await;
    all_ready(&stage).await;
    let told = ask(&stage, &["explain", "aal/list"]);
    let heading = format!("AstraAccessList {}/list  ✓ ready", stage.namespace);
    told.says(
        0,
        &[
            &heading,
            "generation 1, which the operator has looked at",
            r#"astra-credentials has the key "token", and what is there can be a token"#,
            "Ready  True   Astra is as the spec says, for ",
            "UpToDate: 1 address or network gets in, nobody else",
            "): ACTIVE, serverless on AWS in us-east-2",
            "access is restricted to the list; entries: 1\n    203.0.113.7\n",
            "nothing is to be sent: 1 address or network gets in, nobody else",
            "address/203.0.113.7/32",
            "AccessListReplaced",
            "held and renewed: the operator works",
            "Nothing: Astra is as the spec says.",
        ],
    );
    // As kubectl takes the kind, in any case.
    for kind in
        ["AstraAccessList", "astraaccesslists", "ASTRAACCESSLIST", "astraaccesslist.astra.datastax.com"]
    {
        ask(&stage, &["explain", &format!("{kind}/list")]).says(0, &[&heading]);
        ask(&stage, &["explain", kind, "list"]).says(0, &[&heading]);
    }
    ask(&stage, &["explain", "ape/endpoint"]).says(
        0,
        &[
            "endpoint  vpce-0f7aed6e7a18a1791  Accepted",
            "principal arn:aws:iam::123456789012:root",
            "EndpointConnected",
        ],
    );
    ask(&stage, &["explain", "avp/peering"])
        .says(0, &["peering with acme-network shared ", ": active (connection "]);
    let json = ask(&stage, &["explain", "aal/list", "-o", "json"]).json();
    assert_eq!(
        (&json["formatVersion"], &json["state"], &json["ready"]),
        (&json!("1.0"), &json!("ready"), &json!(true))
    );
    assert_eq!(json["astra"]["accessList"]["addresses"][0]["address"], "203.0.113.7");
    assert_eq!(json["plan"]["steps"], json!([]));
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_stalls_is_told_with_what_to_do() {
    let mut stage = Stage::new().await;
    let namespace = stage.namespace.clone();
    let mut secretless = list("catalog");
    secretless["credentials"] = json!({ "secretName": "nowhere" });
    let mut keyless = list("ledger");
    keyless["credentials"] = json!({ "key": "astra" });
    let mut refused = list("fraud");
    refused["credentials"] = json!({ "secretName": "refused" });
    stage.put_token("refused", "AstraCS:unknownunknown:0123456789012345678901234567890123456789").await;
    stage.apply_ready::<AccessList>("elder", list("orders")).await;
    for (name, spec, reason) in [
        ("secretless", secretless, "SecretNotFound"),
        ("keyless", keyless, "SecretKeyNotFound"),
        ("refused", refused, "TokenRefused"),
        ("younger", list("orders"), "Conflict"),
        ("parked", list("dormant"), "DatabaseParked"),
    ] {
        stage.apply::<AccessList>(name, spec).await;
        stage.stalled::<AccessList>(name, reason).await;
    }
    let create =
        format!("kubectl -n {namespace} create secret generic nowhere --from-literal=token=AstraCS:…");
    ask(&stage, &["explain", "aal/secretless"])
        .says(2, &["✗ stalled  SecretNotFound", "nowhere does not exist", "not asked: Secret ", &create]);
    ask(&stage, &["explain", "aal/keyless"])
        .says(2, &[r#"has no key "astra"; the keys that it has: token"#, "Put the token under the key"]);
    let answered = "reading from Astra: GET /v2/databases?limit=100 was answered 401";
    ask(&stage, &["explain", "aal/refused"])
        .says(2, &[answered, "Look in the Astra Portal whether the token"]);
    ask(&stage, &["explain", "aal/younger"]).says(
        2,
        &[
            &format!("made beside {namespace}/elder"),
            &format!("blocked: Conflict: {namespace}/elder is older"),
            "Decide which object shall have the say",
        ],
    );
    ask(&stage, &["explain", "aal/parked"]).says(2, &["PARKED, C10 on AWS", "Unpark the database"]);
    // Mended, and the operator has not looked again: that can take its minute.
    stage.take_operator().terminate().await;
    stage.put_token("nowhere", &stage.astra.token()).await;
    ask(&stage, &["explain", "aal/secretless"]).says(
        2,
        &[
            "What the operator told (SecretNotFound) was not found just now",
            &format!("kubectl -n {namespace} annotate aal secretless --overwrite {}=", annotation::RECONCILE),
            "+ address 203.0.113.7",
            "held by nobody",
        ],
    );
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_would_empty_a_list_tells_the_number_to_allow() {
    let stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list("orders")).await;
    stage.annotate::<AccessList>("list", annotation::PAUSED, "true").await;
    let is_paused = |object: &AccessList| condition(object, "Paused").is_some();
    stage.object::<AccessList>("list", "to be paused", is_paused).await;
    stage.astra.change(|state| {
        let database = state.databases.iter_mut().find(|database| database.id == id_of("orders")).unwrap();
        let addresses = &mut database.access_list.as_mut().unwrap().addresses;
        for last in 1..=6 {
            let entry =
                json!({ "address": format!("198.51.100.{last}"), "description": "", "enabled": true });
            addresses.push(serde_json::from_value::<AddressEntry>(entry).unwrap());
        }
    });
    // It was Ready and still counts as that, while it is paused; what would come is told all the same.
    ask(&stage, &["explain", "aal/list"]).says(
        0,
        &[
            "‖ paused",
            "Next plan, once the pause ends",
            "blocked: MassRemoval: 6 of the 7 entries",
            &format!("kubectl -n {} annotate aal list {}-", stage.namespace, annotation::PAUSED),
        ],
    );
    stage.annotate::<AccessList>("list", annotation::PAUSED, Value::Null).await;
    stage.stalled::<AccessList>("list", "MassRemoval").await;
    let allow = format!("--overwrite {}=6\n", annotation::ALLOW_MASS_REMOVAL);
    ask(&stage, &["explain", "aal/list"]).says(2, &["✗ stalled  MassRemoval", "entries: 7", &allow]);
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn what_is_being_deleted_tells_what_holds_it_up() {
    let mut stage = Stage::new().await;
    stage.apply_ready::<AccessList>("list", list("orders")).await;
    stage
        .put_token("astra-credentials", "AstraCS:unknownunknown:0123456789012345678901234567890123456789")
        .await;
    // The operator reads the Secret at once.
    stage.annotate::<AccessList>("list", annotation::RECONCILE, "1").await;
    stage.stalled::<AccessList>("list", "TokenRefused").await;
    stage.delete::<AccessList>("list").await;
    stage.stalled::<AccessList>("list", "TokenRefused").await;
    ask(&stage, &["explain", "aal/list"]).says(
        2,
        &[
            "− deleting  TokenRefused",
            "its deletion was asked for ",
            "address/203.0.113.7/32",
            "Look in the Astra Portal whether the token",
            r#"patch aal list --type=merge --patch '{"spec":{"deletionPolicy":"Retain"}}'"#,
        ],
    );
    stage.take_operator().terminate().await;
    stage.put_token("astra-credentials", &stage.astra.token()).await;
    // Mended: what comes next is the removal.
    ask(&stage, &["explain", "aal/list"]).says(
        2,
        &[
            "- remove 203.0.113.7",
            "then it is gone",
            "What the operator told (TokenRefused) was not found just now",
        ],
    );
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn without_an_operator_that_is_the_first_thing_to_say_and_nothing_is_written() {
    let stage = Stage::empty().await;
    apply_all(&stage).await;
    stage.astra.forget();
    for object in ["aal/list", "ape/endpoint", "avp/peering"] {
        ask(&stage, &["explain", object, "-v"]).says(
            2,
            &[
                "… waits  NotLookedAt",
                "no operator has looked at it",
                "See that an operator runs and watches",
                "because: ",
            ],
        );
    }
    let requests = stage.astra.requests();
    assert!(requests.len() >= 6, "Astra was asked: {requests:?}");
    assert!(requests.iter().all(|request| request.method == "GET"), "{requests:?}");
    assert_eq!(stage.astra.violations(), [] as [Value; 0]);
    // Nor is anything written to the cluster: nobody has changed the objects since.
    let list: AccessList = stage.get("list").await;
    let endpoint: PrivateEndpoint = stage.get("endpoint").await;
    let peering: VpcPeering = stage.get("peering").await;
    for meta in [&list.metadata, &endpoint.metadata, &peering.metadata] {
        assert_eq!(meta.managed_fields.as_ref().unwrap().len(), 1, "{meta:?}");
        assert_eq!(meta.finalizers, None);
    }
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn a_mistake_is_told_with_what_was_meant() {
    let stage = Stage::empty().await;
    stage.apply::<AccessList>("orders", list("orders")).await;
    let elsewhere = Stage::empty().await;
    ask(&stage, &["explain", "aal/order"])
        .fails(&[r#"no AstraAccessList "order""#, r#"did you mean "orders"?"#]);
    ask(&stage, &["explain", "aak/orders"]).fails(&[r#"no kind "aak""#, r#"did you mean "aal"?"#]);
    ask(&stage, &["explain", "orders"]).fails(&["is no KIND/NAME", "aal/orders"]);
    ask(&stage, &["explain", "avp/orders"]).fails(&["there is none of this kind"]);
    // The other test's objects may be of that name, too.
    ask(&elsewhere, &["explain", "aal/orders"]).fails(&["there is one of this name in ", "give -n "]);
    // Without a word on what the operator watches, all that may be read takes part.
    elsewhere.apply::<AccessList>("other", list("orders")).await;
    let mut everywhere = command(&stage, &["explain", "aal/orders", "-n", &stage.namespace]);
    everywhere.env_remove("ASTRA_OPERATOR_NAMESPACES");
    let (here, there) = (ask(&stage, &["explain", "aal/orders"]), said(&stage, everywhere));
    let other = format!("{}/other", elsewhere.namespace);
    assert!(!here.out.contains(&other) && there.out.contains(&other), "{}{}", here.out, there.out);
    ask(&stage, &["explain", "aal/orders", "--context", "nowhere"]).fails(&[r#"context "nowhere""#]);
    ask(&stage, &["explain", "aal/orders", "--kubeconfig", "/nowhere"]).fails(&["/nowhere"]);
    ask(&stage, &["explain", "aal/orders", "--devops-url", "http://127.0.0.1:1"])
        .says(2, &["got no answer: cannot connect"]);
}
