//! When a call is sent again, and that no more calls are under way than allowed.

use std::time::Duration;

use astra_devops::{
    Call, Endpoint, Error, Method, access_list::RestrictAccess, error::Class, private_link::ListPrivateLinks,
    retry::ATTEMPTS,
};
use futures::future::join_all;
use serde_json::json;

use crate::script::{Line, Script, json as answer, status, text};

fn safe() -> Call {
    Call::new(Method::Get, &["v2", "safe"], "p")
}

fn unsafe_call() -> Call {
    Call::new(Method::Post, &["v2", "unsafe"], "p")
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_how_often() {
    let page = || Line::Answer(text(404, "<html>proxy</html>"));
    let cases: Vec<(&str, Call, Vec<Line>, usize, bool)> = vec![
        ("a success", unsafe_call(), vec![status(204)], 1, true),
        ("unsafe, broke off", unsafe_call(), vec![Line::Reset], 1, false),
        ("unsafe, 500", unsafe_call(), vec![status(500)], 1, false),
        ("unsafe, redirected", unsafe_call(), vec![status(303)], 1, false),
        ("unsafe, a proxy's page", unsafe_call(), vec![page()], 1, false),
        ("unsafe, no connection", unsafe_call(), vec![Line::NoConnection, status(201)], 2, true),
        (
            "unsafe, no connection, then broke off",
            unsafe_call(),
            vec![Line::NoConnection, Line::Reset],
            2,
            false,
        ),
        ("unsafe, marked safe", unsafe_call().safe_to_repeat(), vec![Line::Reset, status(204)], 2, true),
        ("safe, broke off", safe(), vec![Line::Reset, status(200)], 2, true),
        ("safe, twice 502", safe(), vec![status(502), status(502), status(200)], 3, true),
        ("safe, never well", safe(), vec![status(500); 9], ATTEMPTS as usize, false),
        ("refused", safe(), vec![status(400)], 1, false),
        ("refused token", safe(), vec![status(401)], 1, false),
        ("conflict", safe(), vec![status(409)], 1, false),
    ];
    for (name, call, lines, sent, success) in cases {
        let script = Script::new(lines);
        let result = script.client(1).send_call(&call).await;
        assert_eq!(script.sent(), vec![call.to_string(); sent], "{name}");
        assert_eq!(result.is_ok(), success, "{name}: {result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_allowed() {
    for concurrency in [0, 1, 3] {
        let script = Script::slow(Duration::from_secs(1), []);
        let client = script.client(concurrency);
        let call = safe();
        // Clones share the bound.
        let calls = (0..10).map(|_| {
            let (client, call) = (client.clone(), call.clone());
            async move { client.send_call(&call).await }
        });
        let answers = join_all(calls).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(script.sent().len(), 10);
        assert_eq!(script.most_under_way(), concurrency.max(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_its_place_back() {
    let script = Script::slow(Duration::from_mins(1), []);
    let client = script.client(1);
    let cut = tokio::time::timeout(Duration::from_secs(1), client.send_call(&safe())).await;
    assert!(cut.is_err());
    assert!(client.send_call(&safe()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_a_whole_list_is_not_sent() {
    let script = Script::new([]);
    let call = Call::new(Method::Delete, &["v2", "databases", "d", "access-list"], "accesslist-write");
    let error = script.client(1).send_call(&call.safe_to_repeat()).await.unwrap_err();
    assert!(script.sent().is_empty());
    assert!(!error.may_have_taken_effect());
    let Error::Unreachable { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("would delete the whole list"), "{source}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_success_says_how_it_starts_and_is_not_asked_for_again() {
    let script = Script::new([Line::Answer(text(200, "<html>Sign in to the corporate proxy</html>"))]);
    let error = script.client(1).send(&ListPrivateLinks).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v2/organizations/private-link was answered 200 with a body that could not be read: <html>Sign in to the corporate proxy</html>"
    );
    assert_eq!(error.class(), Class::Transient);
    assert!(error.may_have_taken_effect());
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_no_success_of_a_change() {
    let page = || [Line::Answer(text(200, "<html>Sign in</html>"))];
    let change = RestrictAccess("db-1".parse().unwrap());
    let script = Script::new(page());
    assert!(matches!(script.client(1).send(&change).await, Err(Error::Unreadable { .. })));
    let script = Script::new(page());
    assert!(matches!(script.client(1).send_call(&change.call()).await, Err(Error::Unreadable { .. })));
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_decides_what_a_success_is() {
    let none = Script::new([answer(404, &json!("not configured"))]);
    assert_eq!(none.client(1).send(&ListPrivateLinks).await.unwrap(), []);
    let unknown = Script::new([answer(404, &json!({ "errors": [{ "ID": 1, "message": "no" }] }))]);
    let error = unknown.client(1).send(&ListPrivateLinks).await.unwrap_err();
    assert_eq!(error.class(), Class::NotFound);
}
