//! What each operation would send, letter by letter.

use std::fmt::Write as _;

use astra_devops::{
    Call, Endpoint, Method, Repeat,
    access_list::{
        AccessListTemplate, AddAddresses, AddressText, Configurations, Entry, GetAccessList, ListAccessLists,
        RemoveAddress, ReplaceAccessList, RestrictAccess, ValidateAccessList,
    },
    databases::{GetDatabase, ListDatabases, ListDatacenters, SecureBundleUrls},
    id::EndpointId,
    organization::GetCurrentOrganization,
    peering::{CreatePeering, DeletePeering, GetPeering, Network, Provider},
    private_link::{
        AcceptEndpoint, AddAllowedPrincipals, AllowPrincipals, DescribeEndpoint, GetCustomDomains,
        GetDatabaseLinks, GetEndpoint, GetPrivateLink, ListPrivateLinks, Place, RemoveEndpoint,
        RemovePrincipal, SetCustomDomains,
    },
    regions::{ListClassicRegions, ListServerlessRegions},
};
use expect_test::expect_file;
use proptest::prelude::*;
use serde_json::json;

const AZURE: &str =
    "/subscriptions/1/resourceGroups/größe (a)/providers/Microsoft.Network/privateEndpoints/pe";

fn place() -> Place {
    Place { database: "db-1".parse().unwrap(), datacenter: "db-1-2".parse().unwrap() }
}

fn entry(address: &str) -> Entry {
    Entry { address: address.into(), description: "office".into(), enabled: true }
}

fn azure_id() -> EndpointId {
    AZURE.replace("größe (a)", "größe(a)").parse().unwrap()
}

fn private_link() -> Vec<(&'static str, Call)> {
    let (place, id) = (place(), azure_id());
    let allow = AllowPrincipals { place: place.clone(), principals: vec!["arn:a".into(), "arn:b".into()] };
    vec![
        ("ListPrivateLinks", ListPrivateLinks.call()),
        ("GetDatabaseLinks", GetDatabaseLinks(place.database.clone()).call()),
        ("GetPrivateLink", GetPrivateLink(place.clone()).call()),
        ("AllowPrincipals", allow.call()),
        ("AddAllowedPrincipals", AddAllowedPrincipals(allow).call()),
        ("RemovePrincipal", RemovePrincipal { place: place.clone(), principal: "arn:a".into() }.call()),
        (
            "AcceptEndpoint",
            AcceptEndpoint { place: place.clone(), id: id.clone(), description: "d".into() }.call(),
        ),
        ("GetEndpoint", GetEndpoint { place: place.clone(), id: id.clone() }.call()),
        (
            "DescribeEndpoint",
            DescribeEndpoint { place: place.clone(), id: id.clone(), description: "e".into() }.call(),
        ),
        ("RemoveEndpoint", RemoveEndpoint { place, id }.call()),
        ("GetCustomDomains", GetCustomDomains.call()),
        ("SetCustomDomains", SetCustomDomains(vec!["db.example.com".into()]).call()),
    ]
}

fn access_list() -> Vec<(&'static str, Call)> {
    let database = place().database;
    vec![
        ("ListAccessLists", ListAccessLists.call()),
        ("GetAccessList", GetAccessList(database.clone()).call()),
        (
            "ReplaceAccessList",
            ReplaceAccessList {
                database: database.clone(),
                addresses: vec![entry("10.0.0.0/8")],
                configurations: Configurations { access_list_enabled: true },
            }
            .call(),
        ),
        (
            "AddAddresses",
            AddAddresses {
                database: database.clone(),
                addresses: vec![entry("10.0.0.0/8"), entry("1.2.3.4")],
            }
            .call(),
        ),
        ("RestrictAccess", RestrictAccess(database.clone()).call()),
        (
            "RemoveAddress",
            RemoveAddress { database, address: AddressText::new("10.0.0.0/8").unwrap() }.call(),
        ),
        ("ValidateAccessList", ValidateAccessList(vec![entry("10.0.0.0/8")]).call()),
        ("AccessListTemplate", AccessListTemplate.call()),
    ]
}

fn peering() -> Vec<(&'static str, Call)> {
    let database = place().database;
    let create = |network| CreatePeering { database: database.clone(), network }.call();
    vec![
        ("GetPeering", GetPeering { provider: Provider::Azure, database: database.clone() }.call()),
        (
            "CreatePeering aws",
            create(Network::Aws {
                account_id: "123456789012".into(),
                vpc_id: "vpc-0a1b2c3d".into(),
                region: "us-east-1".into(),
                cidr_block: "10.0.0.0/16".into(),
            }),
        ),
        (
            "CreatePeering azure",
            create(Network::Azure {
                tenant_id: "t".into(),
                subscription_id: "s".into(),
                resource_group_name: "r".into(),
                virtual_network_name: "v".into(),
            }),
        ),
        ("CreatePeering gcp", create(Network::Gcp { project_id: "p".into(), vpc_network_name: "n".into() })),
        ("DeletePeering", DeletePeering { provider: Provider::Gcp, database: database.clone() }.call()),
    ]
}

fn databases() -> Vec<(&'static str, Call)> {
    let database = place().database;
    vec![
        ("ListDatabases first page", ListDatabases::default().call()),
        ("ListDatabases next page", ListDatabases { starting_after: Some(database.clone()) }.call()),
        ("GetDatabase", GetDatabase(database.clone()).call()),
        ("ListDatacenters", ListDatacenters { database: database.clone(), all: false }.call()),
        ("ListDatacenters all", ListDatacenters { database: database.clone(), all: true }.call()),
        ("SecureBundleUrls", SecureBundleUrls(database).call()),
        ("GetCurrentOrganization", GetCurrentOrganization.call()),
        ("ListServerlessRegions", ListServerlessRegions.call()),
        ("ListClassicRegions", ListClassicRegions.call()),
    ]
}

/// Every operation of the crate. The count of `impl Endpoint` in the sources is checked against it.
fn all() -> Vec<(&'static str, Call)> {
    [private_link(), access_list(), peering(), databases()].concat()
}

#[test]
fn every_operation_sends_what_the_listing_says() {
    let mut listing = String::new();
    for (name, call) in all() {
        let repeat = if call.repeat == Repeat::Safe { "may be repeated" } else { "never repeated in doubt" };
        let body = call.body.as_ref().map_or("no body".to_owned(), ToString::to_string);
        writeln!(listing, "{name}\n  {call}\n  {body}\n  {}, {repeat}\n", call.permission).unwrap();
    }
    expect_file!["calls.txt"].assert_eq(&listing);
}

#[test]
fn the_listing_has_every_endpoint_of_the_crate() {
    let sources = [
        include_str!("../../src/access_list.rs"),
        include_str!("../../src/databases.rs"),
        include_str!("../../src/organization.rs"),
        include_str!("../../src/peering.rs"),
        include_str!("../../src/private_link.rs"),
        include_str!("../../src/regions.rs"),
    ];
    let listed = all();
    let mut endpoints = 0;
    for line in sources.iter().flat_map(|source| source.lines()) {
        let Some(name) = line.strip_prefix("impl Endpoint for ").and_then(|rest| rest.strip_suffix(" {"))
        else {
            continue;
        };
        endpoints += 1;
        let known = listed.iter().any(|(listed, _)| listed.split(' ').next() == Some(name));
        assert!(known, "{name} is not in the listing");
    }
    assert_eq!(endpoints, 30, "did the way endpoints are written change?");
}

#[test]
fn no_operation_can_delete_a_whole_list() {
    let mut lists = 0;
    for (name, call) in all() {
        assert!(!call.would_delete_whole_list(), "{name}: {call}");
        if call.method == Method::Delete && call.path.ends_with("/access-list") {
            lists += 1;
            let [(key, address)] = call.query.as_slice() else { panic!("{name}: one address a call") };
            assert_eq!(*key, "addresses");
            assert!(!address.is_empty());
            assert_eq!(call.body, Some(json!({ "addresses": [{ "address": address }] })), "{name}");
        }
    }
    assert_eq!(lists, 1);
}

#[test]
fn a_delete_that_names_no_address_is_recognized() {
    let list = || Call::new(Method::Delete, &["v2", "databases", "d", "access-list"], "accesslist-write");
    let named = || list().query("addresses", "1.2.3.4");
    let cases = [
        (list(), true, "nothing"),
        (list().body(json!({ "addresses": [{ "address": "1.2.3.4" }] })), true, "only a body"),
        (list().query("addresses", ""), true, "an empty address"),
        (list().query("address", "1.2.3.4"), true, "a query of another name"),
        (named().body(json!({ "addresses": [] })), true, "a body that says everything"),
        (named().body(json!({})), true, "an empty body"),
        (named(), false, "a query"),
        (named().body(json!({ "addresses": [{ "address": "1.2.3.4" }] })), false, "query and body"),
        (
            Call::new(Method::Delete, &["v2", "organizations", "o", "devops-acl"], ""),
            true,
            "the API's own list",
        ),
        (Call::new(Method::Get, &["v2", "databases", "d", "access-list"], ""), false, "a GET"),
        (Call::new(Method::Delete, &["v2", "databases", "d"], ""), false, "another path"),
    ];
    for (call, expected, why) in cases {
        assert_eq!(call.would_delete_whole_list(), expected, "{why}: {call}");
    }
}

#[test]
fn segments_stay_one_segment() {
    let cases = [
        (
            AZURE,
            "%2Fsubscriptions%2F1%2FresourceGroups%2Fgr%C3%B6%C3%9Fe%20%28a%29%2Fproviders%2FMicrosoft.Network%2FprivateEndpoints%2Fpe",
        ),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("%2f", "%252f"),
        ("a/../b", "a%2F..%2Fb"),
        ("a;b+c&d", "a%3Bb%2Bc%26d"),
        ("\\", "%5C"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("A-z_0.9~", "A-z_0.9~"),
    ];
    for (segment, encoded) in cases {
        assert_eq!(Call::new(Method::Get, &["v2", segment, "x"], "").path, format!("/v2/{encoded}/x"));
    }
}

#[test]
fn query_values_are_encoded() {
    let call = Call::new(Method::Get, &["v2"], "").query("a", "1&2 3/4").query("b", "ü+=");
    assert_eq!(call.target(), "/v2?a=1%262%203%2F4&b=%C3%BC%2B%3D");
}

#[test]
fn ids_that_could_leave_their_segment_do_not_parse() {
    for id in ["", ".", "..", " ", "a b", "a\tb", "a\nb", "a\0b", "a\u{a0}b", "\u{85}"] {
        assert!(id.parse::<EndpointId>().is_err(), "{id:?}");
    }
    assert!("a".repeat(1025).parse::<EndpointId>().is_err());
    for id in ["vpce-0f7aed6e7a18a1791", "18446744073709551615", "pe.1b2c", "...", "größe"] {
        assert!(id.parse::<EndpointId>().is_ok(), "{id:?}");
    }
    for id in ["", ".", "..", "a/b", "a%2fb", "a_b", "ü", "a b"] {
        assert!(id.parse::<astra_devops::id::DatabaseId>().is_err(), "{id:?}");
        assert!(id.parse::<astra_devops::id::DatacenterId>().is_err(), "{id:?}");
    }
}

#[test]
fn an_address_text_is_an_address_and_nothing_else() {
    for text in ["1.2.3.4", "0.0.0.0/0", "10.0.0.5/24", "255.255.255.255/32", "999.1.1.1", "1.2.3.4/9"] {
        assert_eq!(AddressText::new(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        " ",
        "0",
        "/",
        "1/",
        ".",
        "...",
        "1.2.3",
        "1.2.3.4.5",
        "1..3.4",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/08",
        "1.2.3.4/8/8",
        "1.2.3.4//8",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4,5.6.7.8",
        "1.2.3.4&addresses=",
        "1000.2.3.4",
        "1.2.3.4\n",
        "::1",
        "2001:db8::/32",
        "a.b.c.d",
        "*",
        "１.2.3.4",
        "+1.2.3.4",
        "1.2.3.4/+8",
    ] {
        assert_eq!(AddressText::new(text), None, "{text:?}");
    }
}

proptest! {
    /// Whatever a segment is, decoding the path gives it back, and the path has no more segments than were given.
    #[test]
    fn encoding_loses_nothing(segments in proptest::collection::vec("\\PC{1,20}", 1..5)) {
        let refs: Vec<&str> = segments.iter().map(String::as_str).collect();
        let call = Call::new(Method::Get, &refs, "");
        let decoded: Vec<String> = call.path.split('/').skip(1)
            .map(|part| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned())
            .collect();
        prop_assert_eq!(decoded, segments);
        prop_assert!(call.path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%".contains(&b)));
    }

    #[test]
    fn no_text_makes_a_delete_that_could_mean_everything(text in "[0-9./, a-f:*]{0,20}") {
        if let Some(address) = AddressText::new(&text) {
            let call = RemoveAddress { database: "d".parse().unwrap(), address }.call();
            prop_assert!(!call.would_delete_whole_list());
            prop_assert_eq!(&call.query, &vec![("addresses", text)]);
        }
    }
}
