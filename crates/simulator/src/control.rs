//! The control surface, `/_simulator/…`: for tests and people, without a token. It is no part of the API.

use axum::{
    Json, Router,
    extract::State as Shared,
    response::Response as HttpResponse,
    routing::{get, post},
};
use serde::de::DeserializeOwned;

use crate::{
    events::Event,
    faults::Fault,
    framing::{self, http},
    invariants::Violation,
    journal::Recorded,
    simulator::Simulator,
    state::State,
    wire::Response,
};

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/requests", get(requests).delete(clear_requests))
        .route("/state", get(state).put(put_state))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/events", post(event))
        .route("/violations", get(violations).delete(clear_violations))
        .fallback(async || {
            refused(404, "the control surface has requests, state, faults, events and violations")
        })
}

async fn requests(Shared(simulator): Shared<Simulator>) -> Json<Vec<Recorded>> {
    Json(simulator.requests())
}

async fn clear_requests(Shared(simulator): Shared<Simulator>) -> HttpResponse {
    simulator.clear_requests();
    done()
}

async fn state(Shared(simulator): Shared<Simulator>) -> Json<State> {
    Json(simulator.state())
}

async fn put_state(Shared(simulator): Shared<Simulator>, body: String) -> HttpResponse {
    match State::read(&body) {
        Ok(state) => {
            simulator.put_state(state);
            done()
        }
        Err(error) => refused(400, &error.to_string()),
    }
}

async fn faults(Shared(simulator): Shared<Simulator>) -> Json<Vec<Fault>> {
    Json(simulator.faults())
}

async fn add_fault(Shared(simulator): Shared<Simulator>, body: String) -> HttpResponse {
    match read(&body).and_then(|fault: Fault| framing::check(&fault).map(|()| fault)) {
        Ok(fault) => {
            simulator.add_fault(fault);
            done()
        }
        Err(why) => refused(400, &why),
    }
}

async fn clear_faults(Shared(simulator): Shared<Simulator>) -> HttpResponse {
    simulator.clear_faults();
    done()
}

async fn event(Shared(simulator): Shared<Simulator>, body: String) -> HttpResponse {
    match read::<Event>(&body).map(|event| simulator.apply(&event)) {
        Ok(Ok(())) => done(),
        Ok(Err(error)) => refused(409, &error.to_string()),
        Err(why) => refused(400, &why),
    }
}

async fn violations(Shared(simulator): Shared<Simulator>) -> Json<Vec<Violation>> {
    Json(simulator.violations())
}

async fn clear_violations(Shared(simulator): Shared<Simulator>) -> HttpResponse {
    simulator.clear_violations();
    done()
}

/// Reads a body whatever its content type: `curl -d` sends none that says JSON.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("cannot read the body: {error}"))
}

fn done() -> HttpResponse {
    http(Response::empty(204))
}

fn refused(status: u16, why: &str) -> HttpResponse {
    http(Response::text(status, &format!("{why}\n")))
}
