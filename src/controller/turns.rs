//! Whose turn it is: namespaces take turns, and none may have more than its share under way. Five thousand objects of one
//! namespace that all wait for an API that does not answer must not hold up the ten of another.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Gives out turns.
#[derive(Debug)]
pub struct Turns {
    /// The most that one namespace has at once.
    each: usize,
    /// The most that there are at once.
    all: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    queues: HashMap<String, Queue>,
    /// The namespaces in which somebody waits, in the order of their turns.
    ring: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Queue {
    busy: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn. It ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    namespace: String,
}

impl Turns {
    /// At most `each` turns at once for one namespace, and `namespaces` times as many in all.
    #[must_use]
    pub fn new(each: usize, namespaces: usize) -> Arc<Self> {
        let each = each.max(1);
        Arc::new(Self { each, all: each.saturating_mul(namespaces.max(1)), state: Mutex::default() })
    }

    /// Asks for a turn. Within a namespace, who asked first goes first. It may be there at once; an error means that there
    /// are no turns any more.
    pub fn ask(self: &Arc<Self>, namespace: &str) -> oneshot::Receiver<Turn> {
        let turn = {
            let mut state = self.lock();
            let queue = state.queues.entry(namespace.to_owned()).or_default();
            let (send, receive) = oneshot::channel();
            queue.waiting.push_back(send);
            if queue.waiting.len() == 1 {
                state.ring.push_back(namespace.to_owned());
            }
            receive
        };
        self.give_out();
        turn
    }

    /// Gives out turns as long as there are any, and somebody may have one.
    fn give_out(self: &Arc<Self>) {
        while let Some((waiting, turn)) = self.next() {
            // Whoever has gone away gives the turn back by this.
            drop(waiting.send(turn));
        }
    }

    fn next(self: &Arc<Self>) -> Option<(oneshot::Sender<Turn>, Turn)> {
        let mut state = self.lock();
        if state.busy >= self.all {
            return None;
        }
        for _ in 0..state.ring.len() {
            let namespace = state.ring.pop_front()?;
            let Some(queue) = state.queues.get_mut(&namespace) else { continue };
            if queue.busy >= self.each {
                state.ring.push_back(namespace);
                continue;
            }
            // Whoever has gone away wants no turn.
            while queue.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                queue.waiting.pop_front();
            }
            let Some(waiting) = queue.waiting.pop_front() else {
                if queue.busy == 0 {
                    state.queues.remove(&namespace);
                }
                continue;
            };
            queue.busy += 1;
            if !queue.waiting.is_empty() {
                state.ring.push_back(namespace.clone());
            }
            state.busy += 1;
            return Some((waiting, Turn { turns: self.clone(), namespace }));
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut state = self.turns.lock();
            state.busy = state.busy.saturating_sub(1);
            if let Some(queue) = state.queues.get_mut(&self.namespace) {
                queue.busy = queue.busy.saturating_sub(1);
                if queue.busy == 0 && queue.waiting.is_empty() {
                    state.queues.remove(&self.namespace);
                }
            }
        }
        self.turns.give_out();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Has `count` turns of a second each, all asked for at once. When the last was over.
    async fn work(turns: &Arc<Turns>, namespace: &str, count: usize) -> Duration {
        let start = Instant::now();
        let one = || async {
            let _turn = turns.ask(namespace).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        };
        join_all((0..count).map(|_| one())).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_with_very_many_holds_up_no_other() {
        let turns = Turns::new(4, 8);
        let (many, few) = tokio::join!(work(&turns, "many", 5_000), work(&turns, "few", 10));
        assert_eq!((many.as_secs(), few.as_secs()), (1_250, 3), "as if they were alone");
    }

    #[tokio::test(start_paused = true)]
    async fn more_namespaces_than_fit_take_turns() {
        let turns = Turns::new(4, 1);
        let all =
            tokio::join!(work(&turns, "many", 1_000), work(&turns, "a few", 8), work(&turns, "others", 8));
        assert_eq!(all.0.as_secs(), 254);
        // Of four turns each has one and a third.
        assert!(all.1.as_secs() <= 7 && all.2.as_secs() <= 7, "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_no_turn_behind() {
        let turns = Turns::new(1, 1);
        let held = turns.ask("team").await.unwrap();
        assert!(turns.ask("team").try_recv().is_err(), "gave up waiting");
        assert!(turns.ask("other").try_recv().is_err());
        drop(held);
        assert!(turns.ask("team").try_recv().is_ok(), "it is free again");
        assert!(turns.lock().queues.is_empty() && turns.lock().busy == 0);
    }
}
