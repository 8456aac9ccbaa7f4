//! What came back, before anybody has judged it.

use std::{borrow::Cow, collections::HashSet, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// How much of a body is quoted in errors and logs, in characters.
const QUOTED: usize = 300;

/// What Astra has to say about an error is never longer, in bytes. Of more, only so much is looked at: a few megabytes of
/// JSON become a hundred as a tree of values.
const SAYING: usize = 64 << 10;

/// Error ids that are about the token, not about what was asked for: malformed, unknown.
const TOKEN_ERRORS: [i64; 2] = [340_012, 340_018];

/// What routers say of a path that they do not know; a wrong base URL must not read as "there is none yet".
const ROUTERS: [&str; 2] = ["404 page not found", "default backend - 404"];

/// What is said of an answer that says nothing.
pub(crate) const EMPTY: &str = "an empty body";

/// A secret shorter than this is not looked for in answers: it would be found in ordinary words.
const SECRET: usize = 16;

/// So many bytes in a row of a secret are blotted out even where the rest is missing: a server may quote the start of a
/// token, or its end.
const PIECE: usize = 12;

/// One HTTP answer, with the few headers that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// How long the `Retry-After` header asks to wait.
    pub retry_after: Option<Duration>,
    /// The `location` header: the id of what was made.
    pub location: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// A successful answer whose body does not have the shape it should have.
#[derive(Debug, thiserror::Error)]
#[error("the body does not have the expected shape")]
pub struct ReadError(#[from] pub serde_json::Error);

impl Answer {
    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), ..Self::default() }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Is it a 2xx?
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as a value of type `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// Does the body speak of errors in the documented shape, `{"errors":[…]}`?
    #[must_use]
    pub fn has_errors_object(&self) -> bool {
        !self.errors().is_empty()
    }

    /// Is the body a page, made by a proxy and not by Astra?
    #[must_use]
    pub fn is_html(&self) -> bool {
        looks_like_html(&self.saying())
    }

    /// "There is none yet": Astra says it with 404 and a bare JSON string, `null` or text.
    ///
    /// An errors object says that the parent is unknown. A page, another JSON object, half an answer, an empty body or
    /// a router's "404 page not found" may come from anything between here and Astra: to read one of them as "none"
    /// would make what is there look gone.
    #[must_use]
    pub fn is_plain_404(&self) -> bool {
        let text = self.saying();
        let text = text.trim();
        self.status == 404
            && self.body.len() <= SAYING
            && !text.is_empty()
            && !text.starts_with(['{', '['])
            && !looks_like_html(text)
            && !ROUTERS.iter().any(|router| text.trim_matches('"').eq_ignore_ascii_case(router))
    }

    /// Astra itself says that what was asked about does not exist: 404 with an errors object that is not about the
    /// token.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let about_token = |error: &Value| id(error).is_some_and(|id| TOKEN_ERRORS.contains(&id));
        let errors = self.errors();
        self.status == 404 && !errors.is_empty() && !errors.iter().any(about_token)
    }

    /// As much of the body as may be somebody's words.
    fn saying(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body.get(..SAYING).unwrap_or(&self.body))
    }

    fn errors(&self) -> Vec<Value> {
        // What was cut is no JSON any more.
        match serde_json::from_slice::<Value>(self.body.get(..SAYING).unwrap_or(&self.body)) {
            Ok(Value::Object(mut body)) => match body.remove("errors") {
                Some(Value::Array(errors)) => errors,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The same answer with `secret`, and every piece of it of 12 bytes, blotted out: a server or proxy that echoes the
    /// request, or a part of it, must not bring the token into an error, a status or a log.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        if secret.len() >= SECRET {
            // Inside a JSON string the text may be escaped.
            let escaped = Value::from(secret).to_string();
            for needle in [secret, &escaped[1..escaped.len() - 1]] {
                blot_out(&mut self.body, needle.as_bytes());
                self.location = self.location.map(|location| {
                    let mut location = location.into_bytes();
                    blot_out(&mut location, needle.as_bytes());
                    String::from_utf8_lossy(&location).into_owned()
                });
            }
        }
        self
    }

    /// What Astra said, in its own words, whatever the shape: an errors object, a bare JSON string, plain text,
    /// `null`, the customer-key shape, or a proxy's HTML. One line, at most 300 characters, never empty.
    #[must_use]
    pub fn words(&self) -> String {
        let text = self.saying();
        let said = match serde_json::from_str::<Value>(&text) {
            Ok(Value::String(text)) => text,
            Ok(Value::Null) => "null".to_owned(),
            Ok(body) => from_object(&body).unwrap_or_else(|| body.to_string()),
            Err(_) if looks_like_html(&text) => format!("an HTML page: {}", without_tags(&text)),
            Err(_) => text.into_owned(),
        };
        let line = one_line(&said);
        if line.is_empty() { EMPTY.to_owned() } else { line }
    }

    /// The start of the body, for an error that must show what could not be read.
    #[must_use]
    pub fn start(&self) -> String {
        one_line(&self.saying())
    }
}

/// The messages of `{"errors":[{"ID":…,"message":…}]}`, of the customer-key shapes (`description`), or of a plain `message`.
fn from_object(body: &Value) -> Option<String> {
    let one = |error: &Value| -> Option<String> {
        let text = error.as_str().or_else(|| {
            let mut texts = ["message", "description", "error"].iter();
            texts.find_map(|key| error.get(*key)?.as_str().filter(|text| !text.is_empty()))
        })?;
        Some(id(error).map_or_else(|| text.to_owned(), |id| format!("{text} (error {id})")))
    };
    match body.get("errors").and_then(Value::as_array) {
        Some(errors) => {
            let said: Vec<_> = errors.iter().filter_map(one).collect();
            (!said.is_empty()).then(|| said.join("; "))
        }
        None => one(body),
    }
}

fn id(error: &Value) -> Option<i64> {
    ["ID", "id"].iter().find_map(|key| error.get(*key)?.as_i64())
}

/// Replaces all pieces of `secret` by as many asterisks.
fn blot_out(text: &mut [u8], secret: &[u8]) {
    let pieces: HashSet<&[u8]> = secret.windows(PIECE).collect();
    let begins = pieces.iter().fold([false; 256], |mut begins, piece| {
        begins[usize::from(piece[0])] = true;
        begins
    });
    // Found first and replaced then: pieces overlap.
    let found = |(_, piece): &(usize, &[u8])| begins[usize::from(piece[0])] && pieces.contains(piece);
    let places: Vec<usize> = text.windows(PIECE).enumerate().filter(found).map(|(at, _)| at).collect();
    for at in places {
        text[at..at + PIECE].fill(b'*');
    }
}

/// Markup of any kind: pages start with a doctype, a comment, `<head>`, an XML declaration … No text of Astra does.
fn looks_like_html(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let mut start = text.chars();
    start.next() == Some('<') && start.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '!' || c == '?')
}

fn without_tags(html: &str) -> String {
    let mut inside = false;
    html.chars()
        .filter_map(|c| match c {
            '<' => {
                inside = true;
                Some(' ')
            }
            '>' => {
                inside = false;
                None
            }
            _ => (!inside).then_some(c),
        })
        .collect()
}

/// Control characters and runs of white space become one space: remote text must not break a log line, nor turn its
/// direction.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    // A body may be megabytes long; a few words more than the quote are enough to know that it is cut.
    while line.len() <= QUOTED * 4 {
        match words.next() {
            Some("") => {}
            Some(word) if line.is_empty() => line.push_str(word),
            Some(word) => line.extend([" ", word]),
            None => break,
        }
    }
    if line.chars().nth(QUOTED).is_none() {
        return line;
    }
    line.chars().take(QUOTED - 1).chain(['…']).collect()
}

/// Characters that show nothing but change how the text around them is shown.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
