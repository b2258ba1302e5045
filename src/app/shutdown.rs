//! How a run ends: by itself, by a deadline, or by Ctrl-C.

use tokio::sync::watch;

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// What was asked for is done.
    Done,
    /// Ctrl-C, or SIGTERM.
    Interrupted,
}

/// Tells all parts of a run to stop.
#[derive(Debug, Clone)]
pub struct Stopper {
    sender: watch::Sender<Option<Stop>>,
}

/// Hears of the stop.
#[derive(Debug, Clone)]
pub struct Stopping {
    receiver: watch::Receiver<Option<Stop>>,
}

/// A pair of ends.
pub fn channel() -> (Stopper, Stopping) {
    let (sender, receiver) = watch::channel(None);
    (Stopper { sender }, Stopping { receiver })
}

impl Stopper {
    /// Stops the run; the first reason stays.
    pub fn stop(&self, why: Stop) {
        self.sender.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(why);
            }
            first
        });
    }
}

impl Stopping {
    /// Waits for the stop. If nobody can stop the run any more, it is over too.
    pub async fn wait(&mut self) -> Stop {
        match self.receiver.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(Stop::Done),
            Err(_) => Stop::Done,
        }
    }

    /// The reason, once there is one.
    pub fn reason(&self) -> Option<Stop> {
        *self.receiver.borrow()
    }
}

/// Turns Ctrl-C and SIGTERM into a stop; a second Ctrl-C ends the process at once.
pub fn on_signals(stopper: Stopper) {
    tokio::spawn(async move {
        signal().await;
        stopper.stop(Stop::Interrupted);
        signal().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
