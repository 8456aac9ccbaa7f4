//! The canary: looks for the tests' tokens in everything that the tests and the programs under test have put out.
//!
//! A token in a log line, a status, an event or a panic is a token that is gone. It is looked for in every form that a
//! program may give it by accident, and in pieces: twelve bytes in a row of its secret part are enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// How many bytes in a row of a secret are a hit.
const WINDOW: usize = 12;

/// A token's text: `AstraCS:`, 24 letters and digits that are no secret, `:`, and 64 hexadecimal digits that are.
const SCHEME: &str = "AstraCS:";
const CLIENT: usize = 24;
const SECRET: usize = 64;

/// Where tokens of tests stand in the sources.
const SOURCES: [&str; 3] = ["crates/simulator/src", "crates/devops/tests", "tests"];

/// Looks for tokens.
#[derive(Debug)]
pub(super) struct Canary {
    finder: AhoCorasick,
    /// Of which token each pattern is, and in which form.
    patterns: Vec<(String, &'static str)>,
    hits: BTreeSet<String>,
    bytes: u64,
    tokens: usize,
}

impl Canary {
    /// For every token that stands in the sources of the tests and of the simulator.
    pub(super) fn of_sources(root: &Path) -> Result<Self> {
        let mut tokens = BTreeSet::new();
        for folder in SOURCES {
            collect(&root.join(folder), &mut tokens)?;
        }
        if tokens.is_empty() {
            bail!("no token was found in {}: the canary would find nothing", SOURCES.join(", "));
        }
        if let Some(token) = tokens.iter().find(|token| is_filler(parts(token).1)) {
            bail!(
                "the secret of {}… repeats itself: names and digests of tests are written so too, and each would be \
                 taken for a leak of it. Give it digits of no pattern",
                parts(token).0
            );
        }
        Self::of(&tokens)
    }

    fn of(tokens: &BTreeSet<String>) -> Result<Self> {
        let mut patterns = BTreeMap::new();
        for token in tokens {
            let (name, secret) = parts(token);
            for (form, pattern) in forms(secret.as_bytes()) {
                patterns.entry(pattern).or_insert((name.to_owned(), form));
            }
        }
        let finder = AhoCorasick::new(patterns.keys()).context("cannot build the search for tokens")?;
        let patterns = patterns.into_values().collect();
        Ok(Self { finder, patterns, hits: BTreeSet::new(), bytes: 0, tokens: tokens.len() })
    }

    /// Looks into something that was put out. `place` says where it is, for the person who has to stop the leak.
    pub(super) fn look(&mut self, place: &str, text: &[u8]) {
        self.bytes += text.len() as u64;
        let mut seen = BTreeSet::new();
        for hit in self.finder.find_iter(text) {
            let (token, form) = &self.patterns[hit.pattern().as_usize()];
            // Pieces of one leak overlap: each token and form is told once for each place, by its first line.
            if seen.insert((token, form)) {
                let line = text[..hit.start()].split(|byte| *byte == b'\n').count();
                self.hits.insert(format!("{place}, line {line}: token {token}…, {form}"));
            }
        }
    }

    /// Looks into all files below a folder.
    pub(super) fn look_into(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.look(&name, &text);
        }
        Ok(())
    }

    /// Where tokens were found, without showing them.
    pub(super) fn hits(&self) -> impl Iterator<Item = &str> {
        self.hits.iter().map(String::as_str)
    }

    /// What was looked for, and in how much.
    pub(super) fn in_words(&self) -> String {
        let kib = self.bytes / 1024;
        format!("{} tokens, {} pieces of them in {kib} KiB of output", self.tokens, self.patterns.len())
    }
}

/// `AstraCS:CLIENT`, which may be shown, and the secret.
fn parts(token: &str) -> (&str, &str) {
    token.rsplit_once(':').unwrap_or(("", token))
}

/// Whether a secret is what people write where any digits will do: one piece over and over, as in
/// `vpce-0123456789abcdef0` or `sha256:0123456789abcdef0123…`.
fn is_filler(secret: &str) -> bool {
    (1..=SECRET / 4)
        .any(|period| secret.bytes().zip(secret.bytes().skip(period)).all(|(one, next)| one == next))
}

/// Every piece of a secret, in every form.
fn forms(secret: &[u8]) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for piece in secret.windows(WINDOW) {
        let text = String::from_utf8_lossy(piece).into_owned();
        let each = |form: &dyn Fn(&u8) -> String| piece.iter().map(form).collect::<Vec<_>>();
        all.push(("in plain", text));
        all.push(("URL-encoded", each(&|byte| format!("%{byte:02x}")).concat()));
        all.push(("URL-encoded", each(&|byte| format!("%{byte:02X}")).concat()));
        // `{:?}` of bytes.
        all.push(("as a list of bytes", each(&|byte| byte.to_string()).join(", ")));
        all.push(("as hexadecimal digits", each(&|byte| format!("{byte:02x}")).concat()));
        // Three bytes are four characters, so each piece is whole at one of the three alignments of what it is a part of.
        for (engine, form) in
            [(&BASE64_STANDARD_NO_PAD, "in base64"), (&BASE64_URL_SAFE_NO_PAD, "in base64 for URLs")]
        {
            all.push((form, engine.encode(piece)));
        }
    }
    all
}

/// The tokens in all Rust files below a folder.
fn collect(folder: &Path, tokens: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, tokens)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            tokens.extend(text.split(SCHEME).skip(1).filter_map(token));
        }
    }
    Ok(())
}

/// The token of which `rest` is what comes after the scheme.
fn token(rest: &str) -> Option<String> {
    let (client, rest) = rest.split_once(':')?;
    let secret = rest.get(..SECRET)?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (client.len() == CLIENT && plain(client) && plain(secret)).then(|| format!("{SCHEME}{client}:{secret}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "5a1f0c3e9b7d24680ace13579bdf02468ace13579bdf02468ace13579bdf0246";

    fn token_of(client: &str, secret: &str) -> String {
        format!("AstraCS:{client}:{secret}")
    }

    fn canary() -> Canary {
        Canary::of(&BTreeSet::from([token_of("AcmeAcmeAcmeAcmeAcmeAcme", SECRET)])).unwrap()
    }

    fn found(text: &str) -> Vec<String> {
        let mut canary = canary();
        canary.look("a log", text.as_bytes());
        canary.hits().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_planted_leak_is_found_in_every_form() {
        let token = token_of("AcmeAcmeAcmeAcmeAcmeAcme", SECRET);
        let encoded = |engine: &base64::engine::GeneralPurpose, before: &str| {
            engine.encode(format!("{before}{token} and more"))
        };
        let bytes = |form: fn(u8) -> String| token.bytes().map(form).collect::<String>();
        for (leak, form) in [
            (token.clone(), "in plain"),
            (token.replace(':', "%3A"), "in plain"),
            (SECRET[52..].to_owned(), "in plain"),
            (SECRET[..12].to_owned(), "in plain"),
            (SECRET[20..40].to_owned(), "in plain"),
            (encoded(&BASE64_STANDARD_NO_PAD, ""), "in base64"),
            (encoded(&BASE64_STANDARD_NO_PAD, "a"), "in base64"),
            (encoded(&BASE64_STANDARD_NO_PAD, "ab"), "in base64"),
            (encoded(&BASE64_URL_SAFE_NO_PAD, "Bearer "), "in base64"),
            (bytes(|byte| format!("%{byte:02X}")), "URL-encoded"),
            (bytes(|byte| format!("%{byte:02x}")), "URL-encoded"),
            (bytes(|byte| format!("{byte:02x}")), "as hexadecimal digits"),
            (format!("{:?}", token.as_bytes()), "as a list of bytes"),
        ] {
            let hits = found(&format!("first line\nauthorization: {leak}\nlast line"));
            let expected = format!("a log, line 2: token AstraCS:AcmeAcmeAcmeAcmeAcmeAcme…, {form}");
            assert!(hits.iter().any(|hit| hit.starts_with(&expected)), "{leak}: {hits:?}");
            assert!(
                hits.iter().all(|hit| !hit.contains(&SECRET[..WINDOW])),
                "the canary must not sing: {hits:?}"
            );
        }
    }

    #[test]
    fn what_is_no_secret_is_no_hit() {
        for text in [
            "AstraCS:AcmeAcmeAcmeAcmeAcmeAcme",
            &SECRET[..WINDOW - 1],
            "Token(…)",
            "8fbcfe1d-56fa-4ed0-9aff-f57029feef1b",
            "AstraCS:AcmeAcmeAcmeAcmeAcmeAcme:****************",
        ] {
            assert_eq!(found(text), [] as [String; 0], "{text}");
        }
    }

    #[test]
    fn tokens_are_found_in_sources_and_words_about_them_are_not() {
        let token = token_of("AcmeAcmeAcmeAcmeAcmeAcme", SECRET);
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let text =
            format!("/// A token is `AstraCS:…`.\nconst A: &str = \"{token}\";\n\"AstraCS:short:abc\"");
        fs::write(inner.join("mod.rs"), text).unwrap();
        fs::write(inner.join("other.txt"), token_of("Other", SECRET)).unwrap();
        let mut tokens = BTreeSet::new();
        collect(folder.path(), &mut tokens).unwrap();
        assert_eq!(tokens, BTreeSet::from([token]));
    }

    #[test]
    fn a_secret_that_looks_like_any_other_digits_is_refused() {
        let root = tempfile::tempdir().unwrap();
        for folder in SOURCES {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let length = SECRET.len();
        for (secret, expected) in
            [("0123456789abcdef".repeat(4), true), ("b".repeat(length), true), (SECRET.to_owned(), false)]
        {
            let text = format!("const A: &str = \"{}\";", token_of("AcmeAcmeAcmeAcmeAcmeAcme", &secret));
            fs::write(root.path().join("tests/a.rs"), text).unwrap();
            let refused = Canary::of_sources(root.path()).err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), expected, "{secret}: {refused:?}");
            if let Some(refused) = refused {
                assert!(refused.contains("AstraCS:AcmeAcmeAcmeAcmeAcmeAcme…"), "{refused}");
                assert!(!refused.contains(&secret[..WINDOW]), "the canary must not sing: {refused}");
            }
        }
    }

    #[test]
    fn this_workspace_has_tokens_to_look_for() {
        let canary = Canary::of_sources(&crate::workspace::root()).unwrap();
        assert!(canary.tokens >= 4, "{}", canary.in_words());
    }

    #[test]
    fn each_file_of_a_folder_is_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("operator-0.log"), format!("token={SECRET}")).unwrap();
        fs::write(folder.path().join("operator-1.log"), "nothing").unwrap();
        let mut canary = canary();
        canary.look_into(folder.path()).unwrap();
        let hits: Vec<_> = canary.hits().collect();
        assert_eq!(hits.len(), 1, "{hits:?}");
        assert!(hits[0].starts_with("operator-0.log, line 1: "), "{hits:?}");
    }
}
