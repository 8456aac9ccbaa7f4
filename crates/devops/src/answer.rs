//! What came back, before anybody has judged it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// How much of a body is quoted in errors and logs, in characters.
const QUOTED: usize = 300;

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
        serde_json::from_slice::<Value>(&self.body).is_ok_and(|body| body.get("errors").is_some())
    }

    /// Is the body a page, made by a proxy and not by Astra?
    #[must_use]
    pub fn is_html(&self) -> bool {
        looks_like_html(&String::from_utf8_lossy(&self.body))
    }

    /// "There is none yet": Astra says it with 404 and a bare string, `null` or text. An errors object says that the
    /// parent is unknown, and a page says nothing about Astra at all.
    #[must_use]
    pub fn is_plain_404(&self) -> bool {
        self.status == 404 && !self.has_errors_object() && !self.is_html()
    }

    /// What Astra said, in its own words, whatever the shape: an errors object, a bare JSON string, plain text,
    /// `null`, the customer-key shape, or a proxy's HTML. One line, at most 300 characters, never empty.
    #[must_use]
    pub fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let said = match serde_json::from_slice::<Value>(&self.body) {
            Ok(Value::String(text)) => text,
            Ok(Value::Null) => "null".to_owned(),
            Ok(body) => from_object(&body).unwrap_or_else(|| body.to_string()),
            Err(_) if looks_like_html(&text) => format!("an HTML page: {}", without_tags(&text)),
            Err(_) => text.into_owned(),
        };
        let line = one_line(&said);
        if line.is_empty() { "an empty body".to_owned() } else { line }
    }

    /// The start of the body, for an error that must show what could not be read.
    #[must_use]
    pub fn start(&self) -> String {
        one_line(&String::from_utf8_lossy(&self.body))
    }
}

/// The messages of `{"errors":[{"ID":…,"message":…}]}`, of the customer-key shapes (`description`), or of a plain `message`.
fn from_object(body: &Value) -> Option<String> {
    let one = |error: &Value| -> Option<String> {
        let text = ["message", "description", "error"].iter().find_map(|key| error.get(*key)?.as_str())?;
        let id = ["ID", "id"].iter().find_map(|key| error.get(*key)?.as_i64());
        Some(id.map_or_else(|| text.to_owned(), |id| format!("{text} (error {id})")))
    };
    match body.get("errors").and_then(Value::as_array) {
        Some(errors) => {
            let said: Vec<_> = errors.iter().filter_map(one).collect();
            (!said.is_empty()).then(|| said.join("; "))
        }
        None => one(body),
    }
}

fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
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

/// Control characters and runs of white space become one space: remote text must not break a log line.
fn one_line(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
