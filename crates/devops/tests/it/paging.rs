//! All databases, page by page.

use astra_devops::{
    Error,
    databases::{PAGE, list_all},
};
use serde_json::{Value, json};

use crate::script::{Line, Script, json as answer, status};

fn page(from: usize, count: usize) -> Line {
    let databases: Vec<Value> = (from..from + count).map(|n| json!({ "id": format!("db-{n}") })).collect();
    answer(200, &json!(databases))
}

async fn list(lines: Vec<Line>) -> (Result<Vec<String>, Error>, Vec<String>) {
    let script = Script::new(lines);
    let found = list_all(&script.client(1)).await;
    (found.map(|all| all.into_iter().map(|database| database.id.to_string()).collect()), script.sent())
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("db-{n}")).collect()
}

const FIRST: &str = "GET /v2/databases?limit=100";
const NEXT: &str = "GET /v2/databases?limit=100&starting_after=db-99";

#[tokio::test(start_paused = true)]
async fn pages_are_put_together() {
    let cases: Vec<(&str, Vec<Line>, usize, Vec<&str>)> = vec![
        ("none", vec![page(0, 0)], 0, vec![FIRST]),
        ("null", vec![answer(200, &Value::Null)], 0, vec![FIRST]),
        ("one short page", vec![page(0, 7)], 7, vec![FIRST]),
        ("a full and a short page", vec![page(0, PAGE), page(100, 3)], 103, vec![FIRST, NEXT]),
        ("a last page that is exactly full", vec![page(0, PAGE), page(100, 0)], 100, vec![FIRST, NEXT]),
        (
            "a page that starts with the last of the one before",
            vec![page(0, PAGE), page(99, 4)],
            103,
            vec![FIRST, NEXT],
        ),
        (
            "a server that does not page and gives everything",
            vec![page(0, 150), page(0, 150)],
            150,
            vec![FIRST, "GET /v2/databases?limit=100&starting_after=db-149"],
        ),
        (
            "an error that passes",
            vec![page(0, PAGE), status(502), page(100, 1)],
            101,
            vec![FIRST, NEXT, NEXT],
        ),
    ];
    for (name, lines, count, sent) in cases {
        let (found, calls) = list(lines).await;
        assert_eq!(found.unwrap(), ids(count), "{name}");
        assert_eq!(calls, sent, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_list_is_an_error() {
    for second in [status(400), status(401), answer(200, &json!({ "oops": true })), answer(200, &json!([{}]))]
    {
        let (found, _) = list(vec![page(0, PAGE), second.clone()]).await;
        assert!(found.is_err(), "{second:?}");
    }
    let (found, calls) = list(vec![page(0, PAGE), status(500), status(500), status(500)]).await;
    assert!(found.is_err());
    assert_eq!(calls.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_starting_after_is_an_error_and_no_endless_loop() {
    let (found, calls) = list(std::iter::repeat_with(|| page(0, PAGE)).take(1000).collect()).await;
    let error = found.unwrap_err();
    assert!(error.to_string().contains("the same page again"), "{error}");
    assert_eq!(calls, [FIRST, NEXT]);
}
