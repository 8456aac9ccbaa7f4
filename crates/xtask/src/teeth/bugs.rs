//! The bugs: what must never happen, and could by one wrong line.
//!
//! Each is a mistake that somebody could make in good faith. Where two defences stand behind each other, one of them
//! taken away may be unseen from the outside; such a bug is for the suite that looks at that defence alone.

mod controller;
mod engine;
mod kinds;
mod outside;
mod process;

use super::bug::Bug;

/// All of them, in the order of an object's road.
pub(super) fn all() -> Vec<&'static Bug> {
    [kinds::BUGS, engine::BUGS, controller::BUGS, outside::BUGS, process::BUGS]
        .into_iter()
        .flatten()
        .collect()
}
