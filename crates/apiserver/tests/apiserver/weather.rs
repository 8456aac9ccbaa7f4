//! What happens to requests.

use std::time::Duration;

use kube::{Client, api::PostParams};
use simulated_apiserver::{ApiServer, How, Strike};
use tokio::time::{Instant, timeout};

use crate::stage::{NAMESPACE, PLURAL, api, server, striking, widget};

const LONG: Duration = Duration::from_hours(24);

async fn create(client: &Client, name: &str) -> Result<kube::api::DynamicObject, kube::Error> {
    let object = serde_json::from_value(widget(name, 1)).unwrap();
    api(client).create(&PostParams::default(), &object).await
}

fn is_there(server: &ApiServer, name: &str) -> bool {
    server.get(PLURAL, NAMESPACE, name).is_some()
}

/// Makes an object while something happens to the request.
async fn struck(how: How) -> (ApiServer, Client, Option<Result<(), kube::Error>>) {
    let server = server();
    let client = server.client("operator", NAMESPACE);
    server.set_weather(Some(striking(move |_| Strike { how: how.clone(), ..Strike::default() })));
    let answer = timeout(LONG, create(&client, "a")).await.ok().map(|answer| answer.map(drop));
    (server, client, answer)
}

#[tokio::test(start_paused = true)]
async fn fine() {
    let (server, _, answer) = struck(How::Fine).await;
    answer.unwrap().unwrap();
    assert!(is_there(&server, "a"));
    let request = &server.requests()[0];
    assert_eq!((request.status, request.applied, request.is_write()), (Some(201), true, true));
    assert_eq!((request.user.as_str(), request.method.as_str()), ("operator", "POST"));
    assert_eq!(request.path, "/apis/test.io/v1/namespaces/default/widgets");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_before_leaves_nothing() {
    let (server, _, answer) = struck(How::ResetBefore).await;
    assert!(matches!(answer, Some(Err(kube::Error::Service(_)))), "{answer:?}");
    assert!(!is_there(&server, "a"));
    let request = &server.requests()[0];
    assert_eq!((request.status, request.applied), (None, false));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_has_been_carried_out() {
    let (server, _, answer) = struck(How::AnswerLost).await;
    assert!(matches!(answer, Some(Err(kube::Error::Service(_)))), "{answer:?}");
    assert!(is_there(&server, "a"));
    let request = &server.requests()[0];
    assert_eq!((request.status, request.applied), (None, true));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_weather_leaves_nothing() {
    let how = How::Status { code: 429, reason: "TooManyRequests", retry_after: Some(7) };
    let (server, _, answer) = struck(how).await;
    let Some(Err(kube::Error::Api(status))) = answer else { panic!("{answer:?}") };
    assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
    assert_eq!(status.details.unwrap().retry_after_seconds, 7);
    assert!(!is_there(&server, "a"));
    assert_eq!(server.requests()[0].status, Some(429));
}

#[tokio::test(start_paused = true)]
async fn a_request_can_hang_for_ever() {
    let (server, _, answer) = struck(How::Hang).await;
    assert!(answer.is_none());
    assert!(!is_there(&server, "a"));
    let (server, _, answer) = struck(How::HangAfter).await;
    assert!(answer.is_none());
    assert!(is_there(&server, "a"));
}

#[tokio::test(start_paused = true)]
async fn a_list_can_be_old_and_a_get_cannot() {
    let server = server();
    let client = server.client("operator", NAMESPACE);
    for (name, size) in [("a", 1), ("b", 1)] {
        server.create(widget(name, size)).unwrap();
    }
    let before = server.revision();
    server.delete(PLURAL, NAMESPACE, "a").unwrap();
    server.create(widget("c", 1)).unwrap();
    let how = How::StaleList { revisions: 2 };
    server.set_weather(Some(striking(move |_| Strike { how: how.clone(), ..Strike::default() })));
    let list = api(&client).list(&kube::api::ListParams::default()).await.unwrap();
    let names: Vec<_> = list.items.iter().map(kube::ResourceExt::name_any).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(list.metadata.resource_version, Some(before.to_string()));
    assert!(api(&client).get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn both_latencies_count() {
    let server = server();
    let client = server.client("operator", NAMESPACE);
    let (before, after) = (Duration::from_secs(3), Duration::from_secs(4));
    server.set_weather(Some(striking(move |_| Strike {
        latency: before,
        latency_after: after,
        how: How::Fine,
    })));
    let start = Instant::now();
    let request = tokio::spawn({
        let client = client.clone();
        async move { create(&client, "a").await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(2900)).await;
    assert!(!is_there(&server, "a"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(is_there(&server, "a"));
    request.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), before + after);
}

#[tokio::test(start_paused = true)]
async fn rights_are_taken_and_given_back() {
    let server = server();
    let client = server.client("operator", NAMESPACE);
    server.forbid("operator", "create", PLURAL);
    let Err(kube::Error::Api(status)) = create(&client, "a").await else { panic!("it was allowed") };
    assert!(status.is_forbidden());
    create(&server.client("somebody", NAMESPACE), "a").await.unwrap();
    server.allow("operator", "create", PLURAL);
    create(&client, "b").await.unwrap();
}
