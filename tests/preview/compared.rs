//! Two trees: what the API server would refuse, what changes without a call, and what only got another name.

use expect_test::{Expect, expect};

use crate::tells::{BASE, plain, report};

fn check(head: &str, expected: &Expect) {
    expected.assert_eq(&plain(&report(BASE, head)));
}

#[test]
fn what_cannot_change_is_refused_and_the_object_stays_as_it_is() {
    let head = BASE.replacen("database: { name: orders }", "database: { name: ledger }", 1);
    check(
        &head,
        &expect![[r#"
            AstraAccessList team/orders  database orders  manifests.yaml:2:1
              blocked: InvalidSpec: the API server will refuse this change, and the object stays as it is: spec.database: cannot be changed: delete this object and make another for the other database (name: orders → ledger)

            Plan: 3 objects: 0 with changes, 2 without. 0 calls: 0 to add, 0 to change, 0 to remove.
            1 cannot be carried out as it is.
        "#]],
    );
    assert!(report(BASE, &head).has_errors());
    let head = BASE.replace("vpc-0a1b2c3d4e5f60700", "vpc-0a1b2c3d4e5f60799");
    check(
        &head,
        &expect![[r#"
            AstraVpcPeering team/warehouse  database warehouse  manifests.yaml:18:1
              blocked: InvalidSpec: the API server will refuse this change, and the object stays as it is: spec.aws: a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another (vpcId: vpc-0a1b2c3d4e5f60700 → vpc-0a1b2c3d4e5f60799)

            Plan: 3 objects: 0 with changes, 2 without. 0 calls: 0 to add, 0 to change, 0 to remove.
            1 cannot be carried out as it is.
        "#]],
    );
}

#[test]
fn what_changes_without_a_call_is_told() {
    let head = BASE.replace("  deletionPolicy: Delete\n  allowed", "  deletionPolicy: Retain\n  allowed");
    let head = head.replacen("  addresses:", "  credentials: { secretName: other }\n  addresses:", 1);
    let head = head.replace(
        "name: warehouse, namespace: team }",
        "name: warehouse, namespace: team, annotations: { astra.datastax.com/paused: \"true\" } }",
    );
    check(
        &head,
        &expect![[r#"
        AstraPrivateEndpoint team/orders  database orders  manifests.yaml:10:1
          notice: spec.deletionPolicy changes: Delete → Retain
          ready: 1 principal allowed, 1 endpoint accepted

        AstraAccessList team/orders  database orders  manifests.yaml:2:1
          notice: spec.credentials.secretName changes: astra-credentials → other
          ready: 2 addresses or networks get in, nobody else

        AstraVpcPeering team/warehouse  database warehouse  manifests.yaml:19:1
          notice: the annotation astra.datastax.com/paused changes: (none) → true
          paused: paused by its annotation: nothing is sent

        Nothing to do. 3 objects: all is as they say.
    "#]],
    );
    assert_eq!(report(BASE, &head).summary.calls, 0);
}

#[test]
fn a_new_name_is_told_to_be_another_object() {
    let head = BASE.replace("name: orders, namespace: team", "name: orders-eu, namespace: team");
    check(
        &head,
        &expect![[r#"
            AstraPrivateEndpoint team/orders  database orders
              notice: AstraPrivateEndpoint team/orders-eu is new and about the same database; a new name or namespace is a deletion and a creation: this one has deletionPolicy Delete, so the new one must be there before this one is deleted (Argo CD and Flux do it in this order), or what it owns is taken away and made again
              gone: all that this object owned is gone from Astra

            AstraAccessList team/orders  database orders
              notice: AstraAccessList team/orders-eu is new and about the same database; a new name or namespace is a deletion and a creation: this one has deletionPolicy Retain, so all stays in Astra meanwhile
              gone: nothing in Astra is removed

            Nothing to do. 5 objects: all is as they say.
        "#]],
    );
}

#[test]
fn no_id_is_shown_that_nobody_has() {
    let head = BASE.replace("203.0.113.0/24", "203.0.112.0/23");
    let report = report(BASE, &head);
    let all = serde_json::to_string(&report).unwrap();
    assert!(!all.contains("00000000-0000-4000"), "{all}");
    assert!(all.contains("/v2/databases/{orders}/access-list"), "{all}");
}
