//! Commands of a GitHub workflow: each becomes an annotation beside the line in a pull request.

use std::io;

use super::summary;
use crate::{
    lint::{Report, Severity},
    text::printable,
};

pub(super) fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    for advice in &report.advice {
        let command = match advice.rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let location = &advice.location;
        let parts = [advice.object.as_deref().unwrap_or_default(), &advice.field, &advice.message];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        writeln!(
            out,
            "::{command} file={},line={},col={},title={} {}::{}",
            property(location.file.strip_prefix("./").unwrap_or(&location.file)),
            location.line,
            location.column,
            advice.rule.id,
            advice.rule.name,
            message(&parts.join(": ")),
        )?;
    }
    writeln!(out, "{}", summary(report))
}

/// What a manifest says must not end the command and begin another one: it stays on its line.
fn message(text: &str) -> String {
    printable(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
