//! The kill file: its appearance acts as `kill`, nothing is traded while it is there, and removing
//! it resumes nothing.
//!
//! It is looked for from time to time, by a task of its own. Where that cannot be told whether it
//! is there, it is: whoever takes away the right to look into its folder wants an end, too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::config::Settings;

use super::driver::Message;
use super::exit::Misuse;

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where the kill file of a trader is.
pub fn path(settings: &Settings, journal: &Path) -> PathBuf {
    settings.trade.kill_file.as_ref().map_or_else(
        || {
            let mut name = journal.as_os_str().to_owned();
            name.push(".kill");
            PathBuf::from(name)
        },
        PathBuf::from,
    )
}

/// Refuses to start while it is there.
pub fn refuse(path: &Path) -> Result<(), Misuse> {
    match seen(path) {
        None => Ok(()),
        Some(what) => Err(Misuse(format!(
            "{what}: nothing is traded while it is there. Look at `crossbook incidents`, remove \
             it, start again, and end the halt with `crossbook resume`"
        ))),
    }
}

/// Waits for it, and then tells the engine once.
pub async fn watch(path: PathBuf, messages: mpsc::Sender<Message>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Some(what) = seen(&path) {
            // Nobody listens any more: there is nothing left to end.
            let _ = messages.send(Message::Kill(what)).await;
            return;
        }
        if messages.is_closed() {
            return;
        }
    }
}

/// What speaks for an end, if anything does.
fn seen(path: &Path) -> Option<String> {
    let shown = path.display();
    match std::fs::symlink_metadata(path) {
        Ok(_) => Some(format!("there is a kill file, {shown}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("the kill file {shown} cannot be looked for: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kill_file_that_appears_is_told_once_and_keeps_a_start_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kill");
        assert!(refuse(&path).is_ok());
        let (sender, mut told) = mpsc::channel(4);
        let watching = tokio::spawn(watch(path.clone(), sender));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(told.recv().await, Some(Message::Kill(why)) if why.contains("kill file")));
        watching.await.unwrap();
        assert!(told.recv().await.is_none());
        let why = refuse(&path).unwrap_err().to_string();
        assert!(why.contains(path.to_str().unwrap()), "{why}");
        std::fs::remove_file(&path).unwrap();
        assert!(refuse(&path).is_ok());
    }

    #[test]
    fn a_folder_that_is_a_file_counts_as_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(refuse(&file.join("kill")).is_err());
    }
}
