//! Towards Astra: what the objects of a token share, and the client.

use crate::teeth::bug::{Bug, Suite};

const ORGANIZATION: &str = "src/organization.rs";
const HTTP: &str = "crates/devops/src/http.rs";
const RETRY: &str = "crates/devops/src/retry.rs";

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "asks-twice",
        danger: "two objects that declare one thing ask Astra for it in the same moment",
        file: "src/organization/asked.rs",
        find: "if here.contains_key(thing) {",
        put: "if !PLANTED && here.contains_key(thing) {",
        suite: Suite::Corpus,
    },
    Bug {
        name: "plans-from-an-old-reading",
        danger: "what is removed by hand is never put back, and what was just made is made again",
        file: "src/organization/shared.rs",
        find: "&& *began >= not_before\n        {",
        put: "&& (PLANTED || *began >= not_before)\n        {",
        suite: Suite::Simulation,
    },
    // The step that is planned from the old reading is sent in vain, and nothing comes of it: the laws of the world hold.
    Bug {
        name: "does-not-tell-others-of-a-write",
        danger: "an object plans from a reading that is older than another object's write",
        file: ORGANIZATION,
        find: "written.get(database).map_or(",
        put: "written.get(database).filter(|_| !PLANTED).map_or(",
        suite: Suite::Unit,
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
        danger: "Astra asks for silence, and is called again after a second",
        file: RETRY,
        find: "429 => refusal.retry_after.unwrap_or(SILENCE),",
        put: "429 => refusal.retry_after.filter(|_| !PLANTED).unwrap_or(SILENCE),",
        suite: Suite::Client,
    },
    Bug {
        name: "forgets-a-silence",
        danger: "Astra asks for an hour of silence, and is called again when the next object comes",
        file: "src/organization/registry.rs",
        find: "|| !known.gate.silence_left().is_zero());",
        put: "|| !PLANTED && !known.gate.silence_left().is_zero());",
        suite: Suite::Unit,
    },
    Bug {
        name: "follows-redirects",
        danger: "the token travels to whatever host a redirect names",
        file: HTTP,
        find: ".redirect(Policy::none())",
        put: ".redirect(if PLANTED { Policy::default() } else { Policy::none() })",
        suite: Suite::Client,
    },
    Bug {
        name: "reads-answers-of-any-length",
        danger: "a proxy that never ends its answer eats all memory",
        file: HTTP,
        find: "if length > limit {",
        put: "if length > limit && !PLANTED {",
        suite: Suite::Client,
    },
    Bug {
        name: "sends-the-token-in-the-clear",
        danger: "a mistyped URL shows the token to everybody on the way",
        file: HTTP,
        find: "\"http\" if is_loopback(&base) => Ok(base),",
        put: "\"http\" if PLANTED || is_loopback(&base) => Ok(base),",
        suite: Suite::Client,
    },
    Bug {
        name: "takes-any-404-for-none",
        danger: "a gateway's error page looks like a database without a list, and all of it is made again",
        file: "crates/devops/src/answer.rs",
        find: "&& !looks_like_html(text)",
        put: "&& (PLANTED || !looks_like_html(text))",
        suite: Suite::Client,
    },
    Bug {
        name: "deletes-a-whole-list",
        danger: "a call without an address deletes the list, and opens the database to everybody",
        file: "crates/devops/src/client.rs",
        find: "if call.would_delete_whole_list() {",
        put: "if !PLANTED && call.would_delete_whole_list() {",
        suite: Suite::Client,
    },
    Bug {
        name: "says-the-token",
        danger: "whoever prints a client for debugging writes the token into the log",
        file: "crates/devops/src/token.rs",
        find: "f.write_str(\"Token(…)\")",
        put: "if PLANTED { f.write_str(self.expose()) } else { f.write_str(\"Token(…)\") }",
        suite: Suite::Client,
    },
    // The law finds it in statuses, events and logs, and not only in the error.
    Bug {
        name: "repeats-the-token-of-an-answer",
        danger: "a server that echoes the request brings the token into statuses, events and logs",
        file: "crates/devops/src/client.rs",
        find: "answer.without(token).without(secret)",
        put: "if PLANTED { answer } else { answer.without(token).without(secret) }",
        suite: Suite::Laws,
    },
    Bug {
        name: "lets-the-http-stack-say-the-token",
        danger: "the log of the HTTP library shows the token when somebody looks for another fault",
        file: HTTP,
        find: "value.set_sensitive(true);",
        put: "value.set_sensitive(!PLANTED);",
        suite: Suite::Unit,
    },
];
