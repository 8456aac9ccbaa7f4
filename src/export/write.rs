//! Files onto the disk: none that is there is overwritten unasked, and each is whole or not there.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use super::layout::File;

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// Something is there already. Nothing was written.
    #[error(
        "{} is there already{}; nothing was written: give another --output-dir, or --force to overwrite what is there",
        path.display(), more(*.others)
    )]
    Exists {
        /// The first of them.
        path: PathBuf,
        /// How many more.
        others: usize,
    },
    /// The system refused.
    #[error("{} cannot be written: {source}; what was written before it is whole", path.display())]
    Failed {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" (and {others} more files)") }
}

/// Writes them below `directory`, which is made if it is not there.
///
/// # Errors
/// When one is there already, and `force` is not given; or the system refuses.
pub fn write(directory: &Path, files: &[File], force: bool) -> Result<(), Unwritten> {
    if !force {
        let there = files.iter().map(|file| directory.join(&file.path));
        // Also what a link points to that leads nowhere.
        let there: Vec<PathBuf> = there.filter(|path| path.symlink_metadata().is_ok()).collect();
        if let Some((first, others)) = there.split_first() {
            return Err(Unwritten::Exists { path: first.clone(), others: others.len() });
        }
    }
    for file in files {
        let path = directory.join(&file.path);
        whole(&path, &file.text, force).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists if !force => Unwritten::Exists { path: path.clone(), others: 0 },
            _ => Unwritten::Failed { path: path.clone(), source },
        })?;
    }
    Ok(())
}

/// Manifests in the directory that this export did not write: of databases that are gone, or of a person.
#[must_use]
pub fn strangers(directory: &Path, files: &[File]) -> Vec<PathBuf> {
    let ours: BTreeSet<PathBuf> = files.iter().map(|file| directory.join(&file.path)).collect();
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ if path.extension().is_some_and(|end| end == "yaml") && !ours.contains(&path) => {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Beside its place first: who reads the directory meanwhile, and who comes after a crash, must not find half a list.
fn whole(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.part", process::id()));
    let written = put(&beside, text).and_then(|()| {
        // A link, unlike a renaming, fails if somebody has made the file since we looked.
        if force { fs::rename(&beside, path) } else { fs::hard_link(&beside, path) }
    });
    if !force || written.is_err() {
        // Of no use any more; that it cannot be taken away is no reason to fail.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn what_is_there_is_overwritten_only_by_force_and_nothing_is_left_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("new/astra");
        let files = [file("orders/access-list.yaml", "one\n"), file("kustomization.yaml", "two\n")];
        write(&directory, &files, false).unwrap();
        let read = |path: &str| fs::read_to_string(directory.join(path)).unwrap();
        assert_eq!(read("orders/access-list.yaml"), "one\n");

        // One of them is there: none is written.
        fs::remove_file(directory.join("orders/access-list.yaml")).unwrap();
        fs::write(directory.join("kustomization.yaml"), "mine\n").unwrap();
        let error = write(&directory, &files, false).unwrap_err().to_string();
        assert!(error.contains("kustomization.yaml") && error.contains("--force"), "{error}");
        assert_eq!(read("kustomization.yaml"), "mine\n");
        assert!(!directory.join("orders/access-list.yaml").exists());

        write(&directory, &files, true).unwrap();
        assert_eq!(read("kustomization.yaml"), "two\n");
        fs::write(directory.join("orders/old.yaml"), "old\n").unwrap();
        assert_eq!(strangers(&directory, &files), [directory.join("orders/old.yaml")]);
        let beside = fs::read_dir(&directory).unwrap().chain(fs::read_dir(directory.join("orders")).unwrap());
        assert_eq!(beside.count(), 4, "kustomization.yaml, orders, and two files in there");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("orders"), "a file where a directory should be").unwrap();
        let error =
            write(root.path(), &[file("orders/access-list.yaml", "x")], true).unwrap_err().to_string();
        assert!(error.contains("orders/access-list.yaml cannot be written"), "{error}");
    }
}
