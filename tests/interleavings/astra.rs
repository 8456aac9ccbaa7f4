//! An Astra of counters: each database's list has one entry, which tells how often it was written. What a reading shows is
//! as it was at some moment between its beginning and its end, and each takes its own time.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use astra_devops::{
    Answer, Call, Method, Token, Transport, access_list::AccessList, error::Sent, id::DatabaseId,
    transport::TransportError,
};
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};

use crate::schedule::Dice;

/// The longest way to Astra, or back.
const WAY: Duration = Duration::from_millis(40);

pub(crate) struct Astra {
    dice: Dice,
    /// How often each database was written, by its number.
    written: Mutex<Vec<usize>>,
    /// How often each had been written when a writer last told the organization of its write.
    told: Mutex<Vec<usize>>,
    readings: AtomicUsize,
}

/// The id of a database by its number.
pub(crate) fn id(database: usize) -> DatabaseId {
    format!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a{database:04}").parse().unwrap()
}

/// How many writes a list knows of.
pub(crate) fn known(list: Option<&AccessList>) -> usize {
    list.map_or(0, |list| list.addresses[0].description.parse().unwrap())
}

impl Astra {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            written: Mutex::new(vec![0; 64]),
            told: Mutex::new(vec![0; 64]),
            readings: AtomicUsize::new(0),
        }
    }

    /// How often a database has been written up to now.
    pub(crate) fn count(&self, database: usize) -> usize {
        self.written.lock().unwrap()[database]
    }

    /// A writer has told the organization of its write.
    pub(crate) fn tell(&self, database: usize) {
        let count = self.count(database);
        self.told.lock().unwrap()[database] = count;
    }

    /// How many writes whoever looks now must be shown at least.
    pub(crate) fn told(&self, database: usize) -> usize {
        self.told.lock().unwrap()[database]
    }

    pub(crate) fn writes(&self) -> usize {
        self.written.lock().unwrap().iter().sum()
    }

    pub(crate) fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }

    fn lists(&self) -> Value {
        let list = |(n, count): (usize, &usize)| {
            let entry = json!({ "address": "192.0.2.1", "description": count.to_string(), "enabled": true });
            json!({ "databaseId": id(n), "addresses": [entry] })
        };
        self.written.lock().unwrap().iter().enumerate().map(list).collect()
    }
}

impl Transport for Astra {
    fn send<'a>(&'a self, _: &'a Token, call: &'a Call) -> BoxFuture<'a, Result<Answer, TransportError>> {
        async move {
            // Some time always: what happens in one instant has no order that a clock could tell.
            self.dice.sleep(WAY).await;
            let answer = if call.method == Method::Get {
                self.readings.fetch_add(1, Ordering::SeqCst);
                Answer::json(200, &self.lists())
            } else {
                let place = call.path.split('/').nth(3).unwrap();
                let database = (0..64).find(|n| id(*n).as_str() == place).unwrap();
                self.written.lock().unwrap()[database] += 1;
                Answer::empty(204)
            };
            self.dice.pause(WAY).await;
            if call.method == Method::Get && self.dice.one_in(10) {
                let what = "the answer was lost".to_owned();
                return Err(TransportError { what, sent: Sent::Maybe, source: None });
            }
            Ok(answer)
        }
        .boxed()
    }
}
