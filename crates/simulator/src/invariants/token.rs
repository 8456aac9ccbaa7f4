//! I10 and I11: whose token a request carries, and where else it stands.

use std::collections::BTreeSet;

use super::{
    Finding,
    Invariant::{I10, I11},
    claims::Memory,
};
use crate::{
    state::State,
    wire::{Request, Response},
};

/// So many bytes of a token are enough to know it again.
const PIECE: usize = 12;

/// The tokens that were ever known: one may be revoked while a request is under way.
#[derive(Clone, Default)]
pub(super) struct Accepted(BTreeSet<String>);

impl Accepted {
    /// Is this token known, or was it?
    pub(super) fn knows(&mut self, token: &str, state: &State) -> bool {
        if self.0.contains(token) {
            return true;
        }
        let known = state.tokens.iter().any(|entry| entry.token == token);
        if known {
            self.0.insert(token.to_owned());
        }
        known
    }
}

/// I10, as far as it does not matter what the request is about. `memory` is there when it is known what is declared.
pub(super) fn stranger(token: &str, known: bool, writes: bool, memory: Option<&Memory>) -> Option<Finding> {
    match memory {
        _ if token.is_empty() => Some(Finding::new(I10, "it carries no token")),
        Some(memory) if !memory.knows(token) => {
            Some(Finding::new(I10, "it carries a token that no declared object has"))
        }
        None if writes && !known => Some(Finding::new(I10, "it carries a token that was never known")),
        _ => None,
    }
}

/// I11: a token outside its header. Any run of 23 bytes of its secret parts is found, in plain as in a URL: they are
/// letters and digits, which no encoding of URLs changes.
pub(super) fn leaked(token: &str, request: &Request, answer: Option<&Response>) -> Option<Finding> {
    let shows = |text: &[u8]| pieces(token).any(|piece| text.windows(PIECE).any(|window| window == piece));
    let places = [
        ("the path", request.path.as_bytes()),
        ("the query", request.query.as_bytes()),
        ("the body", request.body.as_slice()),
    ];
    if let Some((place, _)) = places.into_iter().find(|(_, text)| text.len() >= PIECE && shows(text)) {
        return Some(Finding::new(I11, format!("a part of the token stands in {place}, where it is logged")));
    }
    let answer = answer.filter(|answer| shows(&answer.body))?;
    Some(Finding::new(I11, format!("the answer ({}) has a part of the token in it", answer.status)))
}

/// The parts of a token that are secret, cut up.
fn pieces(token: &str) -> impl Iterator<Item = &[u8]> {
    let secret = token.split(':').filter(|part| part.len() >= 2 * PIECE);
    secret.flat_map(|part| part.as_bytes().chunks_exact(PIECE))
}
