//! `/healthz` and `/readyz`, for the kubelet.

use std::{io, net::SocketAddr};

use axum::{Router, routing::get};
use tokio::net::TcpListener;

/// Takes the port.
///
/// # Errors
/// Names the address when it is taken already.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot serve health on {address} (--health-address): {error}"))
    })
}

/// Answers until the process ends. `readiness` is what `/readyz` says: a replica that waits for its turn is ready, too.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: TcpListener,
    readiness: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(readiness() + "\n")));
    axum::serve(listener, router).await
}
