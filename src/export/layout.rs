//! An export as files: a directory for each database, a file for each object, and a kustomization over all of them.

use std::path::PathBuf;

use super::Export;

/// One file, below the directory of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// All files, the kustomization last: it names only what is there already.
///
/// # Errors
/// When an object cannot be written as YAML, which one of ours always can.
pub fn files(export: &Export) -> Result<Vec<File>, serde_saphyr::ser::Error> {
    let mut files = Vec::with_capacity(export.objects.len() + 1);
    let mut resources = Vec::new();
    for object in &export.objects {
        // Not joined by the system's rules: it also stands in the kustomization.
        let path = format!("{}/{}", object.directory, object.file);
        if !object.unfinished {
            resources.push(format!("  - {path}\n"));
        }
        files.push(File { path: PathBuf::from(path), text: object.yaml()? });
    }
    // Without a resource it would be none: kubectl refuses it.
    if !resources.is_empty() {
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{}",
            resources.concat()
        );
        files.push(File { path: PathBuf::from("kustomization.yaml"), text });
    }
    Ok(files)
}
