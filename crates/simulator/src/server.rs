//! The simulator as an HTTP server: the API itself on all paths, and the control surface under `/_simulator/`.

use std::{future::Future, io, time::Duration};

use astra_devops::Method;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State as Shared, rejection::BytesRejection},
    http::{HeaderMap, Method as HttpMethod, Uri, header::AUTHORIZATION},
    response::Response as HttpResponse,
};
use tokio::net::TcpListener;

use crate::{
    control,
    framing::{dropped, http},
    simulator::Simulator,
    wire::{Request, Response},
};

/// No request of the API is near this; a state file might be.
const BODY: usize = 4 << 20;

/// How long requests under way are waited for when the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// The server's routes, to be served by anything that serves axum.
pub fn router(simulator: Simulator) -> Router {
    Router::new()
        .nest("/_simulator", control::router())
        .fallback(api)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(simulator)
}

/// Serves until `stop` is done, then for as long as requests under way need, but not for more than two seconds.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopped, stopping) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        // The receiver is gone only when the server is.
        let _ = stopped.send(());
    };
    let farewell = async {
        match stopping.await {
            // A request that a fault delays for an hour must not keep the program alive.
            Ok(()) => tokio::time::sleep(FAREWELL).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = async { axum::serve(listener, router(simulator)).with_graceful_shutdown(stop).await } => ended,
        () = farewell => Ok(()),
    }
}

/// One request of the API. The path is taken as it was sent: an encoded slash is no separator.
async fn api(
    Shared(simulator): Shared<Simulator>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> HttpResponse {
    let Some(method) = known(&method) else {
        return http(Response::text(405, "405 method not allowed"));
    };
    let body = match body {
        Ok(body) => body,
        // Too long, or broken off.
        Err(refused) => return http(Response::text(refused.status().as_u16(), &refused.body_text())),
    };
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request = Request {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: authorization.map(ToOwned::to_owned),
        body: body.into(),
    };
    simulator.answer(&request).await.map_or_else(dropped, http)
}

fn known(method: &HttpMethod) -> Option<Method> {
    let known = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    known.into_iter().find(|known| known.as_str() == method.as_str())
}
