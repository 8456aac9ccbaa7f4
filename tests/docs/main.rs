//! The documentation keeps its word: links lead somewhere, manifests are valid, commands exist, every reason is explained.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod links;
mod manifests;
mod monitoring;
mod page;
mod reasons;
mod shell;
mod site;
