//! Keeps the memory of this process to itself: there are tokens in it.
//!
//! A crash must not leave them on a disk or in a collector of core dumps, and a process of the same user beside this one
//! (a debug container, a sidecar, a shell on the node) must not read them out of `/proc`.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// A protection that the system did not grant.
#[derive(Debug, thiserror::Error)]
#[error(
    "{what} could not be switched off, so a token might be read from there; does a seccomp profile forbid it?"
)]
pub struct NotGranted {
    /// What stays possible.
    pub what: &'static str,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Switches off core dumps, and the reading of this process's memory and environment by others of its user.
///
/// To be called before anything secret is read. What is not granted is returned and no reason not to start: the way to a
/// token that stays open is one that only whoever is on the node as this user can go, while an operator that does not run
/// leaves everybody's databases unattended. The caller says it in the log.
///
/// Two means, because neither is enough. The limit of zero keeps a core file from being written, also by a child, but the
/// kernel does not ask it when cores are piped to a program (`core_pattern` with a `|`, as systemd sets it). A process
/// that is not dumpable is never handed to one, and its `/proc` files belong to root; but that is lost with `execve`.
#[must_use]
pub fn keep_memory_private() -> Vec<NotGranted> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let no_core = setrlimit(Resource::Core, none);
    let refused = |what| move |source: rustix::io::Errno| NotGranted { what, source: source.into() };
    let mut all = Vec::from_iter(no_core.map_err(refused("writing core dumps")).err());
    all.extend(not_dumpable().map_err(refused("reading this process's memory as its user")).err());
    all
}

#[cfg(target_os = "linux")]
fn not_dumpable() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Elsewhere (a developer's machine) there is the limit alone.
#[cfg(not(target_os = "linux"))]
fn not_dumpable() -> rustix::io::Result<()> {
    Ok(())
}
