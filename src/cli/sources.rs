//! The arguments that name manifests, the same for every command that reads some.

use std::path::PathBuf;

use clap::Args;

use crate::manifest::Sources;

/// Where manifests come from.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct SourceArgs {
    /// A file, a directory, or - for standard input; may be given several times
    #[arg(long, short = 'f', value_name = "FILE|DIR|-", required_unless_present = "kustomize")]
    filename: Vec<PathBuf>,
    /// A directory with a kustomization, built by kubectl or kustomize; may be given several times
    #[arg(long, short = 'k', value_name = "DIR")]
    kustomize: Vec<PathBuf>,
    /// Read directories within directories too
    #[arg(long, short = 'R')]
    recursive: bool,
    /// The namespace of objects that name none [default: default, or with a cluster that of the context]
    #[arg(long, short = 'n', value_name = "NAMESPACE", value_parser = super::namespace)]
    namespace: Option<String>,
}

impl SourceArgs {
    /// What they say to read, where no cluster is asked.
    pub(crate) fn sources(&self) -> Sources {
        self.sources_in("default")
    }

    /// What they say to read; `context` is the namespace to which objects without one are applied.
    pub(crate) fn sources_in(&self, context: &str) -> Sources {
        Sources {
            files: self.filename.clone(),
            kustomize: self.kustomize.clone(),
            recursive: self.recursive,
            may_be_empty: false,
            namespace: self.namespace.as_deref().unwrap_or(context).to_owned(),
        }
    }
}
