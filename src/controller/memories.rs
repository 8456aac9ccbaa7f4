//! What is remembered of each object between two looks, by its UID: an object made anew under an old name starts anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::engine::{Kind, memory::Memory};

/// The memories of one kind's objects.
pub struct Memories<K: Kind>(Mutex<HashMap<String, Box<Memory<K>>>>);

impl<K: Kind> Default for Memories<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Kind> Memories<K> {
    /// Takes an object's memory out. The queue never works on one object twice at once, so nobody else misses it.
    pub fn take(&self, uid: &str) -> Box<Memory<K>> {
        self.lock().remove(uid).unwrap_or_default()
    }

    /// Puts it back.
    pub fn put(&self, uid: &str, memory: Box<Memory<K>>) {
        self.lock().insert(uid.to_owned(), memory);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Box<Memory<K>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
