//! The program `astra-operator`. All it does is in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    astra_operator::cli::main(astra_operator::cli::parse())
}
