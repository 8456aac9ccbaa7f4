//! What is sent: URLs, addresses, and how long is waited before anything is sent again.

use std::time::Duration;

use arbitrary::Unstructured;
use astra_devops::{
    Call, Endpoint, Method,
    access_list::{AddressText, GetAccessList, RemoveAddress},
    databases::{GetDatabase, ListDatabases},
    http,
    id::{DatabaseId, DatacenterId, EndpointId},
    peering::{DeletePeering, Provider},
    private_link::{GetEndpoint, Place, RemoveEndpoint, RemovePrincipal},
    retry::{self, LONGEST_SILENCE},
};
use astra_operator::kinds::access_list::{AstraAccessListSpec, desired::Desired, observed};
use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

/// Ids of all sorts in calls: what is sent has the segments that the call was made of, and goes nowhere else.
pub(crate) fn url(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut text = || input.arbitrary::<String>().unwrap_or_default();
    let (one, two, three, four) = (text(), text(), text(), text());
    stays(
        &Call::new(Method::Get, &["v2", &one, "x", &two], "").query("a", three.clone()),
        &["v2", &one, "x", &two],
    );
    let database: DatabaseId = one.parse().unwrap_or_else(|_| "db".parse().expect("an id"));
    let datacenter: DatacenterId = two.parse().unwrap_or_else(|_| "db-1".parse().expect("an id"));
    let db = database.to_string();
    stays(&GetDatabase(database.clone()).call(), &["v2", "databases", &db]);
    stays(&GetAccessList(database.clone()).call(), &["v2", "databases", &db, "access-list"]);
    stays(&ListDatabases { starting_after: Some(database.clone()) }.call(), &["v2", "databases"]);
    let peering = DeletePeering { provider: Provider::Aws, database: database.clone() };
    stays(&peering.call(), &["v2", "peering", "provider", "aws", "database", &db]);
    let place = Place { database: database.clone(), datacenter };
    let dc = place.datacenter.to_string();
    let base = ["v2", "organizations", "clusters", &db, "datacenters", &dc];
    let principal = RemovePrincipal { place: place.clone(), principal: four.clone() };
    stays(&principal.call(), &[&base[..], &["allowed-principals"]].concat());
    if let Ok(id) = three.parse::<EndpointId>() {
        let segments = [&base[..], &["endpoints", &three]].concat();
        stays(&RemoveEndpoint { place: place.clone(), id: id.clone() }.call(), &segments);
        stays(&GetEndpoint { place, id }.call(), &segments);
    }
    if let Some(address) = AddressText::new(&four) {
        let call = RemoveAddress { database, address }.call();
        assert!(!call.would_delete_whole_list(), "{call}");
        stays(&call, &["v2", "databases", &db, "access-list"]);
    }
}

/// The URL of the call has these segments, or the parser makes another path of it, and then the transport refuses it.
fn stays(call: &Call, segments: &[&str]) {
    let target = call.target();
    let url: Url = format!("https://api.astra.datastax.com{target}").parse().expect("a URL");
    assert_eq!(url.host_str(), Some("api.astra.datastax.com"), "{target}");
    assert_eq!(url.fragment(), None, "{target}");
    if url.path() != call.path {
        let climbs = segments.iter().any(|segment| matches!(*segment, "." | ".."));
        assert!(climbs, "{target} became {url}");
        return;
    }
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let found: Vec<String> = url.path_segments().expect("a path").map(decode).collect();
    assert_eq!(found, segments, "{target}");
    let queried: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let asked: Vec<_> = call.query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    assert_eq!(queried, asked, "{target}");
}

/// A text as an address: of the spec, of Astra, and of a removal, which all mean the same by it.
pub(crate) fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let network = observed::network(&text);
    let spec: AstraAccessListSpec = serde_json::from_value(json!({
        "database": { "name": "orders" }, "addresses": [{ "address": text }],
    }))
    .expect("a spec");
    if let Ok(desired) = Desired::parse(&spec) {
        let [wanted] = desired.entries.as_slice() else { panic!("one address became {desired:?}") };
        assert_eq!(Some(wanted.network), network, "the spec and Astra mean different networks by {text:?}");
        assert_eq!(wanted.network.trunc(), wanted.network);
    }
    if let Some(address) = AddressText::new(&text) {
        assert_eq!(address.as_str(), text);
        assert!(!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'/'));
    }
    // What is understood can be removed: else an address that is owned could never be taken away.
    if network.is_some() {
        assert!(AddressText::new(&text).is_some(), "{text:?} is {network:?} and could not be removed");
    }
}

/// A `Retry-After` header: a time that is kept, or no wish at all.
pub(crate) fn retry_after(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let wish = http::retry_after(&text);
    assert!(wish.is_none_or(|wish| wish <= LONGEST_SILENCE), "{text:?}: {wish:?}");
    let digits = text.trim();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = digits.parse::<u64>().unwrap_or(u64::MAX);
        assert_eq!(wish, Some(Duration::from_secs(seconds).min(LONGEST_SILENCE)));
    }
    // Never sent before it is over, and never an overflow of the clock.
    let refusal = astra_devops::error::Refusal {
        call: String::new(),
        status: 429,
        words: String::new(),
        permission: "",
        retry_after: wish,
        page: false,
    };
    let error = astra_devops::Error::Refused(refusal);
    let silence = retry::silence(&error).expect("429 asks for silence");
    assert!(wish.is_none_or(|wish| silence >= wish) && silence <= LONGEST_SILENCE);
    if let Some(pause) = retry::pause(&error, astra_devops::Repeat::Safe, 1, 0.5) {
        assert!(wish.is_none_or(|wish| pause >= wish), "{pause:?} is shorter than {wish:?}");
    }
}
