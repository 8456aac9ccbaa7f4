//! As compilers write it: place, severity, message, the line, and once for each rule what to do.

use std::{collections::BTreeSet, io};

use anstyle::{AnsiColor, Style};

use super::summary;
use crate::{
    lint::{Advice, Report, Severity, excerpt::excerpt, rules},
    text::printable,
};

const BOLD: Style = Style::new().bold();
const FRAME: Style = AnsiColor::Blue.on_default().bold();

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Note => AnsiColor::Cyan.on_default().bold(),
    }
}

pub(super) fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let mut told = BTreeSet::new();
    for advice in &report.advice {
        head(advice, out)?;
        let gutter = line(report, advice, out)?;
        if let Some((location, object)) = &advice.related {
            let (place, object) = (location.to_string(), printable(object));
            writeln!(out, "{gutter}{FRAME}= see:{FRAME:#} {} ({object})", printable(&place))?;
        }
        if advice.rule.id != rules::REFUSED.id && told.insert(advice.rule.id) {
            writeln!(out, "{gutter}{FRAME}= why:{FRAME:#} {}", advice.rule.why)?;
            writeln!(out, "{gutter}{FRAME}= mend:{FRAME:#} {}", advice.rule.mend)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(report))
}

fn head(advice: &Advice, out: &mut impl io::Write) -> io::Result<()> {
    let (severity, style) = (advice.rule.severity.as_str(), style(advice.rule.severity));
    let place = advice.location.to_string();
    write!(out, "{BOLD}{}:{BOLD:#} {style}{severity}[{}]:{style:#} ", printable(&place), advice.rule.id)?;
    if let Some(object) = &advice.object {
        write!(out, "{}: ", printable(object))?;
    }
    if !advice.field.is_empty() {
        write!(out, "{}: ", printable(&advice.field))?;
    }
    writeln!(out, "{BOLD}{}{BOLD:#}", printable(&advice.message))
}

/// Writes the line with a caret below. What comes further below begins like this.
fn line(report: &Report, advice: &Advice, out: &mut impl io::Write) -> io::Result<String> {
    let number = advice.location.line.to_string();
    let gutter = " ".repeat(number.len() + 1);
    let text = report.texts.get(&advice.location.file);
    if let Some(excerpt) = text.and_then(|text| excerpt(text, &advice.location)) {
        let style = style(advice.rule.severity);
        let (indent, carets) = (" ".repeat(excerpt.indent), "^".repeat(excerpt.width));
        writeln!(out, "{gutter}{FRAME}|{FRAME:#}")?;
        writeln!(out, "{FRAME}{number} |{FRAME:#} {}", excerpt.line)?;
        writeln!(out, "{gutter}{FRAME}|{FRAME:#} {indent}{style}{carets}{style:#}")?;
    }
    Ok(gutter)
}
