//! The simulator as an HTTP server: the API itself on all paths, and the control surface under `/_simulator/`.

use std::{future::Future, io, time::Duration};

use astra_devops::Method;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State as Shared,
    http::{HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION},
    response::Response as HttpResponse,
};
use futures::stream;
use tokio::net::TcpListener;

use crate::{
    control,
    simulator::Simulator,
    wire::{Request, Response},
};

/// No request of the API is near this; a state file might be.
pub(crate) const BODY: usize = 4 << 20;

/// How long requests under way are waited for when the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// The server's routes, to be served by anything that serves axum.
pub fn router(simulator: Simulator) -> Router {
    Router::new().nest("/_simulator", control::router()).fallback(api).with_state(simulator)
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
async fn api(Shared(simulator): Shared<Simulator>, request: axum::extract::Request) -> HttpResponse {
    let (head, body) = request.into_parts();
    let Some(method) = method(&head.method) else {
        return http(Response::text(405, "405 method not allowed"));
    };
    let Ok(body) = to_bytes(body, BODY).await else {
        return http(Response::text(413, "the body is too long or broke off"));
    };
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request = Request {
        method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: authorization.map(ToOwned::to_owned),
        body: body.into(),
    };
    simulator.answer(&request).await.map_or_else(dropped, http)
}

fn method(method: &axum::http::Method) -> Option<Method> {
    let known = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    known.into_iter().find(|known| known.as_str() == method.as_str())
}

pub(crate) fn http(response: Response) -> HttpResponse {
    let mut answer = HttpResponse::new(Body::from(response.body));
    // A fault may ask for a status or header that HTTP does not know; then it is 500, or left away.
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// An answer whose body fails before its first byte: the server closes the connection without having sent anything.
fn dropped() -> HttpResponse {
    let broken = stream::once(async { Err::<Vec<u8>, _>(io::Error::other("dropped on purpose")) });
    HttpResponse::new(Body::from_stream(broken))
}
