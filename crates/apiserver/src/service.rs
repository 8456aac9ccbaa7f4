//! The server's front: from an HTTP request to an answer, through the weather.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, Full, StreamBody};
use kube::core::Status;
use tokio::time::{Instant, sleep_until};

use crate::{
    decode,
    refusal::{self, Refusal},
    request::{Query, Target},
    resource::{Resource, SECRETS},
    state::State,
    store::Key,
    watch::{Body, Feed, Shared, reset},
    weather::{Gone, How, Seen, Strike, WatchStrike},
    write::{Change, Deletion},
};

/// A real server waits this long for a revision that is not there yet.
const WAITS_FOR_REVISION: Duration = Duration::from_secs(3);

/// What is answered.
enum Answer {
    Json(u16, Bytes),
    Text(u16, &'static str),
    Watch(Box<Feed>),
}

impl Answer {
    fn refused(refusal: &Status) -> Self {
        // A success has no code of its own.
        let code = if refusal.code == 0 { 200 } else { refusal.code };
        Self::Json(code, refusal::to_json(refusal).to_string().into())
    }

    fn code(&self) -> u16 {
        match self {
            Self::Json(code, _) | Self::Text(code, _) => *code,
            Self::Watch(_) => 200,
        }
    }

    fn into_response(self) -> Response<Body> {
        let code = self.code();
        let (kind, body) = match self {
            Self::Json(_, bytes) => ("application/json", full(bytes)),
            Self::Text(_, text) => ("text/plain; charset=utf-8", full(Bytes::from_static(text.as_bytes()))),
            Self::Watch(feed) => {
                let frames = feed.into_stream().map(|line| line.map(http_body::Frame::data));
                ("application/json", StreamBody::new(frames).boxed_unsync())
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
        response
    }
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// A request that was taken in.
struct Call<'a> {
    seen: Seen<'a>,
    target: Option<&'a Target>,
    query: Query,
    parts: &'a Parts,
    body: Bytes,
}

/// Answers a request, or breaks the connection.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    user: Arc<str>,
    request: Request<kube::client::Body>,
) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = Target::of(parts.uri.path());
    let query_text = parts.uri.query().unwrap_or_default();
    let query = Query::of(query_text);
    let reads_all =
        parts.method == http::Method::GET && target.as_ref().is_some_and(|target| target.name.is_none());
    let is_watch = reads_all && query.is("watch");
    let mut seen = Seen {
        user: &user,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: query_text,
        plural: target.as_ref().map_or("", |target| &target.plural),
        namespace: target.as_ref().and_then(|target| target.namespace.as_deref()),
        name: target.as_ref().and_then(|target| target.name.as_deref()),
        subresource: target.as_ref().and_then(|target| target.subresource.as_deref()),
        is_watch,
        is_list: reads_all && !is_watch,
        number: 0,
    };
    let (weather, epoch) = {
        let mut state = shared.lock();
        seen.number = state.journal.next();
        let now = (state.clock)();
        state.journal.arrived(now, &seen);
        (state.weather.clone(), state.epoch)
    };
    // Outside the lock: a weather may look at the server.
    let strike = weather.as_ref().map(|weather| weather.strike(&seen)).unwrap_or_default();
    let watch = weather.filter(|_| is_watch).map(|weather| weather.watch(&seen)).unwrap_or_default();
    let call = Call { seen, target: target.as_ref(), query, parts: &parts, body };
    let answer = carry_out(&shared, &call, strike, watch, epoch).await?;
    if let Some(recorded) = shared.lock().journal.of(call.seen.number) {
        recorded.status = Some(answer.status().as_u16());
    }
    Ok(answer)
}

async fn carry_out(
    shared: &Arc<Shared>,
    call: &Call<'_>,
    strike: Strike,
    watch: WatchStrike,
    epoch: u64,
) -> io::Result<Response<Body>> {
    pause(shared, strike.latency, epoch).await?;
    let behind = match strike.how {
        How::ResetBefore => return Err(reset()),
        How::Hang => return std::future::pending().await,
        How::Status { code, reason, retry_after } => return Ok(struck(code, reason, retry_after)),
        How::StaleList { revisions } if call.seen.is_list => revisions,
        _ => 0,
    };
    let answer = {
        let mut state = shared.lock();
        let before = (state.store.revision, state.served.len());
        let answer = route(shared, &mut state, call, behind, watch)
            .unwrap_or_else(|refusal| Answer::refused(&refusal));
        if let Some(recorded) = state.journal.of(call.seen.number) {
            recorded.applied = answer.code() < 300;
        }
        if before != (state.store.revision, state.served.len()) {
            shared.bell.notify_waiters();
        }
        answer
    };
    if answer.code() == 504 {
        tokio::time::sleep(WAITS_FOR_REVISION).await;
    }
    pause(shared, strike.latency_after, epoch).await?;
    match strike.how {
        How::AnswerLost => Err(reset()),
        How::HangAfter => std::future::pending().await,
        _ => Ok(answer.into_response()),
    }
}

/// Waits; the connection may break meanwhile.
async fn pause(shared: &Shared, latency: Duration, epoch: u64) -> io::Result<()> {
    let end = Instant::now() + latency;
    loop {
        // Before looking: what happens from now on rings.
        let mut rings = std::pin::pin!(shared.bell.notified());
        rings.as_mut().enable();
        if shared.lock().epoch != epoch {
            return Err(reset());
        }
        if end <= Instant::now() {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = rings => {}
            () = sleep_until(end) => {}
        }
    }
}

fn struck(code: u16, reason: &str, retry_after: Option<u32>) -> Response<Body> {
    let mut status = refusal::failure(code, reason, format!("the weather answers {code} {reason}"));
    let mut response = Answer::refused(&status).into_response();
    if let Some(seconds) = retry_after {
        status.details = Some(refusal::retry_after(seconds));
        response = Answer::refused(&status).into_response();
        response.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
    }
    response
}

/// From here on, nothing waits.
fn route(
    shared: &Arc<Shared>,
    state: &mut State,
    call: &Call<'_>,
    behind: u64,
    watch: WatchStrike,
) -> Result<Answer, Refusal> {
    const NO_PAGE: Answer = Answer::Text(404, "404 page not found\n");
    let Some(target) = call.target else { return Ok(NO_PAGE) };
    let Some(resource) = state
        .resource(&target.plural)
        .filter(|resource| resource.group == target.group && resource.version == target.version)
    else {
        return Ok(NO_PAGE);
    };
    let verb = verb(&call.seen);
    if !state.allows(&resource, call, verb) {
        let seen = call.seen;
        // A namespace counts as being in itself.
        let namespace = if resource.namespaced { seen.namespace } else { seen.name };
        return Err(refusal::forbidden(&resource, seen.user, verb, seen.subresource, namespace, seen.name));
    }
    let status = match call.seen.subresource {
        None => false,
        Some("status") if resource.status => true,
        Some(_) if resource.custom => {
            return Err(refusal::not_found(&resource, call.seen.name.unwrap_or_default()));
        }
        Some(_) => return Err(refusal::no_such_resource()),
    };
    if matches!(verb, "list" | "watch") {
        let form = decode::form(call.parts);
        if verb == "list" {
            let bytes = state.list(&resource, call.seen.namespace, &call.query, form, behind)?;
            return Ok(Answer::Json(200, bytes));
        }
        if watch.gone == Some(Gone::Http) {
            let asked = call.query.version().ok().flatten().unwrap_or_default();
            return Err(refusal::too_old(asked, state.store.revision));
        }
        let feed = Feed::open(shared, state, (&resource, call.seen.namespace), &call.query, form, watch)?;
        return Ok(Answer::Watch(Box::new(feed)));
    }
    // Cluster-wide, objects of namespaces can only be listed and watched.
    if resource.namespaced && call.seen.namespace.is_none() {
        return Ok(NO_PAGE);
    }
    one(state, &resource, call, verb, status)
}

/// One object.
fn one(
    state: &mut State,
    resource: &Arc<Resource>,
    call: &Call<'_>,
    verb: &str,
    status: bool,
) -> Result<Answer, Refusal> {
    let namespace = call.seen.namespace.unwrap_or_default();
    let key = Key::new(&resource.plural, namespace, call.seen.name.unwrap_or_default());
    let author = decode::author(call.seen.user, call.parts, &call.query);
    let form = decode::form(call.parts);
    let (code, stored) = match verb {
        "get" => match state.store.objects.get(&key) {
            Some(stored) => {
                state.check_not_newer(&call.query)?;
                (200, stored.clone())
            }
            None => return Err(refusal::not_found(resource, &key.name)),
        },
        "create" => {
            let body = decode::object(resource, call.parts, &call.body)?;
            (201, state.create(resource, namespace, body, &author, None)?)
        }
        "update" if key.name.is_empty() => return Err(refusal::bad_request("name must be provided")),
        "update" => {
            let body = decode::object(resource, call.parts, &call.body)?;
            if resource.made_by_put && !state.store.objects.contains_key(&key) {
                (201, state.create(resource, namespace, body, &author, None)?)
            } else {
                (
                    200,
                    state.change(
                        resource,
                        &key,
                        body,
                        Change { status, whole: true, managers: None },
                        &author,
                    )?,
                )
            }
        }
        "patch" => {
            let sort = decode::sort(call.parts, &call.query)?;
            let (stored, made) = state.patch(resource, &key, (sort, status), &call.body, &author)?;
            (if made { 201 } else { 200 }, stored)
        }
        "delete" => match state.delete(resource, &key, &decode::preconditions(&call.body)?, &author)? {
            Deletion::Gone(uid) => return Ok(Answer::refused(&refusal::deleted(resource, &key.name, &uid))),
            Deletion::Going(stored) => (200, stored),
        },
        _ => return Err(refusal::method_not_allowed()),
    };
    Ok(Answer::Json(code, form.render(&stored)))
}

impl State {
    /// May the user do this? Secrets are listed and watched by nobody.
    fn allows(&self, resource: &Resource, call: &Call<'_>, verb: &str) -> bool {
        if resource.plural == SECRETS && matches!(verb, "list" | "watch" | "deletecollection") {
            return false;
        }
        let what = call
            .seen
            .subresource
            .map_or_else(|| resource.plural.clone(), |sub| format!("{}/{sub}", resource.plural));
        !self.forbidden.contains(&(call.seen.user.to_owned(), verb.to_owned(), what))
    }

    fn check_not_newer(&self, query: &Query) -> Result<(), Refusal> {
        let asked = query.version().map_err(refusal::internal)?.unwrap_or_default();
        let current = self.store.revision;
        if asked > current { Err(refusal::too_large(asked, current)) } else { Ok(()) }
    }
}

fn verb(seen: &Seen<'_>) -> &'static str {
    match (seen.method, seen.name.is_some()) {
        ("GET", _) if seen.is_watch => "watch",
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => "",
    }
}
