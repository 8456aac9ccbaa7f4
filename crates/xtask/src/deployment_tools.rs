//! The programs that judge what is installed with: Helm 3 and 4, and the engines of Argo CD's and Flux's health.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use crate::go_module::{Files, Module, required};
use crate::{terminal, toolchain};

const MODULE: Module = Module {
    sources: "tests/deployment-tools",
    cache: "deployment-tools",
    programs: &[
        ("helm3", "helm.sh/helm/v3/cmd/helm"),
        ("helm4", "helm.sh/helm/v4/cmd/helm"),
        ("health", "."),
    ],
};

/// Their directory, built if they are not there yet.
pub(crate) fn find_or_build() -> Result<PathBuf> {
    MODULE.find_or_build(name, |_| Ok(String::new()), |_| Ok(()))
}

/// The same for a run of tests: `None`, with a word on it, for whoever brings a control plane and has no Go.
pub(crate) fn for_tests() -> Result<Option<PathBuf>> {
    match find_or_build() {
        Err(error) if env::var_os("KUBEBUILDER_ASSETS").is_some() && !toolchain::has_go() => {
            terminal::failure(&format!("the tests of the chart and of `deploy/` are left out: {error:#}"));
            Ok(None)
        }
        built => built.map(Some),
    }
}

fn name(files: &Files) -> Result<String> {
    let version = |module| required(files, module);
    Ok(format!("Helm {} and {}", version("helm.sh/helm/v3")?, version("helm.sh/helm/v4")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{go_module::read_sources, workspace};

    #[test]
    fn the_module_names_both_versions_of_helm() {
        let files = read_sources(&workspace::root().join(MODULE.sources)).unwrap();
        let name = name(&files).unwrap();
        assert!(name.starts_with("Helm v3.") && name.contains(" and v4."), "{name}");
    }
}
