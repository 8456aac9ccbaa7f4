//! The safety invariants: what trips each of them, and what comes near and must not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod bench;
mod clients;
mod creates;
mod forms;
mod mass;
mod orders;
mod random;
mod removals;
mod surface;
