//! What became of each mutant, kept from run to run, and the table of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::files::{ARGUED, SAFETY};
use super::list::Mutant;
use crate::{terminal, workspace};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It does not compile.
    Unviable,
    /// This test failed.
    Caught(String),
    /// With it this test does not end.
    Hangs(String),
    /// All tests that meet it are green.
    Survived,
    /// No test comes by.
    Unmet,
}

impl Fate {
    /// Is there something to be done?
    pub(super) fn is_missed(&self) -> bool {
        matches!(self, Self::Survived | Self::Unmet)
    }

    fn parse(word: &str, by: &str) -> Option<Self> {
        match word {
            "unviable" => Some(Self::Unviable),
            "caught" => Some(Self::Caught(by.to_owned())),
            "hangs" => Some(Self::Hangs(by.to_owned())),
            "survived" => Some(Self::Survived),
            "unmet" => Some(Self::Unmet),
            _ => None,
        }
    }
}

impl Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unviable => write!(f, "unviable\t"),
            Self::Caught(by) => write!(f, "caught\t{by}"),
            Self::Hangs(by) => write!(f, "hangs\t{by}"),
            Self::Survived => write!(f, "survived\t"),
            Self::Unmet => write!(f, "unmet\t"),
        }
    }
}

/// Fates by [`Mutant::key`].
pub(super) type Fates = BTreeMap<String, Fate>;

fn path() -> PathBuf {
    workspace::root().join("target/planted/mutants.tsv")
}

/// What earlier runs found. Nothing, if there were none.
pub(super) fn load() -> Fates {
    parse(&fs::read_to_string(path()).unwrap_or_default())
}

fn parse(text: &str) -> Fates {
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let (key, word, by) = (cells.next()?, cells.next()?, cells.next()?);
        Some((key.to_owned(), Fate::parse(word, by)?))
    };
    text.lines().filter_map(row).collect()
}

/// Keeps them for the next run.
pub(super) fn save(fates: &Fates) -> Result<()> {
    let lines: Vec<_> = fates.iter().map(|(key, fate)| format!("{key}\t{fate}")).collect();
    fs::write(path(), lines.join("\n") + "\n").context("cannot keep the results in target/planted")
}

/// How a file stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    caught: usize,
    argued: usize,
    missed: usize,
}

/// All that is known of the mutants that there are.
#[derive(Debug)]
pub(super) struct Report<'a> {
    rows: BTreeMap<&'a str, Row>,
    /// Those that nobody caught and nobody argued.
    missed: Vec<(&'a Mutant, bool)>,
    /// Argued, in a file where none may be.
    in_safety: Vec<&'a Mutant>,
    unknown: usize,
    unviable: usize,
}

impl<'a> Report<'a> {
    /// Of these mutants. `argued` is the text that argues some: by file and what is changed.
    pub(super) fn new(mutants: &'a [Mutant], fates: &Fates, argued: &str) -> Self {
        let argued: BTreeSet<&str> = argued
            .lines()
            .filter_map(|line| line.strip_prefix("- `")?.split_once('`'))
            .map(|(key, _)| key)
            .collect();
        let mut report = Self {
            rows: BTreeMap::new(),
            missed: Vec::new(),
            in_safety: Vec::new(),
            unknown: 0,
            unviable: 0,
        };
        for mutant in mutants {
            let key = mutant.key();
            let row = report.rows.entry(mutant.file.as_str()).or_default();
            match fates.get(&key) {
                None => report.unknown += 1,
                Some(Fate::Unviable) => report.unviable += 1,
                Some(Fate::Caught(_) | Fate::Hangs(_)) => row.caught += 1,
                Some(Fate::Survived | Fate::Unmet) if argued.contains(key.as_str()) => {
                    row.argued += 1;
                    report.in_safety.extend(SAFETY.contains(&mutant.file.as_str()).then_some(mutant));
                }
                Some(fate) => {
                    row.missed += 1;
                    report.missed.push((mutant, *fate == Fate::Unmet));
                }
            }
        }
        report
    }

    /// Is there nothing to be done?
    pub(super) fn is_clean(&self) -> bool {
        self.missed.is_empty() && self.in_safety.is_empty()
    }

    /// For a person: first the mutants that are to be caught, with what they change, then the table.
    pub(super) fn print(&self, with_diffs: bool) {
        for (mutant, unmet) in &self.missed {
            let how = if *unmet { "no test comes by" } else { "all tests are green" };
            terminal::heading(&format!("{}: {how}", mutant.name()));
            terminal::line(&format!("`{}`", mutant.key()));
            if with_diffs {
                // The first two lines name the file and the change.
                let diff: Vec<_> = mutant.diff.lines().skip(2).collect();
                terminal::block(&diff.join("\n"));
            }
        }
        for mutant in &self.in_safety {
            terminal::line(&format!("argued, and must be caught: {}", mutant.key()));
        }
        terminal::heading("Mutants");
        terminal::line(&format!("{:<44} {:>6} {:>6} {:>6}", "", "caught", "argued", "missed"));
        for (file, row) in &self.rows {
            terminal::line(&format!("{file:<44} {:>6} {:>6} {:>6}", row.caught, row.argued, row.missed));
        }
        let sum = |of: fn(&Row) -> usize| self.rows.values().map(of).sum::<usize>();
        let (caught, argued, missed) = (sum(|row| row.caught), sum(|row| row.argued), sum(|row| row.missed));
        let all = caught + argued + missed;
        let tenths = (caught * 1000).checked_div(all).unwrap_or(1000);
        terminal::line(&format!(
            "{caught} of {all} caught ({}.{} %), {argued} of the others argued in {ARGUED}, {missed} missed; {} more do not compile, {} were not tried",
            tenths / 10,
            tenths % 10,
            self.unviable,
            self.unknown
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::list::{Genre, tests::mutant};

    #[test]
    fn fates_are_kept() {
        let all = Fates::from(
            [
                ("a: b", Fate::Unviable),
                ("c", Fate::Caught("x::y".to_owned())),
                ("d", Fate::Hangs("z".to_owned())),
                ("e", Fate::Survived),
                ("f", Fate::Unmet),
            ]
            .map(|(key, fate)| (key.to_owned(), fate)),
        );
        let text = all.iter().fold(String::new(), |text, (key, fate)| format!("{text}{key}\t{fate}\n"));
        assert_eq!(parse(&text), all);
        assert!(parse("nonsense\nx\ty\tz\n").is_empty());
    }

    #[test]
    fn what_is_argued_may_survive_but_where_safety_is_at_stake() {
        let plain = mutant(Genre::BinaryOperator, "a == b", "==", "!=");
        let mut safety = plain.clone();
        safety.file = SAFETY[0].to_owned();
        let mutants = [plain, safety];
        let fates = |fate: &Fate| mutants.iter().map(|mutant| (mutant.key(), fate.clone())).collect();
        let argued = mutants
            .iter()
            .fold(String::new(), |text, mutant| format!("{text}- `{}`: for a reason\n", mutant.key()));
        let clean =
            |fate: &Fate, argued: &str, of: &[Mutant]| Report::new(of, &fates(fate), argued).is_clean();
        assert!(clean(&Fate::Caught("x".to_owned()), "", &mutants));
        assert!(clean(&Fate::Unviable, "", &mutants));
        assert!(!clean(&Fate::Survived, "", &mutants[..1]));
        assert!(!clean(&Fate::Unmet, "", &mutants[..1]));
        assert!(clean(&Fate::Survived, &argued, &mutants[..1]));
        assert!(!clean(&Fate::Survived, &argued, &mutants), "in a file where none may survive");
    }
}
