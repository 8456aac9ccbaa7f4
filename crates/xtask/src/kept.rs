//! Servers that go on after this program (`--keep`), and how a later call finds and stops them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::process::Service;
use crate::{wait, workspace};

/// One set of kept servers: at most one of each name in each workspace.
#[derive(Debug)]
pub(crate) struct Kept {
    name: &'static str,
    directory: PathBuf,
}

impl Kept {
    /// The set of this name, running or not.
    pub(crate) fn named(name: &'static str) -> Result<Self> {
        // In the cache, for `cargo clean` must not pull the data from under servers that run.
        let mut key = fnv::FnvHasher::default();
        std::hash::Hasher::write(&mut key, workspace::root().as_os_str().as_encoded_bytes());
        let key = std::hash::Hasher::finish(&key);
        Ok(Self { name, directory: workspace::cache()?.join(format!("running/{name}-{key:016x}")) })
    }

    /// Where its kubeconfig, logs and data are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes the directory afresh, for this user only; an error while the set runs.
    pub(crate) fn begin(&self) -> Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        if self.is_running() {
            bail!("one is running already; stop it with `cargo xtask {} --stop`", self.name);
        }
        self.remove()?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .with_context(|| format!("cannot make {}", self.directory.display()))
    }

    /// Lets these servers go on, and notes which they are.
    pub(crate) fn keep(&self, mut services: Vec<Service>) -> Result<()> {
        let notes: Vec<Value> =
            services.iter().map(|service| json!({ "name": service.name(), "pid": service.id() })).collect();
        let text = serde_json::to_string_pretty(&notes)?;
        fs::write(self.notes(), text).with_context(|| format!("cannot write {}", self.notes().display()))?;
        services.iter_mut().for_each(Service::keep);
        Ok(())
    }

    /// Whether any of its servers runs.
    pub(crate) fn is_running(&self) -> bool {
        self.processes().iter().any(|(name, pid)| runs(name, *pid))
    }

    /// Stops its servers, the last started first, and removes their data. Whether there were any.
    pub(crate) fn stop(&self) -> Result<bool> {
        let running = self.is_running();
        for (name, pid) in self.processes().into_iter().rev().filter(|(name, pid)| runs(name, *pid)) {
            let ended = || Ok((!runs(&name, pid)).then_some(()));
            // It may end by itself in between.
            let _ = kill_process(pid, Signal::TERM);
            if wait::until(&name, Duration::from_secs(10), Duration::from_millis(20), ended).is_err() {
                let _ = kill_process(pid, Signal::KILL);
                wait::until(&name, Duration::from_secs(10), Duration::from_millis(20), ended)
                    .with_context(|| format!("cannot stop {name} (process {})", pid.as_raw_nonzero()))?;
            }
        }
        self.remove()?;
        Ok(running)
    }

    fn remove(&self) -> Result<()> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory)
                .with_context(|| format!("cannot remove {}", self.directory.display()))?;
        }
        Ok(())
    }

    fn notes(&self) -> PathBuf {
        self.directory.join("processes.json")
    }

    fn processes(&self) -> Vec<(String, Pid)> {
        fs::read_to_string(self.notes()).map(|text| parse(&text)).unwrap_or_default()
    }
}

fn parse(text: &str) -> Vec<(String, Pid)> {
    let notes: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let process = |note: &Value| {
        let pid = i32::try_from(note["pid"].as_i64()?).ok().and_then(Pid::from_raw)?;
        Some((note["name"].as_str()?.to_owned(), pid))
    };
    notes.iter().filter_map(process).collect()
}

/// Whether the process runs and is still that program: numbers are given again after a restart of the machine.
fn runs(name: &str, pid: Pid) -> bool {
    if test_kill_process(pid).is_err() {
        return false;
    }
    match fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) {
        // Empty for a process that has ended and was not waited for yet.
        Ok(line) => line.split(|byte| *byte == 0).next().is_some_and(|program| {
            Path::new(&*String::from_utf8_lossy(program)).file_name().is_some_and(|file| file == name)
        }),
        // No /proc on this system: then the number has to do.
        Err(_) => !Path::new("/proc/self").exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_that_make_no_sense_name_no_process() {
        assert_eq!(parse("half a fi"), []);
        assert_eq!(
            parse(r#"[{"name":"etcd","pid":0},{"name":"etcd"},{"pid":7},{"name":"x","pid":99999999999}]"#),
            []
        );
        let seven = Pid::from_raw(7).unwrap();
        assert_eq!(parse(r#"[{"name":"etcd","pid":7}]"#), [("etcd".to_owned(), seven)]);
    }

    #[test]
    fn a_process_of_another_program_is_not_ours_to_stop() {
        let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(!runs("etcd", own));
    }
}
