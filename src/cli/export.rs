//! `astra-operator export`: arguments, wiring, and what is said beside the manifests.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Failure, token::AstraArgs};
use crate::{
    export::{self, Export, LeftOut, Options, document, layout, read, select::Selection, write},
    kinds::KINDS,
    resource::Management,
    text::printable,
};

pub(super) const HELP: &str = "\
Examples:
  astra-operator export --output-dir astra
  astra-operator export --database orders --kind access-list
  astra-operator export --namespace data --output-dir astra --force
  astra-operator export --token-file token.txt | kubectl apply --server-side -f -

The token comes from ASTRA_DB_APPLICATION_TOKEN or --token-file, and is never shown. Only GETs are sent.
Manifests go to the standard output or into the directory; everything else is said on the standard error.
What no manifest can say exactly is left out, with a warning and a comment; applying the rest changes nothing in Astra.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct ExportArgs {
    /// Only this database, by name or id; may be given several times. A name that several have means all of them
    #[arg(long = "database", value_name = "NAME|ID")]
    databases: Vec<String>,
    /// Only this kind: access-list, private-endpoint or vpc-peering, or the kind's name; may be given several times
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<&'static str>,
    /// The namespace that the objects name; without it they name none, and it is chosen when they are applied
    #[arg(long, short = 'n', value_name = "NAMESPACE", value_parser = super::namespace)]
    namespace: Option<String>,
    /// Write one file for each object below this directory, and a kustomization.yaml
    #[arg(long, short = 'o', value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long, requires = "output_dir")]
    force: bool,
    /// Name databases by their id, also where the name would do
    #[arg(long)]
    by_id: bool,
    /// Who else may change what is exported. Without it: Exclusive for access lists that restrict, Shared for the rest
    #[arg(long, value_name = "MANAGEMENT", ignore_case = true)]
    management: Option<Manage>,
    /// Exit with 1 when anything was left out
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    astra: AstraArgs,
}

/// The words of the field `management`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Manage {
    /// Other entries are left alone
    #[value(name = "Shared")]
    Shared,
    /// There is exactly what the object says
    #[value(name = "Exclusive")]
    Exclusive,
}

impl From<Manage> for Management {
    fn from(manage: Manage) -> Self {
        match manage {
            Manage::Shared => Self::Shared,
            Manage::Exclusive => Self::Exclusive,
        }
    }
}

/// `access-list`, `AstraAccessList`, `astraaccesslists`: as people write kinds.
fn kind(text: &str) -> Result<&'static str, String> {
    let plain = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let wanted = plain(text);
    let wanted = wanted.strip_prefix("astra").unwrap_or(&wanted);
    let is = |kind: &&str| {
        let kind = plain(kind);
        kind.strip_prefix("astra").is_some_and(|kind| wanted.strip_suffix('s').unwrap_or(wanted) == kind)
    };
    let found = KINDS.iter().map(|entry| entry.kind).find(is);
    found.ok_or_else(|| "the kinds are access-list, private-endpoint and vpc-peering".to_owned())
}

pub(super) fn run(args: ExportArgs) -> Result<(), Failure> {
    let options = Options {
        selection: Selection(args.databases),
        kinds: args.kinds.into_iter().collect(),
        namespace: args.namespace,
        by_id: args.by_id,
        management: args.management.map(Management::from),
    };
    let (export, blind) = super::block_on(async {
        let client = args.astra.client()?;
        let reading =
            read::read(&client, &options, &|text| say("", &text)).await.map_err(|failed| match failed {
                read::Failed::Call(error) => args.astra.explain(error),
                read::Failed::Unknown(unknown) => Box::new(unknown),
            })?;
        let export = export::export(&reading.world, &reading.unread, &options).await?;
        Ok::<_, Failure>((export, reading.is_blind()))
    })??;
    put(&export, args.output_dir.as_deref(), args.force)?;
    tell(&export, args.output_dir.as_deref());
    if blind {
        return Err("the token may read nothing of what was to be exported: see the warnings above".into());
    }
    if args.strict && !export.left_out.is_empty() {
        return Err("something was left out, and --strict takes that for a failure".into());
    }
    Ok(())
}

/// The manifests, into the directory or onto the standard output.
fn put(export: &Export, directory: Option<&Path>, force: bool) -> Result<(), Failure> {
    let Some(directory) = directory else {
        let mut out = io::stdout().lock();
        out.write_all(document::stream(&export.objects)?.as_bytes())?;
        return Ok(out.flush()?);
    };
    let files = layout::files(export)?;
    write::write(directory, &files, force)?;
    let strangers = write::strangers(directory, &files);
    if !strangers.is_empty() {
        let names: Vec<String> = strangers.iter().map(|path| path.display().to_string()).collect();
        say(
            "note: ",
            &format!(
                "there already, and not of this export: {}; delete what is not wanted any more",
                names.join(", ")
            ),
        );
    }
    Ok(())
}

/// What a person should know beside the manifests.
fn tell(export: &Export, directory: Option<&Path>) {
    for note in &export.notes {
        say("note: ", note);
    }
    for left_out in &gathered(&export.left_out) {
        say("warning: ", &left_out.to_string());
    }
    let objects = export.objects.iter().filter(|object| !object.unfinished).count();
    let unfinished = export.objects.len() - objects;
    let to = directory.map_or_else(String::new, |directory| format!(" to {}", directory.display()));
    let mut text = format!("exported {}{to}", count(objects, "object"));
    if unfinished > 0 {
        text = format!("{text}, and {unfinished} to finish by hand");
    }
    match export.left_out.len() {
        0 => say("", &text),
        warnings => say("", &format!("{text}; {}", count(warnings, "warning"))),
    }
}

/// What is the same for many databases is said once.
fn gathered(left_out: &[LeftOut]) -> Vec<LeftOut> {
    const MANY: usize = 10;
    // A reason without what differs from database to database: the words before the first path.
    let cause = |one: &LeftOut| one.why.split('/').next().unwrap_or_default().to_owned();
    let mut alike: BTreeMap<(&str, &str, String), Vec<&LeftOut>> = BTreeMap::new();
    for one in left_out {
        alike.entry((one.kind, &one.what, cause(one))).or_default().push(one);
    }
    let mut gathered: Vec<LeftOut> = Vec::new();
    for group in alike.into_values() {
        match group[..] {
            [first, ..] if group.len() > MANY => {
                let databases = format!("{} and {} more", first.database, group.len() - 1);
                gathered.push(LeftOut { database: databases, ..first.clone() });
            }
            _ => gathered.extend(group.into_iter().cloned()),
        }
    }
    gathered.sort();
    gathered
}

fn say(what: &str, text: &str) {
    // Some of it is the words of a server, or of whoever named a database.
    eprintln!("{what}{}", printable(text));
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_understood_as_people_write_it() {
        for (text, expected) in [
            ("access-list", Some("AstraAccessList")),
            ("AstraAccessList", Some("AstraAccessList")),
            ("astraaccesslists", Some("AstraAccessList")),
            ("astra-private-endpoint", Some("AstraPrivateEndpoint")),
            ("private-endpoints", Some("AstraPrivateEndpoint")),
            ("VpcPeering", Some("AstraVpcPeering")),
            ("database", None),
            ("", None),
        ] {
            assert_eq!(kind(text).ok(), expected, "{text:?}");
        }
    }
}
