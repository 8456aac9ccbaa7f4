//! Child processes: servers with a log file, and commands that are waited for. None outlives this program unless it
//! is meant to: all are known to [`RUNNING`], and a signal stops them in the reverse order of their start.

mod limited;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, PipeReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub(crate) use self::limited::{Ended, lines_within};
use crate::wait;

/// How long a server that was asked to stop may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything to be ended or removed when a signal comes, in the order of its start.
static RUNNING: Mutex<Vec<Ends>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
enum Ends {
    Service(Arc<Mutex<Child>>, Stop),
    Command(Pid),
    /// A command that is killed with all that it has started.
    Group(Pid),
    Directory(PathBuf),
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGTERM, so that it can finish what it does; SIGKILL when it does not.
    Ask,
    /// SIGKILL: for servers whose data is thrown away with them.
    Kill,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C, SIGTERM and SIGHUP stop every child, remove temporary directories and end the program.
pub(crate) fn stop_all_on_signal() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen to signals")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            let all = std::mem::take(&mut *locked(&RUNNING));
            all.iter().rev().for_each(end);
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Leaves the end of the program to the thread that handles the signal, if one came.
pub(crate) fn wait_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn end(what: &Ends) {
    match what {
        Ends::Service(child, stop) => stop_child(child, *stop),
        // It may have ended by itself; then there is nothing to stop.
        Ends::Command(pid) => drop(kill_process(*pid, Signal::TERM)),
        Ends::Group(pid) => drop(kill_process_group(*pid, Signal::KILL)),
        // Best effort: the operating system clears its temporary files too.
        Ends::Directory(path) => drop(fs::remove_dir_all(path)),
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn stop_child(child: &Mutex<Child>, stop: Stop) {
    let ended = || Ok(locked(child).try_wait()?);
    let pid = pid(&locked(child));
    if stop == Stop::Ask
        && let Some(pid) = pid
        && ended().is_ok_and(|status| status.is_none())
    {
        // The race with its own end is harmless: until it is waited for, its number is not given away.
        let _ = kill_process(pid, Signal::TERM);
    }
    if stop == Stop::Kill || wait::until("its end", PATIENCE, Duration::from_millis(20), ended).is_err() {
        // Both fail only for a child that has ended and been waited for.
        let _ = locked(child).kill();
        let _ = locked(child).wait();
    }
}

/// A temporary directory that a signal removes as well.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one that only this user can read: it will hold a token.
    pub(crate) fn new() -> Result<Self> {
        let mine = fs::Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("astra-operator-").permissions(mine).tempdir();
        let path = made.context("cannot make a temporary directory")?.keep();
        locked(&RUNNING).push(Ends::Directory(path.clone()));
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        locked(&RUNNING).retain(|ends| !matches!(ends, Ends::Directory(path) if *path == self.0));
        // Best effort, as above.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server in the background, its output in a log file; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    log: PathBuf,
    child: Arc<Mutex<Child>>,
    stop: Stop,
    kept: bool,
}

impl Service {
    /// Starts `command` with its output in `DIRECTORY/NAME.log`.
    ///
    /// It is a process group of its own: Ctrl-C in the terminal reaches this program alone, which then stops its
    /// children in order. Standard input is a pipe for servers that end when it closes, unless they are to be `kept`.
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        directory: &Path,
        stop: Stop,
        kept: bool,
    ) -> Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let output = file.try_clone().context("cannot share a log file")?;
        command.stdout(output).stderr(file).process_group(0);
        command.stdin(if kept { Stdio::null() } else { Stdio::piped() });
        let child = command.spawn().with_context(|| format!("cannot start {name} ({command:?})"))?;
        let child = Arc::new(Mutex::new(child));
        locked(&RUNNING).push(Ends::Service(Arc::clone(&child), stop));
        Ok(Self { name: name.to_owned(), log, child, stop, kept: false })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn id(&self) -> u32 {
        locked(&self.child).id()
    }

    /// Its whole log.
    pub(crate) fn log(&self) -> Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"));
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// An error with the end of its log if it has ended.
    pub(crate) fn check(&self) -> Result<()> {
        let status = locked(&self.child).try_wait().context("cannot ask for a child's state")?;
        match status {
            None => Ok(()),
            Some(status) => {
                bail!("{} has ended ({status}); its last words:\n{}", self.name, self.log_tail(15))
            }
        }
    }

    /// Lets it go on after this program.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
        self.forget();
    }

    fn forget(&self) {
        locked(&RUNNING)
            .retain(|ends| !matches!(ends, Ends::Service(child, _) if Arc::ptr_eq(child, &self.child)));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !self.kept {
            stop_child(&self.child, self.stop);
            self.forget();
        }
    }
}

/// Runs a command to its end.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let pid = pid(&child);
    locked(&RUNNING).extend(pid.map(Ends::Command));
    let status = child.wait().with_context(|| format!("cannot wait for {command:?}"));
    locked(&RUNNING).retain(|ends| !matches!(ends, Ends::Command(known) if Some(*known) == pid));
    wait_if_interrupted();
    status
}

/// Runs a command to its end, and hands each line that it writes (to standard output or standard error, in order) to
/// `see` as it comes.
pub(crate) fn lines(command: &mut Command, mut see: impl FnMut(&str) + Send) -> Result<ExitStatus> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone().context("cannot share a pipe")?).stderr(writer);
    thread::scope(|scope| {
        let reading = scope.spawn(move || read(reader, &mut see));
        let status = status(command);
        // The command holds the writing ends; without this the reader would wait for them for ever.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if reading.join().is_err() {
            bail!("the reader of {command:?} panicked");
        }
        status
    })
}

fn read(reader: PipeReader, see: &mut impl FnMut(&str)) {
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        see(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_come_in_order_from_both_streams() {
        let mut seen = Vec::new();
        let status =
            lines(&mut shell("echo one; echo two >&2; printf three; exit 3"), |l| seen.push(l.to_owned()));
        assert_eq!(seen, ["one", "two", "three"]);
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn a_service_that_ended_is_reported_with_its_log_and_one_that_runs_is_stopped() {
        let scratch = Scratch::new().unwrap();
        let start = |name: &str, script: &str, stop| {
            Service::start(name, &mut shell(script), scratch.path(), stop, false).unwrap()
        };
        let short = start("short", "echo goodbye; exit 4", Stop::Kill);
        let ended = wait::until("its end", PATIENCE, Duration::from_millis(5), || {
            Ok(short.check().err().map(|error| error.to_string()))
        });
        assert!(ended.unwrap().contains("exit status: 4); its last words:\ngoodbye"));

        let long =
            start("long", "trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.01; done", Stop::Ask);
        let up = || Ok(long.log_tail(1).contains("up").then_some(()));
        wait::until("its start", PATIENCE, Duration::from_millis(5), up).unwrap();
        let file = scratch.path().join("long.log");
        drop(long);
        assert_eq!(fs::read_to_string(file).unwrap(), "up\nasked\n");
    }

    #[test]
    fn a_scratch_directory_is_private_and_goes_when_dropped() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
