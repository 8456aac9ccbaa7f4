//! Reading what Astra really answers.

use std::fmt::Debug;

use astra_devops::{
    Answer, Endpoint,
    access_list::{AccessListTemplate, AddAddresses, GetAccessList, ListAccessLists, ValidateAccessList},
    databases::{
        DatabaseStatus, GetDatabase, ListDatabases, ListDatacenters, SecureBundle, SecureBundleUrls,
    },
    organization::GetCurrentOrganization,
    peering::{CreatePeering, GetPeering, Network, Provider},
    private_link::{
        AcceptEndpoint, AllowPrincipals, DescribeEndpoint, GetCustomDomains, GetDatabaseLinks, GetEndpoint,
        GetPrivateLink, ListPrivateLinks, Place,
    },
    regions::{ListClassicRegions, ListServerlessRegions},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::script::text;

/// What a caller gets: the output as the client would give it, or why there is none.
fn outcome<E: Endpoint>(endpoint: &E, answer: &Answer) -> Result<E::Output, String> {
    if !endpoint.accepts(answer) {
        return refused();
    }
    endpoint.read(answer).map_err(|error| error.0.to_string())
}

fn refused<T>() -> Result<T, String> {
    Err("refused".to_owned())
}

fn ok<E: Endpoint<Output: Debug>>(endpoint: &E, body: &Value) -> E::Output {
    outcome(endpoint, &Answer::json(200, body)).unwrap()
}

fn unreadable<E: Endpoint<Output: Debug>>(endpoint: &E, body: &str) {
    let read = outcome(endpoint, &text(200, body));
    assert!(read.as_ref().is_err_and(|why| why != "refused"), "{body}: {read:?}");
}

fn place() -> Place {
    Place { database: "db-1".parse().unwrap(), datacenter: "db-1-1".parse().unwrap() }
}

fn accept(id: &str) -> AcceptEndpoint {
    AcceptEndpoint { place: place(), id: id.parse().unwrap(), description: String::new() }
}

#[test]
fn what_a_404_means_is_for_each_operation_to_say() {
    let string = text(404, r#""nothing there""#);
    let errors = text(404, r#"{"errors":[{"ID":1,"message":"no such database"}]}"#);
    let page = text(404, "<html>not found</html>");
    let database = place().database;

    let endpoint = GetAccessList(database.clone());
    assert_eq!(outcome(&endpoint, &string), Ok(None));
    assert_eq!(outcome(&endpoint, &errors), refused());
    assert_eq!(outcome(&endpoint, &page), refused());

    assert_eq!(outcome(&ListAccessLists, &string), Ok(vec![]));
    assert_eq!(outcome(&ListAccessLists, &page), refused());
    assert_eq!(outcome(&ListPrivateLinks, &string), Ok(vec![]));
    assert_eq!(outcome(&ListPrivateLinks, &errors), refused());

    let endpoint = GetPrivateLink(place());
    assert_eq!(outcome(&endpoint, &string), Ok(None));
    assert_eq!(outcome(&endpoint, &errors), refused());
    assert_eq!(outcome(&endpoint, &page), refused());

    let endpoint = GetDatabaseLinks(database.clone());
    assert_eq!(outcome(&endpoint, &string).unwrap().datacenters, []);
    assert!(outcome(&endpoint, &errors).is_err() && outcome(&endpoint, &page).is_err());

    let endpoint = GetEndpoint { place: place(), id: "e".parse().unwrap() };
    assert_eq!(outcome(&endpoint, &string), Ok(None));
    assert_eq!(outcome(&endpoint, &errors), refused());

    let endpoint = GetPeering { provider: Provider::Azure, database: database.clone() };
    assert_eq!(outcome(&endpoint, &string), Ok(None));
    assert_eq!(outcome(&endpoint, &errors), Ok(None));
    assert_eq!(outcome(&endpoint, &page), refused());

    let endpoint = GetDatabase(database);
    assert_eq!(outcome(&endpoint, &string), refused());
    assert_eq!(outcome(&endpoint, &errors), Ok(None));
    assert_eq!(outcome(&endpoint, &page), refused());
}

#[test]
fn an_access_list_is_read_in_all_its_shapes() {
    let endpoint = GetAccessList(place().database);
    let full = json!({
        "organizationId": "o", "databaseId": "db-1",
        "addresses": [
            {"address": "b/8", "enabled": true, "description": "B", "lastUpdateDateTime": "2021-08-03 15:20:29.008 +0000 UTC"},
            {"address": "a", "lastUpdateDateTime": "2021-01-21T17:32:28Z"},
            {"address": "c", "enabled": null, "description": null, "new": {"field": 1}},
        ],
        "configurations": {"accessListEnabled": true, "more": 1},
    });
    let list = ok(&endpoint, &full).unwrap();
    assert!(list.configurations.access_list_enabled);
    let read: Vec<_> =
        list.addresses.iter().map(|e| (e.address.as_str(), e.description.as_str(), e.enabled)).collect();
    assert_eq!(read, [("b/8", "B", true), ("a", "", false), ("c", "", false)], "in Astra's order");
    assert_eq!(ok(&ListAccessLists, &json!([full])), [list]);

    for body in [
        json!({"databaseId": "db-1"}),
        json!({"databaseId": "db-1", "addresses": null, "configurations": null}),
        json!({"databaseId": "db-1", "addresses": [], "configurations": {"accessListEnabled": null}}),
    ] {
        let list = ok(&endpoint, &body).unwrap();
        assert_eq!((list.addresses.len(), list.configurations.access_list_enabled), (0, false), "{body}");
    }
    assert_eq!(ok(&ListAccessLists, &Value::Null), []);
    for body in [
        "",
        "null",
        "{}",
        "[]",
        r#"{"message":"hi"}"#,
        r#"{"databaseId":"db-1","addr"#,
        "<html>",
        r#"{"databaseId":"db-1","addresses":[{}]}"#,
    ] {
        unreadable(&endpoint, body);
    }
}

#[test]
fn other_access_list_answers() {
    let validate = ValidateAccessList(vec![]);
    assert!(ok(&validate, &json!({"valid": true, "validationFailures": null})).valid);
    let found = ok(&validate, &json!({"valid": false, "validationFailures": ["bad"]}));
    assert_eq!((found.valid, found.validation_failures), (false, vec!["bad".to_owned()]));
    unreadable(&validate, "{}");
    assert_eq!(ok(&AccessListTemplate, &json!({"addresses": []})), json!({"addresses": []}));
    let add = AddAddresses { database: place().database, addresses: vec![] };
    assert_eq!(outcome(&add, &Answer::empty(204)), Ok(()));
}

#[test]
fn private_links_are_read_in_all_their_shapes() {
    let datacenter = json!({
        "serviceName": "svc", "allowedPrincipals": ["p"], "datacenterID": "db-1-1",
        "endpoints": [{"endpointID": "e", "description": null, "status": "Pending?", "createdDateTime": "2009-11-10T23:00:00", "new": 1}],
    });
    let link = ok(&GetPrivateLink(place()), &datacenter).unwrap();
    assert_eq!(link.service_name, "svc");
    assert_eq!((link.endpoints[0].id.as_str(), link.endpoints[0].status.as_str()), ("e", "Pending?"));
    let all = ok(
        &ListPrivateLinks,
        &json!({"clusters": [{"clusterID": "db-1", "datacenters": [datacenter]}, {"clusterID": "db-2", "datacenters": null}]}),
    );
    assert_eq!(all[0].datacenters, [link]);
    assert_eq!(all[1].datacenters, []);

    for nothing in [json!({}), Value::Null] {
        assert_eq!(ok(&GetPrivateLink(place()), &nothing), None);
        assert_eq!(ok(&ListPrivateLinks, &nothing), []);
        assert_eq!(ok(&GetDatabaseLinks(place().database), &nothing).database.as_str(), "db-1");
    }
    assert_eq!(ok(&ListPrivateLinks, &json!({"clusters": null})), []);
    let partial =
        ok(&GetPrivateLink(place()), &json!({"allowedPrincipals": null, "endpoints": null})).unwrap();
    assert_eq!((partial.service_name.as_str(), partial.allowed_principals.len()), ("", 0));

    // Another object is not "nothing is there".
    for body in
        [r#"{"message":"ok"}"#, "[]", "\"\"", "1", "", "<html>", r#"{"clusters":[{"#, r#"{"clusters":[{}]}"#]
    {
        unreadable(&ListPrivateLinks, body);
    }
    for body in
        [r#"{"message":"ok"}"#, "[]", "", r#"{"endpoints":[{"status":"Accepted"}]}"#, r#"{"endpoints":[7]}"#]
    {
        unreadable(&GetPrivateLink(place()), body);
    }
    let allow = AllowPrincipals { place: place(), principals: vec![] };
    assert_eq!(ok(&allow, &json!({"serviceName": "svc", "allowedPrincipals": null})).service_name, "svc");
    unreadable(&allow, r#"{"message":"ok"}"#);
    unreadable(&allow, "{}");
    assert_eq!(ok(&GetCustomDomains, &json!(["a"])), ["a"]);
    assert_eq!(ok(&GetCustomDomains, &Value::Null), Vec::<String>::new());
}

#[test]
fn an_odd_id_of_somebody_else_does_not_hide_the_organization() {
    let link = json!({"endpoints": [{"endpointID": ""}, {"endpointID": "my endpoint"}, {"endpointID": "größe"}, {"endpointID": "e"}]});
    let all = ok(&ListPrivateLinks, &json!({"clusters": [{"clusterID": "db-1", "datacenters": [link]}]}));
    let ids: Vec<_> = all[0].datacenters[0].endpoints.iter().map(|endpoint| endpoint.id.as_str()).collect();
    assert_eq!(ids, ["größe", "e"]);
}

#[test]
fn an_accepted_endpoint_is_found_bare_wrapped_or_both() {
    let bare = json!({"endpointID": "e", "description": "d", "linkID": "l", "status": "Accepted", "createdDateTime": "c"});
    let wrapped = |ids: &[&str]| {
        let endpoints: Vec<_> = ids.iter().map(|id| json!({"endpointID": id})).collect();
        json!({"datacenters": [{"serviceName": "s", "endpoints": []}, {"serviceName": "s", "endpoints": endpoints}]})
    };
    let mut both = bare.clone();
    both["datacenters"] = wrapped(&["other"])["datacenters"].clone();
    for body in [&bare, &both] {
        let endpoint = ok(&accept("e"), body);
        assert_eq!((endpoint.id.as_str(), endpoint.link_id.as_str()), ("e", "l"));
    }

    let azure = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/privateEndpoints/PE";
    let cases: &[(&str, &[&str], Option<&str>)] = &[
        ("e", &["e"], Some("e")),
        ("e", &["first", "e", "last"], Some("e")),
        ("e", &["other"], None),
        ("e", &[], None),
        (azure, &["other.1", "pe.2"], Some("pe.2")),
        (azure, &["PE.1-2-3"], Some("PE.1-2-3")),
        (azure, &["pe.1", "pe.2"], None),
        (azure, &["pe2.1", "xpe.1", "pe", "größe"], None),
    ];
    for (id, ids, found) in cases {
        let read = outcome(&accept(id), &Answer::json(200, &wrapped(ids)));
        assert_eq!(read.as_ref().ok().map(|endpoint| endpoint.id.as_str()), *found, "{id} in {ids:?}");
    }
    for body in [
        "",
        "null",
        "{}",
        "[]",
        "\"accepted\"",
        r#"{"endpointID":null}"#,
        r#"{"datacenters":null}"#,
        r#"{"endpointID":"e""#,
    ] {
        unreadable(&accept("e"), body);
    }
    let describe = DescribeEndpoint { place: place(), id: "e".parse().unwrap(), description: String::new() };
    assert_eq!(ok(&describe, &bare).description, "d");
}

#[test]
fn databases_are_read_in_all_their_shapes() {
    let database = json!({
        "id": "db-1", "orgId": "o", "status": "SOMETHING_NEW", "storage": {"nodeCount": 3},
        "info": {"name": "n", "cloudProvider": "aws", "tier": "serverless", "region": "r", "keyspaces": ["k"], "datacenters": [
            {"id": "db-1-2", "region": "b", "cloudProvider": "AWS"},
            {"id": "", "region": "c"},
            {"id": "db-1-1", "region": null, "status": null, "capacityUnits": 1},
        ]},
    });
    let read = ok(&GetDatabase(place().database), &database).unwrap();
    assert_eq!((read.info.name.as_str(), read.status.0.as_str()), ("n", "SOMETHING_NEW"));
    let ids: Vec<_> = read.info.datacenters.iter().map(|datacenter| datacenter.id.as_str()).collect();
    assert_eq!(ids, ["db-1-2", "db-1-1"], "without the one that has no id yet");
    assert_eq!(ok(&ListDatabases::default(), &json!([database])), [read]);
    for body in [
        json!({"id": "d"}),
        json!({"id": "d", "info": null, "status": null}),
        json!({"id": "d", "info": {"datacenters": null, "name": null}, "status": ""}),
    ] {
        let database = ok(&GetDatabase(place().database), &body).unwrap();
        assert_eq!((database.info.name.as_str(), database.info.datacenters.len()), ("", 0));
    }
    for body in [
        "",
        "{}",
        "null",
        r#"{"id":"../x"}"#,
        r#"{"id":"d","info":7}"#,
        r#"{"id":"d","info":{"datacenters":[{}]}}"#,
    ] {
        unreadable(&GetDatabase(place().database), body);
    }
    unreadable(&ListDatabases::default(), "{}");
    unreadable(&ListDatabases::default(), r#"[{"id":"d"},{}]"#);
}

#[test]
fn datacenters_and_bundles_come_alone_or_in_a_list() {
    let datacenters = ListDatacenters { database: place().database, all: true };
    let one = json!({"id": "db-1-1", "name": "dc-1", "region": "r", "status": "ACTIVE"});
    assert_eq!(ok(&datacenters, &one), ok(&datacenters, &json!([one])));
    assert_eq!(ok(&datacenters, &Value::Null), []);
    unreadable(&datacenters, "{}");

    let bundles = SecureBundleUrls(place().database);
    let bundle = |id: Option<&str>| SecureBundle {
        download_url: "u".into(),
        download_url_internal: Some("i".into()),
        datacenter_id: id.map(Into::into),
        region: Some("r".into()),
    };
    let body = |keys: &[&str]| {
        let mut body =
            json!({"downloadURL": "u", "downloadURLInternal": "i", "region": "r", "customDomainBundles": []});
        for key in keys {
            body[*key] = json!(*key);
        }
        body
    };
    assert_eq!(ok(&bundles, &body(&[])), [bundle(None)]);
    assert_eq!(ok(&bundles, &json!([body(&["datcenterID"])])), [bundle(Some("datcenterID"))]);
    assert_eq!(ok(&bundles, &body(&["datacenterID"])), [bundle(Some("datacenterID"))]);
    assert_eq!(ok(&bundles, &body(&["datacenterID", "datcenterID"])), [bundle(Some("datcenterID"))]);
    assert_eq!(ok(&bundles, &json!([{"downloadURL": "u", "region": null}]))[0].region, None);
    unreadable(&bundles, r#"[{"region":"r"}]"#);
    let why = outcome(&bundles, &text(200, r#"[{"region":"r"}]"#)).unwrap_err();
    assert!(why.contains("downloadURL"), "says what is missing: {why}");
}

#[test]
fn peerings_regions_and_the_organization() {
    let get = GetPeering { provider: Provider::Aws, database: place().database };
    let peering = ok(&get, &json!({"connectionId": "c", "status": "Conflict Error: RemotePeeringIsDisconnected", "currentVpc": null, "otherVpc": {"provider": "AZURE", "vpcId": "v"}})).unwrap();
    assert_eq!(peering.status, "Conflict Error: RemotePeeringIsDisconnected");
    assert_eq!((peering.other_vpc.vpc_id.as_str(), peering.current_vpc.vpc_id.as_str()), ("v", ""));
    let create = CreatePeering {
        database: place().database,
        network: Network::Gcp { project_id: "p".into(), vpc_network_name: "n".into() },
    };
    assert_eq!(ok(&create, &json!({"connectionId": "c"})).connection_id, "c");
    for body in ["", "{}", "null", "[]", r#"{"message":"ok"}"#, r#"{"status":1}"#] {
        unreadable(&get, body);
        unreadable(&create, body);
    }
    for (text, provider) in [
        ("AWS", Some(Provider::Aws)),
        ("azure", Some(Provider::Azure)),
        ("Gcp", Some(Provider::Gcp)),
        ("", None),
    ] {
        assert_eq!(Provider::parse(text), provider);
    }

    let regions = ok(
        &ListServerlessRegions,
        &json!([{"cloudProvider": "AWS", "name": "us-east-2", "enabled": null, "zone": "na"}]),
    );
    assert_eq!((regions[0].display_name.as_str(), regions[0].enabled), ("", false));
    assert_eq!(ok(&ListServerlessRegions, &Value::Null), []);
    assert_eq!(
        ok(&ListClassicRegions, &json!([{"tier": "C10", "cloudProvider": "aws", "region": "r", "cost": {}}]))
            .len(),
        1
    );
    assert_eq!(ok(&GetCurrentOrganization, &json!({"id": "o"})).id, "o");
    unreadable(&GetCurrentOrganization, "{}");
}

#[test]
fn a_status_tells_whether_changes_are_taken() {
    for (status, terminal, parked, takes) in [
        ("ACTIVE", false, false, true),
        ("", false, false, true),
        ("SOMETHING_NEW", false, false, true),
        ("HIBERNATED", false, false, true),
        ("DEGRADED", false, false, true),
        ("MAINTENANCE", false, false, false),
        ("PENDING", false, false, false),
        ("INITIALIZING", false, false, false),
        ("ASSOCIATING", false, false, false),
        ("ERROR", false, false, false),
        ("PARKED", false, true, false),
        ("UNPARKING", false, true, false),
        ("TERMINATING", true, false, false),
        ("TERMINATED", true, false, false),
    ] {
        let found = DatabaseStatus(status.to_owned());
        assert_eq!(
            (found.is_terminal(), found.is_parked(), found.takes_changes()),
            (terminal, parked, takes),
            "{status}"
        );
    }
}

proptest! {
    /// Half an answer is never read as a whole one.
    #[test]
    fn half_a_list_is_not_read(cut in 1_usize..200) {
        let body = json!({"clusters": [{"clusterID": "db-1", "datacenters": [{"serviceName": "s", "allowedPrincipals": ["p"], "endpoints": [{"endpointID": "e"}]}]}]}).to_string();
        let half = &body[..cut.min(body.len() - 1)];
        prop_assert!(outcome(&ListPrivateLinks, &text(200, half)).is_err());
        prop_assert!(outcome(&ListPrivateLinks, &text(404, half)).is_err());
    }
}
