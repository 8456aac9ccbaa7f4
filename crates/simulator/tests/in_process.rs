//! Every operation of the client, answered in process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use astra_devops::{Client, Token, access_list, databases, organization, peering, private_link, regions};
use astra_simulator::{
    Simulator, State,
    state::{ACME, ACME_TOKEN, database_id},
};

fn client(simulator: &Simulator) -> Client {
    Client::new(Arc::new(simulator.clone()), Token::new(ACME_TOKEN).unwrap(), 4)
}

fn place(number: &str) -> private_link::Place {
    let id = database_id(number);
    private_link::Place { datacenter: format!("{id}-1").parse().unwrap(), database: id.parse().unwrap() }
}

#[tokio::test]
async fn databases_and_organization_are_read() {
    let simulator = Simulator::new(State::default());
    let client = client(&simulator);
    assert_eq!(client.send(&organization::GetCurrentOrganization).await.unwrap().id, ACME);
    let all = databases::list_all(&client).await.unwrap();
    assert_eq!(all.len(), 14, "fifteen, one of them terminated");
    assert_eq!(all[1].info.datacenters[1].id.as_str(), format!("{}-2", database_id("02")));
    let retired = client.send(&databases::GetDatabase(database_id("0c").parse().unwrap())).await.unwrap();
    assert_eq!(retired.unwrap().status.0, "TERMINATED");
    assert_eq!(client.send(&databases::GetDatabase("nowhere".parse().unwrap())).await.unwrap(), None);
    let list = databases::ListDatacenters { database: database_id("02").parse().unwrap(), all: true };
    assert_eq!(client.send(&list).await.unwrap().len(), 2);
    let bundles =
        client.send(&databases::SecureBundleUrls(database_id("02").parse().unwrap())).await.unwrap();
    assert_eq!(bundles[1].region.as_deref(), Some("eu-west-1"));
    assert!(!client.send(&regions::ListServerlessRegions).await.unwrap().is_empty());
    assert!(!client.send(&regions::ListClassicRegions).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_private_link_lives_from_the_first_principal_to_the_last_endpoint() {
    let simulator = Simulator::new(State::default());
    let client = client(&simulator);
    let place = place("03");
    assert_eq!(client.send(&private_link::GetPrivateLink(place.clone())).await.unwrap(), None);
    let principals = vec!["9cbbd094-fa31-490f-863d-897d01661681".to_owned()];
    let allow = private_link::AllowPrincipals { place: place.clone(), principals: principals.clone() };
    let service = client.send(&allow).await.unwrap();
    assert!(service.service_name.ends_with(".eastus.azure.privatelinkservice"), "{}", service.service_name);
    let more = "11111111-2222-4333-8444-555555555555".to_owned();
    let add = private_link::AllowPrincipals { place: place.clone(), principals: vec![more.clone()] };
    let again = client.send(&private_link::AddAllowedPrincipals(add)).await.unwrap();
    assert_eq!(again.service_name, service.service_name);
    assert_eq!(again.allowed_principals, [principals[0].clone(), more.clone()]);

    let resource = "/subscriptions/9cbbd094-fa31-490f-863d-897d01661681/resourceGroups/lab/providers/Microsoft.Network/privateEndpoints/dev";
    let accept = private_link::AcceptEndpoint {
        place: place.clone(),
        id: resource.parse().unwrap(),
        description: "billing".into(),
    };
    let accepted = client.send(&accept).await.unwrap();
    assert!(accepted.id.as_str().starts_with("dev."), "{}", accepted.id);
    assert_eq!(accepted.status, "Accepted");
    assert_eq!(client.send(&accept).await.unwrap(), accepted, "the same endpoint is kept once");
    let get = private_link::GetEndpoint { place: place.clone(), id: accepted.id.clone() };
    assert_eq!(client.send(&get).await.unwrap(), Some(accepted.clone()));
    let by_posted = private_link::GetEndpoint { place: place.clone(), id: resource.parse().unwrap() };
    assert_eq!(client.send(&by_posted).await.unwrap(), None, "only the kept id is known");
    let describe = private_link::DescribeEndpoint {
        place: place.clone(),
        id: accepted.id.clone(),
        description: "shipping".into(),
    };
    assert_eq!(client.send(&describe).await.unwrap().description, "shipping");

    let all = client.send(&private_link::ListPrivateLinks).await.unwrap();
    assert_eq!(all[0].datacenters[0].endpoints.len(), 1);
    let one = client.send(&private_link::GetDatabaseLinks(place.database.clone())).await.unwrap();
    assert_eq!(one, all[0]);
    client.send(&private_link::RemovePrincipal { place: place.clone(), principal: more }).await.unwrap();
    client.send(&private_link::RemoveEndpoint { place: place.clone(), id: accepted.id }).await.unwrap();
    let link = client.send(&private_link::GetPrivateLink(place)).await.unwrap().unwrap();
    assert_eq!((link.allowed_principals, link.endpoints.len()), (principals, 0));

    client.send(&private_link::SetCustomDomains(vec!["db.example.org".into()])).await.unwrap();
    assert_eq!(client.send(&private_link::GetCustomDomains).await.unwrap(), ["db.example.org"]);
}

#[tokio::test]
async fn an_access_list_is_made_changed_and_narrowed() {
    let simulator = Simulator::new(State::default());
    let client = client(&simulator);
    let database: astra_devops::id::DatabaseId = database_id("01").parse().unwrap();
    let get = access_list::GetAccessList(database.clone());
    assert_eq!(client.send(&get).await.unwrap(), None);
    let entry = |address: &str| access_list::Entry {
        address: address.into(),
        description: "office".into(),
        enabled: true,
    };
    let addresses = vec![entry("203.0.113.0/24"), entry("198.51.100.7")];
    client.send(&access_list::AddAddresses { database: database.clone(), addresses }).await.unwrap();
    client.send(&access_list::RestrictAccess(database.clone())).await.unwrap();
    let list = client.send(&get).await.unwrap().unwrap();
    assert!(list.configurations.access_list_enabled);
    assert_eq!(list.addresses[1], entry("198.51.100.7"));
    let address = access_list::AddressText::new("203.0.113.0/24").unwrap();
    client.send(&access_list::RemoveAddress { database: database.clone(), address }).await.unwrap();
    let replace = access_list::ReplaceAccessList {
        database: database.clone(),
        addresses: vec![entry("192.0.2.0/24")],
        configurations: access_list::Configurations { access_list_enabled: true },
    };
    client.send(&replace).await.unwrap();
    let all = client.send(&access_list::ListAccessLists).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].addresses, [entry("192.0.2.0/24")]);
    let verdict = client.send(&access_list::ValidateAccessList(vec![entry("::1")])).await.unwrap();
    assert!(!verdict.valid && verdict.validation_failures[0].contains("IPv4"), "{verdict:?}");
    client.send(&access_list::AccessListTemplate).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peering_goes_its_way_in_virtual_time() {
    let simulator = Simulator::new(State::default());
    let client = client(&simulator);
    let database: astra_devops::id::DatabaseId = database_id("06").parse().unwrap();
    let guid = "9cbbd094-fa31-490f-863d-897d01661681".to_owned();
    let network = peering::Network::Azure {
        tenant_id: guid.clone(),
        subscription_id: guid.clone(),
        resource_group_name: "lab".into(),
        virtual_network_name: "apps".into(),
    };
    let made = client.send(&peering::CreatePeering { database: database.clone(), network }).await.unwrap();
    assert_eq!(made.status, "provisioning");
    assert_eq!((made.other_vpc.account, made.other_vpc.vpc_id), (guid, "apps".into()));
    let get = peering::GetPeering { provider: peering::Provider::Azure, database: database.clone() };
    let status = async || client.send(&get).await.unwrap().map(|peering| peering.status);
    tokio::time::advance(std::time::Duration::from_millis(999)).await;
    assert_eq!(status().await.as_deref(), Some("provisioning"));
    tokio::time::advance(std::time::Duration::from_millis(1)).await;
    assert_eq!(status().await.as_deref(), Some("active"));
    client.send(&peering::DeletePeering { provider: peering::Provider::Azure, database }).await.unwrap();
    assert_eq!(status().await.as_deref(), Some("deleting"));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(status().await, None);
}
