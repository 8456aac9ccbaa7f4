//! Programs built from a Go module of this repository, once for each version of its sources, and kept in the cache.

use std::collections::BTreeMap;
use std::fs;
use std::hash::Hasher as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::terminal::Step;
use crate::{process, toolchain, workspace};

/// Raised when the way of building changes what comes out, so that what was built the old way is not found again.
const RECIPE: &str = "1";

/// A Go module whose programs are needed.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its directory in the workspace.
    pub(crate) sources: &'static str,
    /// Its directory in the cache.
    pub(crate) cache: &'static str,
    /// Each program's name, and the package it is built from.
    pub(crate) programs: &'static [(&'static str, &'static str)],
}

/// The files that decide what is built, by name.
pub(crate) type Files = BTreeMap<String, String>;

impl Module {
    /// The directory of the programs of this version of the sources, built if they are not there yet. `what` is said
    /// while they are built, and `variables` are what the linker sets; both come from the files.
    pub(crate) fn find_or_build(
        &self,
        what: impl Fn(&Files) -> Result<String>,
        variables: impl Fn(&Files) -> Result<String>,
        finish: impl Fn(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let sources = workspace::root().join(self.sources);
        let files = read_sources(&sources)?;
        let cache = workspace::cache()?.join(self.cache);
        let directory = cache.join(hash(&files));
        if self.programs.iter().all(|(name, _)| directory.join(name).is_file()) {
            return Ok(directory);
        }
        // Beside the final place and renamed, so that a build that is killed leaves nothing that looks finished.
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let made = tempfile::Builder::new()
            .prefix("build-")
            .tempdir_in(&cache)
            .context("cannot make a directory")?;
        let go_mod = files.get("go.mod").with_context(|| format!("{} has no go.mod", self.sources))?;
        let go = toolchain::go(toolchain::go_line(go_mod)?)?;
        let step = Step::start(format!("building {} (once; some minutes)", what(&files)?));
        let flags = format!("-s -w {}", variables(&files)?);
        self.compile(&go, &sources, &flags, made.path(), &step)?;
        step.done("");
        finish(made.path())?;
        match fs::rename(made.path(), &directory) {
            Ok(()) => drop(made.keep()),
            // Somebody else built the same at the same time, and was first.
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            }
            Err(error) => return Err(error).with_context(|| format!("cannot make {}", directory.display())),
        }
        Ok(directory)
    }

    fn compile(&self, go: &Path, sources: &Path, ldflags: &str, output: &Path, step: &Step) -> Result<()> {
        let packages: Vec<&str> = self.programs.iter().map(|(_, package)| *package).collect();
        let total = count_packages(go, sources, &packages);
        let mut built = 0_usize;
        for (name, package) in self.programs {
            let mut words = Vec::new();
            let mut command = Command::new(go);
            command
                .args(["build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", ldflags])
                .arg("-o")
                .arg(output.join(name))
                .arg(package)
                .current_dir(sources)
                .env("CGO_ENABLED", "0")
                .env("GOWORK", "off");
            let status = process::lines(&mut command, |line| {
                // `-v` prints each package's path as it is compiled; all else has spaces: downloads and errors.
                if line.contains(' ') {
                    words.push(line.to_owned());
                } else {
                    built += 1;
                }
                step.note(
                    total.map_or_else(|| format!("{built} packages"), |n| format!("{built} of {n} packages")),
                );
            })?;
            if !status.success() {
                let last = words[words.len().saturating_sub(20)..].join("\n");
                bail!("go build of {package} in {} failed ({status}):\n{last}", sources.display());
            }
        }
        Ok(())
    }
}

/// The version of a module that go.mod requires.
pub(crate) fn required<'a>(files: &'a Files, module: &str) -> Result<&'a str> {
    let go_mod = files.get("go.mod").context("there is no go.mod")?;
    let version = |line: &'a str| {
        let line = line.trim();
        let rest = line.strip_prefix("require ").unwrap_or(line).strip_prefix(module)?;
        // Another module's path may begin with this one's.
        rest.strip_prefix(' ')?.split_whitespace().next()
    };
    go_mod.lines().find_map(version).with_context(|| format!("go.mod does not require {module}"))
}

/// The files that decide what is built, by name.
pub(crate) fn read_sources(directory: &Path) -> Result<Files> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if Path::new(&name).extension().is_some_and(|end| end == "go" || end == "mod" || end == "sum") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name, text);
        }
    }
    Ok(files)
}

/// A name for what these sources build; the same on every machine.
fn hash(files: &Files) -> String {
    let mut hasher = fnv::FnvHasher::default();
    // A byte that is in no text ends each part, so that nothing can move from one part to the next unseen.
    for part in [RECIPE].into_iter().chain(files.iter().flat_map(|(name, text)| [name.as_str(), text])) {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    format!("{:016x}", hasher.finish())
}

/// How many packages there are to compile on a fresh machine; `None` when go cannot tell, which its build will explain.
fn count_packages(go: &Path, sources: &Path, packages: &[&str]) -> Option<usize> {
    let mut command = Command::new(go);
    command.args(["list", "-mod=readonly", "-deps"]).args(packages).current_dir(sources);
    command.env("CGO_ENABLED", "0").env("GOWORK", "off");
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(parts: &[(&str, &str)]) -> Files {
        parts.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn the_hash_is_stable_and_moves_with_every_name_and_text() {
        let base = hash(&files(&[("a.go", "x"), ("go.mod", "y")]));
        assert_eq!(base, hash(&files(&[("go.mod", "y"), ("a.go", "x")])));
        assert_eq!(base.len(), 16);
        for other in [
            &[("a.go", "x2"), ("go.mod", "y")][..],
            &[("b.go", "x"), ("go.mod", "y")],
            &[("a.go", "xgo.mod"), ("", "y")],
            &[("a.go", "x")],
        ] {
            assert_ne!(base, hash(&files(other)), "{other:?}");
        }
    }

    #[test]
    fn the_version_of_a_module_is_found_by_its_whole_path() {
        let files = files(&[("go.mod", "require a.b/c/v2 v2.1.0\nrequire (\n\ta.b/c v1.0.0 // indirect\n)")]);
        assert_eq!(required(&files, "a.b/c").unwrap(), "v1.0.0");
        assert_eq!(required(&files, "a.b/c/v2").unwrap(), "v2.1.0");
        assert!(required(&files, "a.b").is_err());
    }
}
