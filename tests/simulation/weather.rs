//! What goes wrong between the operator and the two APIs: lost, late, refused and doubled requests, and the operator's
//! own death at one of them. Drawn from the seed, in the order in which requests come.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use astra_devops::{Answer, Call, Method, Token, Transport, error::Sent, transport::TransportError};
use astra_simulator::Simulator;
use fastrand::Rng;
use futures::future::BoxFuture;
use simulated_apiserver::{Gone, How, Seen, Strike, WatchStrike, Weather};
use tokio::time::sleep;

use crate::fuse::{Fuse, Moment};

/// Who the operator is to the API server.
pub(crate) const OPERATOR: &str = "astra-operator";

/// The weather of one world.
pub(crate) struct Clouds {
    dice: Mutex<Rng>,
    /// How often something goes wrong, in each thousand requests.
    rate: AtomicU32,
    /// Are watches silent?
    dark: AtomicBool,
    pub(crate) fuse: Arc<Fuse>,
}

impl Clouds {
    pub(crate) fn new(seed: u64, rate: u32, fuse: Arc<Fuse>) -> Self {
        let (dice, rate) = (Mutex::new(Rng::with_seed(seed)), AtomicU32::new(rate));
        Self { dice, rate, dark: AtomicBool::new(false), fuse }
    }

    /// From now on all is well, but for what has begun.
    pub(crate) fn clear_up(&self) {
        self.rate.store(0, Ordering::Relaxed);
        self.dark.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_dark(&self, dark: bool) {
        self.dark.store(dark, Ordering::Relaxed);
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn strikes(&self) -> bool {
        let rate = self.rate.load(Ordering::Relaxed);
        rate > 0 && self.draw(|dice| dice.u32(0..1000)) < rate
    }
}

impl Weather for Clouds {
    fn strike(&self, request: &Seen<'_>) -> Strike {
        let latency = Duration::from_millis(self.draw(|dice| dice.u64(1..30)));
        let fine = Strike { latency, ..Strike::default() };
        if request.user != OPERATOR {
            return fine;
        }
        // A dead process sends nothing, and hears nothing.
        if self.fuse.is_dead() {
            return Strike { how: How::Hang, ..fine };
        }
        let is_effect = request.method != "GET";
        match is_effect.then(|| self.fuse.count()).flatten() {
            Some(Moment::BeforeSending) => return Strike { how: How::Hang, ..fine },
            Some(Moment::AnswerLost) => return Strike { how: How::HangAfter, ..fine },
            Some(Moment::AfterAnswer) | None => {}
        }
        if !self.strikes() {
            return fine;
        }
        let status = |code, reason, retry_after| How::Status { code, reason, retry_after };
        let how = match self.draw(|dice| dice.u8(0..12)) {
            0..3 => How::ResetBefore,
            3..6 => How::AnswerLost,
            6 => status(500, "InternalError", None),
            7 => status(503, "ServiceUnavailable", Some(1)),
            8 => status(429, "TooManyRequests", Some(2)),
            9 => status(504, "Timeout", None),
            10 => How::HangAfter,
            _ if request.is_list => How::StaleList { revisions: self.draw(|dice| dice.u64(1..6)) },
            _ => How::Hang,
        };
        Strike { how, ..fine }
    }

    fn watch(&self, request: &Seen<'_>) -> WatchStrike {
        if request.user != OPERATOR {
            return WatchStrike::default();
        }
        let mut strike = WatchStrike::default();
        if self.dark.load(Ordering::Relaxed) {
            strike.black_hole_after = Some(Duration::ZERO);
        }
        // Watches are few and live long, so more of them are struck.
        if self.rate.load(Ordering::Relaxed) == 0 || self.draw(Rng::bool) {
            return strike;
        }
        // Events are late, repeated or cut off, and never lost from the midst of a stream: no API server does that.
        match self.draw(|dice| dice.u8(0..8)) {
            0 | 1 => strike.cut_after = Some(Duration::from_secs(self.draw(|dice| dice.u64(1..120)))),
            2 => strike.black_hole_after = Some(Duration::from_secs(self.draw(|dice| dice.u64(0..60)))),
            3 => strike.gone = Some(Gone::InStream),
            4 => strike.gone = Some(Gone::Http),
            5 => strike.error_500_in_stream = true,
            6 => strike.repeat_every = Some(2),
            _ => strike.delay = Duration::from_millis(self.draw(|dice| dice.u64(100..4000))),
        }
        strike
    }
}

/// The way to Astra.
pub(crate) struct Wire {
    pub(crate) simulator: Simulator,
    pub(crate) clouds: Arc<Clouds>,
}

impl Transport for Wire {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            if self.clouds.fuse.is_dead() {
                pending::<()>().await;
            }
            let is_effect = call.method != Method::Get;
            let moment = is_effect.then(|| self.clouds.fuse.count()).flatten();
            if moment == Some(Moment::BeforeSending) {
                pending::<()>().await;
            }
            let result = self.carry(token, call).await;
            if moment == Some(Moment::AnswerLost) || self.clouds.fuse.is_dead() && moment.is_none() {
                pending::<()>().await;
            }
            result
        })
    }
}

impl Wire {
    async fn carry(&self, token: &Token, call: &Call) -> Result<Answer, TransportError> {
        let clouds = &self.clouds;
        let (way, back) = clouds.draw(|dice| (dice.u64(2..150), dice.u64(2..150)));
        sleep(Duration::from_millis(way)).await;
        let trouble = if clouds.strikes() { Some(clouds.draw(|dice| dice.u8(0..12))) } else { None };
        let answered = |status: u16, headers: &[(&str, &str)], body: &str| {
            let mut response = astra_simulator::Response::empty(status);
            response.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            response.body = body.as_bytes().to_vec();
            Ok(Answer::from(response))
        };
        let lost = |sent| Err(TransportError { what: "the connection was lost".into(), sent, source: None });
        match trouble {
            Some(0) => return lost(Sent::No),
            Some(1) => return lost(Sent::Maybe),
            Some(2) => return answered(503, &[], ""),
            Some(3) => return answered(429, &[("retry-after", "7")], "\"slow down\""),
            Some(4) => return answered(500, &[], "\"internal error\""),
            Some(5) => {
                return answered(502, &[("content-type", "text/html")], "<html>bad gateway</html>");
            }
            Some(6) => return answered(401, &[], "null"),
            Some(7) => {
                sleep(Duration::from_secs(20)).await;
                return lost(Sent::Maybe);
            }
            _ => {}
        }
        let answer = self.simulator.send(token, call).await;
        sleep(Duration::from_millis(back)).await;
        match trouble {
            Some(8 | 9) => lost(Sent::Maybe),
            // Carried out, and a proxy answers in Astra's place.
            Some(10) => answered(504, &[("content-type", "text/html")], "<html>timeout</html>"),
            Some(11) => answered(200, &[], "{\"cut"),
            _ => answer,
        }
    }
}
