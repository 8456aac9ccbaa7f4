//! Manifests lie beside Secrets, and people put tokens in the wrong place: what is shown of a file shows neither.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// A token of Astra, as it is and as a Secret has it in base64.
static TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(AstraCS:|QXN0cmFDUz)[A-Za-z0-9:_+/=-]*").ok());
/// The kind of a Secret, in YAML or JSON.
static SECRET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"["']?kind["']?\s*:\s*["']?Secret\b"#).ok());

/// `text` with every token of Astra made unreadable.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    TOKEN.as_ref().map_or(Cow::Borrowed("***"), |token| token.replace_all(text, "$1***"))
}

/// Is a Secret in this document? It may be one that is no YAML.
pub(crate) fn is_secret(document: &str) -> bool {
    SECRET.as_ref().is_none_or(|secret| secret.is_match(document))
}

/// What may be shown of a document, on the same lines: of one with a Secret nothing.
pub(crate) fn hidden(document: &str) -> Cow<'_, str> {
    if is_secret(document) {
        Cow::Owned(document.chars().filter(|c| *c == '\n').collect())
    } else {
        redacted(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_secrets_are_not_shown() {
        assert_eq!(redacted("token: 'AstraCS:abc-D_9:0fe' # x"), "token: 'AstraCS:***' # x");
        assert_eq!(redacted("token: QXN0cmFDUzphYmM= x"), "token: QXN0cmFDUz*** x");
        assert_eq!(hidden("kind: Secret\ndata: {a: eA==}\n"), "\n\n");
        assert_eq!(hidden("{\"kind\": \"Secret\", \"data\": 1}\n"), "\n");
        let other = "kind: SecretStore\nkinds: Secret\n";
        assert_eq!(hidden(other), other);
    }
}
