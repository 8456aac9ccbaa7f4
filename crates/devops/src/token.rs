//! The application token, in a wrapper that never shows it.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use secrecy::{ExposeSecret, SecretString};

/// An Astra application token (`AstraCS:…`). `Debug` and `Display` hide it; the memory is wiped on drop.
#[derive(Clone)]
pub struct Token(SecretString);

/// Why a text cannot be a token. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// There is nothing in it.
    #[error("the token is empty")]
    Empty,
    /// A newline at its end is the usual accident of `kubectl create secret --from-file`.
    #[error(
        "the token has a newline or other control character in it; it must be exactly the AstraCS:… text"
    )]
    ControlCharacter,
    /// White space, or a character that no header can carry.
    #[error(
        "the token has a space or a character outside ASCII in it; it must be exactly the AstraCS:… text"
    )]
    NotPlain,
    /// Longer than any token.
    #[error("the token is longer than 4096 characters")]
    TooLong,
}

impl Token {
    /// Takes a token's text, as it must be sent.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        match text {
            "" => Err(InvalidToken::Empty),
            _ if text.len() > 4096 => Err(InvalidToken::TooLong),
            _ if text.chars().any(char::is_control) => Err(InvalidToken::ControlCharacter),
            _ if !text.chars().all(|c| c.is_ascii_graphic()) => Err(InvalidToken::NotPlain),
            _ => Ok(Self(SecretString::from(text))),
        }
    }

    /// The text, for the one place that writes the `Authorization` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

// Equal tokens find the same client in a map; a digest could collide and hand one tenant another's client.
impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
