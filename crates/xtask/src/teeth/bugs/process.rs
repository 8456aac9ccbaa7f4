//! Around the work: who may write at all, the tokens, the log.

use crate::teeth::bug::{Bug, Suite};

const FENCE: &str = "src/leader/fence.rs";
const ELECTOR: &str = "src/leader/elector.rs";
const CREDENTIALS: &str = "src/controller/credentials.rs";

/// See the module. The simulation has one replica, so the election has searches of its own.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "writes-after-the-deadline",
        danger: "a leader that was frozen writes beside the one that has taken over",
        file: FENCE,
        find: "} else if age + needed >= self.times.lease() {",
        put: "} else if !PLANTED && age + needed >= self.times.lease() {",
        suite: Suite::Unit,
    },
    Bug {
        name: "the-fence-never-shuts",
        danger: "a leader that cannot renew goes on, beside the one that has taken over",
        file: FENCE,
        find: "if age >= self.times.deadline() {",
        put: "if PLANTED {\n            Ok(())\n        } else if age >= self.times.deadline() {",
        suite: Suite::Failover,
    },
    Bug {
        name: "counts-from-the-answer",
        danger: "a renewal whose answer was long under way is believed longer than the others believe it",
        file: ELECTOR,
        find: "self.fence.extend(sent);\n                    return Ok(());",
        put: "self.fence.extend(if PLANTED { self.clock.now() } else { sent });\n                    return Ok(());",
        suite: Suite::Failover,
    },
    Bug {
        name: "writes-after-giving-back",
        danger: "a replica that ends writes beside its successor",
        file: ELECTOR,
        find: "self.fence.revoke();\n        let Some(tenure)",
        put: "if !PLANTED {\n            self.fence.revoke();\n        }\n        let Some(tenure)",
        suite: Suite::Failover,
    },
    Bug {
        name: "takes-a-lease-that-is-renewed",
        danger: "two replicas take the lease from each other, and both write",
        file: "src/leader/candidacy.rs",
        find: "Some((seen, since)) if *seen == print",
        put: "Some((seen, since)) if PLANTED || *seen == print",
        suite: Suite::Failover,
    },
    Bug {
        name: "takes-a-lease-that-was-emptied",
        danger: "somebody edits the Lease, and a second replica writes before the first has noticed",
        file: "src/leader/record.rs",
        find: "spec.lease_duration_seconds == Some(1))",
        put: "PLANTED || spec.lease_duration_seconds == Some(1))",
        suite: Suite::Failover,
    },
    Bug {
        name: "keeps-the-lease-of-another",
        danger: "a replica that was replaced renews on, over the name of the one that has taken over",
        file: "src/leader/tenure.rs",
        find: "Some(holder) if holder == self.identity =>",
        put: "Some(holder) if PLANTED || holder == self.identity =>",
        suite: Suite::Failover,
    },
    // A process that is stopped in the midst of a connection: no search in virtual time has sockets.
    Bug {
        name: "sends-what-was-under-way",
        danger: "a process that was frozen while it connected sends its call when it wakes",
        file: "src/leader/fenced.rs",
        find: "match self.fence.check(Duration::ZERO) {",
        put: "match self.fence.check(Duration::ZERO).or(if PLANTED { Ok(()) } else { Err(Shut::NotHeld) }) {",
        suite: Suite::Unit,
    },
    // The simulation's objects all have one Secret, and a token that is refused is read anew after half a minute anyway.
    Bug {
        name: "keeps-a-token-for-ever",
        danger: "a token that was replaced by another organization's goes on being used",
        file: CREDENTIALS,
        find: "!self.doubted && self.at.elapsed() < lifetime",
        put: "!self.doubted && (PLANTED || self.at.elapsed() < lifetime)",
        suite: Suite::Unit,
    },
    Bug {
        name: "keeps-a-refused-token",
        danger: "after a rotation everything stands still, although the new token is there",
        file: CREDENTIALS,
        find: "read.doubted = true;",
        put: "read.doubted = !PLANTED;",
        suite: Suite::Unit,
    },
    Bug {
        name: "uses-another-tenants-token",
        danger: "an object acts with the token of a Secret of the same name in another namespace",
        file: CREDENTIALS,
        find: "let place = (namespace.to_owned(), from.secret_name.clone(), from.key.clone());",
        put: "let place = (if PLANTED { String::new() } else { namespace.to_owned() }, from.secret_name.clone(), from.key.clone());",
        suite: Suite::Unit,
    },
    Bug {
        name: "uses-a-token-that-was-taken-away",
        danger: "a Secret is deleted, and its token is used on",
        file: CREDENTIALS,
        find: "*known = Some(Read { found: found.clone(),",
        put: "if PLANTED && found.is_err() && let Some(read) = known.as_ref().filter(|read| read.found.is_ok()) {\n            return read.found.clone();\n        }\n        *known = Some(Read { found: found.clone(),",
        suite: Suite::Unit,
    },
    Bug {
        name: "lets-others-write-log-lines",
        danger: "an answer or a name with a line break in it forges lines of the log",
        file: "src/telemetry.rs",
        find: "name => write!(writer, \"{name}={}\", printable(&value)),",
        put: "name if PLANTED => write!(writer, \"{name}={value}\"),\n        name => write!(writer, \"{name}={}\", printable(&value)),",
        suite: Suite::Unit,
    },
];
