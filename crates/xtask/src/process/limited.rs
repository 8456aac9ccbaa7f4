//! Commands that may hang, or of which the first words are enough.

use std::io::PipeReader;
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Signal, kill_process_group};

use super::{Ends, RUNNING, locked, pid, read, wait_if_interrupted};

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself.
    Itself(ExitStatus),
    /// It was killed, because what it had said was enough.
    Enough,
    /// It was killed, because it took longer than it may.
    TooLong,
}

/// Runs a command and hands each line that it writes to `see`, until it ends, until `see` has seen enough, or until
/// `limit` has passed. Then it and all that it started are killed.
pub(crate) fn lines_within(
    command: &mut Command,
    limit: Duration,
    mut see: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<Ended> {
    let end = Instant::now() + limit;
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone().context("cannot share a pipe")?).stderr(writer);
    // A group of its own: cargo's children are to end with it.
    let mut child = command.process_group(0).spawn().with_context(|| format!("cannot run {command:?}"))?;
    let pid = pid(&child);
    locked(&RUNNING).extend(pid.map(Ends::Group));
    // The command holds the writing ends; without this the reader would wait for them for ever.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let lines = send_lines(reader);
    let ended = loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if see(&line).is_break() => break Some(Ended::Enough),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break Some(Ended::TooLong),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    if let (Some(_), Some(pid)) = (&ended, pid) {
        // It fails only for a group that has ended.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait().with_context(|| format!("cannot wait for {command:?}"));
    locked(&RUNNING).retain(|ends| !matches!(ends, Ends::Group(known) if Some(*known) == pid));
    wait_if_interrupted();
    Ok(ended.unwrap_or(Ended::Itself(status?)))
}

fn send_lines(reader: PipeReader) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // Who has seen enough does not listen any more.
        read(reader, &mut |line| drop(sender.send(line.to_owned())));
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limit: Duration) -> (Ended, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut seen = Vec::new();
        let ended = lines_within(&mut command, limit, |line| {
            seen.push(line.to_owned());
            if line == "FAILED" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (ended.unwrap(), seen)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn who_ends_by_itself_tells_how() {
        let (ended, seen) = run("echo one; echo two >&2; exit 3", LONG);
        assert!(matches!(ended, Ended::Itself(status) if status.code() == Some(3)));
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn who_hangs_or_has_said_enough_is_killed_with_its_children() {
        let start = Instant::now();
        let (ended, seen) = run("echo begun; sleep 600 & sleep 600", Duration::from_millis(300));
        assert_eq!((ended, seen.as_slice()), (Ended::TooLong, ["begun".to_owned()].as_slice()));
        assert_eq!(run("echo FAILED; sleep 600", LONG), (Ended::Enough, vec!["FAILED".to_owned()]));
        assert!(start.elapsed() < LONG);
    }
}
