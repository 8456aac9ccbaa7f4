//! The commands of the guides are run, page by page and in their order, as a reader would: by a shell that keeps its
//! variables, on a real API server, with the real program and a simulator of Astra.
//!
//! The clouds are not there. In place of their programs is one that refuses an argument that is empty, and answers with what
//! the page has in its manifests. So a variable that a `kubectl` before it has left empty is noticed.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::{
    clouds::PROGRAMS,
    harness::{Stage, cluster::path},
    page::{Page, pages, root},
    shell,
};

/// Pages with commands for `kubectl` or `astra-operator` that are walked by no test here, and why.
const NOT_WALKED: [(&str, &str); 7] = [
    ("CONTRIBUTING.md", "is about this repository, whose tests run by it"),
    ("README.md", "tests/deployment/docs.rs runs how it is installed; the rest is in the guides"),
    ("docs/guide/install.md", "tests/deployment/docs.rs runs it"),
    ("docs/guide/plan.md", "needs a git history: tests/preview runs each form of the command"),
    ("docs/guide/troubleshooting.md", "watches without an end: tests/cluster_commands runs each command"),
    ("docs/lint.md", "is made from the rules: tests/lint runs the command"),
    ("docs/plan-format.md", "needs jq: tests/preview reads the form"),
];

const STARTED: [&str; 3] = [
    "docs/guide/getting-started-aws.md",
    "docs/guide/getting-started-google-cloud.md",
    "docs/guide/getting-started-azure.md",
];

const SHARING: &str = "docs/guide/sharing.md";

const WITHOUT_SECRET: &str = "
kubectl delete secret astra-credentials
";

/// An endpoint and a list of one database.
const ORDERS: &str = "
kubectl apply --server-side -f examples/aws-single-region.yaml -f examples/access-list-offices.yaml
kubectl wait --for=condition=Ready ape/orders aal/orders --timeout=60s
";

/// They are in Astra, and in no manifest.
const LEFT_IN_ASTRA: &str = "
kubectl patch ape orders --type=merge --patch '{\"spec\":{\"deletionPolicy\":\"Retain\"}}'
kubectl delete ape,aal --all --timeout=60s
";

/// The endpoint alone.
const PRIVATE: &str = "
kubectl apply --server-side -f examples/aws-single-region.yaml
kubectl wait --for=condition=Ready ape/orders --timeout=60s
";

/// An object that waits for its Secret.
const UNREAD: &str = "
kubectl apply --server-side -f examples/aws-single-region.yaml
kubectl wait --for=condition=Stalled ape/orders --timeout=60s
";

/// A second list that is taken over.
const ANALYTICS: &str = "
sed 's/name: orders/name: analytics/; /publicAccess/d; s/^  addresses/  management: Shared\\n  addresses/' \
    examples/access-list-offices.yaml | kubectl apply --server-side -f -
kubectl wait --for=condition=Ready aal/analytics --timeout=60s
";

/// The first of the two commits.
const SERVICE: &str = "
kubectl apply --server-side -f examples/service-first.yaml
kubectl wait --for=condition=Ready ape/analytics --timeout=60s
";

/// Manifests in a folder, and an object whose deletion does not end.
const DISASTER: &str = "
mkdir manifests
cp examples/aws-single-region.yaml examples/access-list-offices.yaml manifests
kubectl annotate ape analytics astra.datastax.com/paused=true
kubectl delete ape analytics --wait=false
";

const PEERING: &str = "
cp examples/azure-vpc-peering.yaml warehouse.yaml
kubectl apply --server-side -f warehouse.yaml
kubectl wait --for=condition=Ready avp/warehouse --timeout=60s
";

/// What is in place of the clouds' programs.
const STAND_IN: &str = r#"
for word in "$@"; do
    [ -n "$word" ] || { echo "$0: an argument is empty: $*" >&2; exit 1; }
done
echo "$*" >> "$HOME/clouds.txt"
case "$*" in
*"create-vpc-endpoint "*) echo vpce-0f7aed6e7a18a1791 ;;
*pscConnectionId*) echo 13585698993864708 ;;
*"private-endpoint create "*) echo /subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/astra-ledger ;;
*privateIPAddress* | *"value(address)"*) echo 10.20.0.5 ;;
*) echo answer ;;
esac
"#;

/// A reader's desk: a checkout, a token in a file, a namespace, and the programs in `PATH`.
struct Desk {
    stage: Stage,
    home: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let home = tempfile::tempdir().unwrap();
        symlink(root().join("examples"), home.path().join("examples")).unwrap();
        fs::write(home.path().join("token.txt"), stage.astra.token()).unwrap();
        fs::copy(&stage.cluster.kubeconfig, home.path().join("kubeconfig")).unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        let desk = Self { stage, home };
        symlink(path("ASTRA_TEST_KUBECTL"), desk.program("kubectl")).unwrap();
        // That a plan has changes is told by a code that would end the script.
        let operator = path("ASTRA_TEST_OPERATOR").display().to_string();
        let run = r#" "$@" || { code=$?; [ "$1 $code" = "plan 2" ] || exit $code; }"#;
        desk.script("astra-operator", &(operator + run));
        for cloud in PROGRAMS {
            desk.script(cloud, STAND_IN);
        }
        desk
    }

    fn program(&self, name: &str) -> PathBuf {
        self.home.path().join("bin").join(name)
    }

    fn script(&self, name: &str, text: &str) {
        fs::write(self.program(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(self.program(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script that ends with the first command that fails, and gives what it printed.
    fn run(&self, script: &str) -> String {
        let mut command = Command::new("timeout");
        command.args(["240", "sh", "-e", "-c", script]).current_dir(&self.home).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", self.home.path().join("bin").display()));
        command.env("HOME", self.home.path()).env("KUBECONFIG", self.home.path().join("kubeconfig"));
        command.env("ASTRA_OPERATOR_DEVOPS_URL", &self.stage.astra.url);
        command.env("ASTRA_OPERATOR_NAMESPACES", &self.stage.namespace);
        let output = command.output().unwrap();
        let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{}:\n{words}", output.status);
        words
    }
}

/// The file that a manifest says it is: `# Fragment: orders.yaml, …`.
fn file_of(block: &str) -> Option<&str> {
    let (name, _) = block.strip_prefix("# Fragment: ")?.split_once(".yaml, ")?;
    (!name.contains(' ')).then_some(name)
}

/// All of a page that a shell can do, as one script. A manifest has become its file by the time that the next command runs.
fn script(page: &Page, home: &Path) -> String {
    let mut script = String::new();
    for block in page.blocks() {
        match (block.language.as_str(), file_of(&block.text)) {
            ("sh", _) => write!(script, "echo '@@ line {}'\n{}\n", block.line, block.text).unwrap(),
            ("yaml", Some(name)) => {
                let draft = format!("line-{}", block.line);
                fs::write(home.join(&draft), &block.text).unwrap();
                writeln!(script, "cp {draft} {name}.yaml").unwrap();
            }
            _ => {}
        }
    }
    script
}

/// Does what `before` says, then what the page says.
async fn walk(name: &str, before: &str) -> (Desk, String) {
    let desk = Desk::new().await;
    desk.run(&format!("kubectl config set-context --current --namespace={}", desk.stage.namespace));
    desk.run(before);
    desk.stage.astra.forget();
    let file = root().join(name);
    let page = Page::new(&file, fs::read_to_string(&file).unwrap());
    let script = script(&page, desk.home.path());
    let words = desk.run(&script);
    println!("figures: {} commands of {name} were run", shell::commands(&script).unwrap().len());
    (desk, words)
}

/// What is done before a page, and what the page has changed in Astra.
macro_rules! walks {
    ($($test:ident: $page:literal after [$($before:ident),*], $expected:expr;)+) => {
        $(
            #[tokio::test]
            #[ignore = "needs a cluster: run `cargo xtask test`"]
            async fn $test() {
                let (desk, _) = walk($page, &[$($before),*].concat()).await;
                $expected.assert_eq(&desk.stage.astra.written());
            }
        )+

        const WALKED: &[&str] = &[$($page),+];
    };
}

walks! {
    access_lists: "docs/guide/access-lists.md" after [ORDERS, ANALYTICS], expect![""];
    block_the_public: "docs/guide/block-the-public.md" after [PRIVATE], expect![[r#"
        PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"198.51.100.7","description":"NAT gateway of the applications","enabled":true},{"address":"203.0.113.0/24","description":"Berlin office","enabled":true}],"configurations":{"accessListEnabled":true}}
        PUT /v2/databases/{orders}/access-list {"addresses":[],"configurations":{"accessListEnabled":true}}
        PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"198.51.100.7","description":"NAT gateway of the applications","enabled":true},{"address":"203.0.113.0/24","description":"Berlin office","enabled":true}],"configurations":{"accessListEnabled":true}}
    "#]];
    conditions: "docs/guide/conditions.md" after [ORDERS], expect![""];
    credentials: "docs/guide/credentials.md" after [WITHOUT_SECRET, UNREAD], expect![[r#"
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"orders, production VPC","endpointID":"vpce-0f7aed6e7a18a1791"}
    "#]];
    deleting: "docs/guide/deleting.md" after [ORDERS], expect![[r#"
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::123456789012:root"}
    "#]];
    export: "docs/guide/export.md" after [ORDERS, LEFT_IN_ASTRA], expect![""];
    from_terraform: "docs/guide/from-terraform.md" after [ORDERS, LEFT_IN_ASTRA], expect![""];
    pausing: "docs/guide/pausing.md" after [ORDERS], expect![""];
    private_endpoints: "docs/guide/private-endpoints.md" after [SERVICE], expect![""];
    recover: "docs/guide/recover.md" after [ORDERS, SERVICE, DISASTER], expect![""];
    vpc_peering: "docs/guide/vpc-peering.md" after [PEERING], expect![[r#"
        DELETE /v2/peering/provider/azure/database/{warehouse}
        POST /v2/peering/provider/azure/database/{warehouse} {"resourceGroupName":"network","subscriptionId":"9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001","tenantId":"3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10","virtualNetworkName":"hub"}
    "#]];
}

/// Several objects are at work at once, so that the order of their calls is not told.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn sharing() {
    let (desk, _) = walk(SHARING, "").await;
    let mut written = desk.stage.astra.writes();
    written.sort();
    expect![[r#"
        DELETE /v2/organizations/clusters/{payments}/datacenters/{payments}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::123456789012:root"}
        DELETE /v2/organizations/clusters/{payments}/datacenters/{payments}-1/endpoints/vpce-0c3d4e5f607182930
        PATCH /v2/databases/{payments}/access-list {"configurations":{"accessListEnabled":true}}
        POST /v2/databases/{payments}/access-list [{"address":"203.0.113.16/28","description":"checkout team","enabled":true}]
        POST /v2/databases/{payments}/access-list [{"address":"203.0.113.32/28","description":"risk team","enabled":true}]
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"orders, production VPC","endpointID":"vpce-0f7aed6e7a18a1791"}
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}
        POST /v2/organizations/clusters/{payments}/datacenters/{payments}-1/endpoints {"description":"payments, analytics account","endpointID":"vpce-0d4e5f60718293041"}
        POST /v2/organizations/clusters/{payments}/datacenters/{payments}-1/endpoints {"description":"payments, application account","endpointID":"vpce-0c3d4e5f607182930"}
        POST /v2/organizations/clusters/{payments}/datacenters/{payments}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root","arn:aws:iam::210987654321:root"]}
        POST /v2/organizations/clusters/{sessions}/datacenters/{sessions}-1/endpoints {"description":"shared with orders","endpointID":"vpce-0f7aed6e7a18a1791"}
        POST /v2/organizations/clusters/{sessions}/datacenters/{sessions}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}"#]].assert_eq(&written.join("\n"));
}

/// From nothing to a connection and back.
#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn getting_started_on_aws() {
    getting_started(STARTED[0], "vpce-svc-", expect![[r#"
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}
        POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"orders, production VPC","endpointID":"vpce-0f7aed6e7a18a1791"}
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints/vpce-0f7aed6e7a18a1791
        DELETE /v2/organizations/clusters/{orders}/datacenters/{orders}-1/allowed-principals {"allowedPrincipal":"arn:aws:iam::123456789012:root"}
    "#]]).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn getting_started_on_google_cloud() {
    getting_started(STARTED[1], "/serviceAttachments/", expect![[r#"
        POST /v2/organizations/clusters/{fraud}/datacenters/{fraud}-1/private-link {"allowedPrincipals":["acme-network"]}
        POST /v2/organizations/clusters/{fraud}/datacenters/{fraud}-1/endpoints {"description":"fraud, shared VPC","endpointID":"13585698993864708"}
        DELETE /v2/organizations/clusters/{fraud}/datacenters/{fraud}-1/endpoints/13585698993864708
        DELETE /v2/organizations/clusters/{fraud}/datacenters/{fraud}-1/allowed-principals {"allowedPrincipal":"acme-network"}
    "#]]).await;
}

#[tokio::test]
#[ignore = "needs a cluster: run `cargo xtask test`"]
async fn getting_started_on_azure() {
    getting_started(STARTED[2], ".azure.privatelinkservice", expect![[r#"
        POST /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/private-link {"allowedPrincipals":["9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"]}
        POST /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints {"description":"ledger, hub network","endpointID":"/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/network/providers/Microsoft.Network/privateEndpoints/astra-ledger"}
        DELETE /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/endpoints/astra-ledger.42a7205a-5554-4f8c-a06e-8e92697b8b6a
        DELETE /v2/organizations/clusters/{ledger}/datacenters/{ledger}-1/allowed-principals {"allowedPrincipal":"9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"}
    "#]]).await;
}

async fn getting_started(page: &str, service: &str, expected: Expect) {
    let (desk, words) = walk(page, WITHOUT_SECRET).await;
    expected.assert_eq(&desk.stage.astra.written());
    assert!(words.contains("\nAccepted"), "the endpoint was to be connected on the way:\n{words}");
    let clouds = fs::read_to_string(desk.home.path().join("clouds.txt")).unwrap();
    for part in [service, ".apps.astra.datastax.com", ".db.astra.datastax.com"] {
        assert!(clouds.contains(part), "nothing in the cloud was made from {part}:\n{clouds}");
    }
}

/// A page that is new is walked, too, or says here why not.
#[test]
fn no_page_is_left_out() {
    let mut left_out = Vec::new();
    let mut told: BTreeMap<&str, &str> = NOT_WALKED.into();
    for page in pages() {
        let name = page.name();
        let walked = WALKED.iter().chain(&STARTED).chain([&SHARING]).any(|walked| *walked == name);
        let has_commands = page.blocks().iter().any(|block| {
            ["sh", "console"].contains(&block.language.as_str())
                && ["kubectl ", "astra-operator "].iter().any(|program| block.text.contains(program))
        });
        if has_commands && told.remove(name.as_str()).is_none() && !walked {
            left_out.push(name);
        }
    }
    assert!(left_out.is_empty(), "not walked, and not said why: {left_out:?}");
    assert!(told.is_empty(), "these have no commands: {told:?}");
}
