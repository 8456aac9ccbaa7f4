//! Objects that are looked at again because of what happened to another one: a change at their place in Astra, or the
//! end of an object that stood in their way. Without it they would find out at the next resync only.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::{core::DeserializeGuard, runtime::reflector::ObjectRef};

use super::Scope;
use crate::engine::Kind;

/// A reference to an object of a kind, as its queue knows it.
pub type Reference<K> = ObjectRef<DeserializeGuard<K>>;

/// Wakes objects, whichever queue they are in.
pub struct Wakes<K: Kind>(Vec<Queue<K>>);

struct Queue<K: Kind> {
    /// The one namespace that it is for, or all.
    namespace: Option<String>,
    sender: UnboundedSender<Reference<K>>,
}

impl<K: Kind> Wakes<K> {
    /// A wake for each queue of the scope, and what the queues listen to, in the order of the scope's namespaces.
    #[must_use]
    pub fn new(scope: &Scope) -> (Self, Vec<UnboundedReceiver<Reference<K>>>) {
        let namespaces = match scope {
            Scope::Cluster => vec![None],
            Scope::Namespaces(names) => names.iter().cloned().map(Some).collect(),
        };
        let (queues, receivers) = namespaces
            .into_iter()
            .map(|namespace| {
                let (sender, receiver) = unbounded();
                (Queue { namespace, sender }, receiver)
            })
            .unzip();
        (Self(queues), receivers)
    }

    /// Has these objects looked at.
    pub fn wake(&self, references: Vec<Reference<K>>) {
        for reference in references {
            let mut queues = self.0.iter();
            let queue =
                queues.find(|queue| queue.namespace.is_none() || queue.namespace == reference.namespace);
            if let Some(queue) = queue {
                // A queue that is gone means that the process is ending.
                let _ = queue.sender.unbounded_send(reference);
            }
        }
    }
}
