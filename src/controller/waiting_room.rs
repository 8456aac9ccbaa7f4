//! Where objects wait for their turn, or for a reading, so that the queue has only those under way. The stock queue asks all
//! that it has under way whenever one of them moves: ten thousand that wait in it would each be asked ten thousand times.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{KindContext, turns::Turn, wakes::Reference};
use crate::engine::Kind;

/// The objects of one kind that wait.
pub struct WaitingRoom<K: Kind>(Mutex<HashMap<Reference<K>, Place>>);

enum Place {
    Waits,
    /// It was woken, and has this turn.
    Called(Turn),
}

/// What somebody who comes along is to do.
#[derive(Debug)]
pub enum Comes {
    /// It did not wait here.
    Anew,
    /// It waits here already, and will be woken.
    TooEarly,
    /// It was woken for this turn.
    Called(Turn),
}

impl<K: Kind> Default for WaitingRoom<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Kind> WaitingRoom<K> {
    /// The queue has an object's turn.
    pub fn comes(&self, object: &Reference<K>) -> Comes {
        let mut room = self.lock();
        match room.remove(object) {
            None => Comes::Anew,
            Some(Place::Called(turn)) => Comes::Called(turn),
            Some(Place::Waits) => {
                room.insert(object.clone(), Place::Waits);
                Comes::TooEarly
            }
        }
    }

    /// An object that was woken is gone: others get its turn.
    pub fn is_gone(&self, object: &Reference<K>) {
        // A turn that was called for ends here.
        drop(self.comes(object));
    }

    /// Has an object wait until it has its turn, and then has the queue look at it.
    pub fn wait(
        kind: &Arc<KindContext<K>>,
        object: Reference<K>,
        turn: impl Future<Output = Option<Turn>> + Send + 'static,
    ) {
        kind.waiting_room.lock().insert(object.clone(), Place::Waits);
        let counted = kind.context.metrics.waiting(K::KIND);
        let kind = kind.clone();
        tokio::spawn(async move {
            let turn = turn.await;
            drop(counted);
            match turn {
                Some(turn) => drop(kind.waiting_room.lock().insert(object.clone(), Place::Called(turn))),
                // There are no turns any more: the process is ending.
                None => drop(kind.waiting_room.lock().remove(&object)),
            }
            kind.wakes.wake(vec![object]);
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Reference<K>, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{controller::turns::Turns, kinds::AstraAccessList};

    #[test]
    fn who_was_called_and_is_gone_leaves_the_turn_to_others() {
        let (room, turns) = (WaitingRoom::<AstraAccessList>::default(), Turns::new(1, 1));
        let object = Reference::new("orders").within("team");
        assert!(matches!(room.comes(&object), Comes::Anew));
        room.lock().insert(object.clone(), Place::Waits);
        for _ in 0..2 {
            room.is_gone(&object);
            assert!(matches!(room.comes(&object), Comes::TooEarly), "it is told when it is called");
        }
        let turn = turns.ask("team").try_recv().unwrap();
        room.lock().insert(object.clone(), Place::Called(turn));
        let mut next = turns.ask("team");
        assert!(next.try_recv().is_err());
        room.is_gone(&object);
        assert!(next.try_recv().is_ok());
        assert!(matches!(room.comes(&object), Comes::Anew));
    }
}
