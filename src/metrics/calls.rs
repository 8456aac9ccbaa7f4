//! Calls to Astra as they go over the wire: how many, how they were answered, how long they took.

use std::{sync::Arc, time::Duration};

use astra_devops::{Answer, Call, Token, Transport, transport::TransportError};
use futures::{FutureExt, future::BoxFuture};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use super::{CALLS, Metrics, Times};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    path: String,
    /// The status code, or `none` when no whole answer came.
    code: String,
}

pub(super) struct Families {
    calls: Family<Answered, Counter>,
    times: Times<Route>,
}

impl Default for Families {
    fn default() -> Self {
        Self { calls: Family::default(), times: Family::new_with_constructor(|| Histogram::new(CALLS)) }
    }
}

impl Families {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "devops_requests",
            "Calls to the Astra DevOps API, by the status code of the answer; none: no whole answer came",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "devops_request_duration",
            "How long a call to the Astra DevOps API took",
            Unit::Seconds,
            self.times.clone(),
        );
    }
}

impl Families {
    /// One call, and how it was answered.
    pub(super) fn count(&self, method: &'static str, path: String, code: String, took: Duration) {
        self.times.get_or_create(&Route { method, path: path.clone() }).observe(took.as_secs_f64());
        self.calls.get_or_create(&Answered { method, path, code }).inc();
    }
}

/// Counts what goes through it.
pub struct Measured<T> {
    inner: T,
    metrics: Arc<Metrics>,
}

impl<T> Measured<T> {
    /// Counts what goes to `inner`.
    #[must_use]
    pub const fn new(inner: T, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

impl<T: Transport> Transport for Measured<T> {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        async move {
            let since = Instant::now();
            let answer = self.inner.send(token, call).await;
            let code = answer.as_ref().map_or_else(|_| "none".to_owned(), |answer| answer.status.to_string());
            self.metrics.calls.count(call.method.as_str(), call.route(), code, since.elapsed());
            answer
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use astra_devops::{
        Client,
        access_list::{ListAccessLists, RestrictAccess},
        transport::Sent,
    };
    use serde_json::json;

    use super::*;

    struct Fixed;

    impl Transport for Fixed {
        fn send<'a>(&'a self, _: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            let lost = || TransportError { what: "lost".to_owned(), sent: Sent::Maybe, source: None };
            let found = call.path == "/v2/access-lists";
            async move { if found { Ok(Answer::json(200, &json!([]))) } else { Err(lost()) } }.boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_is_counted_by_its_route_and_its_answer() {
        let metrics = Arc::new(Metrics::default());
        let token = Token::new("AstraCS:one:two").unwrap();
        let client = Client::new(Arc::new(Measured::new(Fixed, metrics.clone())), token, 1);
        let _ = client.send(&ListAccessLists).await;
        let database = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01".parse().unwrap();
        let _ = client.send(&RestrictAccess(database)).await;
        let text = metrics.text();
        let counts: Vec<&str> =
            text.lines().filter(|line| line.starts_with("astra_operator_devops_requests_total")).collect();
        assert!(
            counts.contains(
                &r#"astra_operator_devops_requests_total{method="GET",path="/v2/access-lists",code="200"} 1"#
            ),
            "{counts:?}"
        );
        let lost = counts.iter().any(|line| {
            line.starts_with(
                r#"astra_operator_devops_requests_total{method="PATCH",path="/v2/databases/{database}/access-list",code="none"} "#,
            )
        });
        assert!(lost, "{counts:?}");
        assert!(!text.contains("AstraCS") && !text.contains("4b8a1c52"), "{text}");
    }
}
