//! The tests that have to notice a mutant.

/// A test program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    /// As cargo names it.
    pub(super) target: &'static str,
    /// Its tests that are not run, because others of them say the same in less time.
    pub(super) without: &'static [&'static str],
}

/// The programs that cargo builds as `--lib` of the crates with mutants.
pub(super) const UNIT: &[&str] = &["astra_operator", "astra_devops"];

/// The programs in `tests/`.
pub(super) const SUITES: &[Suite] = &[
    Suite { target: "it", without: &[] },
    Suite { target: "hostile", without: &[] },
    Suite { target: "plans", without: &[] },
    Suite { target: "preview", without: &[] },
    Suite { target: "laws", without: &[] },
    Suite { target: "faults", without: &[] },
    Suite { target: "failover", without: &[] },
    Suite { target: "simulation", without: &["same_seed_same_bytes", "crashes"] },
];

/// What is set for all programs: a verdict is enough, nobody reads the smallest case.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("SIMULATION_ENOUGH", "1"),
    ("RUST_TEST_THREADS", "1"),
    ("RUST_BACKTRACE", "0"),
];
