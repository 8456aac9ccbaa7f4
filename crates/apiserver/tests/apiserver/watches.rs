//! What happens to watches, as a stock watcher sees it.

use std::time::Duration;

use expect_test::{Expect, expect};
use kube::runtime::watcher::Config;
use serde_json::json;
use simulated_apiserver::{ApiServer, Gone, WatchStrike};

use crate::stage::{NAMESPACE, PLURAL, first_watch, seconds, server, watch, widget};

fn resize(server: &ApiServer, name: &str, size: i64) {
    server.merge(PLURAL, NAMESPACE, name, json!({ "spec": { "size": size } })).unwrap();
}

/// One object at first; then a change each second of `a` and `b` in turns, ten times; then it is quiet.
async fn seen(strike: WatchStrike, expected: Expect) {
    let server = server();
    server.create(widget("a", 0)).unwrap();
    server.create(widget("b", 0)).unwrap();
    server.set_weather(Some(first_watch(strike)));
    let log = watch(&server.client("operator", NAMESPACE), Config::default().timeout(20));
    seconds(1).await;
    for size in 1..=6 {
        resize(&server, if size % 2 == 1 { "a" } else { "b" }, size);
        seconds(1).await;
    }
    seconds(60).await;
    expected.assert_eq(&log.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn none() {
    seen(
        WatchStrike::default(),
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          1.0 apply a=1
          2.0 apply b=2
          3.0 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn cut() {
    let strike = WatchStrike { cut_after: Some(Duration::from_millis(2500)), ..WatchStrike::default() };
    seen(
        strike,
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          1.0 apply a=1
          2.0 apply b=2
          2.5 error: watch stream failed: Error reading events stream: ServiceError: connection reset by peer
          3.5 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn black_hole() {
    let strike =
        WatchStrike { black_hole_after: Some(Duration::from_millis(2500)), ..WatchStrike::default() };
    seen(
        strike,
        expect![[r#"
            0.0 init
            0.0 had a=0
            0.0 had b=0
            0.0 ready
            1.0 apply a=1
            2.0 apply b=2
            27.0 apply a=3
            27.0 apply b=4
            27.0 apply a=5
            27.0 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn gone_in_the_stream() {
    let strike = WatchStrike { gone: Some(Gone::InStream), ..WatchStrike::default() };
    seen(
        strike,
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          0.0 error: error returned by apiserver during watch: too old resource version: 4 (4): Expired
          1.0 init
          1.0 had a=1
          1.0 had b=0
          1.0 ready
          2.0 apply b=2
          3.0 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn gone_by_http() {
    let strike = WatchStrike { gone: Some(Gone::Http), ..WatchStrike::default() };
    seen(strike, expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          0.0 error: failed to start watching object: ApiError: too old resource version: 4 (4): Expired (Status { status: Some(Failure), code: 410, message: "too old resource version: 4 (4)", metadata: Some(ListMeta { continue_: None, remaining_item_count: None, resource_version: None, self_link: None, shard_info: None }), reason: "Expired", details: None })
          1.0 apply a=1
          2.0 apply b=2
          3.0 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6"#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_stream() {
    let strike = WatchStrike { error_500_in_stream: true, ..WatchStrike::default() };
    seen(strike, expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          0.0 error: error returned by apiserver during watch: an error on the server has prevented the request from succeeding: InternalError
          1.0 apply a=1
          2.0 apply b=2
          3.0 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6"#]]).await;
}

#[tokio::test(start_paused = true)]
async fn dropped() {
    seen(
        WatchStrike { drop_every: Some(3), ..WatchStrike::default() },
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          1.0 apply a=1
          2.0 apply b=2
          4.0 apply b=4
          5.0 apply a=5"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn repeated() {
    seen(
        WatchStrike { repeat_every: Some(3), ..WatchStrike::default() },
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          1.0 apply a=1
          2.0 apply b=2
          3.0 apply a=3
          3.0 apply a=3
          4.0 apply b=4
          5.0 apply a=5
          6.0 apply b=6
          6.0 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn delayed() {
    seen(
        WatchStrike { delay: Duration::from_millis(2500), ..WatchStrike::default() },
        expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          3.5 apply a=1
          4.5 apply b=2
          5.5 apply a=3
          6.5 apply b=4
          7.5 apply a=5
          8.5 apply b=6"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn swapped() {
    let server = server();
    server.create(widget("a", 0)).unwrap();
    server.create(widget("b", 0)).unwrap();
    server.set_weather(Some(first_watch(WatchStrike { swap_every: Some(3), ..WatchStrike::default() })));
    let log = watch(&server.client("operator", NAMESPACE), Config::default());
    seconds(1).await;
    // The third is the first of two neighbours that are about different objects.
    for (name, size) in [("a", 1), ("b", 2), ("a", 3), ("b", 4)] {
        resize(&server, name, size);
    }
    seconds(1).await;
    // The sixth is the first of two that are about one object: these stay as they are.
    for (name, size) in [("b", 5), ("a", 6), ("a", 7), ("b", 8)] {
        resize(&server, name, size);
    }
    seconds(5).await;
    // The ninth has nobody to wait for.
    resize(&server, "a", 9);
    seconds(5).await;
    expect![[r#"
          0.0 init
          0.0 had a=0
          0.0 had b=0
          0.0 ready
          1.0 apply a=1
          1.0 apply b=2
          1.0 apply b=4
          1.0 apply a=3
          2.0 apply b=5
          2.0 apply a=6
          2.0 apply a=7
          2.0 apply b=8
          8.0 apply a=9"#]]
    .assert_eq(&log.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_every_minute_and_shortly_before_the_end() {
    use futures::{StreamExt, TryStreamExt};
    use kube::api::{WatchEvent, WatchParams};

    let server = server();
    server.create(widget("a", 0)).unwrap();
    let api = crate::stage::api(&server.client("operator", NAMESPACE));
    let start = tokio::time::Instant::now();
    let stream =
        api.watch(&WatchParams::default().timeout(150), &server.revision().to_string()).await.unwrap();
    // Others write meanwhile: a bookmark has the revision of the whole server.
    server.create(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": NAMESPACE } })).unwrap();
    let current = server.revision().to_string();
    let marks: Vec<_> = stream
        .map(|event| {
            let WatchEvent::Bookmark(mark) = event? else { panic!("no bookmark") };
            assert_eq!(mark.metadata.resource_version, current);
            Ok::<_, kube::Error>(start.elapsed().as_secs())
        })
        .try_collect()
        .await
        .unwrap();
    assert_eq!(marks, [60, 120, 148]);
    assert_eq!(start.elapsed().as_secs(), 150);
}
