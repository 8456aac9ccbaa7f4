//! What is logged, changed while the program runs, by a file: in a cluster that of a ConfigMap which may be there or not.
//!
//! A file, and no address to send it to: nothing more listens, and the rights on such objects say who may change it.

use std::{fs, path::PathBuf, time::Duration};

use tokio::time::sleep;

use super::Level;

/// The file is looked at this often.
const PAUSE: Duration = Duration::from_secs(5);

/// Logs what the file says, for ever; what `otherwise` says while it is not there, cannot be read or is empty.
pub async fn follow(file: PathBuf, otherwise: String, level: Level) {
    let mut last = otherwise.clone();
    loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let wanted = Some(text.trim()).filter(|text| !text.is_empty()).unwrap_or(&otherwise);
        if wanted != last {
            match level.set(wanted) {
                Ok(()) => {
                    tracing::info!(file = %file.display(), filter = wanted, "what is logged was changed");
                }
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "what is logged stays as it is: the filter cannot be read");
                }
            }
            wanted.clone_into(&mut last);
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_file_is_followed_as_it_comes_changes_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("filter");
        let set: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = set.clone();
        let level = Level(Box::new(move |filter| {
            noted.lock().unwrap().push(filter.to_string());
            Ok(())
        }));
        tokio::spawn(follow(file.clone(), "info".to_owned(), level));
        let mut expected = Vec::new();
        for (text, changed) in [
            (None, None),
            (Some("debug\n"), Some("debug")),
            (Some(" debug"), None),
            (Some("dbug"), None),
            (Some("warn"), Some("warn")),
            (Some("\n"), Some("info")),
            (Some("trace"), Some("trace")),
            (None, Some("info")),
        ] {
            match text {
                Some(text) => fs::write(&file, text).unwrap(),
                None => drop(fs::remove_file(&file)),
            }
            sleep(PAUSE * 2).await;
            expected.extend(changed.map(|level| format!("kube_runtime::controller=warn,{level}")));
            assert_eq!(*set.lock().unwrap(), expected, "{text:?}");
        }
    }
}
