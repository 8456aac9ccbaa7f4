//! What makes a run the same each time: no source of randomness is left that the seed does not decide.
//!
//! The hash maps of the standard library and of kube-runtime take their keys from the operating system. Here, they take
//! them from this symbol, which the linker prefers to libc's: then maps are walked in the same order in each run, if each
//! runs in a thread of its own.

use std::{slice, thread};

use crate::process;

/// libc's `getrandom`, with bytes that are always the same.
#[expect(
    unsafe_code,
    reason = "there is no other way to take the place of a symbol of libc; only in this test program"
)]
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    // SAFETY: the caller of `getrandom` hands in a buffer of this length.
    let bytes = unsafe { slice::from_raw_parts_mut(buffer, length) };
    let mut value = 7_u8;
    for byte in bytes {
        *byte = value;
        value = value.wrapping_add(31);
    }
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// Runs a world in virtual time, in a thread of its own.
pub(crate) fn in_virtual_time<T: Send + 'static>(
    seed: u64,
    world: impl FnOnce() -> std::pin::Pin<Box<dyn Future<Output = T>>> + Send + 'static,
) -> thread::Result<T> {
    let run = move || {
        fastrand::seed(seed);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let end = builder.enable_time().start_paused(true).build().unwrap().block_on(world());
        assert_eq!(process::still_held(), 0, "processes that have ended are still held");
        end
    };
    thread::Builder::new().name(format!("seed {seed}")).spawn(run).unwrap().join()
}
