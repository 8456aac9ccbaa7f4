//! One client for each token: it sends calls through a [`Transport`], repeats those that may be repeated, and is silent
//! when Astra asks for it.

use std::sync::Arc;

use serde::de;
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep, timeout},
};

use crate::{
    Answer, Call, Error, Token, Transport,
    answer::ReadError,
    error::Sent,
    gate::Gate,
    health::{Admission, Pass},
    retry::{self, PATIENCE},
    transport::TransportError,
};

/// One operation of the API: how to call it, and how to read its answer.
pub trait Endpoint: Send + Sync {
    /// What a success means.
    type Output;

    /// The call as plain data.
    fn call(&self) -> Call;

    /// Reads what [`Endpoint::accepts`] calls a success.
    ///
    /// # Errors
    /// When the body does not have the expected shape.
    fn read(&self, answer: &Answer) -> Result<Self::Output, ReadError>;

    /// Is this answer a success? Some operations use `404` to say "none yet".
    fn accepts(&self, answer: &Answer) -> bool {
        answer.is_success()
    }
}

/// A list of the whole organization, of which it is known how many databases it may tell of: its answer grows with them.
#[derive(Clone, Debug)]
pub struct OfAll<E> {
    /// What reads the list.
    pub list: E,
    /// How many databases the organization has.
    pub databases: usize,
}

impl<E: Endpoint> Endpoint for OfAll<E> {
    type Output = E::Output;

    fn call(&self) -> Call {
        Call { databases: self.databases, ..self.list.call() }
    }

    fn read(&self, answer: &Answer) -> Result<Self::Output, ReadError> {
        self.list.read(answer)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        self.list.accepts(answer)
    }
}

/// A client of the DevOps API for one token. Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    token: Token,
    gate: Arc<Gate>,
}

impl Client {
    /// A client that sends at most `concurrency` calls at once.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, token: Token, concurrency: usize) -> Self {
        Self::with_gate(transport, token, Arc::new(Gate::new(concurrency)))
    }

    /// A client that shares its limits with all that have the same gate.
    #[must_use]
    pub fn with_gate(transport: Arc<dyn Transport>, token: Token, gate: Arc<Gate>) -> Self {
        Self { transport, token, gate }
    }

    /// Calls one operation and reads its answer.
    ///
    /// # Errors
    /// See [`Error`]. A failed call that may not be repeated is not; see [`retry::pause`].
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<E::Output, Error> {
        let call = endpoint.call();
        let answer = self.answer(&call, |answer| endpoint.accepts(answer)).await?;
        endpoint.read(&answer).map_err(|error| unreadable(&call, &answer, error))
    }

    /// Sends a call whose answer's body does not matter; only a page is taken for a failure.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_call(&self, call: &Call) -> Result<Answer, Error> {
        self.answer(call, Answer::is_success).await
    }

    async fn answer(&self, call: &Call, accepts: impl Fn(&Answer) -> bool) -> Result<Answer, Error> {
        if call.would_delete_whole_list() {
            return Err(never_sent(call));
        }
        let mut attempt = 1;
        let mut uncertain = None;
        loop {
            let error = match self.attempt(call, &accepts).await {
                Ok(answer) => return Ok(answer),
                // Astra said yes; asking again would only bring the same page.
                Err(error @ Error::Unreadable { .. }) => return Err(error),
                Err(error) => error,
            };
            let Some(pause) = retry::pause(&error, call.repeat, attempt, fastrand::f64()) else {
                // An attempt that was not sent says nothing of what became of the ones before it.
                return Err(uncertain.filter(|_| error.was_not_sent()).unwrap_or(error));
            };
            tracing::debug!(call = %call, attempt, ?pause, error = %error, "sending again after a pause");
            if error.may_have_taken_effect() {
                uncertain = Some(error);
            }
            sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call, accepts: &impl Fn(&Answer) -> bool) -> Result<Answer, Error> {
        let (_place, pass) = self.place(call).await?;
        tracing::debug!(call = %call, "calling Astra");
        let result = match self.transport.send(&self.token, call).await {
            // A login page is no success, whatever its status: it would make a change look done.
            Ok(answer) if accepts(&answer) && answer.is_html() => {
                let answer = self.clean(answer);
                Err(unreadable(call, &answer, ReadError(de::Error::custom("a page"))))
            }
            Ok(answer) if accepts(&answer) => Ok(self.clean(answer)),
            Ok(answer) => Err(Error::refused(call, &self.clean(answer))),
            Err(source) => Err(Error::Unreachable { call: call.to_string(), sent: source.sent, source }),
        };
        // Both before the place is given back, or a waiting call would slip out in between.
        if let Some(wait) = result.as_ref().err().and_then(retry::silence) {
            self.gate.silence(wait);
        }
        pass.report(result.as_ref().err(), Instant::now());
        result
    }

    /// The answer without the token, and without its secret part, which is what comes after the last colon.
    fn clean(&self, answer: Answer) -> Answer {
        let token = self.token.expose();
        let secret = token.rsplit(':').next().unwrap_or_default();
        answer.without(token).without(secret)
    }

    /// Waits until the call may go out. A short silence is waited out, without a place, so that calls that cannot wait
    /// are told at once; a long one, or one that is prolonged again and again, is the caller's business. So is an outage,
    /// unless another call is asking right now whether it is over.
    async fn place(&self, call: &Call) -> Result<(Option<SemaphorePermit<'_>>, Pass<'_>), Error> {
        let health = self.gate.health();
        let down = |(wait, first)| {
            self.gate.held_back().add();
            Error::Down { call: call.to_string(), first, wait }
        };
        // Before all that may end the wait for a place, and once for each call that is sent.
        self.gate.pace().await;
        let mut patience = PATIENCE;
        loop {
            let wait = self.gate.silence_left();
            if wait > patience {
                return Err(Error::Silenced { call: call.to_string(), wait });
            }
            if !wait.is_zero() {
                sleep(wait).await;
                patience -= wait;
            }
            if let Some(refusal) = health.refuses(Instant::now()) {
                return Err(down(refusal));
            }
            let place = self.gate.enter().await;
            // While this call waited for its place, another may have been told to be silent.
            if !self.gate.silence_left().is_zero() {
                continue;
            }
            match health.admit(Instant::now()) {
                Admission::Go(pass) => return Ok((place, pass)),
                Admission::Down(wait, first) => return Err(down((wait, first))),
                Admission::Wait(left) => {
                    drop(place);
                    // Whether it came back or not is seen in the next round.
                    let _ = timeout(left, health.answered()).await;
                }
            }
        }
    }
}

fn unreadable(call: &Call, answer: &Answer, ReadError(source): ReadError) -> Error {
    Error::Unreadable { call: call.to_string(), status: answer.status, start: answer.start(), source }
}

/// The last line of defence for calls that were not made by this crate's own endpoints.
fn never_sent(call: &Call) -> Error {
    let what = "not sent, because without an address it would delete the whole list and open public access";
    let source = TransportError { what: what.to_owned(), sent: Sent::No, source: None };
    Error::Unreachable { call: call.to_string(), sent: Sent::No, source }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
