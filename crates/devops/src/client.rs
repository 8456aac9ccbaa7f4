//! One client for each token: it sends calls through a [`Transport`], repeats those that may be repeated, and is silent
//! when Astra asks for it.

use std::sync::Arc;

use tokio::time::sleep;

use crate::{
    Answer, Call, Error, Token, Transport,
    answer::ReadError,
    error::Class,
    gate::Gate,
    retry::{self, PATIENCE},
};

/// One operation of the API: how to call it, and how to read its answer.
pub trait Endpoint: Send + Sync {
    /// What a success means.
    type Output;

    /// The call as plain data.
    fn call(&self) -> Call;

    /// Reads a success. The default of a `204` is `()`.
    ///
    /// # Errors
    /// When the body does not have the expected shape.
    fn read(&self, answer: &Answer) -> Result<Self::Output, ReadError>;

    /// Is this answer a success? Some operations use `404` to say "none yet".
    fn accepts(&self, answer: &Answer) -> bool {
        answer.is_success()
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
        Self { transport, token, gate: Arc::new(Gate::new(concurrency)) }
    }

    /// Calls one operation and reads its answer.
    ///
    /// # Errors
    /// See [`Error`]. A failed call that may not be repeated is not; see [`retry::pause`].
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<E::Output, Error> {
        let call = endpoint.call();
        let answer = self.answer(&call, |answer| endpoint.accepts(answer)).await?;
        endpoint.read(&answer).map_err(|ReadError(source)| Error::Unreadable {
            call: call.to_string(),
            status: answer.status,
            start: answer.start(),
            source,
        })
    }

    /// Sends a call whose answer's body does not matter.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_call(&self, call: &Call) -> Result<Answer, Error> {
        self.answer(call, Answer::is_success).await
    }

    async fn answer(&self, call: &Call, accepts: impl Fn(&Answer) -> bool) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let error = match self.attempt(call, &accepts).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let (Class::Throttled, Some(wait)) = (error.class(), error.retry_after()) {
                self.gate.silence(wait);
            }
            let Some(pause) = retry::pause(&error, call.repeat, attempt, fastrand::f64()) else {
                return Err(error);
            };
            tracing::debug!(call = %call, attempt, ?pause, error = %error, "sending again after a pause");
            sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call, accepts: &impl Fn(&Answer) -> bool) -> Result<Answer, Error> {
        let _place = self.gate.enter().await;
        self.wait_out_silence(call).await?;
        tracing::debug!(call = %call, "calling Astra");
        match self.transport.send(&self.token, call).await {
            Ok(answer) if accepts(&answer) => Ok(answer),
            Ok(answer) => Err(Error::refused(call, &answer)),
            Err(source) => Err(Error::Unreachable { call: call.to_string(), sent: source.sent, source }),
        }
    }

    /// A short silence is waited out; a long one is the caller's business.
    async fn wait_out_silence(&self, call: &Call) -> Result<(), Error> {
        loop {
            let wait = self.gate.silence_left();
            if wait.is_zero() {
                return Ok(());
            }
            if wait > PATIENCE {
                return Err(Error::Silenced { call: call.to_string(), wait });
            }
            sleep(wait).await;
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
