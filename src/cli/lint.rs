//! `astra-operator lint`.

use std::{collections::BTreeSet, process::ExitCode};

use clap::Args;

use super::{Failure, sources::SourceArgs};
use crate::{
    lint::{self, Severity, output::Output, rules},
    manifest::nearest,
};

const HELP: &str = "\
Examples:
  astra-operator lint -f manifests/
  astra-operator lint -k overlays/production --strict
  kubectl get ape,aal,avp -A -o yaml | astra-operator lint -f -
  astra-operator lint -f manifests/ -R -o sarif > lint.sarif
  astra-operator lint -f manifests/ --ignore AL012,AL016

Exit codes: 0 no errors, 1 errors (with --strict: anything at all), 2 a wrong command line.
Needs neither a cluster nor a token. Each id is explained in docs/lint.md. For one object, advice is silenced by the
annotation astra.datastax.com/lint-ignore: AL005,AL010";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct LintArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// The form of what is found
    #[arg(long, short = 'o', value_enum, default_value_t)]
    output: Output,
    /// Say nothing of these rules; may be given several times, or with commas
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = rule)]
    ignore: Vec<&'static str>,
    /// Fail on warnings and notes too
    #[arg(long)]
    strict: bool,
}

fn rule(id: &str) -> Result<&'static str, String> {
    match rules::of(id) {
        Some(rule) if *rule == rules::REFUSED => {
            Err("what the API server would refuse cannot be silenced".to_owned())
        }
        Some(rule) => Ok(rule.id),
        None => {
            let ids = rules::RULES.iter().map(|rule| rule.id);
            let meant = rules::RULES.iter().find(|rule| rule.name == id).map(|rule| rule.id);
            Err(meant.or_else(|| nearest(id, ids)).map_or_else(
                || "there is no such rule; docs/lint.md lists them".to_owned(),
                |meant| format!("there is no such rule; did you mean {meant}?"),
            ))
        }
    }
}

pub(super) fn lint(args: &LintArgs) -> Result<ExitCode, Failure> {
    let ignored = args.ignore.iter().copied().collect::<BTreeSet<_>>();
    let report = lint::lint(&args.sources.sources(), &ignored)?;
    if report.is_of_nothing() {
        // What was to be piped in may have failed; a check of nothing must not look like a check that was passed.
        return Err("there is nothing to check: what was read has no object at all".into());
    }
    // Locked, or each of thousands of lines would wait for the lock.
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let shown = args.output.write(&report, &mut out).and_then(|()| std::io::Write::flush(&mut out));
    // Whoever reads only the first lines still has to learn how it ended.
    if let Err(error) = shown
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(error.into());
    }
    let failed = report.count(Severity::Error) > 0 || args.strict && !report.advice.is_empty();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
