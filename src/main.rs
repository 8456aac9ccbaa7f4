//! The program `astra-operator`. All it does is in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    astra_operator::cli::main(astra_operator::cli::Cli::parse())
}
