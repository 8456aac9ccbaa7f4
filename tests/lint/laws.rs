//! What holds for any manifest.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use astra_operator::{
    lint::{lint, lint_text, output::Output},
    manifest::{Sources, read_text},
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

use crate::mutate::Mutations;

fn database() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~äß日]{1,40}".prop_map(|name| json!({ "name": name })),
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(|id| json!({ "id": id })),
    ]
}

fn network() -> impl Strategy<Value = String> {
    (any::<u32>(), 0..=32_u8, any::<bool>()).prop_map(|(bits, prefix, bare)| {
        let network = ipnet::Ipv4Net::new(bits.into(), prefix).unwrap().trunc();
        if bare && prefix == 32 { network.addr().to_string() } else { network.to_string() }
    })
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    option::of(prop::sample::select(words).prop_map(|word| json!(word)))
}

/// An object of these fields, without those that are left out.
fn spec(fields: Vec<(&str, Option<Value>)>) -> Value {
    Value::Object(
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>(),
    )
}

fn access_list() -> impl Strategy<Value = (&'static str, Value)> {
    let addresses = vec((network(), option::of("[ -~]{0,60}")), 1..8);
    let policy = word(&["Delete", "Retain"]);
    (database(), addresses, word(&["Listed"]), word(&["Shared", "Exclusive"]), policy).prop_map(
        |(database, addresses, access, management, policy)| {
            let mut seen = BTreeSet::new();
            let entries = addresses
                .into_iter()
                .filter(|(network, _)| seen.insert(network.trim_end_matches("/32").to_owned()));
            let entry = |(address, description): (String, Option<String>)| {
                spec(vec![("address", Some(json!(address))), ("description", description.map(Value::from))])
            };
            let addresses: Value = entries.map(entry).collect();
            let fields = vec![
                ("database", Some(database)),
                ("addresses", Some(addresses)),
                ("publicAccess", access),
                ("management", management),
                ("deletionPolicy", policy),
            ];
            ("AstraAccessList", spec(fields))
        },
    )
}

fn private_endpoint() -> impl Strategy<Value = (&'static str, Value)> {
    let principals =
        prop::collection::btree_set("arn:aws:iam::[0-9]{12}:root|[a-z][a-z0-9-]{4,20}[a-z0-9]", 1..5);
    let endpoints = prop::collection::btree_set("vpce-[0-9a-f]{17}|[0-9]{10,20}", 0..5);
    (database(), principals, endpoints, option::of("[a-z0-9-]{1,20}"), word(&["Shared", "Exclusive"]))
        .prop_map(|(database, principals, endpoints, region, management)| {
            let endpoints: Value = endpoints.into_iter().map(|id| json!({ "id": id })).collect();
            let fields = vec![
                ("database", Some(database)),
                ("allowedPrincipals", Some(json!(principals))),
                ("endpoints", Some(endpoints)),
                ("region", region.map(Value::from)),
                ("management", management),
            ];
            ("AstraPrivateEndpoint", spec(fields))
        })
}

fn object() -> impl Strategy<Value = Value> {
    (prop_oneof![access_list(), private_endpoint()], "[a-z]([-a-z0-9]{0,20}[a-z0-9])?").prop_map(|((kind, spec), name)| {
        json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": kind, "metadata": { "name": name }, "spec": spec,
        })
    })
}

/// Is all of `written` in `read`? The rest of that are defaults.
fn keeps(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            written.iter().all(|(name, value)| read.get(name).is_some_and(|read| keeps(read, value)))
        }
        (Value::Array(read), Value::Array(written)) => {
            read.len() == written.len()
                && read.iter().zip(written).all(|(read, written)| keeps(read, written))
        }
        _ => read == written,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_valid_object_passes_in_yaml_and_json_and_nothing_of_it_is_lost(object in object()) {
        let texts = [
            serde_saphyr::to_string(&object).unwrap(),
            serde_json::to_string(&object).unwrap(),
            serde_json::to_string_pretty(&json!({ "apiVersion": "v1", "kind": "List", "items": [object] })).unwrap(),
        ];
        for text in texts {
            let read = read_text("a", &text, "team");
            prop_assert_eq!(&read.errors, &[], "{}", text);
            let [manifest] = read.objects.as_slice() else { panic!("{text}") };
            prop_assert!(keeps(&manifest.value, &object), "{}\n{}", text, manifest.value);
            prop_assert_eq!(&manifest.value["metadata"]["namespace"], "team");
            prop_assert_eq!(manifest.value["spec"]["credentials"]["secretName"].as_str(), Some("astra-credentials"));
        }
    }

    /// Whatever is wrong is somewhere in the text, and at a field if it is about one.
    #[test]
    fn a_field_that_there_is_not_is_found_where_it_stands(object in object(), place in 0..3_usize) {
        let mut object = object;
        let (path, target) = match place {
            0 => ("", &mut object),
            1 => ("spec.", &mut object["spec"]),
            _ => ("spec.database.", &mut object["spec"]["database"]),
        };
        target["nobodyKnows"] = json!(1);
        let text = serde_saphyr::to_string(&object).unwrap();
        let errors = read_text("a", &text, "team").errors;
        prop_assert_eq!(errors.len(), 1, "{:?}", errors);
        prop_assert_eq!(&errors[0].field, &format!("{path}nobodyKnows"));
        let line = text.lines().nth(usize::try_from(errors[0].location.line).unwrap() - 1).unwrap();
        let column = usize::try_from(errors[0].location.column).unwrap() - 1;
        prop_assert!(line[column..].starts_with("nobodyKnows"), "{}", line);
    }
}

/// The examples, mutated: nothing panics, and nothing that a file says reaches a terminal as it is.
#[test]
fn no_input_panics_or_speaks_to_the_terminal() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    seeds.push(
        b"a: &a [x, y]\nb: &b [*a, *a]\nc: &c [*b, *b, {<<: *b}]\n? *c\n: |\n  x\n---\n- !!int 1\n".to_vec(),
    );
    seeds.push(br#"{"apiVersion": "v1", "kind": "List", "items": [{"kind": "AstraAccessList", "apiVersion": "astra.datastax.com/v1beta1"}]}"#.to_vec());
    let count = if std::env::var_os("THOROUGH").is_some() { 200_000 } else { 3_000 };
    let mut errors = 0;
    for input in Mutations::of(&seeds).take(count) {
        let text = String::from_utf8_lossy(&input);
        let report = lint_text("a.yaml", &text, "default", &BTreeSet::new());
        errors += report.advice.len();
        for output in [Output::Human, Output::Json, Output::Sarif, Output::Github] {
            let mut out = Vec::new();
            output.write(&report, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            let shown = anstream::adapter::strip_str(&out).to_string();
            let bad = shown.chars().find(|c| *c != '\n' && astra_operator::text::is_unprintable(*c));
            assert_eq!(bad, None, "{shown:?}");
        }
    }
    assert!(errors > count / 4, "only {errors} errors: the mutations do not reach the checks");
}

#[test]
fn what_grows_by_itself_is_stopped() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 10].join(", ")).unwrap();
    }
    // Each level alone is shallow; the chain is not.
    let mut chain = format!("a0: &a0 {}x{}\n", "[".repeat(60), "]".repeat(60));
    for i in 1..40 {
        writeln!(chain, "a{i}: &a{i} {}*a{}{}", "[".repeat(60), i - 1, "]".repeat(60)).unwrap();
    }
    for (text, words) in [
        (bomb, "aliases stand for more than 100000 values"),
        (chain, "nests deeper than 128 levels"),
        (format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)), ""),
        ("- ".repeat(100_000), ""),
        ("{a: ".repeat(100_000), ""),
    ] {
        let start = Instant::now();
        let errors = read_text("a", &text, "default").errors;
        assert_eq!(errors.len(), 1);
        assert!(errors[0].message.contains(words), "{}", errors[0].message);
        assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
    }
}

/// Thousands of manifests, also of one database, in a time that grows no faster than they do.
#[test]
fn five_thousand_manifests_take_seconds() {
    let directory = tempfile::tempdir().unwrap();
    for i in 0..5_000_u32 {
        // Every tenth is of one database, where all are compared with all.
        let database = if i % 10 == 0 { 0 } else { i };
        let address = std::net::Ipv4Addr::from(0xCB00_7100 + i);
        let text = format!(
            "apiVersion: astra.datastax.com/v1beta1\nkind: AstraAccessList\nmetadata:\n  name: list-{i}\nspec:\n  database:\n    name: database-{database}\n  management: Shared\n  publicAccess: Listed\n  addresses:\n    - address: {address}\n      description: office {i}\n    - address: 198.51.100.0/24\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other-{i}}}\n"
        );
        fs::write(directory.path().join(format!("{i:04}.yaml")), text).unwrap();
    }
    let sources = Sources {
        files: vec![directory.path().to_owned()],
        namespace: "default".to_owned(),
        ..Sources::default()
    };
    let start = Instant::now();
    let report = lint(&sources, &BTreeSet::new()).unwrap();
    let took = start.elapsed();
    println!(
        "5000 manifests and as many of another kind in {took:?}: {} pieces of advice",
        report.advice.len()
    );
    assert_eq!(report.objects, 5_000);
    assert_eq!(report.skipped["v1 ConfigMap"], 5_000);
    assert_eq!(report.advice.len(), 499, "each of one database but the first repeats a network");
    assert!(took < Duration::from_mins(1), "took {took:?}");
}
