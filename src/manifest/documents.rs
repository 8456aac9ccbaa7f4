//! The documents of a text, so that a mistake in one does not hide the others.

use serde::de::IgnoredAny;

/// A document: its text, and the line where that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) first_line: u64,
    pub(crate) text: &'a str,
}

/// Cuts a text at the lines that begin a YAML document, or between the values of a stream of JSON.
pub(crate) fn split(text: &str) -> Vec<Part<'_>> {
    json(text).unwrap_or_else(|| yaml(text))
}

/// `---` at the start of a line begins a document wherever it stands: also a block of text cannot contain it.
fn yaml(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut first_line, mut has_content) = (0, 1, false);
    let mut offset = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let is_separator = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if is_separator && has_content {
            parts.push(Part { first_line, text: &text[start..offset] });
            (start, first_line, has_content) = (offset, number, false);
        }
        // Directives belong to the document that they stand before.
        let is_preamble = line.trim().is_empty() || line.starts_with(['%', '#']);
        has_content |= !is_preamble;
        offset += line.len();
    }
    parts.push(Part { first_line, text: &text[start..] });
    parts
}

/// Several values of JSON may follow one another without any separator.
fn json(text: &str) -> Option<Vec<Part<'_>>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut parts, mut start, mut line) = (Vec::new(), 0, 1);
    while let Some(value) = stream.next() {
        value.ok()?;
        let text = text.get(start..stream.byte_offset())?;
        parts.push(Part { first_line: line, text });
        line += text.matches('\n').count() as u64;
        start = stream.byte_offset();
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(u64, &str)> {
        split(text).into_iter().map(|part| (part.first_line, part.text)).collect()
    }

    #[test]
    fn a_text_is_cut_where_documents_begin() {
        assert_eq!(cut("a: 1\n---\nb: 2\n"), [(1, "a: 1\n"), (2, "---\nb: 2\n")]);
        assert_eq!(cut("# only words\n---\nb: 2\n"), [(1, "# only words\n---\nb: 2\n")]);
        assert_eq!(
            cut("%YAML 1.2\n---\na: 1\n--- # two\nb: 2"),
            [(1, "%YAML 1.2\n---\na: 1\n"), (4, "--- # two\nb: 2")]
        );
        assert_eq!(cut("a: |\n  x\n ---\n  y\n----\n"), [(1, "a: |\n  x\n ---\n  y\n----\n")]);
        assert_eq!(cut("{\"a\": 1}\n{\"b\":\n 2}{}"), [(1, "{\"a\": 1}"), (1, "\n{\"b\":\n 2}"), (3, "{}")]);
        assert_eq!(cut("{a: 1}\n---\n{b: 2}"), [(1, "{a: 1}\n"), (2, "---\n{b: 2}")]);
        assert_eq!(cut(""), [(1, "")]);
    }
}
