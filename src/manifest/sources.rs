//! Where manifests come from: files, directories, standard input, and kustomizations.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use super::{Sources, reader::Given};

/// Why something could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Nothing was named.
    #[error("nothing to read: name files or directories with -f, or a kustomization with -k")]
    Nothing,
    /// No such file.
    #[error("{0}: there is no such file or directory")]
    NotFound(PathBuf),
    /// Manifests are read from files only: a token must not depend on what a web server says today.
    #[error("{0}: nothing is fetched from the network; download it and name the file, or pipe it into -f -")]
    Remote(PathBuf),
    /// A directory without any file that could be a manifest.
    #[error("{0}: no file here ends in .yaml, .yml or .json{1}")]
    Empty(PathBuf, &'static str),
    /// Any other failure of reading.
    #[error("{path}: {source}")]
    Io {
        /// What was being read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A kustomization, and nothing to build it with.
    #[error(
        "{0}: neither kubectl nor kustomize is installed (or not in PATH), and -k needs one of the two; or pipe what it builds into -f -"
    )]
    NoKustomize(PathBuf),
    /// A kustomization that does not build.
    #[error("{directory}: {command} failed: {said}")]
    Kustomize {
        /// The kustomization.
        directory: PathBuf,
        /// What was run.
        command: String,
        /// What it wrote on standard error.
        said: String,
    },
}

/// Who takes what was read: the name, the content, and how it was given. A file of a directory may be one that cannot be
/// read; the others are read all the same.
type Take<'a> = &'a mut dyn FnMut(Arc<str>, io::Result<Vec<u8>>, Given);

/// Reads one source after the other, so that only one is in memory.
pub(crate) fn each(sources: &Sources, take: Take<'_>) -> Result<(), Unreadable> {
    if sources.files.is_empty() && sources.kustomize.is_empty() {
        return Err(Unreadable::Nothing);
    }
    // A file may be named twice, or be in a directory that is named too: its objects are still there once.
    let mut seen = BTreeSet::new();
    for path in &sources.files {
        if path.as_os_str() == "-" {
            if seen.insert(path.clone()) {
                let mut bytes = Vec::new();
                let result = io::stdin().lock().read_to_end(&mut bytes);
                result.map_err(|source| Unreadable::Io { path: "stdin".into(), source })?;
                take("stdin".into(), Ok(bytes), Given::ByName);
            }
            continue;
        }
        let is_directory = fs::metadata(path).map_err(|error| failure(path, error))?.is_dir();
        let (files, given) = if is_directory {
            let (files, hint) = directory(path, sources.recursive)?;
            if files.is_empty() && !sources.may_be_empty {
                return Err(Unreadable::Empty(path.clone(), hint));
            }
            (files, Given::ByDirectory)
        } else {
            (vec![path.clone()], Given::ByName)
        };
        for file in files {
            if seen.insert(fs::canonicalize(&file).unwrap_or_else(|_| file.clone())) {
                let bytes = match (fs::read(&file), given) {
                    (Err(error), Given::ByName) => return Err(failure(&file, error)),
                    (bytes, _) => bytes,
                };
                take(name(&file), bytes, given);
            }
        }
    }
    for directory in &sources.kustomize {
        let (command, bytes) = kustomize(directory)?;
        take(command.into(), Ok(bytes), Given::ByName);
    }
    Ok(())
}

fn name(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

fn failure(path: &Path, source: io::Error) -> Unreadable {
    let text = path.to_string_lossy();
    if text.starts_with("http://") || text.starts_with("https://") {
        Unreadable::Remote(path.to_owned())
    } else if source.kind() == io::ErrorKind::NotFound {
        Unreadable::NotFound(path.to_owned())
    } else {
        Unreadable::Io { path: path.to_owned(), source }
    }
}

/// The files of a directory that may be manifests, in order; and what may be the matter if there are none.
fn directory(top: &Path, recursive: bool) -> Result<(Vec<PathBuf>, &'static str), Unreadable> {
    let mut files = Vec::new();
    let mut has_directories = false;
    let mut waiting = vec![top.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).map_err(|error| failure(&directory, error))? {
            let entry = entry.map_err(|error| failure(&directory, error))?;
            let path = entry.path();
            // As kubectl: links to directories are not followed, so that there is no going round in circles.
            if entry.file_type().map_err(|error| failure(&path, error))?.is_dir() {
                has_directories = true;
                waiting.extend(recursive.then_some(path));
            } else if is_manifest(&path) && !path.is_dir() {
                files.push(path);
            }
        }
    }
    files.sort();
    let hint = if has_directories && !recursive { "; -R looks into its directories too" } else { "" };
    Ok((files, hint))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
}

/// Builds a kustomization with what is installed. The command, and what it printed.
fn kustomize(directory: &Path) -> Result<(String, Vec<u8>), Unreadable> {
    if !directory.is_dir() {
        return Err(Unreadable::NotFound(directory.to_owned()));
    }
    for (program, word) in [("kubectl", "kustomize"), ("kustomize", "build")] {
        let output = Command::new(program).arg(word).arg(directory).stdin(Stdio::null()).output();
        let command = format!("{program} {word} {}", directory.display());
        match output {
            Ok(output) if output.status.success() => return Ok((command, output.stdout)),
            Ok(output) => {
                // The words of others are shown as one line.
                let said = String::from_utf8_lossy(&output.stderr);
                let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                let said = said.join("; ");
                return Err(Unreadable::Kustomize { directory: directory.to_owned(), command, said });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Unreadable::Io { path: program.into(), source }),
        }
    }
    Err(Unreadable::NoKustomize(directory.to_owned()))
}
