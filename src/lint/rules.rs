//! The rules: what each finds, why that matters, and how to mend it. `docs/lint.md` is made from them.

use std::fmt::Write as _;

use super::Severity;

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id. It never changes, and is never given to another rule.
    pub id: &'static str,
    /// Its name, in words with hyphens.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it finds, in one sentence.
    pub summary: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub mend: &'static str,
}

/// Makes the rules, and from the very same lines their list.
macro_rules! rules {
    ($($id:literal $const:ident $name:literal $severity:ident: $summary:literal, $why:literal, $mend:literal;)+) => {
        $(
            #[doc = $summary]
            pub const $const: Rule = Rule {
                id: $id, name: $name, severity: Severity::$severity, summary: $summary, why: $why, mend: $mend,
            };
        )+

        /// All of them, in the order of their ids.
        pub static RULES: &[&Rule] = &[$(&$const),+];
    };
}

rules! {
    "AL001" REFUSED "refused" Error:
        "The manifest cannot be read, or the API server would refuse it.",
        "Nothing of it reaches the cluster: a syntax error, an unknown field, a value that the schema or one of its rules does not take.",
        "Do what the message says. This rule cannot be silenced.";
    "AL002" TWICE "declared-twice" Error:
        "One object is declared twice: same kind, namespace and name.",
        "kubectl applies both, one after the other. The last one wins, and with two pipelines it is another one each time.",
        "Delete one of the two, or give it another name.";
    "AL003" CONFLICT "conflict" Error:
        "Two objects cannot live beside each other: they are for the same database, and one of them claims all of it.",
        "The operator lets the older go on and sends nothing for the other, which is Stalled with Conflict. Which one that is depends on what was applied first.",
        "Merge the two into one object, or make both `management: Shared`. Of an AstraVpcPeering there can be one for each database.";
    "AL004" DISAGREEMENT "disagreement" Error:
        "Two Shared lists of one database disagree on whether the same network is enabled.",
        "The operator keeps what the older says; the younger is Stalled with Conflict.",
        "Make both say the same, or declare the network in one of them only.";
    "AL005" EVERYBODY "everybody-listed" Warning:
        "The enabled addresses of a list are the whole internet together.",
        "The list is switched on, looks like a restriction in every overview, and keeps nobody out. Only a token stands between the internet and the data.",
        "List the networks that need access. If everybody shall get in, say `publicAccess: Open` in an Exclusive object, so that it can be seen.";
    "AL006" OPEN "open" Warning:
        "`publicAccess: Open` lets everybody in.",
        "The addresses of the list are kept and do not count. Only a token stands between the internet and the data.",
        "Say `publicAccess: Listed` with the networks that need access, or `Blocked` if only private endpoints do.";
    "AL007" SWITCH "switch-left-alone" Warning:
        "A Shared list says nothing of the switch, and nothing else that was read switches the restriction on.",
        "The addresses count only while the restriction is on. Until somebody switches it on, everybody gets in.",
        "When every team's addresses are there, say `publicAccess: Listed` in one of the objects. If it is switched on elsewhere, silence this rule.";
    "AL008" OVERLAP "overlap" Warning:
        "A network lies within another one of the same list that is enabled.",
        "It changes nothing. Whoever takes it out, or disables it, believes to have shut somebody out and has not.",
        "Take the smaller one out, or make the larger one smaller.";
    "AL009" OVERLAP_ACROSS "overlap-across-objects" Note:
        "A network is also in another list of the same database, or lies within an enabled network there.",
        "Taking it out here shuts nobody out while the other object is there. What two objects declare stays until neither does.",
        "Declare it in one object, if one team owns it.";
    "AL010" PRIVATE "private-range" Warning:
        "An address of a range that is not routed on the internet is in the list.",
        "Astra sees the public address behind which a client leaves its network. An address of RFC 1918, RFC 6598, loopback or link-local never arrives there, so the entry lets nobody in. It is right for a Classic database with a VPC peering only.",
        "Write the public address of the NAT gateway or proxy. With a VPC peering that is managed elsewhere, silence this rule.";
    "AL011" ENDPOINT_OPEN "endpoint-beside-open" Warning:
        "A database has a private endpoint, and its access list is Open.",
        "A private endpoint adds a private way in. It closes the public one not at all: that is the access list's business.",
        "Say `publicAccess: Blocked` in the access list, or `Listed` while some clients still come from the internet.";
    "AL012" ENDPOINT_ALONE "endpoint-without-list" Note:
        "A database has a private endpoint, and nothing that was read restricts its public side.",
        "A private endpoint does not close the public way in. A database without a list lets everybody in, with a token, from anywhere. The vendor recommends to restrict public access beside a private endpoint.",
        "Add an AstraAccessList with `publicAccess: Blocked`. If the list is managed elsewhere, silence this rule.";
    "AL013" DELETE_LOCKS "delete-locks-out" Warning:
        "An Exclusive list has `deletionPolicy: Delete`.",
        "Deleting the object takes its addresses away and leaves the restriction on: nobody gets in from the internet any more. A namespace that is deleted, or a pruning GitOps tool, does that too.",
        "Leave `deletionPolicy` out: the default, Retain, leaves the list as it is.";
    "AL014" MIXED "id-and-name" Note:
        "Some objects with the same credentials name their database by its id, others by its name.",
        "Only Astra knows which id has which name. Two objects for one database are not seen as such here, and none of the rules about several objects can find anything between them.",
        "Use ids everywhere, or names everywhere.";
    "AL015" REGIONS "endpoint-in-two-regions" Warning:
        "One endpoint is declared for two regions.",
        "A cloud's endpoint leads to the service of one region. In the other one Astra will refuse it, or it will never be accepted.",
        "Make an endpoint for each region, and declare each where it belongs.";
    "AL016" BLOCKED_ALONE "blocked-without-endpoint" Note:
        "`publicAccess: Blocked`, and nothing that was read gives the database a private way in.",
        "Blocked lets in private endpoints only. Without one, nobody gets in.",
        "Add an AstraPrivateEndpoint, and wait until it is Ready before the list is applied. If it is managed elsewhere, silence this rule.";
    "AL017" ANNOTATION "annotation-without-effect" Warning:
        "An annotation of the operator is misspelt, or its value means nothing.",
        "Annotations are free text to the API server: it takes the misspelt ones too. The object is not paused, the advice not silenced, and nobody is told.",
        "Write it as the message says.";
    "AL018" MOMENTARY "annotation-for-a-moment" Warning:
        "A manifest has an annotation that answers one question at one moment: `force-finalize` or `allow-mass-removal`.",
        "In Git it stays for ever. `force-finalize` lets every later deletion leave things behind in Astra; `allow-mass-removal` is an answer to a number that will come again some day.",
        "Set it with `kubectl annotate` when the operator asks for it, and keep it out of the manifest.";
    "AL019" PAUSED "paused" Note:
        "The object is paused.",
        "The operator sends nothing for it: not its changes, and not its deletion, which waits.",
        "Take the annotation out when the reason has passed.";
}

/// The rule of this id.
#[must_use]
pub fn of(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// The page `docs/lint.md`.
#[must_use]
pub fn page() -> String {
    let mut page = format!("{}\n", HEAD.trim());
    for rule in RULES {
        // Writing into a string cannot fail.
        let _ = write!(
            page,
            "\n## {} {}\n\n{}: {}\n\n**Why.** {}\n\n**Mend.** {}\n",
            rule.id,
            rule.name,
            rule.severity.as_str(),
            rule.summary,
            rule.why,
            rule.mend
        );
    }
    page
}

const HEAD: &str = "
# Lint

<!-- Made from src/lint/rules.rs: UPDATE_EXPECT=1 cargo test --workspace --test lint -->

`astra-operator lint` reads manifests and tells what the API server would refuse in them, and what it would take and
somebody will be sorry for. It needs neither a cluster nor Astra.

```sh
astra-operator lint -f manifests/
astra-operator lint -k overlays/production --strict
astra-operator lint -f manifests/ -R -o sarif
```

What it cannot see: what Astra has, which database an id means, and objects that were not among what was read. A rule that
depends on that says so, and can be silenced.

| exit code | when |
|---|---|
| 0 | no errors; with `--strict`, nothing at all |
| 1 | errors, or something could not be read |
| 2 | the command line is wrong |

Advice is silenced for one object by an annotation in its manifest, so that the reason can stand beside it:

```yaml
# Fragment: the database is reached through a proxy of the partner, which has no fixed address.
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata:
  name: partner
  annotations:
    astra.datastax.com/lint-ignore: AL006
spec:
  database:
    name: partner
  publicAccess: Open
```

Advice between two objects is silenced by either of them. `--ignore AL012,AL014` silences rules for a whole run.

`-o human` shows the line; `-o json` is for scripts (`version` changes when a field goes or changes its meaning);
`-o sarif` is SARIF 2.1.0, for code scanning; `-o github` annotates a pull request from a GitHub workflow.
";
