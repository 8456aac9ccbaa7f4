//! The way to Astra for commands that work without a cluster: which token, which address, and what to do when one of the
//! two will not do.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use astra_devops::{Client, Error, Token, error::Class, http::HttpTransport};
use clap::Args;

use super::{Failure, devops::DevopsArgs};

/// The variable with the token. It is read here and not by the parser of arguments, whose help shows values.
const VARIABLE: &str = "ASTRA_DB_APPLICATION_TOKEN";

/// A file with a token is a line. More is not read: it is another file.
const LONGEST: u64 = 8192;

/// Calls at once for one token.
pub(super) const AT_ONCE: usize = 8;

#[derive(Debug, Args)]
pub(super) struct AstraArgs {
    /// A file with the Astra application token; without it the environment variable `ASTRA_DB_APPLICATION_TOKEN` has it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    devops: DevopsArgs,
}

impl AstraArgs {
    /// A client for the token. Nothing is sent yet.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let token = self.token()?;
        Ok(Client::new(Arc::new(self.transport()?), token, AT_ONCE))
    }

    /// The way to Astra, for tokens from elsewhere.
    pub(super) fn transport(&self) -> Result<HttpTransport, Failure> {
        self.devops.transport()
    }

    fn token(&self) -> Result<Token, Failure> {
        let text = match &self.token_file {
            Some(_) => self.of_file()?,
            None => env::var(VARIABLE).unwrap_or_default(),
        };
        // An editor and `echo` end a line; that is not meant as a part of the token.
        let text =
            text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if text.is_empty() && self.token_file.is_none() {
            return Err(format!(
                "no token: set {VARIABLE} to an Astra application token (AstraCS:…), or give --token-file FILE; reading is enough: the role needs org-db-view, accesslist-read, db-manage-privateendpoint and org-db-readpeering, as far as there are such things"
            )
            .into());
        }
        Token::new(text).map_err(|error| format!("{}: {error}", self.source()).into())
    }

    fn of_file(&self) -> Result<String, Failure> {
        let Some(path) = &self.token_file else { return Ok(String::new()) };
        if is_a_token(path) {
            // It would be shown with the next error, and is in the history of the shell already.
            return Err(format!(
                "--token-file takes the name of a file, and what was given looks like a token itself: put it into a file or into {VARIABLE}, and make a new one if others can see this terminal"
            )
            .into());
        }
        let failed = |error: io::Error| format!("--token-file {}: cannot be read: {error}", path.display());
        let size = fs::metadata(path).map_err(failed)?.len();
        if size > LONGEST {
            return Err(
                format!("--token-file {}: is no token, but a file of {size} bytes", path.display()).into()
            );
        }
        Ok(fs::read_to_string(path).map_err(failed)?)
    }

    /// Where the token is from, for people.
    fn source(&self) -> String {
        match &self.token_file {
            Some(path) => format!("--token-file {}", path.display()),
            None => VARIABLE.to_owned(),
        }
    }

    /// A failed call, and what to do about it.
    pub(super) fn explain(&self, error: Error) -> Failure {
        match (error.class(), &error) {
            (Class::Unauthorized | Class::Forbidden, _) => {
                format!("Astra refused the token of {}: {error}", self.source()).into()
            }
            (Class::Transient, Error::Unreachable { source, .. }) => format!(
                "Astra cannot be reached at {}: {error}: {}; check --devops-url, the network and HTTPS_PROXY, and try again",
                self.devops.devops_url,
                super::with_causes(source)
            )
            .into(),
            (_, Error::Down { .. }) => format!(
                "Astra at {} keeps failing: {error}; check --devops-url, the network and HTTPS_PROXY, and try again",
                self.devops.devops_url
            )
            .into(),
            (Class::Throttled, _) => {
                format!("Astra asks to wait: {error}; try again in a minute").into()
            }
            _ => Box::new(error),
        }
    }
}

fn is_a_token(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.trim_start().starts_with("AstraCS:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere() -> DevopsArgs {
        DevopsArgs { devops_url: String::new() }
    }

    #[test]
    fn a_token_in_the_place_of_its_file_is_not_shown() {
        let args = AstraArgs { token_file: Some("AstraCS:first:second".into()), devops: nowhere() };
        let error = args.token().unwrap_err().to_string();
        assert!(error.contains("looks like a token") && !error.contains("first"), "{error}");
    }

    /// What is told of a file with this text: the token, or what is wrong.
    fn of_file(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.txt");
        fs::write(&path, text).unwrap();
        let args = AstraArgs { token_file: Some(path), devops: nowhere() };
        args.token().map_or_else(|error| error.to_string(), |token| token.expose().to_owned())
    }

    #[test]
    fn a_token_file_is_one_line() {
        for text in ["AstraCS:one:two", "AstraCS:one:two\n", "AstraCS:one:two\r\n"] {
            assert_eq!(of_file(text), "AstraCS:one:two", "{text:?}");
        }
        for (text, words) in [
            ("", "the token is empty"),
            ("\n", "the token is empty"),
            ("AstraCS:one:two\n\n", "newline"),
            ("AstraCS:one:two\nmore", "newline"),
            ("AstraCS:one two", "space"),
            (&"x".repeat(9000), "9000 bytes"),
        ] {
            let error = of_file(text);
            assert!(error.starts_with("--token-file /") && error.contains(words), "{error}");
            assert!(!error.contains("one"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let args = AstraArgs { token_file: Some("/nowhere/token".into()), devops: nowhere() };
        let error = args.token().unwrap_err().to_string();
        assert!(error.contains("/nowhere/token") && error.contains("No such file"), "{error}");
    }
}
