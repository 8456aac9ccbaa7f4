//! Answers of the DevOps API: any status with any body. The first byte chooses the status, the rest is the body.

use std::fmt::Debug;

use astra_devops::{
    Answer, Call, Client, Endpoint, Error, Method, Token, Transport,
    access_list::{AccessList, AccessListTemplate, GetAccessList, ListAccessLists, ValidateAccessList},
    databases::{Database, GetDatabase, ListDatabases, ListDatacenters, SecureBundleUrls},
    id::{DatabaseId, EndpointId},
    organization::GetCurrentOrganization,
    peering::{CreatePeering, GetPeering, Network, Peering, Provider},
    private_link::{
        AcceptEndpoint, AllowPrincipals, DatabaseLinks, DescribeEndpoint, GetCustomDomains, GetDatabaseLinks,
        GetEndpoint, GetPrivateLink, ListPrivateLinks, Place,
    },
    regions::{ListClassicRegions, ListServerlessRegions},
    transport::TransportError,
};
use futures::{FutureExt, future::BoxFuture};
use serde::Serialize;

const STATUSES: [u16; 16] = [200, 201, 202, 204, 404, 400, 401, 403, 409, 422, 429, 500, 502, 503, 302, 99];

fn answer(data: &[u8]) -> Answer {
    let (first, body) = data.split_first().unwrap_or((&0, &[]));
    Answer {
        status: STATUSES[usize::from(*first) % STATUSES.len()],
        body: body.to_vec(),
        ..Answer::default()
    }
}

/// A transport that has one answer to everything.
struct Always(Answer);

impl Transport for Always {
    fn send<'a>(&'a self, _: &'a Token, _: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        async { Ok(self.0.clone()) }.boxed()
    }
}

/// The token of all calls here. The letters of its secret are in no word that a test makes up.
const TOKEN: &str =
    "AstraCS:FuzzedFuzzedFuzzedFuzzed:QZXJVKQZXJVKWYQZXJVKQZXJVKWYQZXJVKQZXJVKWYQZXJVKQZXJVKWYQZXJ";

/// Reads an answer as the program does: through the client, with everything that it does before and after.
fn read<E: Endpoint>(endpoint: &E, answer: &Answer) -> Option<E::Output>
where
    E::Output: Debug,
{
    // Also where the client would not: a reader must stand any body.
    let _ = endpoint.read(answer);
    // The client may send it again after a pause, and would get the same answer again.
    if !endpoint.accepts(answer) {
        check(&Error::refused(&endpoint.call(), answer).to_string());
        return None;
    }
    match send(endpoint, answer) {
        Ok(output) => {
            assert!(!answer.is_html(), "a page passed for an answer: {output:?}");
            assert!(answer.is_success() || answer.status == 404, "{} passed for a success", answer.status);
            Some(output)
        }
        Err(error) => {
            check(&error.to_string());
            None
        }
    }
}

/// Asks a client that gets this answer. Nothing is waited for, because nothing is sent again.
fn send<E: Endpoint>(endpoint: &E, answer: &Answer) -> Result<E::Output, Error> {
    let token = Token::new(TOKEN).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(std::sync::Arc::new(Always(answer.clone())), token, 1);
    client.send(endpoint).now_or_never().unwrap_or_else(|| panic!("{answer:?} is waited for"))
}

/// An error's text is one line and bounded, whatever the server said.
fn check(text: &str) {
    assert!(text.chars().count() < 1000, "{text}");
    assert!(
        !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}')),
        "{text:?}"
    );
}

/// What was read, written and read again is the same.
fn comes_back<T: Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_vec(value).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<T>(&text).expect("what was written can be read"), *value);
}

fn database() -> DatabaseId {
    "8fbcfe1d-56fa-4ed0-9aff-f57029feef1b".parse().expect("an id")
}

fn place() -> Place {
    let datacenter = "8fbcfe1d-56fa-4ed0-9aff-f57029feef1b-1".parse().expect("an id");
    Place { database: database(), datacenter }
}

/// Lists of databases and datacenters, one database, bundles.
pub(crate) fn databases(data: &[u8]) {
    let answer = answer(data);
    for found in read(&ListDatabases::default(), &answer).into_iter().flatten() {
        comes_back::<Database>(&found);
        let _ = (found.status.takes_changes(), astra_operator::engine::resolve::unavailable(&found));
    }
    let found = read(&GetDatabase(database()), &answer);
    // Only Astra's own words say that a database is unknown: deletions end by that.
    assert!(found != Some(None) || answer.is_unknown(), "unknown by {answer:?}");
    read(&ListDatacenters { database: database(), all: true }, &answer);
    read(&SecureBundleUrls(database()), &answer);
}

/// Access lists: of the organization, of one database, and the validation of one.
pub(crate) fn access_lists(data: &[u8]) {
    let answer = answer(data);
    for found in read(&ListAccessLists, &answer).into_iter().flatten() {
        comes_back::<AccessList>(&found);
    }
    let found = read(&GetAccessList(database()), &answer);
    // A database without a list is open; nothing but Astra's word for it may say so.
    assert!(found != Some(None) || answer.is_plain_404(), "no list by {answer:?}");
    read(&ValidateAccessList(Vec::new()), &answer);
    read(&AccessListTemplate, &answer);
}

/// Private links: of the organization, of a database, of a datacenter; endpoints; what changes answer.
pub(crate) fn private_links(data: &[u8]) {
    let answer = answer(data);
    for found in read(&ListPrivateLinks, &answer).into_iter().flatten() {
        comes_back::<DatabaseLinks>(&found);
    }
    let one = read(&GetDatabaseLinks(database()), &answer);
    let link = read(&GetPrivateLink(place()), &answer);
    if answer.status == 404 && answer.has_errors_object() {
        assert!(one.is_none() && link.is_none(), "an unknown parent passed for nothing there: {answer:?}");
    }
    let id: EndpointId = "vpce-0f7aed6e7a18a1791".parse().expect("an id");
    read(&GetEndpoint { place: place(), id: id.clone() }, &answer);
    read(&DescribeEndpoint { place: place(), id, description: String::new() }, &answer);
    read(&AllowPrincipals { place: place(), principals: Vec::new() }, &answer);
    read(&GetCustomDomains, &answer);
    for id in
        ["vpce-0f7aed6e7a18a1791", "/subscriptions/s/resourceGroups/g/providers/p/privateEndpoints/ästra"]
    {
        let accept =
            AcceptEndpoint { place: place(), id: id.parse().expect("an id"), description: String::new() };
        read(&accept, &answer);
    }
}

/// Peerings: one, and the answer to asking for one.
pub(crate) fn peerings(data: &[u8]) {
    let answer = answer(data);
    let found = read(&GetPeering { provider: Provider::Aws, database: database() }, &answer);
    if let Some(found) = &found {
        assert!(found.is_some() || answer.is_plain_404() || answer.is_unknown(), "no peering by {answer:?}");
    }
    if let Some(Some(found)) = found {
        comes_back::<Peering>(&found);
    }
    let network = Network::Gcp { project_id: "acme".into(), vpc_network_name: "shared".into() };
    read(&CreatePeering { database: database(), network }, &answer);
}

/// The organization and the regions.
pub(crate) fn organization(data: &[u8]) {
    let answer = answer(data);
    read(&GetCurrentOrganization, &answer);
    read(&ListServerlessRegions, &answer);
    read(&ListClassicRegions, &answer);
}

/// What is quoted of an answer that is a no, from a server that sends the token back, or a part of it. The first bytes
/// choose where it stands in the body, and what of it.
pub(crate) fn words(data: &[u8]) {
    let (choice, rest) =
        data.split_first_chunk::<4>().map_or((&[0; 4], data), |(choice, rest)| (choice, rest));
    let mut answer = answer(rest);
    let at = usize::from(u16::from_le_bytes([choice[0], choice[1]])).min(answer.body.len());
    let from = usize::from(choice[2]) % TOKEN.len();
    let to = TOKEN.len() - usize::from(choice[3]) % (TOKEN.len() - from);
    answer.body.splice(at..at, TOKEN[from..to].bytes());
    answer.location = Some(String::from_utf8_lossy(&answer.body).into_owned());
    let secret = TOKEN.rsplit(':').next().expect("a token has parts");
    let cleaned = answer.without(TOKEN).without(secret);
    let call = Call::new(Method::Get, &["v2", "databases"], "org-db-view");
    let all = [
        cleaned.words(),
        cleaned.start(),
        cleaned.location.clone().unwrap_or_default(),
        String::from_utf8_lossy(&cleaned.body).into_owned(),
        Error::refused(&call, &cleaned).to_string(),
    ];
    for text in &all {
        let has = |piece: &[u8]| text.as_bytes().windows(piece.len()).any(|window| window == piece);
        assert!(!secret.as_bytes().windows(12).any(has), "the token is in {text:?}");
    }
    for quoted in &all[..2] {
        check(quoted);
        assert!((1..=300).contains(&quoted.chars().count()) || quoted.is_empty(), "{quoted}");
    }
    assert!(!all[0].is_empty(), "there are always words");
    let _ = (cleaned.is_plain_404(), cleaned.is_unknown());
    assert!(!(cleaned.is_plain_404() && cleaned.is_unknown()), "both none and unknown: {cleaned:?}");
}
