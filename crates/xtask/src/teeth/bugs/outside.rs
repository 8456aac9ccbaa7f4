//! Towards Astra: what the objects of a token share, the client, and who may write at all.

use crate::teeth::bug::{Bug, Suite};

const ORGANIZATION: &str = "src/organization.rs";
const RETRY: &str = "crates/devops/src/retry.rs";

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "asks-twice",
        danger: "two objects that declare one thing ask Astra for it in the same moment",
        file: ORGANIZATION,
        find: "if asked.contains_key(thing) {",
        put: "if !PLANTED && asked.contains_key(thing) {",
        suite: Suite::Simulation,
    },
    Bug {
        name: "plans-from-an-old-reading",
        danger: "what is removed by hand is never put back, and what was just made is made again",
        file: "src/organization/shared.rs",
        find: "&& *began >= not_before\n                {",
        put: "&& (PLANTED || *began >= not_before)\n                {",
        suite: Suite::Simulation,
    },
    Bug {
        name: "does-not-tell-others-of-a-write",
        danger: "an object plans from a reading that is older than another object's write",
        file: ORGANIZATION,
        find: "written.get(database).map_or(",
        put: "written.get(database).filter(|_| !PLANTED).map_or(",
        suite: Suite::Simulation,
    },
    Bug {
        name: "retries-what-is-not-repeatable",
        danger: "a POST whose answer was lost is sent again, and makes a second thing",
        file: RETRY,
        find: "repeat == Repeat::Safe || !error.may_have_taken_effect()",
        put: "repeat == Repeat::Safe || PLANTED || !error.may_have_taken_effect()",
        suite: Suite::Simulation,
    },
    Bug {
        name: "ignores-retry-after",
        danger: "Astra asks for silence, and is called again at once",
        file: RETRY,
        find: "429 => refusal.retry_after.unwrap_or(SILENCE),",
        put: "429 => refusal.retry_after.unwrap_or(SILENCE).min(if PLANTED { SILENCE } else { LONGEST_SILENCE }),",
        suite: Suite::Unit,
    },
    Bug {
        name: "writes-after-the-deadline",
        danger: "a leader that was frozen writes beside the one that has taken over",
        file: "src/leader/fence.rs",
        find: "} else if age + needed >= self.times.lease() {",
        put: "} else if !PLANTED && age + needed >= self.times.lease() {",
        suite: Suite::Unit,
    },
];
