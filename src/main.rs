//! The program `astra-operator`. All it does is in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

// A roll-out touches much memory for a moment, and most of the time nothing happens after it: glibc would keep half as much
// again as is in use, and musl, of which the image is made, is slow. See docs/adr/0021-allocator.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    astra_operator::cli::main(astra_operator::cli::parse())
}
