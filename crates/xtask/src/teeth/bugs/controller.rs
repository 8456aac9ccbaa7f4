//! Between the queue and the engine: writes to the object, its peers, the watch.

use crate::teeth::bug::{Bug, Suite};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    // Only after a restore of etcd does nothing else stop it: the resource version does otherwise.
    Bug {
        name: "ignores-that-the-object-changed",
        danger: "a plan for an older spec, or for an object that is being deleted, is carried out",
        file: "src/controller/ledger.rs",
        find: "return Ok(self.is_same(&now));",
        put: "return Ok(PLANTED || self.is_same(&now));",
        suite: Suite::Unit,
    },
    Bug {
        name: "no-finalizer",
        danger: "an object goes before the operator hears of it, and all of it stays in Astra",
        file: "src/controller/reconcile.rs",
        find: "let object = if deleting || object::has_finalizer(object) {",
        put: "let object = if PLANTED || deleting || object::has_finalizer(object) {",
        suite: Suite::Simulation,
    },
    Bug {
        name: "waits-for-who-cannot-act",
        danger: "an object waits for ever for another one that waits for a person",
        file: "src/controller/peers.rs",
        find: "let stuck: Vec<bool> = peers.iter().map(|(_, other)| is_stuck(object, other, &here)).collect();",
        put: "let stuck: Vec<bool> = peers.iter().map(|(_, other)| !PLANTED && is_stuck(object, other, &here)).collect();",
        suite: Suite::Simulation,
    },
    Bug {
        name: "believes-a-stall-that-is-over",
        danger: "an object that yields no more, or whose token works again, is locked out a moment before it goes on",
        file: "src/controller/peers.rs",
        find: "Some(Reason::Conflict) => here.iter().any(|third| may_contradict(other, third)),",
        put: "Some(Reason::Conflict) => PLANTED || here.iter().any(|third| may_contradict(other, third)),",
        suite: Suite::Corpus,
    },
    Bug {
        name: "has-no-peers",
        danger: "each object acts as if it were alone on its database",
        file: "src/controller/peers.rs",
        find: "peers.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));",
        put: "if PLANTED {\n            peers.clear();\n        }\n        peers.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));",
        suite: Suite::Simulation,
    },
    Bug {
        name: "does-not-audit-the-watch",
        danger: "after a restore of etcd the operator is deaf until it is restarted",
        file: "src/controller/watching/audit.rs",
        find: "sleep(jittered(AUDIT, fastrand::f64())).await;",
        put: "sleep(jittered(AUDIT * (if PLANTED { 10_000 } else { 1 }), fastrand::f64())).await;",
        suite: Suite::Simulation,
    },
    // The audit of the watch finds such an object too, a minute later.
    Bug {
        name: "a-new-list-is-no-work",
        danger: "an object that a restore of etcd brought back is not looked at",
        file: "src/controller/changes.rs",
        find: "                self.all.clear();\n                None\n            }\n            watcher::Event::InitDone => None,\n            watcher::Event::InitApply(object) => {\n                self.is_new(&object);\n                Some(object)",
        put: "                if !PLANTED {\n                    self.all.clear();\n                }\n                None\n            }\n            watcher::Event::InitDone => None,\n            watcher::Event::InitApply(object) => {\n                let new = self.is_new(&object);\n                (!PLANTED || new).then_some(object)",
        suite: Suite::Unit,
    },
];
