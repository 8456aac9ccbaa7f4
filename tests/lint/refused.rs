//! What is refused, where, and in which words.

use expect_test::{Expect, expect};

use crate::found;

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&found(text));
}

/// A spec of an access list between good lines.
fn access_list(spec: &str) -> String {
    let spec = spec.trim_matches('\n').replace('\n', "\n  ");
    format!(
        "apiVersion: astra.datastax.com/v1beta1\nkind: AstraAccessList\nmetadata:\n  name: orders\nspec:\n  {spec}\n"
    )
}

#[test]
fn good_objects_and_others_are_read() {
    check(
        "\
# Two of ours, and two of others.
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {a: 1, a: 2}
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: orders, namespace: team}
spec: {database: {name: orders}, addresses: [{address: 203.0.113.7}]}
---
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
- apiVersion: astra.datastax.com/v1beta1
  kind: AstraPrivateEndpoint
  metadata: {name: ledger}
  spec: {database: {name: ledger}, allowedPrincipals: ['arn:aws:iam::123456789012:root']}
",
        &expect![[r#"
            a.yaml:7:1: AstraAccessList team/orders
            a.yaml:18:3: AstraPrivateEndpoint default/ledger
            skipped: 2 v1 ConfigMap
        "#]],
    );
}

#[test]
fn all_mistakes_of_an_object_are_told() {
    check(
        &access_list(
            "
publicaccess: Listed
management: shared
deletionPolicy: 7
credentials: {secretName: My_Secret, key: token, extra: 1}
addresses:
- address: 203.0.113.7
  enabled: 'yes'
- address: 203.0.113.300
- address: 10.0.0.5/24
- address: 203.0.113.7
  description: again
- adress: 203.0.113.9
- 203.0.113.10
",
        ),
        &expect![[r#"
            a.yaml:5:1: AstraAccessList default/orders: spec.database: is required
            a.yaml:6:3: AstraAccessList default/orders: spec.publicaccess: there is no such field; did you mean publicAccess?
            a.yaml:7:15: AstraAccessList default/orders: spec.management: must be one of Exclusive, Shared, and is "shared"; did you mean Shared?
            a.yaml:8:19: AstraAccessList default/orders: spec.deletionPolicy: must be one of Delete, Retain, and is the number 7
            a.yaml:9:29: AstraAccessList default/orders: spec.credentials.secretName: "My_Secret" does not match ^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
            a.yaml:9:52: AstraAccessList default/orders: spec.credentials.extra: there is no such field; there are key, secretName
            a.yaml:12:14: AstraAccessList default/orders: spec.addresses[0].enabled: must be true or false, and is a text
            a.yaml:13:14: AstraAccessList default/orders: spec.addresses[1].address: must be an IPv4 address such as 203.0.113.7 or network such as 203.0.113.0/24, with parts of 0 to 255 without leading zeros and a prefix of 0 to 32; Astra takes no IPv6
            a.yaml:14:14: AstraAccessList default/orders: spec.addresses[2].address: has bits set behind its prefix: write the network's first address, such as 10.0.0.0/24, or a single address without a prefix
            a.yaml:15:5: AstraAccessList default/orders: spec.addresses[3]: is there already, as spec.addresses[0] in line 11
            a.yaml:17:5: AstraAccessList default/orders: spec.addresses[4].address: is required
            a.yaml:17:5: AstraAccessList default/orders: spec.addresses[4].adress: there is no such field; did you mean address?
            a.yaml:18:5: AstraAccessList default/orders: spec.addresses[5]: must be a map of fields, and is a text
        "#]],
    );
}

#[test]
fn rules_are_told_with_the_field_that_breaks_them() {
    check(
        &access_list("database: {name: a, id: 7b2a0a3c-3c1f-4a39-9d24-0d1c2c3a4b5c}\naddresses: []"),
        &expect![[r#"
        a.yaml:5:1: AstraAccessList default/orders: spec: addresses needs at least one address: an empty list would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked, to let in everybody say publicAccess: Open
        a.yaml:6:3: AstraAccessList default/orders: spec.database: give exactly one of database.id and database.name
    "#]],
    );
    check(
        &access_list("database: {name: a}\nmanagement: Shared\npublicAccess: Open\naddresses: []"),
        &expect![[r#"
            a.yaml:5:1: AstraAccessList default/orders: spec: publicAccess: Blocked and Open decide over the whole list, so they need management: Exclusive
        "#]],
    );
    check(
        &access_list("database: {name: a}\naddresses: [{address: 10.0.0.1}, {address: 10.0.0.1/32}]"),
        &expect![[r#"
            a.yaml:7:46: AstraAccessList default/orders: spec.addresses[1].address: 10.0.0.1/32 is the same network as spec.addresses[0]
        "#]],
    );
    check(
        "
apiVersion: astra.datastax.com/v1beta1
kind: AstraVpcPeering
metadata: {name: x}
spec:
  database: {name: x}
  aws: {accountId: 012345678901, region: us-east-1, vpcId: vpc-12345678, cidrBlock: 10.1.0.5/16}
",
        &expect![[r#"
            a.yaml:7:20: AstraVpcPeering default/x: spec.aws.accountId: must be a text, and is the number 12345678901: put it in quotes
            a.yaml:7:85: AstraVpcPeering default/x: spec.aws.cidrBlock: has bits set behind its prefix: write the network's first address, such as 10.1.0.0/16
        "#]],
    );
    check(
        "
apiVersion: astra.datastax.com/v1beta1
kind: AstraPrivateEndpoint
metadata: {name: x}
spec:
  database: {name: x}
  endpoints:
  - id: 12345678901234567890
  - id: vpce-svc-0123
  - id: VPCE-1
",
        &expect![[r#"
            a.yaml:8:9: AstraPrivateEndpoint default/x: spec.endpoints[0].id: must be a text, and is the number 12345678901234567890: put it in quotes
            a.yaml:9:9: AstraPrivateEndpoint default/x: spec.endpoints[1].id: vpce-svc-… is the endpoint service; the endpoint's own id is vpce-…
            a.yaml:10:9: AstraPrivateEndpoint default/x: spec.endpoints[2].id: must be an AWS VPC endpoint id (vpce-…), an Azure resource id (/subscriptions/…/privateEndpoints/NAME) or a Google Cloud PSC connection id (digits)
        "#]],
    );
}

#[test]
fn what_is_no_object_of_ours_is_told() {
    for (text, expected) in [
        (
            "a: [1, 2\nb: 3\n---\nkind: AstraAccessList\n---\nhello\n---\n{}\n",
            expect![[r#"
            a.yaml:2:2: a[1]: is no YAML: illegal placement of ':' indicator, in the line `b: 3`
            a.yaml:4:1: apiVersion: is required, and must be a text
            a.yaml:6:1: is no Kubernetes object: it must be a map with apiVersion, kind and metadata
            a.yaml:8:1: is no Kubernetes object: it has neither apiVersion nor kind
        "#]],
        ),
        (
            "apiVersion: astra.datastax.com/v1\nkind: AstraAcessList\n",
            expect![[r#"
            a.yaml:1:13: apiVersion: astra.datastax.com has no version "v1"; write astra.datastax.com/v1beta1
            a.yaml:2:7: kind: astra.datastax.com has no kind "AstraAcessList"; did you mean AstraAccessList?
        "#]],
        ),
        (
            "apiVersion: astra.datastx.com/v1beta1\nkind: AstraAccessList\n",
            expect![[r#"
            a.yaml:1:13: apiVersion: "astra.datastx.com/v1beta1" has no AstraAccessList; did you mean astra.datastax.com/v1beta1?
        "#]],
        ),
        (
            "apiVersion: v1\nkind: List\nitems: 3\n",
            expect![[r#"
            a.yaml:3:1: items: must be a list of objects
        "#]],
        ),
        (
            "a:\n\t- b\n",
            expect![[r#"
            a.yaml:2:2: a: is no YAML: tabs disallowed within this context (block indentation), in the line `- b`
        "#]],
        ),
        (
            "a: *nobody\n",
            expect![[r#"
            a.yaml:1:4: a: is no YAML: while parsing node, found unknown anchor, in the line `a: *nobody`
        "#]],
        ),
        (
            "a: &a [*a]\n",
            expect![[r#"
            a.yaml:1:8: a[0]: refers to an anchor that is not complete: a value cannot contain itself, in the line `a: &a [*a]`
        "#]],
        ),
        (
            "? [a]\n: b\n",
            expect![[r#"
            a.yaml:1:3: the name of a field must be a text, not a list or a map, in the line `? [a]`
        "#]],
        ),
        (
            "metadata:\n  name: {{ .Release.Name }}\n",
            expect![[r#"
            a.yaml:2:10: metadata.name: the name of a field must be a text, not a list or a map; if this is a template, render it first and pipe the result into -f -, in the line `name: {{ .Release.Name }}`
        "#]],
        ),
        (
            "kind: Secret\ndata: {a: hunter2\n b: 1\n",
            expect![[r#"
            a.yaml:3:3: data: is no YAML: while parsing a flow mapping, did not find expected ',' or '}'
        "#]],
        ),
        (
            "a: 'x\n",
            expect![[r#"
            a.yaml:2:1: a: is no YAML: invalid indentation in multiline quoted scalar
        "#]],
        ),
    ] {
        check(text, &expected);
    }
}

#[test]
fn metadata_is_checked_too() {
    check(
        "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata:
  name: Orders_1
  namespace: Team.a
  label: {a: b}
  labels: {app: 'not a value', on: x, n: 1}
  annotations: {astra.datastax.com/paused: true, 'a b': c}
spec: {database: {name: x}, publicAccess: Blocked}
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {generateName: x-}
spec: {database: {name: x}, publicAccess: Blocked}
---
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
addresses: []
",
        &expect![[r#"
            a.yaml:5:9: AstraAccessList Team.a/Orders_1: metadata.name: "Orders_1" cannot be a name: small letters, digits, - and ., beginning and ending with a letter or digit, at most 253
            a.yaml:6:14: AstraAccessList Team.a/Orders_1: metadata.namespace: "Team.a" cannot be a namespace: small letters, digits and -, beginning and ending with a letter or digit, at most 63
            a.yaml:7:3: AstraAccessList Team.a/Orders_1: metadata.label: there is no such field; did you mean labels?
            a.yaml:8:17: AstraAccessList Team.a/Orders_1: metadata.labels[app]: cannot be a label's value: letters, digits, -, _ and ., at most 63
            a.yaml:8:42: AstraAccessList Team.a/Orders_1: metadata.labels[false]: must be a text, and is the number 1: put it in quotes
            a.yaml:9:44: AstraAccessList Team.a/Orders_1: metadata.annotations[astra.datastax.com/paused]: must be a text, and is the boolean true: put it in quotes
            a.yaml:9:57: AstraAccessList Team.a/Orders_1: metadata.annotations[a b]: cannot be a key: [prefix/]name, of letters, digits, -, _ and ., at most 63
            a.yaml:14:1: metadata.name: is required: with generateName each apply would make another object
            a.yaml:17:1: metadata.name: is required
            a.yaml:17:1: spec: is required
            a.yaml:19:1: addresses: there is no such field here: addresses belongs in spec
        "#]],
    );
}

#[test]
fn duplicates_are_mistakes_and_anchors_are_not() {
    check(
        "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: a}
spec:
  database: &database {name: x}
  publicAccess: Blocked
  publicAccess: Open
---
apiVersion: v1
kind: List
items:
- &first
  apiVersion: astra.datastax.com/v1beta1
  kind: AstraAccessList
  metadata: &metadata {name: b, namespace: team}
  spec: {database: {name: x}, publicAccess: Blocked}
- <<: *first
  metadata: {<<: *metadata, name: c}
- <<: *first
  metadata: {name: d, name: e}
",
        &expect![[r#"
            a.yaml:14:3: AstraAccessList team/b
            a.yaml:18:3: AstraAccessList team/c
            a.yaml:8:3: AstraAccessList default/a: spec.publicAccess: is there already, in line 7
            a.yaml:21:23: AstraAccessList default/e: metadata.name: is there already, in line 21
        "#]],
    );
}

/// What `kubectl get -o yaml` prints can be read back.
#[test]
fn what_a_cluster_shows_is_read() {
    check(
        "
apiVersion: v1
items:
- apiVersion: astra.datastax.com/v1beta1
  kind: AstraAccessList
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {\"apiVersion\":\"astra.datastax.com/v1beta1\"}
    creationTimestamp: 2026-11-21T10:00:00Z
    finalizers: [astra.datastax.com/cleanup]
    generation: 3
    managedFields:
    - manager: kubectl
      fieldsV1: {f:metadata: {}}
    name: orders
    namespace: team
    resourceVersion: '1234'
    uid: 4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b05
  spec:
    database: {name: orders}
    publicAccess: Blocked
    addresses: []
  status: {anything: [1, 2]}
kind: List
metadata: {resourceVersion: ''}
",
        &expect![[r#"
            a.yaml:4:3: AstraAccessList team/orders
        "#]],
    );
}

/// Defaults are filled in, also into what is given in part; nulls and the status are not there.
#[test]
fn what_is_read_is_what_the_api_server_would_store() {
    let text = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: orders, labels: null}
spec:
  database: {name: orders, id: null}
  credentials: {key: astra}
  publicAccess: null
  management: null
  addresses: [{address: 203.0.113.7, description: null}]
status: {observedGeneration: 3}
";
    let manifest = astra_operator::manifest::read_text("a.yaml", text, "team").objects.remove(0);
    let expected = serde_json::json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": "AstraAccessList",
        "metadata": { "name": "orders", "namespace": "team" },
        "spec": {
            "database": { "name": "orders" },
            "credentials": { "key": "astra", "secretName": "astra-credentials" },
            "addresses": [{ "address": "203.0.113.7", "description": "", "enabled": true }],
            "management": "Exclusive",
            "deletionPolicy": "Retain",
        },
    });
    assert_eq!(manifest.value, expected);
    assert_eq!(manifest.location.to_string(), "a.yaml:2:1");
}
