//! The side of the person who asks.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::{ANSWER_MAX, Request, encode, socket};

/// Longer than the trader takes to say that it does not answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks the trader of a journal, and gives back what came of it.
pub fn ask(journal: &Path, request: &Request) -> anyhow::Result<Value> {
    let line = encode(request).context("this cannot be asked from outside")?;
    let stream = connect(journal)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    (&stream).write_all(format!("{line}\n").as_bytes()).context("cannot ask the trader")?;
    let mut answer = String::new();
    let most = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
    BufReader::new(&stream)
        .take(most)
        .read_line(&mut answer)
        .context("the trader did not answer; what was asked may have happened or not")?;
    anyhow::ensure!(
        !answer.is_empty(),
        "the trader ended the connection; what was asked may have happened or not"
    );
    anyhow::ensure!(
        answer.ends_with('\n'),
        "the trader's answer ends in the middle or is longer than {} MiB; what was asked may have \
         happened",
        ANSWER_MAX >> 20
    );
    let answer: Value =
        serde_json::from_str(&answer).context("the trader's answer makes no sense")?;
    if answer.get("ok").and_then(Value::as_bool) == Some(true) {
        return Ok(answer);
    }
    let why = answer.get("error").and_then(Value::as_str).unwrap_or("it did not say why");
    anyhow::bail!("the trader refused: {why}")
}

/// Whether a trader of this journal listens.
pub fn is_there(journal: &Path) -> bool {
    UnixStream::connect(socket(journal)).is_ok()
}

fn connect(journal: &Path) -> anyhow::Result<UnixStream> {
    let socket = socket(journal);
    UnixStream::connect(&socket).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow::anyhow!(
            "nobody trades with the journal {}: there is nothing to tell; --journal names another",
            journal.display()
        ),
        ErrorKind::PermissionDenied => {
            anyhow::anyhow!("the trader of {} runs as another user", journal.display())
        }
        _ => anyhow::anyhow!("cannot reach {}: {error}", socket.display()),
    })
}
