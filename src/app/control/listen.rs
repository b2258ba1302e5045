//! The side of the process that trades.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Asked, LINE_MAX, folder, parse, socket};

/// How many may speak at once; more wait.
const TALKS_MAX: usize = 8;
/// How many requests may wait for the trader; more are told so.
const WAITING_MAX: usize = 16;
/// How long a line may take to arrive, and its answer to be found.
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens until it is dropped; then the socket is gone.
#[derive(Debug)]
pub struct Listening {
    socket: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // A socket that stays behind is replaced by the next trader.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Listens beside a journal. Whoever calls this holds the journal's lock: a socket that is there
/// was left behind by a process that is gone.
pub fn listen(journal: &Path) -> anyhow::Result<(Listening, mpsc::Receiver<Asked>)> {
    let (folder, socket) = (folder(journal), socket(journal));
    let shown = folder.display();
    match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).context(format!("cannot make the folder {shown}"));
        }
        _ => {}
    }
    let found = std::fs::symlink_metadata(&folder).context(format!("cannot read {shown}"))?;
    anyhow::ensure!(found.is_dir(), "{shown} is not a folder");
    anyhow::ensure!(
        found.permissions().mode() & 0o077 == 0,
        "others may enter {shown}: `chmod 700` it"
    );
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context(format!("cannot replace {}", socket.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&socket)
        .with_context(|| format!("cannot listen at {}", socket.display()))?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    // What this process makes belongs to its user.
    let uid = std::fs::symlink_metadata(&socket)?.uid();
    anyhow::ensure!(found.uid() == uid, "{shown} belongs to another user");
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let task = tokio::spawn(accept(listener, uid, sender));
    Ok((Listening { socket, task }, receiver))
}

async fn accept(listener: UnixListener, uid: u32, sender: mpsc::Sender<Asked>) {
    let room = Arc::new(Semaphore::new(TALKS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles, most likely: it may pass.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let sender = sender.clone();
        tokio::spawn(async move {
            let is_owner = stream.peer_cred().is_ok_and(|peer| peer.uid() == uid);
            if is_owner {
                // Whoever hangs up in the middle does not want to know.
                let _ = talk(stream, &sender).await;
            } else {
                tracing::warn!("another user tried to use the control socket");
            }
            drop(permit);
        });
    }
}

/// One line in, one line out, until the other side ends.
async fn talk(mut stream: UnixStream, sender: &mpsc::Sender<Asked>) -> std::io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = String::new();
        let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        let mut limited = (&mut reading).take(most);
        let read = tokio::time::timeout(PATIENCE, limited.read_line(&mut line));
        let Ok(Ok(1..)) = read.await else { return Ok(()) };
        if !line.ends_with('\n') {
            return Ok(());
        }
        let answer = match answer(&line, sender).await {
            Ok(Value::Object(mut fields)) => {
                fields.insert("ok".to_owned(), true.into());
                Value::Object(fields)
            }
            Ok(other) => json!({ "ok": true, "answer": other }),
            Err(error) => json!({ "ok": false, "error": error }),
        };
        writing.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

async fn answer(line: &str, sender: &mpsc::Sender<Asked>) -> Result<Value, String> {
    let request = parse(line)?;
    let (answer, answered) = oneshot::channel();
    sender.try_send(Asked { request, answer }).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => "too many requests wait already".to_owned(),
        mpsc::error::TrySendError::Closed(_) => "the trader is ending".to_owned(),
    })?;
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err("the trader ended before it answered".to_owned()),
        Err(_) => Err(format!("the trader did not answer within {} s", PATIENCE.as_secs())),
    }
}
