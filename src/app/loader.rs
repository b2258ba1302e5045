//! Reads market facts over REST, beside the engine.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::domain::{Market, Venue};
use crate::net::backoff::Backoff;
use crate::venue::{Error, kalshi, polymarket};

use super::driver::Message;

/// Requests under way at once at each venue; the clients' budgets hold the rate.
const AT_ONCE: usize = 8;

/// Markets that may wait to be read; all pairs of a large mapping folder fit.
pub const LOADS_MAX: usize = 20_000;

/// A market that cannot be read because the venue does not answer is tried again this long, and no
/// longer, between two tries.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Both venues' REST clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Kalshi's.
    pub kalshi: Arc<kalshi::rest::Client>,
    /// Polymarket's.
    pub polymarket: Arc<polymarket::rest::Client>,
}

impl Clients {
    /// A market's facts.
    pub async fn load(&self, venue: Venue, id: &str) -> Result<Market, Error> {
        match venue {
            Venue::Kalshi => self.kalshi.load_market(id).await,
            Venue::Polymarket => self.polymarket.load_market(id).await,
        }
    }
}

/// Says that a venue does not answer: at once, and then this often, however many requests fail.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Holds back what would be said over and over while a venue does not answer.
#[derive(Debug, Default)]
pub struct Quiet {
    said: Mutex<Option<Instant>>,
}

impl Quiet {
    /// Whether it is time to say it (again).
    pub fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let due = said.is_none_or(|said| now.duration_since(said) >= SAY_EVERY);
        if due {
            *said = Some(now);
        }
        due
    }
}

/// Reads what it is asked for until nobody asks any more. Each venue has a queue of its own, so that
/// one that does not answer keeps nobody from the other.
pub async fn run(
    clients: Clients,
    mut loads: mpsc::Receiver<(Venue, String)>,
    messages: mpsc::Sender<Message>,
) {
    let queue = |venue: Venue, number: u64| {
        let (sender, ids) = mpsc::channel(LOADS_MAX);
        let loader = Loader {
            clients: clients.clone(),
            venue,
            messages: messages.clone(),
            quiet: Quiet::default(),
            wanted: Mutex::default(),
        };
        tokio::spawn(Arc::new(loader).run(ids, number));
        sender
    };
    let (kalshi, polymarket) = (queue(Venue::Kalshi, 1), queue(Venue::Polymarket, 2));
    while let Some((venue, id)) = loads.recv().await {
        let queue = match venue {
            Venue::Kalshi => &kalshi,
            Venue::Polymarket => &polymarket,
        };
        if queue.send(id).await.is_err() {
            return;
        }
    }
}

/// Reads the markets of one venue.
#[derive(Debug)]
struct Loader {
    clients: Clients,
    venue: Venue,
    messages: mpsc::Sender<Message>,
    quiet: Quiet,
    /// What is being read at present: asking twice brings one answer.
    wanted: Mutex<BTreeSet<String>>,
}

impl Loader {
    async fn run(self: Arc<Self>, mut ids: mpsc::Receiver<String>, number: u64) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut seed = number << 32;
        while let Some(id) = ids.recv().await {
            if !self.wanted().insert(id.clone()) {
                continue;
            }
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            seed = seed.wrapping_add(1);
            let backoff = Backoff::new(PATIENCE.0, PATIENCE.1, seed);
            let loader = Arc::clone(&self);
            tokio::spawn(async move {
                let message = loader.load(&id, backoff).await;
                loader.wanted().remove(&id);
                drop(permit);
                // The engine is gone only at the end of a run.
                let _ = loader.messages.send(message).await;
            });
        }
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until there is an answer that stays: the market, or that there is none. A key that is
    /// refused may be accepted later: it may be new, or the clock may have been wrong.
    async fn load(&self, id: &str, mut backoff: Backoff) -> Message {
        loop {
            let error = match self.clients.load(self.venue, id).await {
                Ok(market) => return Message::Market(Box::new(market)),
                Err(error) => error,
            };
            let refused = matches!(error, Error::Unauthorised { .. });
            if self.messages.is_closed() || !(refused || error.is_passing()) {
                return Message::NoMarket(self.venue, id.to_owned(), error.to_string());
            }
            let wait = backoff.wait();
            tracing::debug!("{error}; market {id} is asked for again in {} ms", wait.as_millis());
            // To be told to wait is no trouble, and the budgets see to it.
            if !matches!(error, Error::Limited { .. }) && self.quiet.is_due() {
                let waiting = self.wanted().len();
                let text = format!("{}; markets that wait for it: {waiting}", why(&error));
                let _ = self.messages.send(Message::Trouble(self.venue, text, wait)).await;
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// What went wrong, and what its reader may do about it.
fn why(error: &Error) -> String {
    match error {
        Error::Unauthorised { venue, text, .. } => format!(
            "{venue} refused the key or its signature ({text}): check the key id, the key file, and \
             that this machine's clock is right"
        ),
        other => other.to_string(),
    }
}
