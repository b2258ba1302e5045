//! The mapping files on disk: read all, and say when one changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// More files, or a larger one, are not a folder of mappings.
const FILES_MAX: usize = 1_000;
const FILE_SIZE_MAX: u64 = 16 << 20;

/// The file of the demo's pairs.
pub const DEMO_FILE: &str = "demo.toml";

/// Editors write a file in several steps; wait until they are done.
const SETTLE: Duration = Duration::from_millis(150);

/// Name and text of each `*.toml` in a folder, sorted by name. `candidates/` is not looked into.
pub fn read(dir: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(dir)
        .with_context(|| format!("cannot read the folder of mapping files `{}`", dir.display()))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read `{}`", dir.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            paths.push(path);
        }
    }
    anyhow::ensure!(paths.len() <= FILES_MAX, "more than {FILES_MAX} files in {}", dir.display());
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

/// The mapping files that speak of the real venues: all but those of the demo, whose markets only
/// the embedded exchanges list.
pub fn read_live(dir: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = read(dir)?;
    files.retain(|(name, _)| Path::new(name).file_name().is_none_or(|file| file != DEMO_FILE));
    Ok(files)
}

/// Name and text of one file.
pub fn read_file(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read `{name}`"))?.len();
    anyhow::ensure!(size <= FILE_SIZE_MAX, "`{name}` has {size} bytes, at most {FILE_SIZE_MAX}");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    Ok((name, text))
}

/// How the texts of a folder are read.
pub type ReadFolder = fn(&Path) -> anyhow::Result<Vec<(String, String)>>;

/// A folder that went away is looked for again this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Sends the folder's texts whenever something in it changes, until the receiver is gone.
pub fn watch(dir: &Path, read: ReadFolder) -> anyhow::Result<Watching> {
    let (changed, mut changes) = mpsc::channel::<()>(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too; only changes count. One waiting signal is enough.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = changed.try_send(());
        }
    })
    .context("cannot watch the mapping files for changes")?;
    watcher
        .watch(dir, RecursiveMode::NonRecursive)
        .with_context(|| format!("cannot watch `{}` for changes", dir.display()))?;
    let (sender, texts) = mpsc::channel(1);
    let dir = dir.to_owned();
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            tokio::time::sleep(SETTLE).await;
            while changes.try_recv().is_ok() {}
            let texts = read(&dir);
            let gone = texts.is_err() && !dir.is_dir();
            if sender.send(texts).await.is_err() {
                return;
            }
            if gone {
                // What is watched is the folder that was there; a new one of its name is another.
                while !dir.is_dir() || watcher.watch(&dir, RecursiveMode::NonRecursive).is_err() {
                    if sender.is_closed() {
                        return;
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                tokio::time::sleep(SETTLE).await;
                if sender.send(read(&dir)).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(Watching { texts })
}

/// A folder under watch.
#[derive(Debug)]
pub struct Watching {
    /// The texts after each change, or why they cannot be read.
    pub texts: mpsc::Receiver<anyhow::Result<Vec<(String, String)>>>,
}
