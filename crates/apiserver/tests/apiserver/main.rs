//! The weather, and the life of a server, as a stock client and a stock watcher see them in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod life;
mod same;
mod stage;
mod watches;
mod weather;
