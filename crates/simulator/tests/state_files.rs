//! State files: they come back as they were written, and mistakes in them are named.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use astra_simulator::{Event, Method, Request, State, World, state::ACME_TOKEN};
use serde_json::{Value, json};

/// The default state as JSON, changed at one place.
fn changed(pointer: &str, value: Value) -> String {
    let mut state = serde_json::to_value(State::default()).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    state.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(field.into(), value);
    state.to_string()
}

#[test]
fn a_state_comes_back_as_it_was_written() {
    let mut state = State::default();
    assert_eq!(State::read(&state.to_yaml().unwrap()).unwrap(), state);
    state.databases[0].access_list = Some(astra_simulator::state::AccessList::default());
    state.rejected_endpoints.push("vpce-1".into());
    assert_eq!(State::read(&serde_json::to_string(&state).unwrap()).unwrap(), state);
}

#[test]
fn the_default_state_is_valid_and_as_documented() {
    let state = State::default();
    state.validate().unwrap();
    for entry in &state.tokens {
        let parts: Vec<_> = entry.token.split(':').collect();
        assert_eq!((parts[0], parts[1].len(), parts[2].len()), ("AstraCS", 24, 64), "{entry:?}");
        assert!(parts[2].bytes().all(|b| b.is_ascii_hexdigit()), "{entry:?}");
    }
    let rows: Vec<_> = state
        .databases
        .iter()
        .map(|database| {
            let regions: Vec<_> =
                database.datacenters.iter().map(|datacenter| datacenter.region.as_str()).collect();
            let cloud = database.cloud_provider.as_str();
            let (id, name, tier) = (&database.id, &database.name, &database.tier);
            format!("{id} {name} {cloud} {tier} {} {}", database.status, regions.join(","))
        })
        .collect();
    expect_test::expect![[r#"
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01 orders AWS serverless ACTIVE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02 catalog AWS serverless ACTIVE us-east-1,eu-west-1
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b03 ledger AZURE serverless ACTIVE eastus
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b04 fraud GCP serverless ACTIVE us-east4
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b05 sessions AWS serverless ACTIVE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b06 warehouse AZURE C10 ACTIVE westus2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b07 legacy AWS C20 ACTIVE us-west-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b08 archive GCP D10 ACTIVE us-central1
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b09 staging AWS serverless ACTIVE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0a staging AWS serverless ACTIVE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0b migrating AWS serverless MAINTENANCE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0c retired AWS serverless TERMINATED us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0d dormant AWS C10 PARKED us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0e payments AWS serverless ACTIVE us-east-2
        4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b0f analytics AWS serverless ACTIVE us-west-2
        f2b7d6a0-58c1-4c3e-8a9d-6e5f4d3c2b01 reactor AWS serverless ACTIVE us-east-2"#]]
    .assert_eq(&rows.join("\n"));
}

#[test]
fn mistakes_are_named_with_their_field() {
    let cases = [
        (
            "/tokens/0/role",
            json!("King"),
            "tokens[0].role: unknown role \"King\", known are Organization Administrator",
        ),
        ("/tokens/1/organization", json!("x"), "tokens[1].organization: there is no organization \"x\""),
        ("/tokens/1/token", json!("secret"), "tokens[1].token: must start with AstraCS:"),
        ("/tokens/1/token", json!(ACME_TOKEN), "tokens[1].token: is there twice"),
        ("/databases/3/organization", json!("x"), "databases[3].organization: there is no organization"),
        ("/databases/3/datacenters", json!([]), "databases[3].datacenters: at least one is needed"),
        ("/databases/3/id", json!("a/b"), "databases[3].id: must be letters, digits and hyphens"),
        ("/databases/3/cloudProvider", json!("OCI"), "OCI"),
        ("/databases/3/colour", json!("red"), "unknown field `colour`"),
        (
            "/databases/3/accessList",
            json!({ "addresses": [{ "address": "1.2.3", "enabled": true }] }),
            "databases[3].accessList.addresses[0].address: invalid address \"1.2.3\"",
        ),
        (
            "/databases/3/privateLinks",
            json!([{ "datacenterId": "x" }]),
            "databases[3].privateLinks[0].datacenterId: the",
        ),
        ("/peeringDelay", json!("soon"), "\"soon\" is no duration"),
        ("/organizations", json!([]), "organizations: at least one is needed"),
    ];
    for (pointer, value, expected) in cases {
        let error = State::read(&changed(pointer, value)).unwrap_err().to_string();
        assert!(error.contains(expected), "{pointer}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn events_are_read_as_documented() {
    let events = [
        json!({ "rejectEndpoint": { "database": "d", "endpoint": "e" } }),
        json!({ "removeEndpoint": { "database": "d", "endpoint": "e" } }),
        json!({ "removePrincipal": { "database": "d", "principal": "p" } }),
        json!({ "removePrincipal": { "database": "d", "datacenter": "d-1", "principal": "p" } }),
        json!({ "setPeeringStatus": { "database": "d", "status": "active" } }),
        json!({ "removePeering": { "database": "d" } }),
        json!({ "addAddress": { "database": "d", "address": "192.0.2.1", "description": "", "enabled": true } }),
        json!({ "removeAddress": { "database": "d", "address": "192.0.2.1" } }),
        json!({ "setRestriction": { "database": "d", "enabled": true } }),
        json!({ "removeAccessList": { "database": "d" } }),
        json!({ "setDatabaseStatus": { "database": "d", "status": "MAINTENANCE" } }),
        json!({ "revokeToken": { "token": "t" } }),
        json!({ "advanceTime": "30s" }),
    ];
    let mut world = World::new(State::default(), 1);
    for event in events {
        let read: Event = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), event);
        let happened = world.apply(jiff::Timestamp::UNIX_EPOCH, &read);
        assert_eq!(
            happened.is_ok(),
            read == Event::AdvanceTime(std::time::Duration::from_secs(30)),
            "{event}"
        );
    }
}

#[test]
fn the_same_world_has_the_same_names_and_another_seed_others() {
    let ask = |seed: u64, calls: &[&str]| {
        let mut world = World::new(State::default(), seed);
        let post = |world: &mut World, target: &str| {
            let body = json!({ "allowedPrincipals": ["arn:aws:iam::123456789012:root"] });
            let request = Request::new(Method::Post, target).token(ACME_TOKEN).json(&body);
            world.handle(jiff::Timestamp::UNIX_EPOCH, &request).value().unwrap()["serviceName"].clone()
        };
        let mut names: Vec<_> = calls
            .iter()
            .map(|number| post(&mut world, &target(number)))
            .map(|name| name.to_string())
            .collect();
        names.sort();
        names
    };
    assert_eq!(ask(1, &["01", "05"]), ask(1, &["05", "01"]));
    assert_ne!(ask(1, &["01", "05"]), ask(2, &["01", "05"]));
}

fn target(number: &str) -> String {
    let id = astra_simulator::state::database_id(number);
    format!("/v2/organizations/clusters/{id}/datacenters/{id}-1/private-link")
}

/// Requests put together from pieces that mean something somewhere: whatever is asked, there is an answer with a status
/// that HTTP knows, and no panic.
#[test]
fn nonsense_is_answered() {
    let id = astra_simulator::state::database_id("01");
    let dc = format!("{id}-1");
    let pieces = [
        "v2",
        "databases",
        "organizations",
        "clusters",
        "datacenters",
        &id,
        &dc,
        "private-link",
        "endpoints",
        "access-list",
        "peering",
        "provider",
        "aws",
        "database",
        "terminate",
        "resize",
        "%",
        "%ff",
        "..",
        "",
        "customDomains",
    ];
    let bodies: [&[u8]; 8] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[null]",
        b"{\"addresses\":[1]}",
        b"{\"capacityUnits\":4294967295}",
        b"\xff{",
    ];
    let methods = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let mut world = World::new(State::default(), 1);
    // A small generator of its own: the same nonsense every time.
    let mut state: u64 = 7;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..20_000 {
        let path: Vec<_> = (0..next(9)).map(|_| pieces[next(pieces.len())]).collect();
        let query = ["", "?addresses", "?addresses=%", "?limit=-1&all=true", "?&&=&"][next(5)];
        let request =
            Request::new(methods[next(5)], &format!("/{}{query}", path.join("/"))).token(ACME_TOKEN);
        let request = Request { body: bodies[next(8)].to_vec(), ..request };
        let response = world.handle(jiff::Timestamp::UNIX_EPOCH, &request);
        assert!((200..600).contains(&response.status), "{request:?}");
    }
}
