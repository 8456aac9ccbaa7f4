//! Log lines: for people, or one JSON object a line.
//!
//! One event is one line in both forms, whatever is in its values: much of what is logged was written by others, and a
//! line that they can break is a line that they can forge. This is done here for every value of every event and span,
//! and not where values are logged.

mod follow;

use std::fmt;

use clap::ValueEnum;
use tracing::{Dispatch, Event, Subscriber, field::Field};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{self, Writer},
    },
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::text::{printable, printable_json};
pub use follow::follow;

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// The queue's own spans repeat what this program's say: kind, namespace, object.
const QUIET: [&str; 1] = ["kube_runtime::controller=warn"];

/// What goes wrong when logging is started.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Starts logging to standard error. The level can be changed later.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn start(format: LogFormat, filter: &str) -> Result<Level, Failure> {
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let (logger, level) = logger(format, filter, colours, std::io::stderr)?;
    logger.try_init()?;
    Ok(level)
}

/// Changes what is logged from now on.
pub struct Level(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>);

impl Level {
    fn new<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> Self {
        Self(Box::new(move |filter| handle.reload(filter)))
    }

    /// Logs what `text` says.
    ///
    /// # Errors
    /// When it cannot be read; then all stays as it was.
    pub fn set(&self, text: &str) -> Result<(), Failure> {
        Ok((self.0)(filter(text)?)?)
    }
}

/// Logging to `writer`. Colours are for people only.
///
/// # Errors
/// When the filter cannot be read.
pub fn logger<W>(
    format: LogFormat,
    text: &str,
    colours: bool,
    writer: W,
) -> Result<(Dispatch, Level), Failure>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter(text)?).with_writer(writer).with_target(false);
    Ok(match format {
        LogFormat::Human => {
            let fields = format::debug_fn(write_field).delimited(" ");
            let lines = lines.with_ansi(colours).fmt_fields(fields).with_filter_reloading();
            let level = Level::new(lines.reload_handle());
            (lines.finish().into(), level)
        }
        LogFormat::Json => {
            let lines = lines
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .map_event_format(Printable)
                .with_filter_reloading();
            let level = Level::new(lines.reload_handle());
            (lines.finish().into(), level)
        }
    })
}

/// A level, or levels of targets. A word that is no level would be taken for a target, and silence all others.
fn filter(text: &str) -> Result<EnvFilter, Failure> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    for part in parts.iter().filter(|part| !part.contains(['=', '['])) {
        if !LEVELS.contains(&part.to_lowercase().as_str()) {
            return Err(format!(
                "`{part}` is no level: write one of {}, or a filter such as `info,astra_devops=debug`",
                LEVELS.join(", ")
            )
            .into());
        }
    }
    let mut filter = EnvFilter::try_new(parts.join(","))?;
    for quiet in QUIET {
        filter = filter.add_directive(quiet.parse()?);
    }
    Ok(filter)
}

/// One value of an event or span, as `name=value`; the message is the value alone.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    match field.name() {
        "message" => writer.write_str(&printable(&value)),
        // Of an event that came from the `log` crate: what the line says already.
        name if name.starts_with("log.") => Ok(()),
        name if writer.has_ansi_escapes() => {
            write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m{}", printable(&value))
        }
        name => write!(writer, "{name}={}", printable(&value)),
    }
}

/// Lines of JSON that are safe on a terminal, too.
struct Printable<F>(F);

impl<S, N, F> FormatEvent<S, N> for Printable<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{}", printable_json(line.trim_end_matches('\n')))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError},
    };

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged meanwhile, by the logger that the program uses.
    fn logged(format: LogFormat, colours: bool, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let (logger, _) = logger(format, "trace", colours, move || writer.clone()).unwrap();
        tracing::dispatcher::with_default(&logger, work);
        drop(logger);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// What others may write into what is logged.
    const HOSTILE: &[&str] = &[
        "a plain description",
        "two\nlines",
        "a\r\n2027-01-01T00:00:00Z  INFO ready: all is well",
        "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
        "\u{9b}31m eight bits",
        "tab\tnul\0delete\u{7f}backspace\u{8}form feed\u{c}",
        "\u{85}\u{2028}\u{2029} other ends of lines",
        "invoice\u{202e}gpj.exe",
        "a quote \" and a brace }",
        "{\"level\":\"INFO\"}\n{\"level\":\"INFO\"}",
    ];

    #[derive(Debug, thiserror::Error)]
    #[error("refused: {0}")]
    struct Refused(&'static str);

    /// Logs a text in every way that a value can come into a line.
    fn log(text: &'static str) {
        let span = tracing::info_span!("reconcile", object = %text, kind = text);
        let _entered = span.enter();
        let error = Refused(text);
        tracing::warn!(shown = %text, debugged = ?text, as_text = text, error = %error,
            source = &error as &dyn std::error::Error, "said: {text}");
    }

    #[test]
    fn one_event_is_one_line_for_people_whatever_is_in_it() {
        for text in HOSTILE {
            let line = logged(LogFormat::Human, false, || log(text));
            let inner = line.strip_suffix('\n').unwrap();
            assert!(!inner.contains(crate::text::is_unprintable), "{line:?}");
            for part in
                ["WARN", "said: ", " shown=", " debugged=\"", " as_text=\"", " error=refused: ", "{object="]
            {
                assert!(inner.contains(part), "{part}: {line}");
            }
        }
        let line = logged(LogFormat::Human, false, || tracing::info!(shown = %"a\nb\u{1b}", "c\rd"));
        assert!(line.ends_with(" INFO c\\rd shown=a\\nb\\u{1b}\n"), "{line}");
    }

    #[test]
    fn colours_are_the_programs_own_and_nobody_elses() {
        let plain = logged(LogFormat::Human, true, || log("plain"));
        assert!(plain.contains("\u{1b}["), "{plain:?}");
        let escapes = |line: &str| line.matches('\u{1b}').count();
        for text in HOSTILE {
            let line = logged(LogFormat::Human, true, || log(text));
            assert_eq!(escapes(&line), escapes(&plain), "{line:?}");
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            let others = line.strip_suffix('\n').unwrap().replace('\u{1b}', "");
            assert!(!others.contains(crate::text::is_unprintable), "{line:?}");
        }
    }

    #[test]
    fn a_level_can_be_changed_and_a_word_that_is_none_changes_nothing() {
        for format in [LogFormat::Human, LogFormat::Json] {
            let lines = Lines::default();
            let writer = lines.clone();
            let (logger, level) = logger(format, "info", false, move || writer.clone()).unwrap();
            tracing::dispatcher::with_default(&logger, || {
                tracing::debug!("one");
                level.set("debug").unwrap();
                tracing::debug!("two");
                let error = level.set("dbug").unwrap_err().to_string();
                assert!(error.starts_with("`dbug` is no level: write one of error, warn,"), "{error}");
                level.set("info,x=loud").unwrap_err();
                tracing::debug!("three");
                level.set("warn, astra_operator::telemetry=info").unwrap();
                tracing::debug!("four");
                tracing::info!("five");
            });
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            let said = ["one", "two", "three", "four", "five"].map(|word| text.contains(word));
            assert_eq!(said, [false, true, true, false, true], "{text}");
        }
    }

    #[test]
    fn one_event_is_one_object_of_json_that_says_the_text_as_it_was() {
        for text in HOSTILE {
            let line = logged(LogFormat::Json, false, || log(text));
            let inner = line.strip_suffix('\n').unwrap();
            assert!(!inner.contains(crate::text::is_unprintable), "{line:?}");
            let object: Value = serde_json::from_str(inner).unwrap();
            assert_eq!(object["message"], format!("said: {text}"));
            assert_eq!(object["shown"], *text);
            assert_eq!(object["as_text"], *text);
            assert_eq!(object["span"]["object"], *text);
            assert_eq!(object["level"], "WARN");
        }
    }
}
