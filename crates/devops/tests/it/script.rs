//! A transport that answers from a script and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use astra_devops::{Answer, Call, Client, Token, Transport, error::Sent, transport::TransportError};
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};

pub(crate) const TOKEN: &str =
    "AstraCS:ScriptedServersOwnToken1:c93e70b1f4825dd6a60f7ce31b9842d5e7f3a06c5184bd29f06ea83d71c4952b";

pub(crate) fn token() -> Token {
    Token::new(TOKEN).unwrap()
}

/// What happens to one call.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Answer(Answer),
    /// Never reached the server.
    NoConnection,
    /// Was not let out.
    HeldBack,
    /// Broke off after it was sent.
    Reset,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    lines: Mutex<VecDeque<Line>>,
    sent: Mutex<Vec<(Instant, Call)>>,
    delay: Duration,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Script {
    /// Calls are answered line by line; after the last line with `204`.
    pub(crate) fn new(lines: impl IntoIterator<Item = Line>) -> Arc<Self> {
        Self::slow(Duration::ZERO, lines)
    }

    /// As `new`, and every answer takes its time.
    pub(crate) fn slow(delay: Duration, lines: impl IntoIterator<Item = Line>) -> Arc<Self> {
        Arc::new(Self { lines: Mutex::new(lines.into_iter().collect()), delay, ..Self::default() })
    }

    pub(crate) fn client(self: &Arc<Self>, concurrency: usize) -> Client {
        Client::new(Arc::<Self>::clone(self), token(), concurrency)
    }

    /// What was sent, as text.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(_, call)| call.to_string()).collect()
    }

    /// When it was sent.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.sent.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way.load(Ordering::SeqCst)
    }
}

impl Transport for Script {
    fn send<'a>(&'a self, _: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push((Instant::now(), call.clone()));
            let line = self.lines.lock().unwrap().pop_front().unwrap_or(Line::Answer(Answer::empty(204)));
            let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
            sleep(self.delay).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            let failed = |what: &str, sent| TransportError { what: what.to_owned(), sent, source: None };
            match line {
                Line::Answer(answer) => Ok(answer),
                Line::NoConnection => Err(failed("cannot connect", Sent::No)),
                Line::HeldBack => Err(failed("no lease", Sent::HeldBack)),
                Line::Reset => Err(failed("the connection failed", Sent::Maybe)),
            }
        })
    }
}

pub(crate) fn status(status: u16) -> Line {
    Line::Answer(Answer::empty(status))
}

pub(crate) fn throttled(wait: Option<Duration>) -> Line {
    Line::Answer(Answer { retry_after: wait, ..Answer::empty(429) })
}

pub(crate) fn json(code: u16, body: &serde_json::Value) -> Line {
    Line::Answer(Answer::json(code, body))
}

pub(crate) fn text(code: u16, body: &str) -> Answer {
    Answer { body: body.as_bytes().to_vec(), ..Answer::empty(code) }
}
