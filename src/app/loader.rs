//! Reads market facts over REST, beside the engine.
//!
//! Kalshi's markets are read many at a time: at the budget of a new key, thousands of single
//! requests would take minutes. What a venue says about a market that was read before is read
//! afresh, past what the client remembers of its event and series, because something about it has
//! changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Reads a market once.
    pub async fn read(&self, venue: Venue, id: &str) -> Result<Market, Error> {
        self.load(venue, id, Memory::Used).await
    }

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
        let mut said = lock(&self.said);
        let due = said.is_none_or(|said| now.duration_since(said) >= SAY_EVERY);
        if due {
            *said = Some(now);
        }
        due
    }
}

/// Why a market is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The machine asked: it is new, or the venue said that something about it changed.
    Asked,
    /// Its turn has come, so that no fact grows old.
    Refresh,
}

/// A market to be read.
pub type Load = (Venue, String, Why);

/// The first and the longest wait before a market that was not there is looked for again; a new
/// one is unknown to parts of a venue for minutes.
const ABSENCE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));

/// Reads what it is asked for until nobody asks any more. Each venue has a queue of its own, so
/// that one that does not answer keeps nobody from the other.
pub async fn run(
    clients: Clients,
    mut loads: mpsc::Receiver<Load>,
    messages: mpsc::Sender<Message>,
) {
    let queue = |venue: Venue, number: u64| {
        let (sender, ids) = mpsc::channel(LOADS_MAX);
        let loader = Loader {
            clients: clients.clone(),
            venue,
            messages: messages.clone(),
            quiet: Quiet::default(),
            reading: Mutex::default(),
            loaded: Mutex::default(),
        };
        tokio::spawn(Arc::new(loader).run(ids, number));
        sender
    };
    let (kalshi, polymarket) = (queue(Venue::Kalshi, 1), queue(Venue::Polymarket, 2));
    while let Some((venue, id, why)) = loads.recv().await {
        let queue = match venue {
            Venue::Kalshi => &kalshi,
            Venue::Polymarket => &polymarket,
        };
        if queue.send((id, why)).await.is_err() {
            return;
        }
    }
}

/// Whether something asked for a market again while it was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

/// Reads the markets of one venue.
#[derive(Debug)]
struct Loader {
    clients: Clients,
    venue: Venue,
    messages: mpsc::Sender<Message>,
    quiet: Quiet,
    /// What is being read at present. What is asked for meanwhile is read once more: the answer
    /// that is on its way may be from before the change.
    reading: Mutex<BTreeMap<String, Again>>,
    /// What has been read at least once.
    loaded: Mutex<BTreeSet<String>>,
}

/// Who may read now, and what has been asked for before.
struct Turns {
    permits: Arc<Semaphore>,
    known: BTreeSet<String>,
    seed: u64,
}

impl Loader {
    async fn run(self: Arc<Self>, mut ids: mpsc::Receiver<(String, Why)>, number: u64) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut turns = Turns { permits, known: BTreeSet::new(), seed: number << 32 };
        let mut waiting = Vec::with_capacity(BATCH);
        while ids.recv_many(&mut waiting, BATCH).await > 0 {
            let mut batch = Vec::new();
            for (id, why) in waiting.drain(..) {
                let first = turns.known.insert(id.clone());
                let remembered = first || why == Why::Refresh;
                match (self.venue, remembered) {
                    (Venue::Kalshi, true) => batch.push(id),
                    (_, true) => self.start(id, Memory::Used, &mut turns).await,
                    (_, false) => self.start(id, Memory::Passed, &mut turns).await,
                }
            }
            if batch.len() > 1 {
                batch = self.read_batch(batch).await;
            }
            for id in batch {
                self.start(id, Memory::Used, &mut turns).await;
            }
        }
    }

    /// Kalshi's markets in one request; those that the answer leaves out are returned for a request
    /// of their own, which says why.
    async fn read_batch(&self, tickers: Vec<String>) -> Vec<String> {
        let filter = MarketsFilter { tickers: tickers.clone(), ..MarketsFilter::default() };
        let markets = match self.clients.kalshi.get_markets(&filter).await {
            Ok(markets) => markets,
            Err(error) => {
                self.say(&error, tickers.len(), Duration::ZERO).await;
                return tickers;
            }
        };
        let mut missing: BTreeSet<String> = tickers.into_iter().collect();
        for market in &markets {
            let Some(ticker) = &market.ticker else { continue };
            if let Ok(known) = self.clients.kalshi.complete_market(market).await {
                missing.remove(ticker);
                self.send(known).await;
            }
        }
        missing.into_iter().collect()
    }

    /// Reads one market in a task of its own, once there is room for one.
    async fn start(self: &Arc<Self>, id: String, memory: Memory, turns: &mut Turns) {
        if let Some(again) = lock(&self.reading).get_mut(&id) {
            *again = Again::Yes;
            return;
        }
        lock(&self.reading).insert(id.clone(), Again::No);
        let Ok(permit) = Arc::clone(&turns.permits).acquire_owned().await else { return };
        turns.seed = turns.seed.wrapping_add(1);
        let loader = Arc::clone(self);
        let seed = turns.seed;
        tokio::spawn(async move {
            let found = loader.read(&id, memory, seed).await;
            drop(permit);
            match found {
                Ok(market) => loader.send(market).await,
                Err(error) => loader.absent(&id, &error, seed).await,
            }
        });
    }

    /// Asks until there is an answer that stays, and that nothing has overtaken.
    async fn read(&self, id: &str, mut memory: Memory, seed: u64) -> Result<Market, Error> {
        loop {
            let found = self.ask(id, memory, Backoff::new(PATIENCE.0, PATIENCE.1, seed)).await;
            let mut reading = lock(&self.reading);
            match reading.get_mut(id) {
                Some(again @ Again::Yes) if found.is_ok() => *again = Again::No,
                _ => {
                    reading.remove(id);
                    return found;
                }
            }
            memory = Memory::Passed;
        }
    }

    /// Asks until there is an answer that stays: the market, or that there is none. A key that is
    /// refused may be accepted later: it may be new, or the clock may have been wrong.
    async fn ask(&self, id: &str, memory: Memory, mut backoff: Backoff) -> Result<Market, Error> {
        loop {
            let error = match self.clients.load(self.venue, id, memory).await {
                Ok(market) => return Ok(market),
                Err(error) => error,
            };
            let refused = matches!(error, Error::Unauthorised { .. });
            if self.messages.is_closed() || !(refused || error.is_passing()) {
                return Err(error);
            }
            let wait = backoff.wait();
            tracing::debug!("{error}; market {id} is asked for again in {} ms", wait.as_millis());
            let waiting = lock(&self.reading).len();
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

    /// Says that a market is not there, and looks for it again with growing patience. One that was
    /// there before stays as it was, unless the venue says that it does not exist.
    async fn absent(&self, id: &str, error: &Error, seed: u64) {
        let mut backoff = Backoff::new(ABSENCE.0, ABSENCE.1, seed);
        let known = lock(&self.loaded).contains(id);
        let message = if known && !matches!(error, Error::NoSuchMarket { .. }) {
            Message::Trouble(self.venue, format!("market {id}: {error}"), ABSENCE.0)
        } else {
            Message::NoMarket(self.venue, id.to_owned(), error.to_string())
        };
        let _ = self.messages.send(message).await;
        while !self.messages.is_closed() {
            tokio::time::sleep(backoff.wait()).await;
            if self.look_again(id).await {
                return;
            }
        }
    }

    /// Asks once, without a word when there is no answer.
    async fn look_again(&self, id: &str) -> bool {
        match self.clients.load(self.venue, id, Memory::Passed).await {
            Ok(market) => {
                self.send(market).await;
                true
            }
            Err(_) => false,
        }
    }

    async fn send(&self, market: Market) {
        lock(&self.loaded).insert(market.id.clone());
        // The engine is gone only at the end of a run.
        let _ = self.messages.send(Message::Market(Box::new(market))).await;
    }
}

/// A lock that a panic has left behind still guards sound data: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
