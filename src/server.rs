//! `/healthz` and `/readyz`, for the kubelet, and `/metrics`, for Prometheus.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ring::digest;
use tokio::net::TcpListener;

use crate::metrics::{CONTENT_TYPE, Metrics};

/// Takes a port. `flag` is what names it on the command line.
///
/// # Errors
/// Names the address when it is taken already.
pub async fn bind(address: SocketAddr, flag: &str) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {address} ({flag}; is another instance running?): {error}"),
        )
    })
}

/// What `/healthz` and `/readyz` say. `readiness` is the second: a replica that waits for its turn is ready, too.
pub fn health(readiness: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(readiness() + "\n")))
}

/// What `/metrics` says; to those only who bring the token of the file, if there is one.
pub fn metrics(metrics: Arc<Metrics>, token: Option<PathBuf>) -> Router {
    let told = move |headers: HeaderMap| {
        let (metrics, token) = (metrics.clone(), token.clone());
        async move {
            match token {
                Some(file) if !brings(&headers, &file) => refused(),
                _ => ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text()).into_response(),
            }
        }
    };
    Router::new().route("/metrics", get(told))
}

/// Answers until the process ends.
///
/// # Errors
/// When the socket fails.
pub async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    axum::serve(listener, router).await
}

/// Is the token of the file brought as a bearer token? The file is read each time, so that it can be rotated; one that
/// cannot be read lets nobody in.
fn brings(headers: &HeaderMap, file: &Path) -> bool {
    let Ok(expected) = fs::read_to_string(file) else {
        tracing::warn!(file = %file.display(), "the file of --metrics-token-file cannot be read: nobody may scrape");
        return false;
    };
    let brought = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let brought = brought.and_then(|value| value.strip_prefix("Bearer "));
    // Digests are compared: how long that takes tells nothing of the token.
    let digest = |text: &str| digest::digest(&digest::SHA256, text.trim().as_bytes()).as_ref().to_vec();
    !expected.trim().is_empty() && brought.is_some_and(|brought| digest(brought) == digest(&expected))
}

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "a bearer token is needed\n")
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn status(router: &Router, authorization: Option<&str>) -> u16 {
        let mut request = Request::get("/metrics");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_who_brings_the_token_may_scrape_if_there_is_one() {
        let open = metrics(Arc::new(Metrics::default()), None);
        assert_eq!(status(&open, None).await, 200);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let guarded = metrics(Arc::new(Metrics::default()), Some(file.clone()));
        assert_eq!(status(&guarded, Some("Bearer ")).await, 401, "there is no file");
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(status(&guarded, Some("Bearer ")).await, 401, "an empty token is none");
        std::fs::write(&file, "one\n").unwrap();
        for (authorization, expected) in [
            (None, 401),
            (Some("Bearer one"), 200),
            (Some("Bearer on"), 401),
            (Some("Bearer onee"), 401),
            (Some("Basic one"), 401),
            (Some("one"), 401),
        ] {
            assert_eq!(status(&guarded, authorization).await, expected, "{authorization:?}");
        }
        std::fs::write(&file, "two\n").unwrap();
        assert_eq!(status(&guarded, Some("Bearer two")).await, 200, "it was rotated");
    }
}
