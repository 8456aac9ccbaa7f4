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
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default", value_parser = super::namespace)]
    namespace: String,
}

impl SourceArgs {
    /// What they say to read.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            files: self.filename.clone(),
            kustomize: self.kustomize.clone(),
            recursive: self.recursive,
            namespace: self.namespace.clone(),
        }
    }
}
