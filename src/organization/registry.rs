//! The organizations in use, one for each token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use astra_devops::{Client, Token, Transport, gate::Gate, held_back::HeldBack};

use super::Organization;

/// Finds the organization of a token. It lives as long as somebody uses it; then the token is wiped from memory, as soon
/// as no silence is left that Astra asked it for.
pub struct Organizations {
    transport: Arc<dyn Transport>,
    concurrency: usize,
    pace: Duration,
    per_second: Option<u32>,
    held_back: Arc<HeldBack>,
    by_token: Mutex<HashMap<Token, Known>>,
}

/// What is kept of a token.
struct Known {
    organization: Weak<Organization>,
    /// Outlives the organization while it is silent: an object that comes meanwhile, with the same token, must not be
    /// the one that breaks a silence of an hour because nobody else had anything to look at.
    gate: Arc<Gate>,
}

impl Organizations {
    /// Organizations that are reached through `transport`, with at most `concurrency` calls at once for each token.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, concurrency: usize, pace: Duration) -> Self {
        let (held_back, by_token) = (Arc::default(), Mutex::default());
        Self { transport, concurrency, pace, per_second: None, held_back, by_token }
    }

    /// The same, with no more than so many calls in a second for each token.
    #[must_use]
    pub fn calls_per_second(self, rate: u32) -> Self {
        Self { per_second: Some(rate), ..self }
    }

    /// How many calls of all tokens were held back because Astra is down.
    #[must_use]
    pub const fn held_back(&self) -> &Arc<HeldBack> {
        &self.held_back
    }

    fn gate(&self) -> Gate {
        let gate = Gate::new(self.concurrency).counting(self.held_back.clone());
        match self.per_second {
            Some(rate) => gate.with_rate(rate),
            None => gate,
        }
    }

    /// The organization of this token.
    #[must_use]
    pub fn of(&self, token: &Token) -> Arc<Organization> {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(organization) = by_token.get(token).and_then(|known| known.organization.upgrade()) {
            return organization;
        }
        by_token
            .retain(|_, known| known.organization.strong_count() > 0 || !known.gate.silence_left().is_zero());
        let gate = by_token.get(token).map_or_else(|| Arc::new(self.gate()), |known| known.gate.clone());
        let client = Client::with_gate(self.transport.clone(), token.clone(), gate.clone());
        let organization = Arc::new(Organization::new(client, self.pace));
        by_token.insert(token.clone(), Known { organization: Arc::downgrade(&organization), gate });
        organization
    }
}

#[cfg(test)]
mod tests {
    use astra_devops::{Answer, Call, Error, transport::TransportError};
    use futures::{FutureExt, future::BoxFuture};
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Asks for an hour of silence, and notes when it was called.
    #[derive(Default)]
    struct Silencing(Mutex<Vec<Instant>>);

    impl Transport for Silencing {
        fn send<'a>(&'a self, _: &'a Token, _: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
            self.0.lock().unwrap().push(Instant::now());
            let hour = Some(Duration::from_hours(1));
            async move { Ok(Answer { retry_after: hour, ..Answer::empty(429) }) }.boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_outlives_the_last_object_that_used_the_token() {
        let transport = Arc::new(Silencing::default());
        let organizations = Organizations::new(transport.clone(), 4, Duration::ZERO);
        let token = |text: &str| Token::new(text).unwrap();
        assert!(organizations.of(&token("AstraCS:one")).id().await.is_err());
        // Another token's organization is made meanwhile, which is when what nobody uses is forgotten.
        let _other = organizations.of(&token("AstraCS:other"));
        let error = organizations.of(&token("AstraCS:one")).id().await.unwrap_err();
        assert!(matches!(*error, Error::Silenced { .. }), "{error}");
        assert_eq!(transport.0.lock().unwrap().len(), 1);

        sleep(Duration::from_hours(1)).await;
        let _other = organizations.of(&token("AstraCS:third"));
        let known = |text: &str| organizations.by_token.lock().unwrap().contains_key(&token(text));
        assert!(!known("AstraCS:one"), "what is silent no more is forgotten");
        assert!(known("AstraCS:other"), "what is used is not");
        assert!(organizations.of(&token("AstraCS:one")).id().await.is_err());
        assert_eq!(transport.0.lock().unwrap().len(), 2);
    }
}
