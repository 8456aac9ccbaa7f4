//! What a person sees: headings, steps with their time, and progress that counts while something long is under way.
//!
//! Colours and moving lines are for terminals alone (and obey `NO_COLOR`); elsewhere the same lines come plain.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

/// For headings.
const BOLD: Style = Style::new().bold();
/// For what is secondary.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For what went well.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// For what failed.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// How often a log (no terminal) hears that something long goes on.
const LOG_EVERY: Duration = Duration::from_secs(20);
/// Where the times of steps are aligned, in columns.
const TIMES_AT: usize = 72;

/// A heading, with an empty line before it.
pub(crate) fn heading(text: &str) {
    anstream::println!("\n{BOLD}{text}{BOLD:#}");
}

/// A line below a heading.
pub(crate) fn line(text: &str) {
    anstream::println!("  {text}");
}

/// Text of several lines, each indented below its heading.
pub(crate) fn block(text: &str) {
    for row in text.trim_end().lines() {
        anstream::println!("{}", format!("  {row}").trim_end());
    }
}

/// What went wrong, on standard error.
pub(crate) fn failure(text: &str) {
    anstream::eprintln!("\n{RED}failed:{RED:#} {text}");
}

/// Whether standard output is a terminal that a person looks at.
pub(crate) fn is_interactive() -> bool {
    std::io::stdout().is_terminal()
}

/// A duration as a person reads it: `0.4 s`, `12 s`, `4 min 20 s`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A step under way: on a terminal its line counts the seconds, elsewhere a line comes every twenty seconds.
///
/// Dropped without [`Step::done`], it failed; its line is cleared, for the error that follows says more.
#[derive(Debug)]
pub(crate) struct Step {
    label: String,
    start: Instant,
    note: Arc<Mutex<String>>,
    /// Dropping it ends the ticker.
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Step {
    /// Starts the clock.
    pub(crate) fn start(label: impl Into<String>) -> Self {
        let (label, note) = (label.into(), Arc::new(Mutex::new(String::new())));
        let (stop, stopped) = mpsc::channel();
        let start = Instant::now();
        let ticker = thread::spawn({
            let (label, note) = (label.clone(), Arc::clone(&note));
            move || tick(&label, &note, start, &stopped)
        });
        Self { label, start, note, stop: Some(stop), ticker: Some(ticker) }
    }

    /// Says beside the seconds how far it is, for example `812 of 2704 packages`.
    pub(crate) fn note(&self, note: String) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    /// Ends the step with its line: what was done, an optional remark, the time.
    pub(crate) fn done(mut self, remark: &str) -> Duration {
        self.end();
        let time = self.start.elapsed();
        let text = if remark.is_empty() { self.label.clone() } else { format!("{}: {remark}", self.label) };
        let gap = " ".repeat(TIMES_AT.saturating_sub(text.chars().count()).max(2));
        anstream::println!("  {GREEN}✓{GREEN:#} {text}{gap}{DIM}{:>8}{DIM:#}", duration(time));
        time
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(ticker) = self.ticker.take() {
            // A ticker that panicked has nothing left to say.
            let _ = ticker.join();
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.end();
    }
}

fn tick(label: &str, note: &Mutex<String>, start: Instant, stopped: &mpsc::Receiver<()>) {
    let interactive = is_interactive();
    let every = if interactive { Duration::from_millis(100) } else { LOG_EVERY };
    let mut drawn = false;
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let note = note.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let time = duration(start.elapsed());
        let rest = if note.is_empty() { time } else { format!("{time}, {note}") };
        if interactive {
            anstream::print!("\r\x1b[2K  {DIM}…{DIM:#} {label} {DIM}{rest}{DIM:#}");
            // A terminal that cannot be written to is no reason to fail the work.
            let _ = std::io::stdout().flush();
            drawn = true;
        } else {
            anstream::println!("  … {label}: {rest}");
        }
    }
    if drawn {
        anstream::print!("\r\x1b[2K");
        let _ = std::io::stdout().flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let table = [
            (0, "0.0 s"),
            (449, "0.4 s"),
            (9_900, "9.9 s"),
            (10_000, "10 s"),
            (59_999, "59 s"),
            (60_000, "1 min 0 s"),
            (260_000, "4 min 20 s"),
        ];
        for (millis, text) in table {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }
}
