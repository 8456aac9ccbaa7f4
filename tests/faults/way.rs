//! The way to Astra, with one fault on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use astra_devops::{Answer, Call, Method, Token, Transport, http, transport::TransportError};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::fault::{Applied, DEADLINE, Effect, Fault};

/// Which call is struck: the `at`th (from 0), and the ones after it until `times` were.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) fault: Fault,
    pub(crate) at: usize,
    pub(crate) times: usize,
}

/// One call that was sent, and what Astra truly answered.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) at: Instant,
    pub(crate) call: Call,
    /// Nothing when it was not carried out.
    pub(crate) answer: Option<Answer>,
    /// Had this target been answered otherwise before?
    pub(crate) had_changed: bool,
}

/// Counts the calls, strikes the planned ones, and notes those that come too early.
pub(crate) struct Way {
    inner: Arc<dyn Transport>,
    plan: Option<Plan>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Trace>,
    /// What each target answered, each once, the newest last.
    known: BTreeMap<String, Vec<Answer>>,
    silent_until: Option<Instant>,
    early: Vec<String>,
}

impl Way {
    pub(crate) fn new(inner: Arc<dyn Transport>, plan: Option<Plan>) -> Self {
        Self { inner, plan, state: Mutex::default() }
    }

    /// What was sent.
    pub(crate) fn calls(&self) -> Vec<Trace> {
        self.lock().calls.clone()
    }

    /// The calls that were sent although Astra had asked for silence.
    pub(crate) fn early(&self) -> Vec<String> {
        self.lock().early.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a call comes, and says its number.
    fn arrives(&self, call: &Call) -> usize {
        let mut state = self.lock();
        let now = Instant::now();
        if let Some(until) = state.silent_until.filter(|until| now < *until) {
            state.early.push(format!("{call}, {:?} before its time", until - now));
        }
        state.calls.push(Trace { at: now, call: call.clone(), answer: None, had_changed: false });
        state.calls.len() - 1
    }

    async fn carry(&self, token: &Token, call: &Call, number: usize) -> Result<Answer, TransportError> {
        let result = self.inner.send(token, call).await;
        if let Ok(answer) = &result {
            let mut state = self.lock();
            let known = state.known.entry(call.target()).or_default();
            if call.method == Method::Get && known.last() != Some(answer) {
                known.push(answer.clone());
            }
            let had_changed = known.len() > 1;
            let trace = &mut state.calls[number];
            trace.answer = Some(answer.clone());
            trace.had_changed = had_changed;
        }
        result
    }

    async fn strike(
        &self,
        fault: &Fault,
        token: &Token,
        call: &Call,
        number: usize,
    ) -> Result<Answer, TransportError> {
        match &fault.effect {
            Effect::Says { status, retry_after, body, applied } => {
                if *applied {
                    let _ = self.carry(token, call, number).await;
                }
                if !fault.silence.is_zero() {
                    self.lock().silent_until = Some(Instant::now() + fault.silence);
                }
                Ok(Answer {
                    status: *status,
                    retry_after: retry_after.and_then(|wish| http::retry_after(&wish.text())),
                    location: None,
                    body: body.as_bytes().to_vec(),
                })
            }
            Effect::Lost { sent, applied } => {
                match applied {
                    Applied::Never => {}
                    Applied::Before => drop(self.carry(token, call, number).await),
                    Applied::After(late) => {
                        let (inner, token, call, late) =
                            (self.inner.clone(), token.clone(), call.clone(), *late);
                        sleep(DEADLINE).await;
                        tokio::spawn(async move {
                            sleep(late).await;
                            let _ = inner.send(&token, &call).await;
                        });
                    }
                }
                Err(TransportError { what: "a fault".into(), sent: *sent, source: None })
            }
            Effect::Late(by) => {
                sleep(*by).await;
                self.carry(token, call, number).await
            }
            Effect::Changed(change) => {
                let mut answer = self.carry(token, call, number).await?;
                answer.body = change.of(&answer.body).unwrap_or(answer.body);
                Ok(answer)
            }
            Effect::Stale => {
                let answer = self.carry(token, call, number).await?;
                let state = self.lock();
                let known = state.known.get(&call.target()).map(Vec::as_slice).unwrap_or_default();
                Ok(known.iter().rev().nth(1).cloned().unwrap_or(answer))
            }
            Effect::FirstTaken => {
                let first =
                    call.body.as_ref().and_then(Value::as_array).map(|list| list.iter().take(1).cloned());
                let body = first.map(|first| Value::Array(first.collect()));
                self.carry(token, &Call { body, ..call.clone() }, number).await
            }
        }
    }
}

impl Transport for Way {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            let number = self.arrives(call);
            match &self.plan {
                Some(Plan { fault, at, times }) if (*at..at + times).contains(&number) => {
                    self.strike(fault, token, call, number).await
                }
                _ => self.carry(token, call, number).await,
            }
        })
    }
}

impl Fault {
    /// Would it do anything to this call?
    pub(crate) fn can_strike(&self, trace: &Trace) -> bool {
        let read = trace.call.method == Method::Get;
        match &self.effect {
            // Reading changes nothing, whether it is done or not.
            Effect::Says { applied, .. } => !(*applied && read),
            Effect::Lost { applied, .. } => !(read && *applied != Applied::Never),
            Effect::Late(_) => true,
            Effect::Changed(change) => {
                trace.answer.as_ref().is_some_and(|answer| change.of(&answer.body).is_some())
            }
            Effect::Stale => read && trace.had_changed,
            Effect::FirstTaken => {
                trace.call.body.as_ref().and_then(Value::as_array).is_some_and(|list| list.len() > 1)
            }
        }
    }

    /// How much longer than without it a run may take.
    pub(crate) fn takes(&self, times: usize) -> Duration {
        let times = u32::try_from(times).unwrap();
        let silence = match &self.effect {
            Effect::Says { retry_after: Some(_), .. } => self.silence.max(Duration::from_mins(2)),
            _ => Duration::from_mins(1),
        };
        (silence + Duration::from_secs(30)) * times
    }
}
