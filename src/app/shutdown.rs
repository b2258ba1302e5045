//! How a run ends: by itself, by a deadline, or by Ctrl-C. One that trades comes to rest first.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::driver::Settle;
use super::exit::Exit;
use crate::config::Settings;

/// How long a reading of an account takes at most, when all is well.
const READING_MAX: Duration = Duration::from_secs(1);

/// A match can fail minutes after it was told: for so long at least its finality is waited for
/// where ledgers are to be compared to the last.
const FINALITY_MAX: Duration = Duration::from_mins(6);

/// How long the answers to the last cancels are waited for.
pub const CANCELS_MAX: Duration = Duration::from_secs(5);

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// What was asked for is done.
    Done,
    /// Ctrl-C, or SIGTERM.
    Interrupted,
    /// A person ended everything.
    Killed,
}

impl Stop {
    /// How the process ends.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Done => Exit::Done,
            Self::Interrupted => Exit::Interrupted,
            Self::Killed => Exit::Halted,
        }
    }
}

/// Tells all parts of a run to stop.
#[derive(Debug, Clone)]
pub struct Stopper {
    sender: watch::Sender<Asked>,
}

/// What was asked for so far.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    stop: Option<Stop>,
    /// Asked again: whatever is under way is left as it is.
    at_once: bool,
}

/// Hears of the stop.
#[derive(Debug, Clone)]
pub struct Stopping {
    receiver: watch::Receiver<Asked>,
}

/// A pair of ends.
pub fn channel() -> (Stopper, Stopping) {
    let (sender, receiver) = watch::channel(Asked::default());
    (Stopper { sender }, Stopping { receiver })
}

impl Stopper {
    /// Stops the run; the first reason stays.
    pub fn stop(&self, why: Stop) {
        self.sender.send_if_modified(|asked| {
            let first = asked.stop.is_none();
            if first {
                asked.stop = Some(why);
            }
            first
        });
    }

    /// Stops the run whatever is under way.
    pub fn stop_at_once(&self, why: Stop) {
        self.sender.send_modify(|asked| *asked = Asked { stop: Some(why), at_once: true });
    }
}

impl Stopping {
    /// Waits for the stop. If nobody can stop the run any more, it is over too.
    pub async fn wait(&mut self) -> Stop {
        match self.receiver.wait_for(|asked| asked.stop.is_some()).await {
            Ok(asked) => asked.stop.unwrap_or(Stop::Done),
            Err(_) => Stop::Done,
        }
    }

    /// The reason, once there is one.
    pub fn reason(&self) -> Option<Stop> {
        self.receiver.borrow().stop
    }

    fn is_at_once(&self) -> bool {
        self.receiver.borrow().at_once
    }
}

/// A run between the stop and its end: what is under way comes to rest, for so long at most.
#[derive(Debug)]
pub struct Settling {
    stopping: Stopping,
    settle: Settle,
    stopped: Option<(Stop, Instant)>,
    rests_since: Option<Instant>,
}

impl Settling {
    /// Nobody has asked for the end yet.
    pub const fn new(stopping: Stopping, settle: Settle) -> Self {
        Self { stopping, settle, stopped: None, rests_since: None }
    }

    /// Waits for the stop, once.
    pub async fn heard(&mut self) {
        if self.stopped.is_some() {
            return std::future::pending().await;
        }
        let stop = self.stopping.wait().await;
        self.begin(stop);
    }

    /// The end begins, if it has not begun before.
    pub fn begin(&mut self, stop: Stop) -> bool {
        let is_first = self.stopped.is_none();
        if is_first {
            self.stopped = Some((stop, Instant::now()));
        }
        is_first
    }

    /// A person ended everything: only cancels are waited for, and not for long.
    pub fn kill(&mut self) {
        self.stopped = Some((Stop::Killed, Instant::now()));
        self.settle = Settle { patience: CANCELS_MAX, rest: Duration::ZERO };
    }

    /// Whether a person ended everything.
    pub fn is_killed(&self) -> bool {
        matches!(self.stopped, Some((Stop::Killed, _)))
    }

    /// Whether the accounts are to agree with the ledger at the end, where they can: what a venue
    /// took back without a word is found by reading on.
    pub const fn is_compared(&self) -> bool {
        !self.settle.rest.is_zero()
    }

    /// Why the run is over, once it is: everything has been at rest for long enough, the patience
    /// is used up, or somebody asked again.
    pub fn over(&mut self, at_rest: bool) -> Option<Stop> {
        let (stop, since) = self.stopped?;
        let now = Instant::now();
        self.rests_since = if at_rest { self.rests_since.or(Some(now)) } else { None };
        let rested = self.rests_since.is_some_and(|since| now - since >= self.settle.rest);
        let over = rested || now - since >= self.settle.patience || self.stopping.is_at_once();
        over.then_some(stop)
    }
}

impl Settle {
    /// For a run that trades nothing.
    pub const NONE: Self = Self { patience: Duration::ZERO, rest: Duration::ZERO };

    /// Until everything is final, and both accounts were read twice more and can be compared with
    /// the ledger: what one reading shows is booked when a second one agrees.
    pub fn until_compared(settings: &Settings) -> Self {
        let trade = &settings.trade;
        let rest = trade.reconcile_every * 2 + trade.reconcile.grace + READING_MAX;
        Self { patience: trade.settle.max(FINALITY_MAX), rest }
    }
}

/// Turns Ctrl-C and SIGTERM into a stop; a second one does not wait for what is under way, and a
/// third one ends the process.
pub fn on_signals(stopper: Stopper) {
    tokio::spawn(async move {
        signal().await;
        stopper.stop(Stop::Interrupted);
        signal().await;
        stopper.stop_at_once(Stop::Interrupted);
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
