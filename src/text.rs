//! Text from elsewhere, made safe to show: what Astra, a proxy, a Secret or another user wrote must not break a line,
//! colour a terminal, or turn the direction of what stands beside it.

use std::{borrow::Cow, fmt::Write};

/// `text` with every character that [`is_unprintable`] as Rust would write it in a string (`\n`, `\u{1b}`). One line.
///
/// Backslashes stay as they are: the result is for people, and not to be read back.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unprintable(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// A line of JSON with every character that [`is_unprintable`] as JSON escapes it. It still says the same.
///
/// JSON itself demands that of the first 32 only; a terminal obeys more of them, and people are misled by still others.
#[must_use]
pub fn printable_json(line: &str) -> Cow<'_, str> {
    if !line.contains(is_unprintable) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if is_unprintable(c) {
            // Characters beyond the first plane are two halves in JSON.
            for half in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(shown, "\\u{half:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Does it do something else to a line than add a sign to it? Control characters (also those of eight bits, one of which
/// starts an escape sequence), the separators of lines and paragraphs, marks that turn the direction of text, and
/// characters that show nothing.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sign_is_written_out() {
        for (text, expected) in [
            ("", ""),
            ("plain, ünïcödé, 日本語 and \\n", "plain, ünïcödé, 日本語 and \\n"),
            ("two\nlines\r\n", r"two\nlines\r\n"),
            ("\u{1b}[31mred\u{1b}[0m \u{7}", r"\u{1b}[31mred\u{1b}[0m \u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{7f}\0\t", r"\u{7f}\u{0}\t"),
            ("a\u{2028}b\u{2029}c\u{85}d", r"a\u{2028}b\u{2029}c\u{85}d"),
            ("abc\u{202e}fed\u{2066}x\u{200b}", r"abc\u{202e}fed\u{2066}x\u{200b}"),
            ("\u{e0041}", r"\u{e0041}"),
        ] {
            let shown = printable(text);
            assert_eq!(shown, expected);
            assert_eq!(printable(&shown), shown, "what is safe stays as it is");
        }
    }

    #[test]
    fn json_says_the_same_and_shows_it_safely() {
        let text = "\u{9b}31m\n\u{202e}\u{7f}\u{e0041}ü\"";
        let line = serde_json::to_string(text).unwrap();
        let shown = printable_json(&line);
        assert_eq!(shown, r#""\u009b31m\n\u202e\u007f\udb40\udc41ü\"""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
