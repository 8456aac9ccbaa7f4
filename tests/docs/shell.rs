//! Text for a shell, taken apart into commands as far as the documentation uses it.

use std::{iter::Peekable, str::Chars};

/// A command: its words without quotes, `$NAME` as it stands, and `$()` where another command's output is put in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The line that it begins on, from 0.
    pub(crate) line: usize,
    pub(crate) words: Vec<String>,
}

/// All commands, those within `$(…)` before the one that they are in. Assignments, redirections, comments and the words of
/// loops are left out.
///
/// # Errors
/// A quote or a `$(` that is not closed.
pub(crate) fn commands(text: &str) -> Result<Vec<Command>, String> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 0, found: Vec::new() };
    reader.list(false)?;
    Ok(reader.found)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    found: Vec<Command>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    /// Commands up to the end, or within `$(…)` up to its end.
    fn list(&mut self, inner: bool) -> Result<(), String> {
        let mut line = self.line;
        let mut words: Vec<String> = Vec::new();
        while let Some(c) = self.rest.peek().copied() {
            match c {
                ')' if inner => {
                    self.next();
                    self.end(line, words);
                    return Ok(());
                }
                ')' => return Err(format!("line {}: a ) closes nothing", self.line)),
                '\n' | ';' | '|' | '&' => {
                    self.next();
                    self.end(line, std::mem::take(&mut words));
                }
                '#' => {
                    while self.rest.peek().is_some_and(|c| *c != '\n') {
                        self.next();
                    }
                }
                '>' | '<' => {
                    self.next();
                    self.rest.next_if_eq(&'>');
                    while self.rest.next_if_eq(&' ').is_some() {}
                    self.word()?;
                }
                c if c.is_whitespace() => {
                    self.next();
                }
                _ => {
                    if words.is_empty() {
                        line = self.line;
                    }
                    let word = self.word()?;
                    // A file's number before a redirection is no word, nor is a line that goes on.
                    let number = word.chars().all(|c| c.is_ascii_digit());
                    if !(word.is_empty() || number && self.rest.peek() == Some(&'>')) {
                        words.push(word);
                    }
                }
            }
        }
        self.end(line, words);
        if inner { Err(format!("line {line}: a $( is not closed")) } else { Ok(()) }
    }

    fn word(&mut self) -> Result<String, String> {
        let mut word = String::new();
        while let Some(c) = self.rest.peek().copied() {
            match c {
                ')' | ';' | '|' | '&' | '>' | '<' => break,
                c if c.is_whitespace() => break,
                _ => {}
            }
            self.next();
            match c {
                '\'' => self.quoted('\'', &mut word)?,
                '"' => self.quoted('"', &mut word)?,
                _ => self.plain(c, &mut word)?,
            }
        }
        Ok(word)
    }

    fn quoted(&mut self, quote: char, word: &mut String) -> Result<(), String> {
        let line = self.line;
        loop {
            match self.next() {
                None => return Err(format!("line {line}: a {quote} is not closed")),
                Some(c) if c == quote => return Ok(()),
                Some(c) if quote == '"' => self.plain(c, word)?,
                Some(c) => word.push(c),
            }
        }
    }

    /// What may stand outside of quotes and within double ones.
    fn plain(&mut self, c: char, word: &mut String) -> Result<(), String> {
        match c {
            '\\' => word.extend(self.next().filter(|c| *c != '\n')),
            '$' if self.rest.next_if_eq(&'(').is_some() => {
                self.list(true)?;
                word.push_str("$()");
            }
            c => word.push(c),
        }
        Ok(())
    }

    /// A command has ended.
    fn end(&mut self, line: usize, words: Vec<String>) {
        let is_assignment = |word: &String| {
            word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
            })
        };
        let words: Vec<String> =
            words.into_iter().skip_while(|word| word == "do" || is_assignment(word)).collect();
        match words.first().map(String::as_str) {
            None | Some("for" | "done") => {}
            Some(_) => self.found.push(Command { line, words }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        commands(text).unwrap().into_iter().map(|command| command.words.join("·")).collect()
    }

    #[test]
    fn what_the_documentation_writes_is_taken_apart() {
        assert_eq!(words("a 'b c' \"d $E\" f\\ g # h\ni"), ["a·b c·d $E·f g", "i"]);
        assert_eq!(words("a | b && c; d > e.txt 2>f g"), ["a", "b", "c", "d·g"]);
        assert_eq!(words("A=1 B=$(c --d='{.e}') f \"$(g)\""), ["c·--d={.e}", "g", "f·$()"]);
        assert_eq!(words("for A in $(b c); do\n  d \"$A.\"\ndone\n"), ["b·c", "d·$A."]);
        assert_eq!(words("a --b=c \\\n  d"), ["a·--b=c·d"]);
        assert_eq!(
            commands("a\n\nb $(c\n)\n").unwrap().iter().map(|c| c.line).collect::<Vec<_>>(),
            [0, 2, 2]
        );
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert!(commands("a 'b").unwrap_err().contains('\''));
        assert!(commands("a $(b").unwrap_err().contains("$("));
        assert!(commands("a) b").unwrap_err().contains(')'));
    }
}
