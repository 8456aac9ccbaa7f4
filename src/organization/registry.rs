//! The organizations in use, one for each token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use astra_devops::{Client, Token, Transport};

use super::Organization;

/// Finds the organization of a token. It lives as long as somebody uses it; then the token is wiped from memory.
pub struct Organizations {
    transport: Arc<dyn Transport>,
    concurrency: usize,
    pace: Duration,
    by_token: Mutex<HashMap<Token, Weak<Organization>>>,
}

impl Organizations {
    /// Organizations that are reached through `transport`, with at most `concurrency` calls at once for each token.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, concurrency: usize, pace: Duration) -> Self {
        Self { transport, concurrency, pace, by_token: Mutex::default() }
    }

    /// The organization of this token.
    #[must_use]
    pub fn of(&self, token: &Token) -> Arc<Organization> {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(organization) = by_token.get(token).and_then(Weak::upgrade) {
            return organization;
        }
        by_token.retain(|_, organization| organization.strong_count() > 0);
        let client = Client::new(self.transport.clone(), token.clone(), self.concurrency);
        let organization = Arc::new(Organization::new(client, self.pace));
        by_token.insert(token.clone(), Arc::downgrade(&organization));
        organization
    }
}
