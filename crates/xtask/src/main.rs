//! The project's own commands: `cargo xtask demo | test | bench | generate | control-plane | fuzz | teeth | mutants`.
//!
//! `demo` and `test` need a Kubernetes API server: [`control_plane`] builds one from source (once) and runs it, or a
//! user's own is used. Everything that is started is stopped again ([`process`]), by whichever way the command ends.

#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod cluster;
mod control_plane;
mod demo;
mod deployment_tools;
mod fuzz;
mod generate;
mod go_module;
mod kept;
mod kubectl;
mod mutants;
mod process;
mod simulator;
mod teeth;
mod terminal;
mod test;
mod toolchain;
mod tree;
mod wait;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Test(test::Args),
    Bench(bench::Args),
    Generate(generate::Args),
    ControlPlane(control_plane::Args),
    Fuzz(fuzz::Args),
    Teeth(teeth::Args),
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    let outcome = process::stop_all_on_signal().and_then(|()| match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::ControlPlane(args) => control_plane::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Teeth(args) => teeth::run(&args),
        Command::Mutants(args) => mutants::run(&args),
    });
    // What fails because a signal is stopping everything is no finding: the signal's own thread ends the program.
    process::wait_if_interrupted();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            terminal::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
