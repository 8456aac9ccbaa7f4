//! The same over a real socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{net::SocketAddr, sync::Arc};

use astra_devops::{
    Client, Error, Token,
    access_list::{AddAddresses, Entry, GetAccessList},
    databases::list_all,
    http::HttpTransport,
    private_link::{AcceptEndpoint, AllowPrincipals, GetEndpoint, Place},
};
use astra_simulator::{
    Simulator, State, server,
    state::{ACME_TOKEN, database_id},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// A server on a free port; it stops when this is dropped.
struct Server {
    address: SocketAddr,
    simulator: Simulator,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(State::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server::serve(listener, simulator.clone(), async {
        stopped.await.ok();
    }));
    Server { address, simulator, stop, task }
}

impl Server {
    fn client(&self) -> Client {
        // Another test of this process may have been first.
        rustls::crypto::ring::default_provider().install_default().ok();
        let transport = HttpTransport::new(&format!("http://{}", self.address), "test").unwrap();
        Client::new(Arc::new(transport), Token::new(ACME_TOKEN).unwrap(), 4)
    }

    /// Sends one request and reads all that comes until the connection is closed.
    async fn raw(&self, method: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {ACME_TOKEN}\r\n"
        );
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A dropped connection may be an end or an error: what counts is what came before.
        stream.read_to_string(&mut answer).await.ok();
        answer
    }

    async fn json(&self, method: &str, target: &str, body: &Value) -> (String, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.raw(method, target, &body).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn the_real_client_is_answered_over_http() {
    let server = start().await;
    let client = server.client();
    assert_eq!(list_all(&client).await.unwrap().len(), 14);
    let database: astra_devops::id::DatabaseId = database_id("01").parse().unwrap();
    let entry = Entry { address: "192.0.2.0/24".into(), description: "büro".into(), enabled: true };
    assert_eq!(client.send(&GetAccessList(database.clone())).await.unwrap(), None);
    client.send(&AddAddresses { database: database.clone(), addresses: vec![entry.clone()] }).await.unwrap();
    assert_eq!(client.send(&GetAccessList(database)).await.unwrap().unwrap().addresses, [entry]);
}

#[tokio::test]
async fn an_azure_resource_id_arrives_in_one_segment() {
    let server = start().await;
    let client = server.client();
    let id = database_id("03");
    let place = Place { datacenter: format!("{id}-1").parse().unwrap(), database: id.parse().unwrap() };
    let subscription = "9cbbd094-fa31-490f-863d-897d01661681";
    client
        .send(&AllowPrincipals { place: place.clone(), principals: vec![subscription.into()] })
        .await
        .unwrap();
    let resource = format!("/subscriptions/{subscription}/resourceGroups/lab/providers/Microsoft.Network/privateEndpoints/a b?c#d")
        .replace(' ', "_");
    let resource: astra_devops::id::EndpointId = resource.parse().unwrap();
    let accept = AcceptEndpoint { place: place.clone(), id: resource.clone(), description: String::new() };
    let kept = client.send(&accept).await.unwrap();
    assert_ne!(kept.id, resource);
    assert_eq!(
        client.send(&GetEndpoint { place: place.clone(), id: kept.id.clone() }).await.unwrap(),
        Some(kept)
    );
    assert_eq!(client.send(&GetEndpoint { place, id: resource }).await.unwrap(), None);
    let path = server.simulator.requests().pop().unwrap().path;
    assert!(path.contains("/endpoints/%2Fsubscriptions%2F") && path.ends_with("%3Fc%23d"), "{path}");
}

#[tokio::test]
async fn headers_are_written_as_the_service_does() {
    let server = start().await;
    let body = json!({ "name": "n", "cloudProvider": "AWS", "tier": "serverless", "capacityUnits": 1, "region": "us-east-1" });
    let created = server.raw("POST", "/v2/databases", &body.to_string()).await;
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    assert!(
        created.contains("\r\nlocation: ") && created.ends_with("\r\n\r\n"),
        "lower case, and no body: {created}"
    );
    let read = server.raw("GET", "/v2/currentOrg", "").await;
    assert!(read.contains("\r\ncontent-type: application/json\r\n"), "{read}");
    assert!(server.raw("HEAD", "/v2/currentOrg", "").await.starts_with("HTTP/1.1 405 "));
    assert!(server.raw("GET", "/v2/unknown", "").await.ends_with("404 page not found"));
}

#[tokio::test]
async fn a_dropped_connection_has_not_a_byte_in_it() {
    let server = start().await;
    let (status, _) = server.json("POST", "/_simulator/faults", &json!({ "reset": true, "count": 1 })).await;
    assert_eq!(status, "HTTP/1.1 204 No Content");
    assert_eq!(server.raw("GET", "/v2/currentOrg", "").await, "");
    assert!(server.raw("GET", "/v2/currentOrg", "").await.starts_with("HTTP/1.1 200 "));
    let fault = json!({ "path": "*/access-list", "method": "POST", "count": 1, "afterApplying": true });
    server.json("POST", "/_simulator/faults", &fault).await;
    let database: astra_devops::id::DatabaseId = database_id("01").parse().unwrap();
    let entry = Entry { address: "192.0.2.1".into(), description: String::new(), enabled: true };
    let add =
        astra_devops::Endpoint::call(&AddAddresses { database: database.clone(), addresses: vec![entry] });
    let unsafe_add = astra_devops::Call { repeat: astra_devops::Repeat::Unsafe, ..add };
    let lost = server.client().send_call(&unsafe_add).await.unwrap_err();
    assert!(matches!(lost, Error::Unreachable { .. }), "{lost}");
    assert!(server.client().send(&GetAccessList(database)).await.unwrap().is_some(), "it was applied");
}

#[tokio::test]
async fn the_control_surface_reads_and_changes_the_world() {
    let server = start().await;
    let (_, state) = server.json("GET", "/_simulator/state", &Value::Null).await;
    assert_eq!(state["tokens"][0]["token"], ACME_TOKEN);
    let event = json!({ "addAddress": { "database": database_id("01"), "address": "192.0.2.1" } });
    assert!(server.json("POST", "/_simulator/events", &event).await.0.contains("204"));
    assert!(
        server
            .json("POST", "/_simulator/events", &json!({ "removePeering": { "database": "x" } }))
            .await
            .0
            .contains("409")
    );
    assert!(server.json("POST", "/_simulator/events", &json!({ "nonsense": {} })).await.0.contains("400"));
    let (_, lists) = server.json("GET", "/v2/access-lists", &Value::Null).await;
    assert_eq!(lists[0]["addresses"][0]["address"], "192.0.2.1");
    let (_, journal) = server.json("GET", "/_simulator/requests", &Value::Null).await;
    assert_eq!(journal.as_array().unwrap().len(), 1, "the control surface itself is not in it");
    assert_eq!((&journal[0]["path"], &journal[0]["status"]), (&json!("/v2/access-lists"), &json!(200)));
    server.json("DELETE", "/_simulator/requests", &Value::Null).await;
    assert!(server.json("PUT", "/_simulator/state", &state).await.0.contains("204"));
    assert_eq!(server.json("GET", "/v2/access-lists", &Value::Null).await.1, json!([]));
    let refused = server.raw("PUT", "/_simulator/state", "organizations: []").await;
    assert!(
        refused.starts_with("HTTP/1.1 400 ") && refused.contains("organizations: at least one is needed"),
        "{refused}"
    );
    server.json("POST", "/_simulator/faults", &json!({ "status": 500, "delay": "1ms" })).await;
    let (_, faults) = server.json("GET", "/_simulator/faults", &Value::Null).await;
    assert_eq!((&faults[0]["status"], &faults[0]["delay"]), (&json!(500), &json!("1ms")));
    assert!(server.json("GET", "/v2/currentOrg", &Value::Null).await.0.contains("500"));
    server.json("DELETE", "/_simulator/faults", &Value::Null).await;
    assert!(server.json("GET", "/v2/currentOrg", &Value::Null).await.0.contains("200"));
    assert!(server.json("GET", "/_simulator/nothing", &Value::Null).await.0.contains("404"));
}

#[tokio::test]
async fn told_to_stop_it_stops_though_a_request_hangs() {
    let server = start().await;
    server.json("POST", "/_simulator/faults", &json!({ "delay": "1h" })).await;
    let mut hanging = TcpStream::connect(server.address).await.unwrap();
    hanging.write_all(b"GET /v2/currentOrg HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.stop.send(()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), server.task).await.unwrap().unwrap().unwrap();
}
