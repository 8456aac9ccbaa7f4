//! Log lines: whatever is logged, one event is one line that no terminal obeys.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use astra_operator::{
    telemetry::{LogFormat, logger},
    text::{is_unprintable, printable, printable_json},
};
use serde_json::Value;
use tracing::Dispatch;

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

/// One logger for each form, for making one is slow.
static LOGGERS: LazyLock<Mutex<[(Dispatch, Lines); 2]>> = LazyLock::new(|| {
    let start = |format| {
        let lines = Lines::default();
        let writer = lines.clone();
        let (logger, _) = logger(format, "trace", false, move || writer.clone()).expect("a filter");
        (logger, lines)
    };
    Mutex::new([start(LogFormat::Human), start(LogFormat::Json)])
});

/// Logs the text in every way that a value can come into a line.
pub(crate) fn log(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let shown = printable(&text);
    assert!(!shown.contains(is_unprintable), "{shown:?}");
    assert_eq!(printable(&shown), shown);
    let json = serde_json::to_string(&text).expect("a string");
    assert_eq!(serde_json::from_str::<String>(&printable_json(&json)).expect("JSON"), text);
    let mut lines =
        LOGGERS.lock().unwrap_or_else(PoisonError::into_inner).each_ref().map(|(logger, lines)| {
            tracing::dispatcher::with_default(logger, || {
                let _span = tracing::info_span!("reconcile", object = %text).entered();
                tracing::info!(shown = %text, debugged = ?text, as_text = text, "said: {text}");
            });
            let bytes = std::mem::take(&mut *lines.0.lock().unwrap_or_else(PoisonError::into_inner));
            String::from_utf8(bytes).expect("lines are text")
        });
    for line in &mut lines {
        assert_eq!(line.pop(), Some('\n'));
        assert!(!line.contains(is_unprintable), "{line:?}");
    }
    let object: Value = serde_json::from_str(&lines[1]).expect("one object");
    assert_eq!(object["message"], format!("said: {text}"));
    assert_eq!(object["span"]["object"], text);
}
