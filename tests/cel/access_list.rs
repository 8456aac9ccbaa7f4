//! Rows for `AstraAccessList`.

use serde_json::{Value, json};

use crate::table::{Row, Verdict};

const ADDRESS: &str = "must be an IPv4 address such as 203.0.113.7 or network such as 203.0.113.0/24, with parts of 0 to 255 without leading zeros and a prefix of 0 to 32; Astra takes no IPv6";
const HOST_BITS: &str = "has bits set behind its prefix: write the network's first address, such as 10.0.0.0/24, or a single address without a prefix";
const NEEDS_ONE: &str = "addresses needs at least one address: an empty list would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked, to let in everybody say publicAccess: Open";
const ONE_ENABLED: &str = "at least one address must be enabled: a list without one would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked";
const BLOCKED: &str = "publicAccess: Blocked lets in nobody from the internet, so spec.addresses must be empty; to let in these addresses say publicAccess: Listed";
const NONE_ENABLED: &str = "at least one address must be enabled: a list without one would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked";
const WHOLE: &str =
    "publicAccess: Blocked and Open decide over the whole list, so they need management: Exclusive";

fn spec(mut fields: Value) -> Value {
    fields["database"] = json!({ "name": "orders" });
    fields
}

fn addresses(texts: &[&str]) -> Value {
    let entries: Vec<Value> = texts.iter().map(|text| json!({ "address": text })).collect();
    spec(json!({ "addresses": entries }))
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraAccessList", name, old: None, spec, verdict };
    let one = json!([{ "address": "203.0.113.7" }]);
    let at = "spec.addresses[0].address";
    let mut rows = vec![
        row("a network", addresses(&["203.0.113.0/24"]), Verdict::Accepted),
        row("everything", addresses(&["0.0.0.0/0"]), Verdict::Accepted),
        row("a network of one", addresses(&["203.0.113.7/32"]), Verdict::Accepted),
        row(
            "Listed without an address",
            spec(json!({ "publicAccess": "Listed" })),
            Verdict::Rule("spec", NEEDS_ONE),
        ),
        row("nothing said", spec(json!({})), Verdict::Rule("spec", NEEDS_ONE)),
        row(
            "Shared without an address",
            spec(json!({ "management": "Shared" })),
            Verdict::Rule("spec", NEEDS_ONE),
        ),
        row(
            "no address enabled",
            spec(json!({ "addresses": [{ "address": "203.0.113.7", "enabled": false }] })),
            Verdict::Rule("spec", NONE_ENABLED),
        ),
        row(
            "Shared and no address enabled",
            spec(
                json!({ "management": "Shared", "addresses": [{ "address": "203.0.113.7", "enabled": false }] }),
            ),
            Verdict::Accepted,
        ),
        row(
            "Open and no address enabled",
            spec(
                json!({ "publicAccess": "Open", "addresses": [{ "address": "203.0.113.7", "enabled": false }] }),
            ),
            Verdict::Accepted,
        ),
        row("Blocked", spec(json!({ "publicAccess": "Blocked" })), Verdict::Accepted),
        row(
            "Blocked with an address",
            spec(json!({ "publicAccess": "Blocked", "addresses": one })),
            Verdict::Rule("spec", BLOCKED),
        ),
        row("Open", spec(json!({ "publicAccess": "Open" })), Verdict::Accepted),
        row(
            "Open with a list for later",
            spec(json!({ "publicAccess": "Open", "addresses": one })),
            Verdict::Accepted,
        ),
        row(
            "Shared and Listed",
            spec(json!({ "management": "Shared", "publicAccess": "Listed", "addresses": one })),
            Verdict::Accepted,
        ),
        row(
            "Shared and Blocked",
            spec(json!({ "management": "Shared", "publicAccess": "Blocked" })),
            Verdict::Rule("spec", WHOLE),
        ),
        row(
            "Shared and Open",
            spec(json!({ "management": "Shared", "publicAccess": "Open", "addresses": one })),
            Verdict::Rule("spec", WHOLE),
        ),
        row(
            "an unknown access",
            spec(json!({ "publicAccess": "Public", "addresses": one })),
            Verdict::Schema("spec.publicAccess", "Unsupported value"),
        ),
        row(
            "an unknown management",
            spec(json!({ "management": "Mine", "addresses": one })),
            Verdict::Schema("spec.management", "Unsupported value"),
        ),
        row(
            "an address twice",
            addresses(&["203.0.113.7", "203.0.113.7"]),
            Verdict::Schema("spec.addresses[1]", "Duplicate value"),
        ),
        row(
            "no address in an entry",
            spec(json!({ "addresses": [{ "description": "office" }] })),
            Verdict::Schema(at, "Required value"),
        ),
        row("an empty address", addresses(&[""]), Verdict::Schema(at, "at least 7 chars")),
        row(
            "a long description",
            spec(json!({ "addresses": [{ "address": "203.0.113.7", "description": "x".repeat(257) }] })),
            Verdict::Schema("spec.addresses[0].description", "Too long"),
        ),
    ];
    rows.extend(texts());
    rows.extend(switches());
    rows.extend(changes());
    rows
}

/// Texts that are no address.
fn texts() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraAccessList", name, old: None, spec, verdict };
    let at = "spec.addresses[0].address";
    let mut rows = Vec::new();
    for text in ["10.0.0.5/24", "203.0.113.7/0", "128.0.0.1/1"] {
        rows.push(row("bits behind the prefix", addresses(&[text]), Verdict::Rule(at, HOST_BITS)));
    }
    for text in [
        "2001:db8::1",
        "2001:db8::/32",
        "203.0.113.256",
        "203.0.113.7/33",
        "203.0.113",
        "host.example",
        "203.0.113.07",
        " 203.0.113.7",
        "203.0.113.7,192.0.2.1",
    ] {
        let long = text.len() > 18;
        let verdict = if long { Verdict::Schema(at, "Too long") } else { Verdict::Rule(at, ADDRESS) };
        rows.push(row("no IPv4 address", addresses(&[text]), verdict));
    }
    rows
}

/// Which of the addresses are enabled.
fn switches() -> Vec<Row> {
    let row = |name, spec, verdict| Row { kind: "AstraAccessList", name, old: None, spec, verdict };
    let off = json!([{ "address": "203.0.113.7", "enabled": false }]);
    let one_on = json!([{ "address": "203.0.113.7", "enabled": false }, { "address": "203.0.113.8" }]);
    vec![
        row("one of two is on", spec(json!({ "addresses": one_on })), Verdict::Accepted),
        row("none is on", spec(json!({ "addresses": off })), Verdict::Rule("spec", ONE_ENABLED)),
        row("Open, none is on", spec(json!({ "publicAccess": "Open", "addresses": off })), Verdict::Accepted),
        row(
            "Shared, none is on",
            spec(json!({ "management": "Shared", "addresses": off })),
            Verdict::Accepted,
        ),
    ]
}

fn changes() -> Vec<Row> {
    let one = json!([{ "address": "203.0.113.7" }]);
    let change = |name, spec, verdict| Row {
        kind: "AstraAccessList",
        name,
        old: Some(addresses(&["203.0.113.7"])),
        spec,
        verdict,
    };
    vec![
        change("another address", addresses(&["203.0.113.8"]), Verdict::Accepted),
        change("from Listed to Blocked", spec(json!({ "publicAccess": "Blocked" })), Verdict::Accepted),
        change("the last address taken out", spec(json!({})), Verdict::Rule("spec", NEEDS_ONE)),
        change(
            "from Exclusive to Shared",
            spec(json!({ "management": "Shared", "addresses": one })),
            Verdict::Accepted,
        ),
    ]
}
