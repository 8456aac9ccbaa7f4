//! Counts tests by kind while reading what `cargo test` prints.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::terminal;

/// What ran so far, by kind: `unit`, `documentation`, or the name of the file in `tests/`.
#[derive(Debug, Default)]
pub(super) struct Tally {
    kind: String,
    counts: BTreeMap<String, Counts>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Tally {
    /// Reads one line, without colours.
    pub(super) fn see(&mut self, line: &str) {
        if let Some(kind) = parse_kind(line) {
            self.kind = kind;
        } else if let Some(more) = parse_result(line) {
            let counts = self.counts.entry(self.kind.clone()).or_default();
            counts.passed += more.passed;
            counts.failed += more.failed;
            counts.ignored += more.ignored;
        }
    }

    /// Counts one check that is no test of cargo's.
    pub(super) fn count(&mut self, kind: &str, passed: bool) {
        let counts = self.counts.entry(kind.to_owned()).or_default();
        if passed {
            counts.passed += 1;
        } else {
            counts.failed += 1;
        }
    }

    /// Forgets kinds that will run again.
    pub(super) fn forget(&mut self, kinds: &[&str]) {
        self.counts.retain(|kind, _| !kinds.contains(&kind.as_str()));
    }

    pub(super) fn passed(&self) -> u32 {
        self.counts.values().map(|counts| counts.passed).sum()
    }

    fn failed(&self) -> u32 {
        self.counts.values().map(|counts| counts.failed).sum()
    }

    fn ignored(&self) -> u32 {
        self.counts.values().map(|counts| counts.ignored).sum()
    }

    /// The sum as programs read it: `total: 12 passed, 0 failed, 1 skipped`.
    pub(super) fn closing_line(&self) -> String {
        format!("total: {} passed, {} failed, {} skipped", self.passed(), self.failed(), self.ignored())
    }

    /// The sum as people read it, by kind.
    pub(super) fn in_words(&self, time: Duration) -> String {
        let list = |count: fn(&Counts) -> u32| {
            let kinds = self.counts.iter().filter(|(_, counts)| count(counts) > 0);
            kinds.map(|(kind, counts)| format!("{} {kind}", count(counts))).collect::<Vec<_>>().join(", ")
        };
        let time = terminal::duration(time);
        match (self.passed(), self.failed()) {
            (0, 0) => format!("No test ran ({time})."),
            (passed, 0) => format!("All {passed} tests passed in {time}: {}.", list(|counts| counts.passed)),
            (passed, failed) => {
                let all = passed + failed;
                format!("{failed} of {all} tests failed in {time}: {}.", list(|counts| counts.failed))
            }
        }
    }
}

/// The kind of the tests that follow: cargo announces each test program.
fn parse_kind(line: &str) -> Option<String> {
    let line = line.trim_start();
    if line.starts_with("Doc-tests ") {
        return Some("documentation".to_owned());
    }
    let what = line.strip_prefix("Running ")?;
    if what.starts_with("unittests ") {
        return Some("unit".to_owned());
    }
    let path = what.split(" (").next()?;
    let name = path.strip_prefix("tests/")?;
    Some(name.strip_suffix(".rs")?.trim_end_matches("/main").replace(['_', '/'], " "))
}

/// The counts of `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s`.
fn parse_result(line: &str) -> Option<Counts> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in rest.split("; ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.ignored = number,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "
     Running unittests src/lib.rs (target/debug/deps/astra_operator-0a)
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running unittests src/main.rs (target/debug/deps/astra_operator-0b)
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/laws.rs (target/debug/deps/laws-0c)
test a ... ok
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 2.50s
     Running tests/live.rs (target/debug/deps/live-0d)
test result: ok. 0 passed; 0 failed; 20 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests astra_devops
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    fn tally(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.see(line));
        tally
    }

    #[test]
    fn a_check_that_is_no_test_counts_as_one() {
        let mut tally = tally(RUN);
        tally.count("demo", true);
        assert_eq!(tally.closing_line(), "total: 19 passed, 0 failed, 21 skipped");
        tally.count("demo", false);
        assert!(tally.in_words(Duration::ZERO).contains("1 demo"), "{}", tally.in_words(Duration::ZERO));
    }

    #[test]
    fn counts_are_added_up_by_kind() {
        let mut tally = tally(RUN);
        assert_eq!(tally.closing_line(), "total: 18 passed, 0 failed, 21 skipped");
        tally.forget(&["live"]);
        for line in [
            "     Running tests/live.rs (target/debug/deps/live-0d)",
            "test result: ok. 20 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 9.00s",
        ] {
            tally.see(line);
        }
        assert_eq!(tally.closing_line(), "total: 38 passed, 0 failed, 1 skipped");
        assert_eq!(
            tally.in_words(Duration::from_secs(92)),
            "All 38 tests passed in 1 min 32 s: 2 documentation, 12 laws, 20 live, 4 unit."
        );
    }

    #[test]
    fn failures_are_named_by_kind() {
        let text = RUN.replace("ok. 12 passed; 0 failed", "FAILED. 10 passed; 2 failed");
        assert_eq!(tally(&text).in_words(Duration::from_secs(10)), "2 of 18 tests failed in 10 s: 2 laws.");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let text =
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s";
        assert_eq!(tally(text).in_words(Duration::ZERO), "No test ran (0.0 s).");
        assert_eq!(parse_result("test result of mine"), None);
        assert_eq!(parse_kind("     Running benches/x.rs (target/x)"), None);
    }
}
