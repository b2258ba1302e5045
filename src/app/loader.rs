//! Reads market facts over REST, beside the engine.
//!
//! Kalshi's markets are read many at a time: at the budget of a new key, thousands of single
//! requests would take minutes. What a venue says about a market that was read before is read
//! afresh, past what the client remembers of its event and series, because something about it has
//! changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::domain::{Market, Venue};
use crate::net::backoff::Backoff;
use crate::venue::kalshi::rest::MarketsFilter;
use crate::venue::{Error, kalshi, polymarket};

use super::driver::Message;

/// Requests under way at once at each venue; the clients' budgets hold the rate.
const AT_ONCE: usize = 8;

/// Markets that may wait to be read; all pairs of a large mapping folder fit.
pub const LOADS_MAX: usize = 20_000;

/// Tickers in one request for Kalshi's markets: the address stays below what servers accept.
const BATCH: usize = 100;

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

/// Whether what the client remembers of a market's event and series will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Used,
    Passed,
}

impl Clients {
    async fn load(&self, venue: Venue, id: &str, memory: Memory) -> Result<Market, Error> {
        match venue {
            Venue::Polymarket => self.polymarket.load_market(id).await,
            Venue::Kalshi => {
                let market = self.kalshi.get_market(id).await?;
                if memory == Memory::Passed {
                    self.kalshi.forget_event(market.event_ticker.as_deref().unwrap_or_default());
                }
                self.kalshi.complete_market(&market).await
            }
        }
    }

    /// New Kalshi markets, in one request; those that the answer leaves out are returned for a
    /// request of their own, which says why. All are, with the error, when there is no answer.
    async fn load_batch(
        &self,
        tickers: Vec<String>,
        messages: &mpsc::Sender<Message>,
    ) -> (Vec<String>, Option<Error>) {
        let filter = MarketsFilter { tickers: tickers.clone(), ..MarketsFilter::default() };
        let markets = match self.kalshi.get_markets(&filter).await {
            Ok(markets) => markets,
            Err(error) => return (tickers, Some(error)),
        };
        let mut missing: BTreeSet<String> = tickers.into_iter().collect();
        for market in &markets {
            let Some(ticker) = &market.ticker else { continue };
            if let Ok(known) = self.kalshi.complete_market(market).await {
                missing.remove(ticker);
                if messages.send(Message::Market(Box::new(known))).await.is_err() {
                    return (Vec::new(), None);
                }
            }
        }
        (missing.into_iter().collect(), None)
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

/// Reads what it is asked for until nobody asks any more. Each venue has a queue of its own, so
/// that one that does not answer keeps nobody from the other.
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

/// Who may read now, and what has been read before.
struct Turns {
    permits: Arc<Semaphore>,
    known: BTreeSet<String>,
    seed: u64,
}

impl Loader {
    async fn run(self: Arc<Self>, mut ids: mpsc::Receiver<String>, number: u64) {
        let mut turns = Turns {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            known: BTreeSet::new(),
            seed: number << 32,
        };
        let mut waiting = Vec::with_capacity(BATCH);
        while ids.recv_many(&mut waiting, BATCH).await > 0 {
            let mut batch = Vec::new();
            for id in waiting.drain(..) {
                let first = turns.known.insert(id.clone());
                if first && self.venue == Venue::Kalshi {
                    batch.push(id);
                } else {
                    let memory = if first { Memory::Used } else { Memory::Passed };
                    self.start(id, memory, &mut turns).await;
                }
            }
            if batch.len() > 1 {
                let (rest, error) = self.clients.load_batch(batch, &self.messages).await;
                if let Some(error) = error {
                    self.say(&error, rest.len(), Duration::ZERO).await;
                }
                batch = rest;
            }
            for id in batch {
                self.start(id, Memory::Used, &mut turns).await;
            }
        }
    }

    /// Reads one market in a task of its own, once there is room for one.
    async fn start(self: &Arc<Self>, id: String, memory: Memory, turns: &mut Turns) {
        if !self.wanted().insert(id.clone()) {
            return;
        }
        let Ok(permit) = Arc::clone(&turns.permits).acquire_owned().await else { return };
        turns.seed = turns.seed.wrapping_add(1);
        let backoff = Backoff::new(PATIENCE.0, PATIENCE.1, turns.seed);
        let loader = Arc::clone(self);
        tokio::spawn(async move {
            let message = loader.load(&id, memory, backoff).await;
            loader.wanted().remove(&id);
            drop(permit);
            // The engine is gone only at the end of a run.
            let _ = loader.messages.send(message).await;
        });
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until there is an answer that stays: the market, or that there is none. A key that is
    /// refused may be accepted later: it may be new, or the clock may have been wrong.
    async fn load(&self, id: &str, memory: Memory, mut backoff: Backoff) -> Message {
        loop {
            let error = match self.clients.load(self.venue, id, memory).await {
                Ok(market) => return Message::Market(Box::new(market)),
                Err(error) => error,
            };
            let refused = matches!(error, Error::Unauthorised { .. });
            if self.messages.is_closed() || !(refused || error.is_passing()) {
                return Message::NoMarket(self.venue, id.to_owned(), error.to_string());
            }
            let wait = backoff.wait();
            tracing::debug!("{error}; market {id} is asked for again in {} ms", wait.as_millis());
            let waiting = self.wanted().len();
            self.say(&error, waiting, wait).await;
            tokio::time::sleep(wait).await;
        }
    }

    /// Tells the user, unless that was done a moment ago. To be told to wait is no trouble: the
    /// budgets see to it.
    async fn say(&self, error: &Error, waiting: usize, wait: Duration) {
        if !matches!(error, Error::Limited { .. }) && self.quiet.is_due() {
            let text = format!("{}; markets that wait for it: {waiting}", why(error));
            let _ = self.messages.send(Message::Trouble(self.venue, text, wait)).await;
        }
    }
}

/// What went wrong, and what its reader may do about it.
fn why(error: &Error) -> String {
    match error {
        Error::Unauthorised { venue, text, .. } => format!(
            "{venue} refused the key or its signature ({text}): check the key id, the key file, \
             and that this machine's clock is right"
        ),
        other => other.to_string(),
    }
}
