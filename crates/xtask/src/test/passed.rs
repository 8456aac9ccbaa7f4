//! The part of a test program's output that tells what tests wrote that passed.

/// Follows the output of test programs, and knows where they tell of tests that passed.
///
/// With `--show-output` a program tells that in two sections, each under a line `successes:`, before the failures and
/// the result.
#[derive(Debug, Default)]
pub(super) struct Passed {
    inside: bool,
}

impl Passed {
    /// Is this line about tests that passed? To be asked of every line, in order.
    pub(super) fn is_told_by(&mut self, line: &str) -> bool {
        self.inside = match line {
            "successes:" => true,
            "failures:" => false,
            _ => self.inside && !line.starts_with("test result: "),
        };
        self.inside
    }
}

/// What a test that passed measured or counted, which a line says that begins so: `figures: `.
pub(super) fn figures(line: &str) -> Option<&str> {
    line.strip_prefix("figures: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_of_its_own_has_figures() {
        assert_eq!(figures("figures: 7 plans"), Some("7 plans"));
        assert_eq!(figures("the figures: 7 plans"), None);
    }

    #[test]
    fn only_what_passed_is_left_out() {
        let output = "running 3 tests
test a ... ok
test b ... FAILED

successes:

---- a stdout ----
all is well

successes:
    a

failures:

---- b stdout ----
it broke

failures:
    b

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/other.rs (target/debug/deps/other-0a)
test c ... ok

successes:

successes:
    c

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests x";
        let mut passed = Passed::default();
        let shown: Vec<&str> =
            output.lines().filter(|line| !passed.is_told_by(line) && !line.is_empty()).collect();
        assert_eq!(
            shown,
            [
                "running 3 tests",
                "test a ... ok",
                "test b ... FAILED",
                "failures:",
                "---- b stdout ----",
                "it broke",
                "failures:",
                "    b",
                "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "     Running tests/other.rs (target/debug/deps/other-0a)",
                "test c ... ok",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "   Doc-tests x",
            ]
        );
    }
}
