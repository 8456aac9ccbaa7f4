//! The last thing before the wire: a transport that sends no change while the fence is shut.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};

use astra_devops::{
    Answer, Call, Method, Token, Transport,
    transport::{Sent, TransportError},
};
use futures::future::BoxFuture;

use super::fence::{Fence, Shut};

/// Sends what reads always, and what changes something only while the lease is certain to outlast it.
///
/// The fence is asked when the call is about to be sent, not when it was decided on, and again whenever the call makes
/// progress: a process that was stopped while a connection was being made drops the call instead of sending it late.
///
/// What remains is a request that the HTTP library has already, or that is on its way, when the process is stopped.
/// It can reach Astra late and nothing here can call it back. It is harmless as far as it can be: what it does was
/// announced in the object's status first, so it is not foreign to the next leader, which looks before it changes
/// anything and puts right what it finds.
pub struct Fenced<T> {
    inner: T,
    fence: Fence,
    needed: Duration,
}

impl<T> Fenced<T> {
    /// Puts `fence` before `inner`, whose writes end after `needed` at the latest.
    #[must_use]
    pub const fn new(inner: T, fence: Fence, needed: Duration) -> Self {
        Self { inner, fence, needed }
    }
}

impl<T: Transport> Fenced<T> {
    async fn write(&self, token: &Token, call: &Call) -> Result<Answer, TransportError> {
        self.fence.check(self.needed).map_err(|shut| refused(call, shut, Sent::HeldBack))?;
        let mut sending = pin!(self.inner.send(token, call));
        poll_fn(|context| match self.fence.check(Duration::ZERO) {
            Ok(()) => sending.as_mut().poll(context).map(Some),
            Err(_) => std::task::Poll::Ready(None),
        })
        .await
        // It was let go on its way.
        .unwrap_or_else(|| Err(refused(call, Shut::NotHeld, Sent::Maybe)))
    }
}

impl<T: Transport> Transport for Fenced<T> {
    fn send<'a>(&'a self, token: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        match call.method {
            Method::Get => self.inner.send(token, call),
            Method::Post | Method::Put | Method::Patch | Method::Delete => Box::pin(self.write(token, call)),
        }
    }
}

fn refused(call: &Call, shut: Shut, sent: Sent) -> TransportError {
    tracing::warn!(%call, ?sent, "held back: {shut}");
    TransportError { what: shut.to_string(), sent, source: None }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::FutureExt;
    use tokio::sync::Notify;

    use super::*;
    use crate::leader::{Times, clock::Clock, fence::tests::Hand};

    /// Counts what reaches the wire, which it does only when the connection is there.
    #[derive(Clone, Default)]
    struct Wire {
        connected: Arc<Notify>,
        sent: Arc<AtomicUsize>,
    }

    impl Transport for Wire {
        fn send<'a>(&'a self, _: &'a Token, _: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            Box::pin(async {
                self.connected.notified().await;
                self.sent.fetch_add(1, Ordering::Relaxed);
                Ok(Answer { status: 200, retry_after: None, location: None, body: Vec::new() })
            })
        }
    }

    fn stage() -> (Arc<Hand>, Fence, Wire, Fenced<Wire>) {
        let clock = Hand::at(100);
        let fence = Fence::new(clock.clone(), Times::default());
        let wire = Wire::default();
        let fenced = Fenced::new(wire.clone(), fence.clone(), Duration::from_secs(10));
        (clock, fence, wire, fenced)
    }

    fn send(fenced: &Fenced<Wire>, method: Method) -> Option<Result<u16, Sent>> {
        let token = Token::new("AstraCS:x:y").unwrap();
        let call = Call::new(method, &["v2"], "p");
        let answer = fenced.send(&token, &call).now_or_never()?;
        Some(answer.map(|answer| answer.status).map_err(|error| error.sent))
    }

    #[test]
    fn only_changes_need_the_lease() {
        let (clock, fence, wire, fenced) = stage();
        let writes = [Method::Post, Method::Put, Method::Patch, Method::Delete];
        let verdicts = |millis| {
            clock.set(millis);
            writes.map(|method| {
                wire.connected.notify_one();
                send(&fenced, method)
            })
        };
        assert_eq!(verdicts(100_000), [Some(Err(Sent::HeldBack)); 4]);
        wire.connected.notify_one();
        assert_eq!(send(&fenced, Method::Get), Some(Ok(200)));
        fence.extend(clock.now());
        assert_eq!(verdicts(104_999), [Some(Ok(200)); 4]);
        assert_eq!(verdicts(105_000), [Some(Err(Sent::HeldBack)); 4]);
        assert_eq!(wire.sent.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn a_process_that_was_stopped_while_connecting_sends_nothing() {
        let (clock, fence, wire, fenced) = stage();
        fence.extend(clock.now());
        let token = Token::new("AstraCS:x:y").unwrap();
        let call = Call::new(Method::Delete, &["v2"], "p");
        let mut sending = fenced.send(&token, &call);
        assert!((&mut sending).now_or_never().is_none(), "connecting");
        clock.set(160_000);
        wire.connected.notify_one();
        let error = sending.now_or_never().unwrap().unwrap_err();
        assert_eq!((error.sent, wire.sent.load(Ordering::Relaxed)), (Sent::Maybe, 0));
    }
}
