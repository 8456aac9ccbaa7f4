//! The line that advice is about, as a compiler shows it.

use crate::{manifest::Location, text::printable};

/// How much of a line is shown, in characters: a JSON file may be one line altogether.
const WIDEST: usize = 120;
/// How much of it stands before what is pointed at.
const BEFORE: usize = 40;

/// A line, and what of it is pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, made safe to show, or the part of it around what is pointed at.
    pub line: String,
    /// How many characters stand before what is pointed at.
    pub indent: usize,
    /// How many characters are pointed at, at least one.
    pub width: usize,
}

/// What stands at a place; `None` if that is behind the end of the text or on an empty line.
#[must_use]
pub fn excerpt(text: &str, location: &Location) -> Option<Excerpt> {
    let line = text.lines().nth(usize::try_from(location.line).ok()?.checked_sub(1)?)?;
    // What is hidden is an empty line.
    if line.trim().is_empty() {
        return None;
    }
    let column = usize::try_from(location.column).ok()?.saturating_sub(1);
    let cut = if line.chars().count() > WIDEST { column.saturating_sub(BEFORE) } else { 0 };
    let from = |start: usize| line.chars().skip(start);
    let before: String = from(cut).take(column - cut).collect();
    let pointed: String = from(column).take(word(from(column))).collect();
    let after: String = from(column + pointed.chars().count()).collect();
    let (before, pointed) = (printable(&before).into_owned(), printable(&pointed).into_owned());
    let mut indent = before.chars().count();
    let mut whole = format!("{before}{pointed}{}", printable(&after));
    if cut > 0 {
        whole.insert(0, '…');
        indent += 1;
    }
    if whole.chars().count() > WIDEST {
        whole = whole.chars().take(WIDEST).chain(['…']).collect();
    }
    let width = pointed.chars().count().clamp(1, WIDEST.saturating_sub(indent).max(1));
    Some(Excerpt { line: whole.trim_end().to_owned(), indent, width })
}

/// How long a name or a value is: to the closing quote, or to what ends a plain one.
fn word(mut rest: impl Iterator<Item = char>) -> usize {
    match rest.next() {
        Some(quote @ ('"' | '\'')) => rest.position(|c| c == quote).map_or(1, |end| end + 2),
        Some(_) => 1 + rest.take_while(|c| !c.is_whitespace() && !matches!(c, ',' | '}' | ']' | ':')).count(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, line: u64, column: u64) -> Option<(String, usize, usize)> {
        let found = excerpt(text, &Location { file: "a".into(), line, column })?;
        Some((found.line, found.indent, found.width))
    }

    #[test]
    fn what_stands_there_is_pointed_at() {
        let text = "spec:\n  a: 'one two' # x\n\tb\u{1b}c: [ü, 203.0.113.7]\r\n";
        assert_eq!(at(text, 1, 1), Some(("spec:".into(), 0, 4)));
        assert_eq!(at(text, 2, 6), Some(("  a: 'one two' # x".into(), 5, 9)));
        assert_eq!(at(text, 3, 11), Some((r"\tb\u{1b}c: [ü, 203.0.113.7]".into(), 16, 11)));
        assert_eq!(at(text, 1, 90), Some(("spec:".into(), 5, 1)), "behind the end of the line");
        assert_eq!(at(text, 9, 1), None);
        assert_eq!(at(text, 0, 0), None);
    }

    #[test]
    fn of_a_long_line_a_part_is_shown() {
        let text = format!("{}0.0.0.0/0{}", "x ".repeat(500), " y".repeat(500));
        let (line, indent, width) = at(&text, 1, 1001).unwrap();
        assert_eq!((indent, width, line.chars().count()), (41, 9, 121));
        assert!(line.starts_with('…') && line.ends_with('…'));
        assert_eq!(line.chars().skip(indent).take(width).collect::<String>(), "0.0.0.0/0");
    }
}
