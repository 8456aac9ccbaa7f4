//! One bug to be planted, as data.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The environment variable that says which bug is there.
pub(super) const SWITCH: &str = "TEETH";

/// Stands in the text of a bug for its switch.
const PLANTED: &str = "PLANTED";

/// A mistake in one place of the sources.
#[derive(Debug)]
pub(super) struct Bug {
    /// In a few words, with hyphens.
    pub(super) name: &'static str,
    /// What would happen to users.
    pub(super) danger: &'static str,
    /// Where, from the top of the workspace.
    pub(super) file: &'static str,
    /// What stands there; exactly once in the file.
    pub(super) find: &'static str,
    /// What is put in its place. In it, [`PLANTED`] stands for "is this the bug that is to be there?".
    pub(super) put: &'static str,
    /// Which tests have to find it.
    pub(super) suite: Suite,
}

/// Tests that can be run by themselves, without a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Suite {
    /// The whole operator in virtual time: `tests/simulation`.
    Simulation,
    /// The same in the moments that a seed hardly ever comes upon: `tests/simulation/perils.rs`.
    Perils,
    /// The same with the seeds that ever failed.
    Corpus,
    /// A death at each of its effects: `tests/simulation/sweep.rs`.
    Crashes,
    /// One kind's road in virtual time: `tests/laws`.
    Laws,
    /// Faults of the `DevOps` API at every call: `tests/faults`.
    Faults,
    /// Several replicas: `tests/failover`.
    Failover,
    /// The client of the `DevOps` API, over real sockets and against hostile servers: `crates/devops/tests`.
    Client,
    /// Plans as texts: `tests/plans`.
    Plans,
    /// The tests inside the crates.
    Unit,
}

impl Suite {
    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Simulation => "simulation",
            Self::Perils => "perils",
            Self::Corpus => "corpus",
            Self::Crashes => "crashes",
            Self::Laws => "laws",
            Self::Faults => "faults",
            Self::Failover => "failover",
            Self::Client => "client",
            Self::Plans => "plans",
            Self::Unit => "unit",
        }
    }

    /// What cargo is to build and run of the workspace.
    pub(super) const fn target(self) -> &'static [&'static str] {
        match self {
            Self::Simulation | Self::Perils | Self::Corpus | Self::Crashes => &["--test", "simulation"],
            Self::Laws => &["--test", "laws"],
            Self::Faults => &["--test", "faults"],
            Self::Failover => &["--test", "failover"],
            Self::Client => &["--test", "it", "--test", "hostile"],
            Self::Plans => &["--test", "plans"],
            Self::Unit => &["--lib"],
        }
    }

    /// What is handed to the test program.
    pub(super) const fn arguments(self) -> &'static [&'static str] {
        match self {
            // Neither the corpus nor the sweep: the seeds alone have to find it.
            Self::Simulation => &["--exact", "seeds"],
            Self::Perils => &["--exact", "perils"],
            Self::Corpus => &["--exact", "corpus"],
            Self::Crashes => &["--exact", "crashes"],
            Self::Laws | Self::Faults | Self::Failover | Self::Client | Self::Plans | Self::Unit => &[],
        }
    }
}

impl Bug {
    /// The source with the bug in it, behind its switch: all of them are built at once, and one build takes longer than
    /// all the searches.
    ///
    /// # Errors
    /// When the place is not there, or is not the only one: then the table is out of date.
    pub(super) fn plant(&self, source: &str) -> Result<String> {
        match source.matches(self.find).count() {
            1 => Ok(source.replacen(self.find, &self.put.replace(PLANTED, &self.switch()), 1)),
            count => bail!(
                "the bug {} is out of date: {} has {count} places like this, and must have one:\n{}",
                self.name,
                self.file,
                self.find
            ),
        }
    }

    /// Is this the bug that is to be there? Asked of the environment only once.
    fn switch(&self) -> String {
        format!(
            "std::convert::identity({{ static PLANTED: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| std::env::var(\"{SWITCH}\").is_ok_and(|it| it == \"{}\")); *PLANTED }})",
            self.name
        )
    }
}

/// The file with those of the bugs that are its own.
pub(super) fn planted(file: &Path, bytes: Vec<u8>, bugs: &[&Bug]) -> Result<Vec<u8>> {
    let mut its = bugs.iter().filter(|bug| file == Path::new(bug.file)).peekable();
    if its.peek().is_none() {
        return Ok(bytes);
    }
    let source = String::from_utf8(bytes).with_context(|| format!("{} is not text", file.display()))?;
    its.try_fold(source, |source, bug| bug.plant(&source)).map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_planted_in_the_one_place_where_it_fits() {
        let bug = Bug {
            name: "never",
            danger: "nothing happens",
            file: "src/x.rs",
            find: "a < b",
            put: "!PLANTED && a < b",
            suite: Suite::Unit,
        };
        let planted = bug.plant("if a < b { c }").unwrap();
        assert!(
            planted.starts_with("if !std::convert::identity({ static")
                && planted.ends_with("*PLANTED }) && a < b { c }"),
            "{planted}"
        );
        assert!(planted.contains(r#"std::env::var("TEETH").is_ok_and(|it| it == "never")"#), "{planted}");
        for source in ["if a > b { c }", "a < b || a < b"] {
            let error = bug.plant(source).unwrap_err().to_string();
            assert!(error.contains("never is out of date: src/x.rs"), "{error}");
        }
    }

    #[test]
    fn all_bugs_of_a_file_are_planted_and_no_others() {
        let bug = |name, find, put| Bug {
            name,
            danger: "nothing happens",
            file: "src/a.rs",
            find,
            put,
            suite: Suite::Unit,
        };
        let (one, other) = (bug("one", "if x", "if PLANTED"), bug("other", "{ y }", "{ z }"));
        let plant = |file: &str, bugs: &[&Bug]| planted(Path::new(file), b"if x { y }".to_vec(), bugs);
        let text = String::from_utf8(plant("src/a.rs", &[&one, &other]).unwrap()).unwrap();
        assert!(text.contains("one") && text.ends_with("{ z }"), "{text}");
        assert_eq!(plant("src/b.rs", &[&one, &other]).unwrap(), b"if x { y }");
        assert!(plant("src/a.rs", &[&one, &one]).is_err(), "two bugs at one place");
    }
}
