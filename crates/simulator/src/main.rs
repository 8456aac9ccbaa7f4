//! The program `astra-simulator`: the simulated DevOps API on a socket.

#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use astra_simulator::{SEED, Simulator, State, StateError, TokioClock, Watch, World, server};
use clap::Parser;
use jiff::Timestamp;
use tokio::{net::TcpListener, signal};

const EXAMPLES: &str = r#"Examples:
  astra-simulator
      listens on 127.0.0.1:8080, with the default state
  astra-simulator --print-default-state > state.yaml
      writes the default state to a file, to be changed and given back with --state
  astra-simulator --listen 127.0.0.1:0 --state state.yaml --latency 50ms --eventual-consistency 500ms
      a slow service whose reads lag behind, on a free port
  curl http://127.0.0.1:8080/_simulator/requests
      what was asked and answered so far
  curl http://127.0.0.1:8080/_simulator/violations
      the requests that no client may ever send, and why
  curl http://127.0.0.1:8080/_simulator/faults -d '{"method":"POST","count":2,"status":429,"headers":{"retry-after":"1"}}'
      the next two POSTs are throttled
  curl http://127.0.0.1:8080/_simulator/events -d '{"setDatabaseStatus":{"database":"ID","status":"MAINTENANCE"}}'
      something happens behind everybody's back

It is a simulator, made from public documents, clients and issues. It is not the service, and keeps nothing."#;

/// Simulates the network side of the Astra DevOps API.
#[derive(Debug, Parser)]
#[command(name = "astra-simulator", version, after_help = EXAMPLES)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The state to begin with, YAML or JSON
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How long every answer takes, e.g. 50ms
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    latency: Duration,
    /// How far reads lag behind writes, e.g. 500ms
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    eventual_consistency: Duration,
    /// What made-up ids and names follow from
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Print the default state as YAML and stop
    #[arg(long)]
    print_default_state: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read the state file {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: {source}")]
    State { path: PathBuf, source: StateError },
    #[error(transparent)]
    Write(#[from] StateError),
    #[error("cannot print: {0}")]
    Print(io::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the server failed: {0}")]
    Serve(#[from] io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("astra-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.print_default_state {
        return print(&State::default().to_yaml()?);
    }
    let state = arguments.state.as_deref().map_or_else(|| Ok(State::default()), read)?;
    let mut world = World::new(state, arguments.seed);
    world.set_eventual_consistency(arguments.eventual_consistency);
    world.watch(Watch::alone().reporting(|violation| eprintln!("{violation}")));
    let simulator = Simulator::of(world, Arc::new(TokioClock::starting_at(Timestamp::now())));
    simulator.set_latency(arguments.latency);

    let address = arguments.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    print(&format!("astra-simulator listens on http://{}\n", listener.local_addr()?))?;
    Ok(server::serve(listener, simulator, told_to_stop()).await?)
}

/// Writes to the standard output, which may be a full disk or a pipe that nobody reads.
fn print(text: &str) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Print)
}

fn read(path: &Path) -> Result<State, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
    State::read(&text).map_err(|source| Error::State { path: path.into(), source })
}

/// Ctrl-C, or SIGTERM where there is one. A signal that cannot be listened for never comes.
async fn told_to_stop() {
    let interrupted = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match signal::unix::signal(signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
