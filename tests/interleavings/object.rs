//! One object: it looks, it writes, it is put off, it looks again.

use std::{sync::Arc, time::Duration};

use astra_devops::{
    Endpoint as _,
    access_list::{Configurations, ReplaceAccessList},
};
use astra_operator::organization::{Freshness, Organization, needs::Needs, wanted::Wanted};
use tokio::time::Instant;

use crate::{
    astra::{self, Astra},
    schedule::Dice,
};

/// So long it waits in its turn.
const PATIENCE: Duration = Duration::from_millis(50);

/// What it has to tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) looks: usize,
    pub(crate) put_off: usize,
}

pub(crate) struct Object {
    database: usize,
    organization: Arc<Organization>,
    astra: Arc<Astra>,
    dice: Dice,
    last_write: Option<Instant>,
}

impl Object {
    pub(crate) fn new(
        database: usize,
        organization: Arc<Organization>,
        astra: Arc<Astra>,
        dice: Dice,
    ) -> Self {
        Self { database, organization, astra, dice, last_write: None }
    }

    /// So many looks, with a write after most of them.
    pub(crate) async fn live(mut self, looks: usize) -> Told {
        let mut told = Told::default();
        while told.looks < looks {
            self.dice.pause(Duration::from_millis(200)).await;
            if self.look(&mut told).await && !self.dice.one_in(4) {
                self.write().await;
            }
        }
        told
    }

    /// One look, as the engine takes it. Was anything seen?
    async fn look(&self, told: &mut Told) -> bool {
        let age = Duration::from_millis([0, 0, 50, 5_000][self.dice.up_to(4)]);
        let asked = Instant::now();
        // What had been written by then must be seen if no age is allowed, whoever has written it.
        let then = if age.is_zero() { self.astra.count(self.database) } else { 0 };
        let allowed = asked.checked_sub(age).unwrap_or(asked);
        let oldest = self.last_write.map_or(allowed, |write| allowed.max(write));
        // What the organization was told of must be seen, whatever age is allowed.
        let told_of = self.astra.told(self.database);
        let lists = Needs { access_lists: true, ..Needs::default() };
        let id = astra::id(self.database);
        let wanted = Wanted { lists, database: id.clone(), not_before: oldest };
        if self.organization.wait(&wanted) > PATIENCE && self.dice.one_in(2) {
            told.put_off += 1;
            let given_up =
                Instant::now() + Duration::from_secs(1) * u32::try_from(self.dice.up_to(60)).unwrap();
            self.organization.until(&wanted, PATIENCE, || Instant::now() > given_up).await;
            return false;
        }
        let seen = self.organization.access_list(&id, Freshness::NoOlderThan(oldest)).await;
        told.looks += 1;
        // A reading that failed shows nothing, which is never too old.
        let Ok(seen) = seen else { return false };
        let seen = astra::known(seen.as_ref());
        assert!(seen >= told_of, "shown {seen} writes, and {told_of} were told of before the look");
        assert!(seen >= then, "shown {seen} writes, and {then} were there when it was asked for");
        true
    }

    async fn write(&mut self) {
        let call = ReplaceAccessList {
            database: astra::id(self.database),
            addresses: Vec::new(),
            configurations: Configurations::default(),
        }
        .call();
        if self.organization.client().send_call(&call).await.is_err() {
            // Too many readings were lost in a row: the circuit is open, and nothing was sent.
            return;
        }
        let now = Instant::now();
        self.last_write = Some(now);
        self.organization.wrote(astra::id(self.database), now);
        self.astra.tell(self.database);
    }
}
